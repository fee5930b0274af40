"""What booking lifecycles ask of a supplier: confirm the new order, then cancel the old one (contracts: money-rules F-M2 to F-M4,
F-X2, F-X3)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        RATEHAWK_CANCEL_ORDER,
        RATEHAWK_CONFIRM_ORDER,
        RATEHAWK_HAND_OVER,
        RATEHAWK_PLAN_ORDERS,
        RATEHAWK_WEIGH_CHARGE,
    )
    from domain.money import Money, total
    from domain.steps import BookingStep, CancellationStep, Decision
    from domain.supplier import RATEHAWK
    from domain.supplier_steps import ChargeStep, FeedStep, OrderAtStake, OrderStep, SupplierPlan
    from workflows.lifecycle import BookingLifecycle
    from workflows.stepping import FORWARD, Fault, perform

UNDECIDED: tuple[Decision, ...] = ("retry", "skip", "abandon")
"""Nothing moved yet: the change may still be given up."""
ABSORBED_AFTER = timedelta(hours=72)
"""Without an answer the agency bears what the supplier charges beyond the penalty (F-X3)."""


async def plan_orders(lifecycle: BookingLifecycle, step: BookingStep) -> SupplierPlan:
    """Which orders the snapshot wants, and which not any more."""
    about = "which orders does it want"
    plan = await lifecycle.step(RATEHAWK_PLAN_ORDERS, step, about=about, decisions=("retry", "skip")) or SupplierPlan()
    lifecycle.notes += plan.notes
    return plan


async def confirm_orders(lifecycle: BookingLifecycle, step: BookingStep, plan: SupplierPlan) -> SupplierPlan:
    """See that the new orders stand before anything else moves; what is left of the plan. Raises `Abandoned`."""
    dearer = [order.dearer_at for order in plan.cancel if order.dearer_at is not None]
    for order in plan.confirm:
        done = await lifecycle.step(
            RATEHAWK_CONFIRM_ORDER,
            _of(step, order),
            about=f"is {order.partner_order_id} confirmed",
            amount=order.price,
            decisions=UNDECIDED,
            deadline=min(dearer, default=None),
        )
        if done is None:
            # A person goes on without knowing; the orders before it are all that the travellers surely have.
            return plan.model_copy(update={"cancel": ()})
    return plan


async def cancel_orders(lifecycle: BookingLifecycle, step: BookingStep, plan: SupplierPlan) -> list[Money]:
    """Cancel side by side what nobody wants any more; what the supplier charges."""
    ended = await asyncio.gather(*(_cancel(lifecycle, step, order) for order in plan.cancel))
    if plan.cancel:
        # The books hold the price until the booking hears of the fee. Who cancels tells it: a webhook may get lost.
        feed = FeedStep(agency=step.agency, lifecycle=step.lifecycle, supplier=RATEHAWK)
        await lifecycle.step(RATEHAWK_HAND_OVER, feed, about="hand over what was cancelled", decisions=FORWARD)
    return [charged for charged in ended if charged is not None]


async def _cancel(lifecycle: BookingLifecycle, step: BookingStep, order: OrderAtStake) -> Money | None:
    done = await lifecycle.step(
        RATEHAWK_CANCEL_ORDER,
        _of(step, order),
        about=f"cancel order {order.partner_order_id}",
        amount=order.price,
        decisions=FORWARD,
        deadline=_urgent(order.dearer_at),
    )
    return None if done is None else done.charged


def _urgent(dearer_at: datetime | None) -> datetime | None:
    """An answer is wanted before it gets dearer; what is dear already has the desk's own hours."""
    return dearer_at if dearer_at is not None and dearer_at > workflow.now() else None


async def weigh_charges(lifecycle: BookingLifecycle, step: CancellationStep, charges: Sequence[Money]) -> None:
    """Hold what the supplier charges against the payer's penalty; more is a person's question, and by default ours."""
    for currency in sorted({charge.currency for charge in charges if charge}):
        charged = total((charge for charge in charges if charge.currency == currency), currency)
        await _weigh(lifecycle, ChargeStep(**step.model_dump(), charged=charged))


async def _weigh(lifecycle: BookingLifecycle, step: ChargeStep) -> None:
    while True:
        try:
            await perform(RATEHAWK_WEIGH_CHARGE, step, about="is it more than the penalty")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            fault = Fault.of(error)
        else:
            return
        patience = asyncio.create_task(workflow.sleep(ABSORBED_AFTER, summary="who bears the supplier's charge"))
        taken = await lifecycle.park(
            RATEHAWK_WEIGH_CHARGE.name,
            step,
            fault,
            amount=step.charged,
            decisions=("retry", "skip"),
            solved=patience.done,
            otherwise=("skip", "nobody answered, so the agency bears it"),
            deadline=workflow.now() + ABSORBED_AFTER,
        )
        patience.cancel()
        if taken.decision == "skip":
            lifecycle.notes.append(f"the agency bears the supplier's charge: {taken.explanation}")
            return


def _of(step: BookingStep, order: OrderAtStake) -> OrderStep:
    return OrderStep(
        agency=step.agency,
        lifecycle=step.lifecycle,
        booking_id=step.booking_id,
        experience_id=step.experience_id,
        event_id=step.event_id,
        revision=step.revision,
        partner_order_id=order.partner_order_id,
    )
