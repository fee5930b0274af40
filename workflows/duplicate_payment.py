"""What is done about a payment of what was paid already: 555, letters, reminders, credit, refund (payment-sync 4, rows 18-27).

The table says which; the state's own effects are carried out here, each beside the people who decide, none before them.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        JOURNAL_RELEASE,
        JOURNAL_SET_ASIDE,
        OFFICE_PLAN_CREDIT,
        OFFICE_TELL_OF_DUPLICATE,
    )
    from domain import naming
    from domain.duplicates import REMINDERS, CreditPlan, DuplicateLetter, DuplicateOccasion, DuplicateStep, GivenBack
    from domain.money import Money
    from domain.payment_sync import Command, Effect, Evidence, Kind, Role, State, Verdict
    from domain.payment_sync import Step as Moved
    from domain.steps import Decision, Done, PaymentStep
    from workflows.messages import LifecycleInput, LifecycleResult
    from workflows.payment_commands import TakesCommands
    from workflows.stepping import FORWARD, Fault, perform

TELLING: tuple[Decision, ...] = ("retry", "adopt", "skip")
NO_SALE = frozenset({State.REFUNDED, State.CHARGED_BACK})
"""Ends in which a duplicate paid for nothing."""
NOTHING_OPEN = "nothing is open to which the money could be credited"


class SettlesDuplicate(TakesCommands):
    """The machine with hands: `RecordPayment` walks, this carries what the moves of a duplicate ask for."""

    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self._rounds = 0
        self._aside: asyncio.Task[Done | None] | None = None
        self._letters: list[asyncio.Task[Done | None]] = []
        self._reminding: asyncio.Task[None] | None = None
        self._credited: CreditPlan | None = None
        self._back = Money.zero(self.sync.amount.currency)
        self.unanswered = False

    @workflow.signal(description="A refund of this payment was recorded")
    def given_back(self, told: GivenBack) -> None:
        """The processor's word: whoever chose the refund need not confirm it."""
        if told.amount.currency != self._back.currency:
            return
        self._back = self._back + told.amount
        if self.sync.state in (State.REFUND_REQUESTED, State.REFUND_FAILED) and self._back == self.sync.amount:
            self.move(Kind.REFUND_DONE, role=Role.GATEWAY, amount=self._back, case_id=told.refund_id)

    # -- what the moves ask for ----------------------------------------------------------------------------------------

    def move(self, kind: Kind, **told: Any) -> Moved:
        """One move, and what it asks of us about a duplicate."""
        step = super().move(kind, **told)
        state = step.after.state
        if state is State.DUPLICATE and self._aside is None:
            self._rounds += 1
            posting = self.step(JOURNAL_SET_ASIDE, self._duplicate(), about="to suspense", decisions=FORWARD)
            self._aside = asyncio.create_task(posting)
        for effect in step.effects:
            match effect:
                case Effect.ASK:
                    self.unanswered = False
                    self._tell("asked")
                    self._reminding = asyncio.create_task(self._remind())
                case Effect.REMIND:
                    self._tell("reminded")
                case Effect.PROPOSE_REFUND:
                    self.unanswered = True
                case Effect.REQUEST_REFUND:
                    self._tell("refunding")
                case Effect.TELL_CUSTOMER:
                    self._tell("credited" if state is State.CREDITED else "refunded")
        return step

    async def _remind(self) -> None:
        """The question is asked again; after the last day a person decides, and nothing is given back by itself (row 22)."""
        asked_at = self.sync.asked_at
        for day in REMINDERS:
            assert asked_at is not None
            left = asked_at + timedelta(days=day) - workflow.now()
            try:
                await workflow.wait_condition(
                    lambda: self.sync.state is not State.AWAITING_CUSTOMER or self.sync.asked_at != asked_at,
                    timeout=max(timedelta(seconds=1), left),
                    timeout_summary=f"the customer's answer, day {day}",
                )
            except TimeoutError:
                self.move(Kind.UNANSWERED, day=day)
            else:
                return

    def _tell(self, occasion: DuplicateOccasion) -> None:
        """A letter goes its own way: nobody's money waits for it."""
        self._letters.append(asyncio.create_task(self._letter(occasion, self.sync.version)))

    async def _letter(self, occasion: DuplicateOccasion, number: int) -> Done | None:
        credit = None
        if occasion in ("asked", "reminded"):
            credit = await self.credit_plan()
        elif occasion == "credited":
            credit = self._credited
        known = self.payment_step(known=True).model_dump()
        letter = DuplicateLetter(**known, occasion=occasion, number=number, credit=credit)
        return await self.step(OFFICE_TELL_OF_DUPLICATE, letter, about=f"tell: {occasion}", decisions=TELLING)

    # -- the customer's choice -----------------------------------------------------------------------------------------

    async def credit_plan(self) -> CreditPlan:
        """What the money would pay now."""
        return await perform(OFFICE_PLAN_CREDIT, self.payment_step(known=True), about="what is open next")

    async def told_by(self, kind: Kind, command: Command, evidence: Evidence | None) -> dict[str, Any]:
        told = await super().told_by(kind, command, evidence)
        if kind is Kind.CHOOSE_CREDIT:
            told |= await self.may_be_credited(evidence)
        return told

    async def may_be_credited(self, evidence: Evidence | None) -> dict[str, Any]:
        """Later instalments are open, or the ERP itself shows the sale open by now (row 20)."""
        is_open = evidence is not None and evidence.verdict is Verdict.UNPAID
        plan = await self.credit_plan()
        return {"permitted": is_open or bool(plan.parts), "because": NOTHING_OPEN}

    async def begin_credit(self) -> None:
        """From here the plan counts the money: the store says so before the ERP is written to."""
        await self.written()
        self._credited = await self.credit_plan()

    async def close_duplicate(self, step: PaymentStep) -> None:
        """Once it has come to its end: out of 555, the plan told, and what the credit left over given back."""
        if self._aside is None:
            return
        await self._aside
        self._aside = None
        state = self.sync.state
        entries = self._duplicate().model_copy(update={"credited": state not in NO_SALE})
        await self.step(JOURNAL_RELEASE, entries, about=state.value, amount=step.amount, decisions=FORWARD)
        await self.written()
        if step.amount and self.given.notice.booking_id:
            await self._tell_plan()
        if state is State.CREDITED and self._credited is not None and self._credited.parts:
            await self._give_back(step, self._credited.remainder)

    async def _tell_plan(self) -> None:
        """Its Schedule and an instalment that is being pursued hear that less is open, or as much as before."""
        plan = naming.plan_workflow(self.given.notice.agency, self.given.booking_id)
        try:
            await workflow.get_external_workflow_handle(plan).signal("collected")
        except ApplicationError:
            workflow.logger.info("plan %s is already over", plan)

    async def _give_back(self, step: PaymentStep, rest: Money) -> None:
        """More than was open: the rest is the customer's (rows 20, 23). Its refund need not wait for us."""
        if not rest:
            return
        await self._report(LifecycleResult(outcome="partial", notes=("the rest of a credit is being given back",)))
        words = f"{rest} of {step.payment_id} are left after it was credited: give them back at the processor"
        taken = await self.park(
            "lifecycle.payment",
            step,
            Fault(kind="payment_remainder", words=words),
            amount=rest,
            decisions=("skip",),
            solved=lambda: self._back >= rest,
            otherwise=("skip", "it was given back"),
        )
        if taken.by != "system":
            self.notes.append(f"{rest} of {step.payment_id} left: {taken.explanation}")

    async def letters_sent(self) -> None:
        """Until every letter went out, or a person told the customer."""
        if self._letters:
            await asyncio.gather(*self._letters)

    def _duplicate(self) -> DuplicateStep:
        known = self.payment_step(known=True).model_dump()
        return DuplicateStep(**known, number=self._rounds, posted=self.connector != "journal")
