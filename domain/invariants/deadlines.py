"""Invariants of what waits: the fortnight of a refund, the queue "paid, not synced" (contracts: money-rules 3: C5, K2).

Both are broken by silence only: whatever waits for a person is on the list with an owner and a deadline, and holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from domain.books import Books
from domain.invariants.declaring import Rules, Violation, When
from domain.payment_sync import UNSYNCHRONISED, State

RULES = Rules()

FORTNIGHT = timedelta(days=14)
"""From the end of the contract until the money has to be back (LGDCU 160.4)."""


@RULES.of_the_books(
    "C5", "what a cancellation owes went back within 14 days, or somebody is asked for it", When.AT_REST
)
def _c5(books: Books) -> Iterator[Violation]:
    for booking in books.bookings:
        ended = [c.effective_at for c in booking.platform.cancellations if c.scope == "full" and c.effective_at]
        if books.taken_at is None or booking.waiting or not ended or not booking.owed:
            continue
        if books.taken_at > min(ended) + FORTNIGHT:
            yield Violation(
                booking.booking_id, f"{booking.owed} is owed since {min(ended):%Y-%m-%d}, and nobody is asked"
            )


@RULES.of_the_books(
    "K2", "a payment that is not synced has an owner; one settled by hand has an explanation", When.AT_REST
)
def _k2(books: Books) -> Iterator[Violation]:
    for booking in books.bookings:
        for sync in booking.syncs:
            if State(sync.state) in UNSYNCHRONISED and not booking.waiting:
                yield Violation(sync.payment_id, f"is {sync.state}, and nobody has it")
            if sync.state == State.SYNCED_MANUAL and not sync.explanation:
                yield Violation(sync.payment_id, "was marked by hand without a word")
