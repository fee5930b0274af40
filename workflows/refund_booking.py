"""RefundBooking: money that was given back, and refunds that failed afterwards (contracts: money-rules 4.5; giav 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_RECORD_REFUND,
        JOURNAL_AMEND_BOOKING,
        JOURNAL_RECORD_REFUND,
        JOURNAL_SETTLE_CLAIM,
        TAMARA_RECORD_REFUND,
    )
    from domain import naming
    from domain.duplicates import GivenBack
    from domain.money import Money
    from domain.steps import ClaimStep, RefundStep
    from workflows.messages import LifecycleInput, LifecycleResult
    from workflows.money_back import MoneyBackLifecycle
    from workflows.stepping import FORWARD, Fault


@workflow.defn
class RefundBooking(MoneyBackLifecycle):
    """The money has moved before we hear of it, so every step goes forward; what nobody may do alone asks first."""

    kind = "refund"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        await self.wait_for_payment()
        if given.notice.kind == "payment.refund_failed":
            await self._failed()
        elif await self._may_be_recorded() and given.notice.destination != "voucher":
            await self._refund()
            await self._tell_payment()
        return await self.conclude("done")

    # What a person must agree to ---------------------------------------------------------------------------------

    async def _may_be_recorded(self) -> bool:
        """Nobody refunds a disputed payment alone (1.7.9), nor gives a voucher for money that is owed (F-R10)."""
        step = self.refund_step()
        if self._is_disputed():
            words = f"{step.refund_id} gives back {step.payment_id}, which is disputed: the money may go twice"
            fault = Fault(kind="refund_disputed", words=words)
            if not await self._agreed(step, fault, lambda: not self._is_disputed()):
                return False
        if self.given.notice.destination == "voucher":
            words = f"{step.refund_id} is a voucher; the payer is owed money unless they accepted it"
            return await self._agreed(step, Fault(kind="voucher_unaccepted", words=words))
        return True

    def _is_disputed(self) -> bool:
        return (self.given.notice.payment_id or "") in self.known.disputed

    async def _agreed(self, step: RefundStep, fault: Fault, solved: Callable[[], bool] = lambda: False) -> bool:
        taken = await self.park(
            "lifecycle.refund", step, fault, amount=step.amount, decisions=("approve", "decline"), solved=solved
        )
        if taken.decision == "decline":
            self.notes.append(f"refund {step.refund_id} declined: {taken.explanation}")
        return taken.decision != "decline"

    # What is recorded ----------------------------------------------------------------------------------------------

    async def _refund(self) -> None:
        """Reality first: the money is posted as it moved. A refund that nobody declared has no cause to rectify by yet."""
        undeclared = self.given.notice.undeclared
        step = self.refund_step().model_copy(update={"rectify": not undeclared})
        if undeclared:
            await asyncio.gather(self._erp(step), self._journal(step))
            await self._ask_for_the_cause(step)
        else:
            await asyncio.gather(self._erp(step), self._journal(step), self._airplus(step))

    async def _erp(self, step: RefundStep) -> None:
        """The reembolso; credit notes that the change behind the refund has not issued yet follow into the journal."""
        done = await self.step(GIAV_RECORD_REFUND, step, about=self._about, amount=step.amount, decisions=FORWARD)
        if done is not None and "credit_note" in done.ids:
            await self.step(JOURNAL_AMEND_BOOKING, self.booking_step(), about=self._about, decisions=FORWARD)

    async def _airplus(self, step: RefundStep) -> None:
        await self.step(TAMARA_RECORD_REFUND, step, about=self._about, amount=step.amount, decisions=FORWARD)

    async def _journal(self, step: RefundStep) -> None:
        """What goes beyond the decision stands in the suspense account until a person says whose loss it is (F-R7)."""
        done = await self.step(JOURNAL_RECORD_REFUND, step, about=self._about, amount=step.amount, decisions=FORWARD)
        beyond = int(done.ids.get("beyond", "0")) if done is not None else 0
        if not beyond:
            return
        excess = Money(amount=beyond, currency=step.amount.currency)
        words = f"{step.refund_id} gave back {step.amount}, {excess} more than was decided; it stands in the suspense account"
        taken = await self.park(
            "journal.record_refund",
            step,
            Fault(kind="refund_differs", words=words),
            amount=excess,
            decisions=("claim", "write_off"),
        )
        claim = ClaimStep(
            agency=step.agency,
            lifecycle=step.lifecycle,
            booking_id=step.booking_id,
            payment_id=step.payment_id,
            fact_id=step.refund_id,
            about="refund",
            decision="claim" if taken.decision == "claim" else "write_off",
            amount=excess,
            decided_at=workflow.now(),
        )
        await self.step(JOURNAL_SETTLE_CLAIM, claim, about=taken.decision, amount=excess, decisions=FORWARD)

    async def _ask_for_the_cause(self, step: RefundStep) -> None:
        words = f"the processor shows {step.refund_id} of {step.amount}, which nobody declared: what was it for?"
        if await self._agreed(step, Fault(kind="refund_undeclared", words=words)):
            step = step.model_copy(update={"rectify": True})
            await asyncio.gather(self._erp(step), self._airplus(step))

    async def _tell_payment(self) -> None:
        """A duplicate that went back, in whole or what a credit left of it, has come to its end."""
        step = self.refund_step()
        if self.given.notice.refund_cause != "duplicate":
            return
        paid = naming.payment_workflow(step.agency, step.payment_id)
        told = GivenBack(refund_id=step.refund_id, amount=step.amount)
        try:
            await workflow.get_external_workflow_handle(paid).signal("given_back", told)
        except ApplicationError:
            workflow.logger.info("%s does not wait for it", paid)

    async def _failed(self) -> None:
        """A refund that was announced and then failed: its entries are taken back, the credit notes stay, and the duty to
        refund is open again until the money went another way (F-R3)."""
        step = self.refund_step()
        await asyncio.gather(
            self._erp(step),
            self.step(JOURNAL_RECORD_REFUND, step, about=self._about, amount=step.amount, decisions=FORWARD),
            self._airplus(step),
        )
        taken = await self.park(
            "lifecycle.refund",
            step,
            Fault(kind="refund_failed", words="the refund was announced and then failed; pay it another way"),
            amount=step.amount,
            decisions=("skip",),
            solved=lambda: self.known.owed <= 0 < self.most_owed,
        )
        if taken.decision == "skip":
            self.notes.append(f"refund {step.refund_id} failed: {taken.explanation}")

    @property
    def _about(self) -> str:
        return f"refund {self.given.notice.fact_id}"
