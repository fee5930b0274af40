"""PaymentPlan owns the Schedule of a plan's due dates; CollectInstalment asks for what is due (money-rules 1.7, F-P*)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_REPORT_DECLINE,
        OFFICE_ARRANGE_PLAN,
        OFFICE_DUE_INSTALMENTS,
        PLATFORM_COLLECT_INSTALMENT,
    )
    from domain import naming
    from domain.notices import EventNotice
    from domain.steps import ChargeResult, InstalmentStep, PlanStep
    from domain.superseding import PlanState
    from workflows.stepping import FORWARD, Fault, Stepping

DUNNING = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""When a soft decline is tried again, counted from the previous attempt (money-rules 1.7.7)."""


@workflow.defn
class PaymentPlan(Stepping):
    """As long as the plan: every revision re-arranges the Schedule; it ends when nothing is due any more."""

    @workflow.init
    def __init__(self, state: PlanState) -> None:
        super().__init__()
        self._state = state
        self._look_again = False

    @workflow.signal(description="A fact from the platform, by its notice")
    def deliver(self, notice: EventNotice) -> None:
        self._state.deliver(notice)

    @workflow.signal(description="An instalment was collected or given to a person")
    def collected(self) -> None:
        self._look_again = True

    @workflow.query(description="State of the plan: keys only")
    def view(self) -> PlanState:
        return self._state

    @workflow.run
    async def run(self, state: PlanState) -> PlanState:
        while not self._state.over:
            await workflow.wait_condition(lambda: bool(self._state.queue) or self._look_again)
            is_news = bool(self._state.queue)
            if is_news:
                self._state.take()
            self._look_again = False
            step = self._step().model_copy(update={"start_due": is_news})
            arranged = await self.step(OFFICE_ARRANGE_PLAN, step, about="arrange the due dates")
            self._state.over = arranged is not None and not arranged.due and not self._state.queue
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    def _step(self) -> PlanStep:
        return PlanStep(
            agency=self._state.agency,
            lifecycle=workflow.info().workflow_id,
            plan_id=self._state.plan_id or "",
            booking_id=self._state.booking_id,
            event_id=self._state.event_id or "",
            revision=self._state.revision,
        )


@workflow.defn
class CollectInstalment(Stepping):
    """One due day of one plan: charge or ask, retry by the rules, then the payment's own event goes its way."""

    @workflow.init
    def __init__(self, plan: PlanStep) -> None:
        super().__init__()

    @workflow.run
    async def run(self, plan: PlanStep) -> int:
        """Returns how many instalments were due."""
        arranged = await self.step(OFFICE_DUE_INSTALMENTS, plan, about="what is due today", decisions=FORWARD)
        due = arranged.due if arranged else ()
        for instalment in due:
            await self._collect(plan, instalment.instalment_id)
        owner = workflow.get_external_workflow_handle(naming.plan_workflow(plan.agency, plan.booking_id))
        await owner.signal("collected")
        return len(due)

    async def _collect(self, plan: PlanStep, instalment_id: str) -> None:
        for attempt, pause in enumerate((*DUNNING, None), start=1):
            step = InstalmentStep(
                agency=plan.agency,
                lifecycle=workflow.info().workflow_id,
                plan_id=plan.plan_id,
                booking_id=plan.booking_id,
                instalment_id=instalment_id,
                attempt=attempt,
            )
            result = await self.step(
                PLATFORM_COLLECT_INSTALMENT, step, about=f"collect {instalment_id}", decisions=FORWARD
            )
            if result is None or result.status != "declined":
                return
            if result.category != "soft" or pause is None:
                await self._hand_over(step, result)
                return
            await workflow.sleep(pause, summary=f"try {instalment_id} again")

    async def _hand_over(self, step: InstalmentStep, result: ChargeResult) -> None:
        """No further attempt without a person (hard decline, authentication wanted, attempts used up); GIAV's users get a
        task on the file (giav 4)."""
        words = f"{step.instalment_id} was declined ({result.category}): {result.message}"
        fault = Fault(kind="instalment_declined", words=words)
        await asyncio.gather(
            self.step(GIAV_REPORT_DECLINE, step, about=f"task for {step.instalment_id}", decisions=FORWARD),
            self.park("platform.collect_instalment", step, fault, decisions=("skip",)),
        )
