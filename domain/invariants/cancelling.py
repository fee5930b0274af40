"""Invariants of cancelled and credited sales (contracts: money-rules 3: C1-C4, C6).

Not judged here: the part that a partial cancellation takes (C1; the books do not show it, M3 judges the sum), agencies
that rectify only the refunded part (`rectify_refunded_part`, 1.4: C1 would want −refund), the policy behind a penalty
(C3; the platform applies it). The 14 days for a refund (C5) are in `deadlines`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from domain.books import BookingBooks
from domain.invariants.declaring import Rules, When, differs

RULES = Rules()

SEPARATE = ("indemnity_not_subject", "taxable_fee")
"""Treatments under which a penalty is a document of its own; a no-show keeps the money as the price of the service."""


@RULES.of_each_booking("C1", "a cancelled booking's invoices are rectified, unless the money was kept as consideration")
def _c1(b: BookingBooks) -> Iterator[str]:
    full = [c for c in b.platform.cancellations if c.scope == "full"]
    if not full or any(c.treatment == "no_show_consideration" for c in full):
        return
    yield from differs("net of the payment invoices", b.invoiced, 0)


@RULES.of_each_booking("C2", "every cancellation has one penalty treatment, and one that goes with its amount")
def _c2(b: BookingBooks) -> Iterator[str]:
    for cancelled in b.platform.cancellations:
        if cancelled.treatment == "undecided":
            yield f"{cancelled.id} is undecided"
        wrong = (cancelled.treatment == "none" and cancelled.penalty) or (
            cancelled.treatment in SEPARATE and not cancelled.penalty
        )
        if wrong:
            yield f"{cancelled.id}: treatment {cancelled.treatment}, penalty {cancelled.penalty}"


@RULES.of_each_booking("C4", "an original is never rectified by more than its total", When.ALWAYS)
def _c4(b: BookingBooks) -> Iterator[str]:
    totals = {i.number: i.total for i in b.invoices}
    rectified: Counter[str] = Counter()
    for note in b.invoices:
        if note.takes_back:
            if note.refers_to not in totals:
                yield f"{note.number} rectifies an unknown original {note.refers_to}"
            rectified[note.refers_to or ""] -= note.total
    for number, amount in rectified.items():
        if amount > totals.get(number, amount):
            yield f"{number}: {amount} rectified of {totals[number]}"


@RULES.of_each_booking("C6", "what was charged after a full cancellation went back in full")
def _c6(b: BookingBooks) -> Iterator[str]:
    ended = [c.effective_at for c in b.platform.cancellations if c.scope == "full" and c.effective_at]
    if not ended:
        return
    back: Counter[str] = Counter()
    for refund in b.platform.refunds:
        back[refund.payment_id] += refund.amount
    for payment in b.platform.payments:
        late = payment.charged_by_us and payment.at is not None and payment.at > min(ended)
        if late and back[payment.id] != payment.amount:
            yield f"{payment.id} was charged after the cancellation and {back[payment.id]} went back"
