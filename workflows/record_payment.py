"""RecordPayment: captured money reaches every system once (contracts: money-rules 1.1, 2, P2; giav 4, money first)."""

from __future__ import annotations

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_RECORD_PAYMENT,
        JOURNAL_AMEND_BOOKING,
        JOURNAL_RECORD_PAYMENT,
        MIDOFFICE_RECORD_PAYMENT,
        TAMARA_RECORD_PAYMENT,
    )
    from domain.steps import PaymentStep
    from workflows.lifecycle import BookingLifecycle
    from workflows.messages import Known, LifecycleInput, LifecycleResult
    from workflows.stepping import FORWARD, Fault


@workflow.defn
class RecordPayment(BookingLifecycle):
    """Captured money is a pivot: it is never undone and never forgotten; each system goes its own way and parks alone."""

    kind = "payment"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self._booking_is_known = given.known_booking

    @workflow.signal(description="What the mailbox knows by now")
    def look_again(self, known: Known) -> None:
        self._booking_is_known = self._booking_is_known or known.registered

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        if not self._booking_is_known:
            await self._hold_in_suspense()
        step = self._payment_step(known=True)
        await asyncio.gather(
            self._erp_then_the_rest(step),
            self.step(MIDOFFICE_RECORD_PAYMENT, step, about=self._about, amount=step.amount, decisions=FORWARD),
            self.step(JOURNAL_RECORD_PAYMENT, step, about=self._about, amount=step.amount, decisions=FORWARD),
        )
        return await self.conclude("done")

    async def _erp_then_the_rest(self, step: PaymentStep) -> None:
        done = await self.step(GIAV_RECORD_PAYMENT, step, about=self._about, amount=step.amount, decisions=FORWARD)
        if done is not None and "credit_note" in done.ids:
            await self.step(JOURNAL_AMEND_BOOKING, self.booking_step(), about=self._about, decisions=FORWARD)
        if step.method == "airplus":
            await self.step(TAMARA_RECORD_PAYMENT, step, about=self._about, amount=step.amount, decisions=FORWARD)

    async def _hold_in_suspense(self) -> None:
        """Money without a booking stands in the suspense account and on the list until the booking is there."""
        step = self._payment_step(known=False)
        await self.step(JOURNAL_RECORD_PAYMENT, step, about="to suspense", amount=step.amount, decisions=FORWARD)
        words = f"payment {step.payment_id} belongs to booking {step.booking_id}, which the ERP does not have"
        await self.park(
            "lifecycle.payment",
            step,
            Fault(kind="unknown_booking", words=words),
            amount=step.amount,
            decisions=("retry",),
            solved=lambda: self._booking_is_known,
        )

    @property
    def _about(self) -> str:
        return f"record {self.given.notice.payment_id}"

    def _payment_step(self, *, known: bool) -> PaymentStep:
        notice = self.given.notice
        assert notice.amount is not None
        assert notice.payment_id is not None
        return PaymentStep(
            agency=notice.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
            experience_id=notice.experience_id or self.given.experience_id,
            payment_id=notice.payment_id,
            amount=notice.amount,
            method=notice.method or "other",
            known_booking=known,
        )
