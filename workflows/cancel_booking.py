"""CancelBooking: plan, supplier, invoices, penalty, AirPlus, in that order (contracts: money-rules 4.4, giav 4)."""

from __future__ import annotations

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_CANCEL_BOOKING,
        JOURNAL_CANCEL_BOOKING,
        MIDOFFICE_CANCEL_BOOKING,
        OFFICE_FREEZE_PLAN,
        TAMARA_CANCEL_BOOKING,
    )
    from domain.steps import BookingQuestion
    from workflows.lifecycle import BookingLifecycle
    from workflows.messages import LifecycleInput, LifecycleResult
    from workflows.stepping import FORWARD
    from workflows.supplier_orders import cancel_orders, plan_orders, weigh_charges


@workflow.defn
class CancelBooking(BookingLifecycle):
    """Forward only. The refund is a later fact of its own: the planner decides it, the platform reports it."""

    kind = "cancel"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        step = self.cancellation_step()
        about = f"cancel {step.booking_id}"
        question = BookingQuestion(agency=step.agency, lifecycle=step.lifecycle, booking_id=step.booking_id)
        await self.step(OFFICE_FREEZE_PLAN, question, about="freeze the plan first", decisions=FORWARD)
        # The supplier first, since its charge grows with time; but nobody's books wait for it, which may take until its
        # deadline.
        await asyncio.gather(
            self._orders(),
            self.step(MIDOFFICE_CANCEL_BOOKING, step, about=about, decisions=FORWARD),
            self._books(),
        )
        return await self.conclude("done")

    async def _orders(self) -> None:
        step = self.cancellation_step()
        plan = await plan_orders(self, step)
        charges = await cancel_orders(self, step, plan)
        await weigh_charges(self, step, charges)

    async def _books(self) -> None:
        step, amount = self.cancellation_step(), self.given.notice.amount
        about = f"cancel {step.booking_id}"
        await self.step(GIAV_CANCEL_BOOKING, step, about=about, amount=amount, decisions=FORWARD)
        # The rectifying invoices have their numbers now, which journal and AirPlus quote.
        await asyncio.gather(
            self.step(JOURNAL_CANCEL_BOOKING, step, about=about, amount=amount, decisions=FORWARD),
            self.step(TAMARA_CANCEL_BOOKING, step, about=about, decisions=FORWARD),
        )
