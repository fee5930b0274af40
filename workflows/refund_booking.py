"""RefundBooking: money that went back, by refund or by chargeback (contracts: money-rules 1.7.10, 4.5; giav 4)."""

from __future__ import annotations

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_RECORD_CHARGEBACK,
        GIAV_RECORD_REFUND,
        JOURNAL_AMEND_BOOKING,
        JOURNAL_RECORD_CHARGEBACK,
        JOURNAL_RECORD_REFUND,
        TAMARA_RECORD_REFUND,
    )
    from domain.money import Money
    from domain.steps import ChargebackStep, RefundStep
    from workflows.lifecycle import BookingLifecycle
    from workflows.messages import Known, LifecycleInput, LifecycleResult
    from workflows.stepping import FORWARD, Fault


@workflow.defn
class RefundBooking(BookingLifecycle):
    """The money has moved before we hear of it, so every step goes forward."""

    kind = "refund"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self._payment_is_known = given.known_payment

    @workflow.signal(description="What the mailbox knows by now")
    def look_again(self, known: Known) -> None:
        self._payment_is_known = self._payment_is_known or self.given.notice.payment_id in known.payments

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        if not self._payment_is_known:
            await self._wait_for_payment()
        match given.notice.kind:
            case "payment.chargeback":
                await self._chargeback()
            case "payment.refund_failed":
                await self._failed()
            case _:
                await self._refund()
        return await self.conclude("done")

    async def _refund(self) -> None:
        step, about = self._refund_step(), f"refund {self.given.notice.fact_id}"
        await asyncio.gather(
            self._erp(step),
            self.step(JOURNAL_RECORD_REFUND, step, about=about, amount=step.amount, decisions=FORWARD),
            self.step(TAMARA_RECORD_REFUND, step, about=about, amount=step.amount, decisions=FORWARD),
        )

    async def _erp(self, step: RefundStep) -> None:
        """The reembolso; credit notes that the change behind the refund has not issued yet follow into the journal."""
        about = f"refund {step.refund_id}"
        done = await self.step(GIAV_RECORD_REFUND, step, about=about, amount=step.amount, decisions=FORWARD)
        if done is not None and "credit_note" in done.ids:
            await self.step(JOURNAL_AMEND_BOOKING, self.booking_step(), about=about, decisions=FORWARD)

    async def _chargeback(self) -> None:
        notice = self.given.notice
        step = ChargebackStep(
            agency=notice.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
            payment_id=notice.payment_id or "",
            chargeback_id=notice.fact_id.partition(":")[0],
            stage=notice.stage or "",
            amount=self._amount(),
            event_id=notice.event_id,
        )
        about = f"chargeback {step.chargeback_id} {step.stage}"
        await asyncio.gather(
            self.step(GIAV_RECORD_CHARGEBACK, step, about=about, amount=step.amount, decisions=FORWARD),
            self.step(JOURNAL_RECORD_CHARGEBACK, step, about=about, amount=step.amount, decisions=FORWARD),
        )

    async def _wait_for_payment(self) -> None:
        """Money that went back without ever having come is on the list until its payment is told."""
        notice = self.given.notice
        words = f"{notice.fact_id} gives back money of {notice.payment_id}, which was never told as captured"
        await self.park(
            "lifecycle.refund",
            self._refund_step(),
            Fault(kind="unknown_payment", words=words),
            amount=self._amount(),
            decisions=("retry",),
            solved=lambda: self._payment_is_known,
        )

    async def _failed(self) -> None:
        """A refund that was announced and then failed: the duty to refund is open again, and a person pays it."""
        fault = Fault(kind="refund_failed", words="the refund was announced and then failed; pay it another way")
        step = self._refund_step()
        taken = await self.park("lifecycle.refund", step, fault, amount=step.amount, decisions=("skip",))
        self.notes.append(f"refund {step.refund_id} failed: {taken.explanation}")

    def _refund_step(self) -> RefundStep:
        notice = self.given.notice
        return RefundStep(
            agency=notice.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
            payment_id=notice.payment_id or "",
            refund_id=notice.fact_id.partition(":")[0],
            amount=self._amount(),
            cancellation_id=notice.cancellation_id,
            event_id=notice.event_id,
        )

    def _amount(self) -> Money:
        return self.given.notice.amount or Money.zero("EUR")
