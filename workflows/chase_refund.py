"""ChaseRefund, ConfirmRefund: the clocks of money that must go back, and of refunds that were only declared (contracts:
money-rules 1.4.4, C5, M9, F-P16, F-R5)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import OFFICE_REFUND_SHOWN
    from domain.money import Money
    from domain.owing import ALARM_AFTER, BREACH_AFTER, PARK_AFTER
    from workflows.messages import LifecycleInput, LifecycleResult
    from workflows.money_back import MoneyBackLifecycle
    from workflows.stepping import Fault


@workflow.defn
class ChaseRefund(MoneyBackLifecycle):
    """Asks ever louder for a refund that is owed, and ends by itself once the money went back.

    After a cancellation: an alarm on day 7, a question on day 10, a breach on record on day 14, counted from the day the
    contract ended. Money that was paid beyond the price is asked about at once.
    """

    kind = "chase"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self._next_is_due = False

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        ended = given.notice.effective_at
        if ended is None:
            words = f"{self._owed} more is held than is sold: give it back, or move it to what is still to be paid"
            await self._ask("overpaid", words, None)
        else:
            await self._chase(ended, given.notice.refund_by or ended + BREACH_AFTER)
        return await self.conclude("done")

    async def _chase(self, ended: datetime, by: datetime) -> None:
        stages = (
            ("refund_due", ended + ALARM_AFTER, ended + PARK_AFTER),
            ("refund_pending", ended + PARK_AFTER, by),
            ("refund_breach", by, None),
        )
        for reason, begins, ends in stages:
            if ends is not None and workflow.now() >= ends:
                continue
            if begins > workflow.now() and await self._is_paid_by(begins):
                return
            if reason == "refund_breach":
                # The record of the breach: it stays in the outcome, whatever is paid later (C5).
                self.notes.append(f"breach: {self._owed} were not given back by {by:%Y-%m-%d}")
            words = (
                f"{self._owed} are owed to the payer since {ended:%Y-%m-%d}; the law wants them back by {by:%Y-%m-%d}"
            )
            if await self._ask(reason, words, ends) and reason != "refund_due":
                return
            if self._is_paid():
                return

    async def _is_paid_by(self, moment: datetime) -> bool:
        try:
            await workflow.wait_condition(
                self._is_paid, timeout=moment - workflow.now(), timeout_summary="the refund's clock"
            )
        except TimeoutError:
            return False
        return True

    async def _ask(self, reason: str, words: str, ends: datetime | None) -> bool:
        """On the list until it is paid, or the next stage begins. True when a person says that nothing is due."""
        self._next_is_due = False
        clock = asyncio.create_task(self._ring(ends)) if ends is not None else None
        taken = await self.park(
            "lifecycle.chase",
            self.question(),
            Fault(kind=reason, words=words),
            amount=self._owed,
            decisions=("skip",),
            solved=lambda: self._is_paid() or self._next_is_due,
            deadline=ends,
        )
        if clock is not None:
            clock.cancel()
        if taken.decision == "skip" and reason != "refund_due":
            self.notes.append(f"{reason}: {taken.explanation}")
        return taken.decision == "skip"

    async def _ring(self, moment: datetime) -> None:
        await workflow.sleep(max(timedelta(seconds=1), moment - workflow.now()), summary="the refund's clock")
        self._next_is_due = True

    def _is_paid(self) -> bool:
        return self.known.owed <= 0

    @property
    def _owed(self) -> Money:
        return Money(amount=self.known.owed, currency=self.known.currency)


@workflow.defn
class ConfirmRefund(MoneyBackLifecycle):
    """A refund that a planner declared and no processor has shown: a warning, because people mistype (F-R5)."""

    kind = "chase"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self._shown = False

    async def on_parked(self) -> None:
        """The mailbox waits for nothing here."""

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        step = self.refund_step()
        await self._look()
        if not self._shown:
            looking = asyncio.create_task(self._look_daily())
            words = f"{step.refund_id} of {step.amount} was declared on {given.notice.occurred_at:%Y-%m-%d}; no processor shows it"
            taken = await self.park(
                "lifecycle.chase",
                step,
                Fault(kind="refund_unconfirmed", words=words),
                amount=step.amount,
                decisions=("skip",),
                solved=lambda: self._shown,
            )
            looking.cancel()
            if taken.decision == "skip":
                self.notes.append(f"{step.refund_id} is not confirmed: {taken.explanation}")
        return await self.conclude("done")

    async def _look(self) -> None:
        done = await self.step(OFFICE_REFUND_SHOWN, self.refund_step(), about="does the processor show it?")
        self._shown = done is None or done.outcome == "done"

    async def _look_daily(self) -> None:
        while not self._shown:
            await workflow.sleep(timedelta(days=1), summary="look again tomorrow")
            await self._look()
