"""What the documents say AirPlus must be told of each payment: invoice, less what was given back, plus penalties (money-rules T2).

Pure. Amounts keep their sign: credit notes are negative. An ERP that can only credit whole invoices issues the rest
again; such re-issues belong to the family of the first invoice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.money import Money, total
from store.documents import Document


@dataclass(frozen=True, slots=True)
class Family:
    """The invoice of one payment with its credit notes and re-issues."""

    invoice: Document
    notes: tuple[Document, ...]
    reissues: tuple[Document, ...]

    @property
    def kept(self) -> Money:
        """What is still sold."""
        every = (self.invoice, *self.notes, *self.reissues)
        return total((document.amount for document in every), self.invoice.amount.currency)

    @property
    def freed(self) -> Money:
        """What was given back by documents."""
        return self.invoice.amount - self.kept

    @property
    def current(self) -> Document:
        """The invoice that stands: the newest that no credit note names."""
        named = {note.refers_to for note in self.notes}
        return next((each for each in reversed(self.reissues) if each.key not in named), self.invoice)


@dataclass(frozen=True, slots=True)
class Standing:
    """One payment: its family, and its share of the penalties with the document that fixed them and what credits some."""

    family: Family
    penalty: Money
    penalty_document: Document | None
    penalty_notes: tuple[Document, ...] = ()

    @property
    def kept(self) -> Money:
        return self.family.kept

    @property
    def due(self) -> Money:
        """What the account must have been charged in the end."""
        return self.family.kept + self.penalty

    @property
    def bearing(self) -> Document:
        """The document on which the debit goes out: a line that holds nothing but a penalty has the penalty's own."""
        return self.penalty_document if not self.kept and self.penalty_document else self.family.current


def standings(documents: Sequence[Document], refunded: Mapping[str, int]) -> dict[str, Standing]:
    """Standings by payment, from all documents of a booking in the order of their issue.

    `refunded` gives what went back to each payment so far, in minor units; payments without an invoice are left out.
    """
    families = _families(documents)
    penalties = [document for document in documents if document.kind == "penalty"]
    notes = tuple(document for document in penalties if document.amount.amount < 0)
    taken_back = {note.refers_to for note in notes}
    standing = [each for each in penalties if each not in notes and each.key not in taken_back]
    shares = dict.fromkeys(families, 0)
    _share_out(sum(each.amount.amount for each in penalties), families, shares, refunded)
    return {
        payment_id: Standing(
            family,
            Money(amount=shares[payment_id], currency=family.invoice.amount.currency),
            standing[-1] if shares[payment_id] else None,
            notes,
        )
        for payment_id, family in families.items()
    }


def _families(documents: Sequence[Document]) -> dict[str, Family]:
    owner = {document.key: document.payment_id for document in documents if document.payment_id is not None}
    invoices: dict[str, list[Document]] = {}
    notes: dict[str, list[Document]] = {}
    for document in documents:
        payment_id = document.payment_id or owner.get(document.refers_to or "")
        if payment_id is not None and document.kind in ("invoice", "credit_note"):
            (invoices if document.kind == "invoice" else notes).setdefault(payment_id, []).append(document)
    families = {}
    for payment_id, issued in invoices.items():
        # The first names nothing before it; the order of recording decides only between re-issues.
        first = next((each for each in issued if each.refers_to is None), issued[0])
        rest = tuple(each for each in issued if each is not first)
        families[payment_id] = Family(first, tuple(notes.get(payment_id, ())), rest)
    return families


def _share_out(
    penalty: int, families: Mapping[str, Family], shares: dict[str, int], refunded: Mapping[str, int]
) -> None:
    """Who bears a penalty: payments that got back less than was freed, then the rest in the order of their invoices.

    What exceeds everything freed is still owed by the payer and was not paid with any of these payments.
    """
    left = penalty
    for payment_id in sorted(families, key=lambda each: refunded.get(each, 0) == 0):
        room = families[payment_id].freed.amount - refunded.get(payment_id, 0) - shares[payment_id]
        part = max(0, min(left, room))
        shares[payment_id] += part
        left -= part
