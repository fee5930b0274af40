"""Which invoices are credited when less is sold than was invoiced: pure arithmetic (contracts: money-rules 1.3, M3, M4).

GIAV credits whole invoices only, so a part is corrected by crediting the whole and invoicing the rest again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from domain.money import Money, total
from store.documents import Document


class Correction(NamedTuple):
    """Credit `document`; of its amount `remaining` stays sold and is invoiced again (zero: nothing)."""

    document: Document
    remaining: Money

    @property
    def freed(self) -> Money:
        return self.document.amount - self.remaining


def standing_invoices(documents: Sequence[Document]) -> list[Document]:
    """Invoices that no credit note has taken back, in the order they were recorded."""
    credited = {document.refers_to for document in documents if document.kind == "credit_note"}
    return [document for document in documents if document.kind == "invoice" and document.key not in credited]


def invoiced(documents: Iterable[Document], currency: str) -> Money:
    """Net of invoices and credit notes; penalty documents are not in it."""
    return total((each.amount for each in documents if each.kind in ("invoice", "credit_note")), currency)


def penalised(documents: Iterable[Document], currency: str) -> Money:
    return total((each.amount for each in documents if each.kind == "penalty"), currency)


def originals(documents: Iterable[Document], currency: str) -> Money:
    """What the payments that have an invoice amount to, whatever was corrected since."""
    return total((each.amount for each in documents if each.kind == "invoice" and each.refers_to is None), currency)


def corrections(documents: Sequence[Document], keep: Money, first: str | None = None) -> list[Correction]:
    """Reduce the net invoiced to `keep` (not below zero): latest invoices first, those of payment `first` before all."""
    excess = invoiced(documents, keep.currency) - max(keep, Money.zero(keep.currency))
    candidates = list(reversed(standing_invoices(documents)))
    candidates.sort(key=lambda document: document.payment_id != first if first else False)
    return reduced(candidates, excess)


def reduced(candidates: Iterable[Document], excess: Money) -> list[Correction]:
    """Take `excess` from these documents, from the first of them first."""
    plan = []
    for document in candidates:
        if excess.amount <= 0:
            break
        taken = min(excess, document.amount)
        plan.append(Correction(document, document.amount - taken))
        excess = excess - taken
    return plan


def sold_again(documents: Sequence[Document], keep: Money) -> list[Correction]:
    """Raise the net invoiced to `keep` where money is held whose invoices were credited: oldest payments first.

    `document` is the newest credited invoice of a payment, `remaining` what is invoiced once more beside what stands.
    """
    missing = keep - invoiced(documents, keep.currency)
    by_key = {document.key: document for document in documents}
    freed: dict[str, Correction] = {}
    for note in (document for document in documents if document.kind == "credit_note"):
        credited = by_key.get(note.refers_to or "")
        if credited is not None and credited.payment_id is not None:
            family = [document for document in documents if document.payment_id == credited.payment_id]
            room = originals(family, keep.currency) - invoiced(family, keep.currency)
            freed[credited.payment_id] = Correction(credited, room)
    plan = []
    for credited, room in freed.values():
        part = min(missing, room)
        if part.amount > 0:
            plan.append(Correction(credited, part))
            missing = missing - part
    return plan


def keep_after_change(sale: Money, captured: Money, refunded: Money, penalties: Money) -> Money:
    """How much may stay invoiced as sold: never more than is sold, nor than was paid and not given back, and without
    the part that penalty documents carry."""
    return min(sale, captured - refunded) - penalties
