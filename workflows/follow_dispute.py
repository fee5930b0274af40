"""FollowDispute: one stage of a chargeback (contracts: money-rules 1.7.9, 1.7.10, F-R9, F-P9 to F-P12; platform-events 5.6)."""

from __future__ import annotations

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_RECORD_CHARGEBACK,
        JOURNAL_RECORD_CHARGEBACK,
        JOURNAL_SETTLE_CLAIM,
        OFFICE_FREEZE_PLAN,
        OFFICE_REFUND_SHOWN,
        OFFICE_TELL_PAYMENT,
        OFFICE_THAW_PLAN,
    )
    from domain.connector_steps import Happening, TellPayment
    from domain.notices import EventNotice
    from domain.owing import CLOSED_STAGES
    from domain.payment_sync import Kind
    from domain.steps import ChargebackStep, ClaimStep, RefundStep
    from workflows.messages import LifecycleInput, LifecycleResult
    from workflows.money_back import MoneyBackLifecycle
    from workflows.returned_debit import follow_return
    from workflows.stepping import FORWARD, Fault, perform

OPENING = frozenset({"inquiry", "opened"})


@workflow.defn
class FollowDispute(MoneyBackLifecycle):
    """No stage rectifies anything: the sale stands until it is undone. The plan rests while the bank decides."""

    kind = "dispute"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        await self.wait_for_payment()
        stage = given.notice.stage or ""
        if stage == "won":
            await asyncio.gather(self._record(), self._go_on_charging())
        elif stage in CLOSED_STAGES:
            await self._lost()
        else:
            # The first stage that is told asks for the evidence; later ones find somebody at it.
            is_first = self.own_id not in given.known.stages
            question = self.question()
            if (given.notice.dispute_kind or "").startswith("sepa_"):
                await asyncio.gather(self._record(), *([follow_return(self, self._step())] if is_first else []))
                return await self.conclude("done")
            await self.step(OFFICE_FREEZE_PLAN, question, about="no charge while it is disputed", decisions=FORWARD)
            await asyncio.gather(
                self._record(),
                *([self._gather_evidence(), self._stop_refunds()] if is_first else []),
            )
        return await self.conclude("done")

    async def _record(self) -> None:
        """Money moves at `funds_withdrawn` and `won`; at the first stage GIAV gets a task with the bank's deadline."""
        step = self._step()
        about = f"chargeback {step.chargeback_id} {step.stage}"
        if step.stage == "funds_withdrawn":
            await self._tell_payment(step)
        cells = [self.step(GIAV_RECORD_CHARGEBACK, step, about=about, amount=step.amount, decisions=FORWARD)]
        if step.stage not in OPENING:
            cells.append(self.step(JOURNAL_RECORD_CHARGEBACK, step, about=about, amount=step.amount, decisions=FORWARD))
        await asyncio.gather(*cells)

    async def _tell_payment(self, step: ChargebackStep) -> None:
        """Wherever the payment is on its way into the ERP, the money is gone (payment-sync 30)."""
        taken = Happening(kind=Kind.CHARGEBACK, text=f"chargeback {step.chargeback_id}", case_id=step.chargeback_id)
        told = TellPayment(agency=step.agency, lifecycle=step.lifecycle, payment_id=step.payment_id, happening=taken)
        await perform(OFFICE_TELL_PAYMENT, told, about=f"{step.payment_id} was charged back")

    async def _gather_evidence(self) -> None:
        """On the list until the bank's deadline, or until the bank has decided (F-P10)."""
        notice, step = self.given.notice, self._step()
        words = (
            f"{step.chargeback_id} disputes {step.payment_id}: send the evidence to the bank in time, refund nothing"
        )
        taken = await self.park(
            "lifecycle.dispute",
            step,
            Fault(kind="chargeback_opened", words=words),
            amount=step.amount,
            decisions=("skip",),
            solved=self._is_closed,
            deadline=notice.answer_by,
        )
        if taken.decision == "skip":
            self.notes.append(f"{step.chargeback_id}: {taken.explanation}")

    async def _stop_refunds(self) -> None:
        """A refund that was declared and that no processor has shown may still be stopped (F-R9)."""
        own = self.given.notice.payment_id
        await asyncio.gather(*(self._stop(each) for each in self.known.declared.values() if each.payment_id == own))

    async def _stop(self, refund: EventNotice) -> None:
        step = RefundStep(
            agency=refund.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
            payment_id=refund.payment_id or "",
            refund_id=refund.fact_id,
            amount=refund.amount or self.amount,
            event_id=refund.event_id,
        )
        if (await perform(OFFICE_REFUND_SHOWN, step, about=f"is {step.refund_id} on its way?")).outcome == "done":
            return
        words = f"{step.refund_id} was declared for {step.payment_id}, which is disputed now: stop it at the processor"
        taken = await self.park(
            "lifecycle.dispute",
            step,
            Fault(kind="refund_while_disputed", words=words),
            amount=step.amount,
            decisions=("skip",),
            solved=lambda: self._is_closed() or step.refund_id not in self.known.declared,
        )
        if taken.decision == "skip":
            self.notes.append(f"refund {step.refund_id} in dispute: {taken.explanation}")

    async def _lost(self) -> None:
        """The debt is doubtful. Claiming it, writing it off or undoing the sale is a person's decision (F-P11, 1.3)."""
        await self._record()
        step = self._step()
        words = (
            f"{step.chargeback_id} is lost: claim the {step.amount} from the payer, write it off, or cancel the booking "
            "on the platform for non-payment"
        )
        taken = await self.park(
            "lifecycle.dispute",
            step,
            Fault(kind="chargeback_lost", words=words),
            amount=step.amount,
            decisions=("claim", "write_off"),
            solved=lambda: self.known.cancelled or self.known.stages.get(self.own_id) == "won",
        )
        if taken.decision in ("claim", "write_off"):
            claim = ClaimStep(
                agency=step.agency,
                lifecycle=step.lifecycle,
                booking_id=step.booking_id,
                payment_id=step.payment_id,
                fact_id=step.chargeback_id,
                about="dispute",
                decision="claim" if taken.decision == "claim" else "write_off",
                amount=step.amount,
                decided_at=workflow.now(),
            )
            await self.step(JOURNAL_SETTLE_CLAIM, claim, about=taken.decision, amount=step.amount, decisions=FORWARD)
            await self._go_on_charging()

    async def _go_on_charging(self) -> None:
        """The plan goes on, unless another payment of the booking is disputed."""
        others = [stage for own, stage in self.known.stages.items() if own != self.own_id]
        if all(stage in CLOSED_STAGES for stage in others):
            await self.step(OFFICE_THAW_PLAN, self.question(), about="charge again", decisions=FORWARD)

    def _is_closed(self) -> bool:
        return self.known.stages.get(self.own_id) in CLOSED_STAGES

    def _step(self) -> ChargebackStep:
        notice = self.given.notice
        return ChargebackStep(
            agency=notice.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
            payment_id=notice.payment_id or "",
            chargeback_id=self.own_id,
            stage=notice.stage or "",
            amount=self.amount,
            event_id=notice.event_id,
        )
