"""What must not have changed between two snapshots of the same books (contracts: money-rules 3: N7)."""

from __future__ import annotations

from domain.books import Books, Invoice
from domain.invariants.declaring import Violation


def changed_since(before: Books, after: Books) -> list[Violation]:
    """Issued documents that are gone or different in the later snapshot."""
    now = {invoice.number: invoice for booking in after.bookings for invoice in booking.invoices}
    found = []
    for booking in before.bookings:
        for invoice in booking.invoices:
            later = now.get(invoice.number)
            if later is None:
                found.append(Violation(invoice.number, "was issued, and is gone"))
            elif _content(later) != _content(invoice):
                found.append(Violation(invoice.number, "was issued, and is another by now"))
    return found


def _content(invoice: Invoice) -> tuple[object, ...]:
    return invoice.series, invoice.kind, invoice.total, invoice.issued_on, invoice.refers_to, invoice.external_key
