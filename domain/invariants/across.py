"""Invariants over several systems' sums and lines (contracts: money-rules 3: T4; notes: faults I3, I8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from domain.books import BookingBooks, Books
from domain.invariants.declaring import Rules, Violation, When, at_rest, differs

RULES = Rules()


@RULES.of_the_books("T4", "5728 = cobros by AirPlus account less what was given back or settled", When.AT_REST)
def _t4(books: Books) -> Iterator[Violation]:
    if not at_rest(books):
        return
    wanted = 0
    for booking in books.bookings:
        paid = {p.id for p in booking.platform.payments if p.method == "airplus"}
        if any(c.payment_id in paid for c in booking.platform.chargebacks):
            # A dispute's money and fee go by the bank's word; L3 judges them.
            return
        back = {r.id for r in (*booking.platform.refunds, *booking.platform.failed_refunds) if r.payment_id in paid}
        by_bank = {r.id for r in booking.platform.refunds if r.by_bank}
        for receipt in booking.receipts:
            if receipt.fact_id in paid or receipt.fact_id in back - by_bank:
                wanted += receipt.amount if receipt.kind == "Cobro" else -receipt.amount
    found = books.airplus_balance + books.settled.get("5728", 0)
    yield from (Violation("5728", words) for words in differs("balance", found, wanted))


@RULES.of_each_booking("I3", "what went back of a payment, by us and by the bank, is never more than it", When.AT_REST)
def _i3(b: BookingBooks) -> Iterator[str]:
    back: Counter[str] = Counter()
    for each in (*b.platform.refunds, *b.platform.chargebacks):
        back[each.payment_id] += each.amount
    captured = {p.id: p.amount for p in b.platform.payments}
    for payment, amount in back.items():
        if amount > captured.get(payment, 0):
            yield f"{payment}: {amount} gone of {captured.get(payment, 0)}, and nobody is asked"


@RULES.of_each_booking("I8", "no line is in two files that AirPlus accepted", When.ALWAYS)
def _i8(b: BookingBooks) -> Iterator[str]:
    accepted = Counter((line.ref, line.debit) for line in b.airplus if line.accepted)
    yield from (f"{ref} was accepted {count} times" for (ref, _), count in accepted.items() if count > 1)
