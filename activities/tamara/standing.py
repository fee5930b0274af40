"""What the documents say AirPlus must be told of each payment: invoice, less credit notes, plus penalties (money-rules T2).

Pure. Amounts keep their sign: credit notes are negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.money import Money, total
from store.documents import Document


@dataclass(frozen=True, slots=True)
class Standing:
    """One payment: its invoice, what corrects it, and its share of the penalties."""

    invoice: Document
    notes: tuple[Document, ...]
    penalty: Money
    penalty_document: Document | None

    @property
    def kept(self) -> Money:
        """What is still sold."""
        return total((self.invoice.amount, *(note.amount for note in self.notes)), self.invoice.amount.currency)

    @property
    def due(self) -> Money:
        """What the account must have been charged in the end."""
        return self.kept + self.penalty


def standing_of(payment_id: str, documents: Sequence[Document]) -> Standing | None:
    """The standing of a payment from all documents of its booking; None while it has no invoice."""
    invoices = {doc.key: doc for doc in documents if doc.kind == "invoice"}
    invoice = next((doc for doc in invoices.values() if doc.payment_id == payment_id), None)
    if invoice is None:
        return None
    notes = {doc.key: (_payment(doc, invoices), doc) for doc in documents if doc.kind == "credit_note"}
    own = tuple(doc for owner, doc in notes.values() if owner == payment_id)
    room = -total((note.amount for note in own), invoice.amount.currency)
    penalty, last = Money.zero(invoice.amount.currency), None
    for document in documents:
        if document.kind == "penalty":
            share = _share(document, payment_id, list(notes.values()))
            if share:
                penalty, last = penalty + share, document
    # A penalty beyond what was given back is still owed by the payer and was not paid with this account.
    return Standing(invoice, own, min(penalty, room), last)


def _payment(note: Document, invoices: dict[str, Document]) -> str | None:
    original = invoices.get(note.refers_to or "")
    return note.payment_id or (original.payment_id if original is not None else None)


def _share(penalty: Document, payment_id: str, notes: Sequence[tuple[str | None, Document]]) -> Money:
    """A penalty is borne by the payments that were credited for the same cancellation, in proportion to the credits."""
    zero = Money.zero(penalty.amount.currency)
    if penalty.payment_id is not None:
        return penalty.amount if penalty.payment_id == payment_id else zero
    cause = penalty.key.partition(":")[2]
    same = [(owner, note) for owner, note in notes if cause and cause in note.key.split(":")] or list(notes)
    if not same:
        return zero
    shares = penalty.amount.split([-note.amount.amount for _, note in same])
    return total((share for (owner, _), share in zip(same, shares, strict=True) if owner == payment_id), zero.currency)
