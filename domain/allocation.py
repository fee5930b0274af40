"""Which instalments captured money pays: pure arithmetic (contracts: money-rules F-P15, F-P16, F-C18)."""

from __future__ import annotations

from collections.abc import Iterable

from domain.money import Money, total
from domain.platform import Payment, PaymentPlan, Refund

CHARGEABLE = frozenset({"scheduled", "failed", "processing"})
"""Statuses of an instalment that still wants money."""


def open_amounts(
    plan: PaymentPlan,
    payments: Iterable[Payment],
    refunds: Iterable[Refund],
    returned: frozenset[str] = frozenset(),
) -> dict[str, Money]:
    """What each instalment still wants, by its id; those that want nothing are left out.

    `returned` are payments by direct debit that the bank took back: they paid nothing, whatever the plan still says.

    Money that names its instalment pays that one, and if it is more than enough nothing else: where the excess goes is the
    payer's choice. Money that names none (a transfer), less what of it was given back, pays the oldest first.
    """
    nothing = Money.zero(plan.currency)
    back: dict[str, Money] = {}
    for refund in refunds:
        back[refund.payment_id] = back.get(refund.payment_id, nothing) + refund.amount
    named_by = {item.payment_id: item.id for item in plan.installments if item.payment_id}
    named: dict[str, Money] = {}
    free = nothing
    for payment in payments:
        if payment.id in returned:
            continue
        own = payment.installment_id or named_by.get(payment.id)
        if own is not None:
            named[own] = named.get(own, nothing) + payment.amount
        else:
            free = free + max(nothing, payment.amount - back.get(payment.id, nothing))
    # What the platform calls paid without saying by what was paid by money without a name.
    unnamed = (i for i in plan.installments if i.status == "paid" and not i.payment_id and i.id not in named)
    free = max(nothing, free - total((item.amount for item in unnamed), plan.currency))
    wanted: dict[str, Money] = {}
    for item in sorted(plan.installments, key=lambda item: item.seq):
        if item.status not in CHARGEABLE and not (item.status == "paid" and item.payment_id in returned):
            continue
        left = max(nothing, item.amount - named.get(item.id, nothing))
        part = min(left, free)
        free = free - part
        if left > part:
            wanted[item.id] = left - part
    return wanted
