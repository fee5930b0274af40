"""PursueInstalment: one instalment until it is paid, or a person has it (contracts: money-rules 1.7, F-P1 to F-P15)."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_REPORT_DECLINE,
        OFFICE_ORDER_PLAN,
        OFFICE_TELL_PAYER,
        PLATFORM_COLLECT_INSTALMENT,
    )
    from domain import naming
    from domain.collecting import DUNNING
    from domain.money import Money
    from domain.plan_orders import BY_ITSELF
    from domain.plan_steps import Occasion, PlanCommand, PlanOrderStep, PursuitStep, TellStep
    from domain.steps import ChargeResult, Decision, InstalmentStep
    from workflows.stepping import FORWARD, Fault, Stepping

TELLING: tuple[Decision, ...] = ("retry", "adopt", "skip")


@workflow.defn
class PursueInstalment(Stepping):
    """Charge or ask, retry by the rules, tell the payer each time; the money's own event goes the way of every payment."""

    @workflow.init
    def __init__(self, step: PursuitStep) -> None:
        super().__init__()
        self._given = step
        self._attempt = step.attempt
        self._amount: Money | None = step.amount
        self._settled = False
        self._charge_now = False
        self._letters: list[asyncio.Task[object]] = []

    @workflow.signal(description="The instalment wants no money any more")
    def settled(self) -> None:
        self._settled = True

    @workflow.signal(description="A person orders a charge now")
    def charge_now(self, command: PlanCommand) -> None:
        self._charge_now, self._amount = True, command.amount

    @workflow.run
    async def run(self, step: PursuitStep) -> str:
        """Returns how it ended."""
        if step.not_before is not None:
            await self._until(step.not_before, "the payer was told of this day")
        if step.ask_first and not await self._may_be_charged_late():
            return await self._conclude("left to a person")
        while not self._settled:
            result = await self.step(
                PLATFORM_COLLECT_INSTALMENT,
                self._step(),
                about=f"collect {step.instalment_id}, attempt {self._attempt}",
                decisions=FORWARD,
            )
            self._charge_now = False
            match result:
                case None:
                    return await self._conclude("left out")
                case ChargeResult(status="waiting"):
                    await self._wait(result)
                case ChargeResult(status="declined"):
                    again = await self._declined(result)
                    if not again:
                        return await self._conclude("left to a person")
                case ChargeResult(status="link_sent"):
                    self._tell("due", result.amount)
                    return await self._conclude(result.status)
                case _:
                    await self._fix_plan(result)
                    return await self._conclude(result.status)
        return await self._conclude("settled")

    async def _may_be_charged_late(self) -> bool:
        """It comes days late and the next one is near: nobody wants two charges together unasked (F-P7)."""
        step = self._given
        words = f"{step.instalment_id} was due on {step.due_on} and the next one is near: charge it now all the same?"
        taken = await self.park(
            "platform.collect_instalment",
            self._step(),
            Fault(kind="instalment_late", words=words),
            amount=step.amount,
            decisions=("approve", "decline"),
            solved=lambda: self._settled or self._charge_now,
            otherwise=("approve", "it is paid, or a person ordered the charge"),
        )
        if taken.decision == "approve":
            return True
        await self._stop(f"declined by {taken.by}: {taken.explanation}")
        return False

    async def _wait(self, result: ChargeResult) -> None:
        """A limit of the networks, or the announcement of a debit; before it is announced there is nothing to wait for."""
        if result.not_before is None:
            due_on = self._given.due_on
            await self.step(
                OFFICE_TELL_PAYER,
                self._letter("announced", result.amount, on=max(due_on, workflow.now().date()) if due_on else None),
                about=f"announce {self._given.instalment_id}",
                decisions=("retry", "adopt"),
            )
            return
        await self._until(result.not_before, result.message)

    async def _declined(self, result: ChargeResult) -> bool:
        """Whether there is another attempt (F-P1); else the payer and a person are asked (F-P2, F-P3, F-P14)."""
        if result.category == "soft" and self._attempt <= len(DUNNING):
            pause = DUNNING[self._attempt - 1]
            again_at = workflow.now() + pause
            self._tell("declined", result.amount, on=again_at)
            await self._until(again_at, f"try {self._given.instalment_id} again")
            self._attempt += 1
            return True
        self._tell("authenticate" if result.category == "authentication_required" else "stopped", result.amount)
        return await self._hand_over(result)

    async def _hand_over(self, result: ChargeResult) -> bool:
        """No further attempt without a person; GIAV's users get a task on the file (giav 4). True: a person says charge now.

        Once grace is over somebody has to decide on cancelling the booking for non-payment; it is never cancelled by itself.
        """
        own = self._given.instalment_id
        await self._stop(f"{result.category}: {result.message}")
        task = asyncio.create_task(
            self.step(GIAV_REPORT_DECLINE, self._step(), about=f"task for {own}", decisions=FORWARD)
        )
        grace = timedelta(days=self._given.grace_days)
        over_at = workflow.now() + grace
        words = f"{own} was declined ({result.category}): {result.message}"
        waiting = asyncio.create_task(self._ask("instalment_declined", words, until=over_at))
        answered = await waiting
        await task
        if self._charge_now:
            self._attempt += 1
            return True
        if answered or self._settled:
            return False
        words = (
            f"{own} is unpaid {grace.days} days after its last decline: cancel the booking for non-payment, or wait?"
        )
        await self._ask("payment_overdue", words)
        if self._charge_now:
            self._attempt += 1
            return True
        return False

    async def _ask(self, kind: str, words: str, until: datetime | None = None) -> bool:
        """On the list until a person answers, the money comes, or the time is over. Whether a person answered."""
        is_over = False

        async def clock() -> None:
            nonlocal is_over
            if until is not None:
                await workflow.sleep(max(timedelta(seconds=1), until - workflow.now()), summary=f"{kind} until then")
                is_over = True

        ticking = asyncio.create_task(clock())
        taken = await self.park(
            "platform.collect_instalment",
            self._step(),
            Fault(kind=kind, words=words),
            amount=self._amount,
            decisions=("skip",),
            solved=lambda: self._settled or self._charge_now or is_over,
            otherwise=("skip", "it was paid, ordered again, or nobody answered in time"),
        )
        ticking.cancel()
        return taken.by != BY_ITSELF

    async def _stop(self, why: str) -> None:
        """Later due days leave it alone, until a person orders a charge or a new mandate is signed."""
        step = self._given
        order = PlanOrderStep(
            agency=step.agency,
            lifecycle=workflow.info().workflow_id,
            plan_id=step.plan_id,
            booking_id=step.booking_id,
            order_id=f"{workflow.info().run_id}/{self._attempt}",
            order="stop",
            by=BY_ITSELF,
            why=why[:300],
            instalment_id=step.instalment_id,
        )
        await self.step(OFFICE_ORDER_PLAN, order, about=f"no more attempts at {step.instalment_id}", decisions=FORWARD)

    async def _fix_plan(self, result: ChargeResult) -> None:
        """Less was due than the instalment says: charged was what is due, and the plan is a person's to mend (F-P15)."""
        if result.short is None:
            return
        own = self._given.instalment_id
        words = f"{own} wants {result.short} more than is due on the booking; correct the plan on the platform"
        await self.park(
            "platform.collect_instalment",
            self._step(),
            Fault(kind="plan_differs", words=words),
            amount=result.short,
            decisions=("skip",),
            solved=lambda: self._settled,
        )

    async def _until(self, moment: datetime, why: str) -> None:
        """Sleep, unless it is paid or ordered before."""
        try:
            await workflow.wait_condition(
                lambda: self._settled or self._charge_now,
                timeout=max(timedelta(seconds=1), moment - workflow.now()),
                timeout_summary=why,
            )
        except TimeoutError:
            return

    def _tell(self, occasion: Occasion, amount: Money | None, on: datetime | None = None) -> None:
        """A letter goes its own way: nobody's money waits for it."""
        letter = self._letter(occasion, amount, on=on.date() if on is not None else None)
        self._letters.append(
            asyncio.create_task(self.step(OFFICE_TELL_PAYER, letter, about=f"tell: {occasion}", decisions=TELLING))
        )

    def _letter(self, occasion: Occasion, amount: Money | None, on: date | None = None) -> TellStep:
        step = self._given
        return TellStep(
            agency=step.agency,
            lifecycle=workflow.info().workflow_id,
            plan_id=step.plan_id,
            booking_id=step.booking_id,
            instalment_id=step.instalment_id,
            occasion=occasion,
            number=self._attempt,
            amount=amount or self._amount,
            on=on,
        )

    def _step(self) -> InstalmentStep:
        step = self._given
        return InstalmentStep(
            agency=step.agency,
            lifecycle=workflow.info().workflow_id,
            plan_id=step.plan_id,
            booking_id=step.booking_id,
            instalment_id=step.instalment_id,
            attempt=self._attempt,
            amount=self._amount,
        )

    async def _conclude(self, how: str) -> str:
        """The plan looks what is left, and the letters that still wait for a person are waited for."""
        owner = naming.plan_workflow(self._given.agency, self._given.booking_id)
        try:
            await workflow.get_external_workflow_handle(owner).signal("collected")
        except ApplicationError:
            workflow.logger.info("%s is over", owner)
        if self._letters:
            await asyncio.gather(*self._letters)
        return how
