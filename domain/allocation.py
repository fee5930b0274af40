"""Which instalments captured money pays: pure arithmetic (contracts: money-rules F-P15, F-P16, F-C18; payment-sync 20, 23)."""

from __future__ import annotations

from collections.abc import Iterable

from domain.duplicates import NONE, CreditPart, CreditPlan, Duplicates
from domain.money import Money, total
from domain.platform import Instalment, Payment, PaymentPlan, Refund

CHARGEABLE = frozenset({"scheduled", "failed", "processing"})
"""Statuses of an instalment that still wants money."""


def open_amounts(
    plan: PaymentPlan,
    payments: Iterable[Payment],
    refunds: Iterable[Refund],
    returned: frozenset[str] = frozenset(),
    duplicates: Duplicates = NONE,
) -> dict[str, Money]:
    """What each instalment still wants, by its id; those that want nothing are left out.

    `returned` are payments by direct debit that the bank took back: they paid nothing, whatever the plan still says.
    `duplicates` are payments for what other money had settled, whether the platform knows that money or only the ERP: what
    they name is paid, first by money without a name; they themselves pay nothing, or once credited what is open next.

    Money that names its instalment pays that one, and if it is more than enough nothing else: where the excess goes is the
    payer's choice. Money that names none (a transfer), less what of it was given back, pays the oldest first. Money in another
    currency pays nothing of the plan: the ERP does not take it for that (`mismatch`), and a person decides.
    """
    nothing = Money.zero(plan.currency)
    back: dict[str, Money] = {}
    for refund in refunds:
        if refund.amount.currency != plan.currency:
            continue
        back[refund.payment_id] = back.get(refund.payment_id, nothing) + refund.amount
    named_by = {item.payment_id: item.id for item in plan.installments if item.payment_id}
    named: dict[str, Money] = {}
    free = credit = nothing
    settled: set[str] = set()
    for payment in payments:
        if payment.id in returned or payment.amount.currency != plan.currency:
            continue
        own = payment.installment_id or named_by.get(payment.id)
        if payment.id in duplicates.all:
            settled |= {own} if own else set()
            kept = max(nothing, payment.amount - back.get(payment.id, nothing))
            credit = credit + (kept if payment.id in duplicates.credited else nothing)
        elif own is not None:
            named[own] = named.get(own, nothing) + payment.amount
        else:
            free = free + max(nothing, payment.amount - back.get(payment.id, nothing))
    # What the platform calls paid without saying by what was paid by money without a name.
    unnamed = (i for i in plan.installments if i.status == "paid" and not i.payment_id and i.id not in named)
    otherwise = (i for i in plan.installments if i.id in settled and i.id not in named)
    free = max(nothing, free - total((item.amount for item in (*unnamed, *otherwise)), plan.currency)) + credit
    wanted: dict[str, Money] = {}
    for item in sorted(plan.installments, key=lambda item: item.seq):
        if item.id in settled:
            continue
        if item.status not in CHARGEABLE and not (item.status == "paid" and item.payment_id in returned):
            continue
        left = max(nothing, item.amount - named.get(item.id, nothing))
        part = min(left, free)
        free = free - part
        if left > part:
            wanted[item.id] = left - part
    return wanted


def credit_plan(
    plan: PaymentPlan | None,
    payment: Payment,
    payments: Iterable[Payment],
    refunds: Iterable[Refund],
    returned: frozenset[str] = frozenset(),
    duplicates: Duplicates = NONE,
) -> CreditPlan:
    """What a duplicate would pay if it were credited: the open instalments, oldest first (payment-sync 20, 23)."""
    if plan is None or plan.currency != payment.amount.currency:
        return CreditPlan(remainder=payment.amount)
    told, back = list(payments), list(refunds)
    credited = Duplicates(held=duplicates.held - {payment.id}, credited=duplicates.credited | {payment.id})
    empty = payment.model_copy(update={"amount": Money.zero(plan.currency)})
    without = [empty if each.id == payment.id else each for each in told]
    before = open_amounts(plan, without, back, returned, credited)
    after = open_amounts(plan, told, back, returned, credited)
    parts = tuple(
        CreditPart(instalment_id=item.id, due_on=item.due_on, amount=paid)
        for item in sorted(plan.installments, key=lambda item: item.seq)
        if (paid := before.get(item.id, Money.zero(plan.currency)) - after.get(item.id, Money.zero(plan.currency)))
    )
    return CreditPlan(parts=parts, remainder=payment.amount - total((part.amount for part in parts), plan.currency))


def settled_otherwise(
    plan: PaymentPlan | None,
    payment: Payment,
    others: Iterable[Payment],
    typed: Money,
    duplicates: Duplicates = NONE,
) -> Money:
    """How much of what `payment` is for was settled by money that people typed into the ERP (payment-sync 5).

    `others` are the booking's payments whose receipts in the ERP are ours. Money without a name pays the oldest instalment
    first. Nothing is settled otherwise by more than was typed.
    """
    nothing = Money.zero(typed.currency)
    own = None if plan is None else next((i for i in plan.installments if i.id == payment.installment_id), None)
    if plan is None or own is None or not typed or plan.currency != typed.currency:
        return nothing
    named: dict[str, Money] = {}
    pool = typed
    for each in others:
        if each.id == payment.id:
            continue
        if each.installment_id and each.id not in duplicates.all:
            named[each.installment_id] = named.get(each.installment_id, nothing) + each.amount
        elif each.id not in duplicates.held:
            pool = pool + each.amount
    for item in sorted(plan.installments, key=lambda item: item.seq):
        pays = min(pool, _room(item, named))
        if item.id == own.id:
            left = item.amount - named.get(item.id, nothing) - pays
            return min(typed, max(nothing, payment.amount - max(nothing, left)))
        pool = pool - pays
    return nothing


def _room(item: Instalment, named: dict[str, Money]) -> Money:
    nothing = Money.zero(item.amount.currency)
    if item.status in ("waived", "cancelled"):
        return nothing
    return max(nothing, item.amount - named.get(item.id, nothing))
