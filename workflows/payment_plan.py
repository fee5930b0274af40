"""PaymentPlan owns the Schedule of a plan's due dates and takes people's orders; CollectInstalment is one of its due days
(contracts: money-rules 1.7, F-P*)."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from activities.signatures import OFFICE_ARRANGE_PLAN, OFFICE_DUE_INSTALMENTS, OFFICE_ORDER_PLAN
    from domain import naming
    from domain.money import Money
    from domain.notices import EventNotice
    from domain.plan_steps import PlanCommand, PlanOrderStep, PursuitStep
    from domain.steps import DueInstalment, PlanArrangement, PlanStep
    from domain.superseding import PlanState
    from workflows import searching
    from workflows.renewing import Renewable, must_renew, renew
    from workflows.stepping import FORWARD, Fault, Stepping, perform


@workflow.defn
class PaymentPlan(Stepping, Renewable):
    """As long as the plan: every revision re-arranges the Schedule; it ends when nothing is due any more."""

    @workflow.init
    def __init__(self, state: PlanState) -> None:
        super().__init__()
        self._state = state
        self._look_again = False
        self._start_due = False
        self._orders = 0

    @workflow.signal(description="A fact from the platform, by its notice")
    def deliver(self, notice: EventNotice) -> None:
        self._state.deliver(notice)

    @workflow.signal(description="An instalment was collected or given to a person")
    def collected(self) -> None:
        self._look_again = True

    @workflow.query(description="State of the plan: keys only")
    def view(self) -> PlanState:
        return self._state

    # -- orders of people ----------------------------------------------------------------------------------------------

    @workflow.update(description="Pause, resume, skip or charge now: who orders it, and why")
    async def order(self, command: PlanCommand) -> str:
        """Written down first; then the Schedule, and an instalment that is being collected, hear of it."""
        self._orders += 1
        number = self._orders
        step = PlanOrderStep(
            agency=self._state.agency,
            lifecycle=workflow.info().workflow_id,
            plan_id=self._state.plan_id or "",
            booking_id=self._state.booking_id,
            order_id=f"{workflow.info().run_id}/{number}",
            order=command.order,
            by=command.by.strip(),
            why=command.why.strip(),
            instalment_id=command.instalment_id,
            amount=command.amount,
        )
        try:
            known = await perform(OFFICE_ORDER_PLAN, step, about=command.order)
        except ActivityError as error:
            raise ApplicationError(Fault.of(error).words, type="NotAllowed", non_retryable=True) from None
        self._state.ordered(command.order, command.instalment_id, step.why)
        if command.order == "charge_now":
            await self._charge_now(command, known)
        self._start_due = self._start_due or command.order == "resume"
        self._look_again = True
        about = command.instalment_id or self._state.plan_id
        return f"{about}: {command.order.replace('_', ' ')}"

    @order.validator
    def refuse_order(self, command: PlanCommand) -> None:
        refusal = self._state.refusal(command.order, command.instalment_id, command.amount, command.by, command.why)
        if refusal is not None:
            raise ApplicationError(refusal, type="NotAllowed", non_retryable=True)

    async def _charge_now(self, command: PlanCommand, known: PlanArrangement) -> None:
        wanted = next((item for item in known.due if item.instalment_id == command.instalment_id), None)
        if wanted is None:
            raise ApplicationError(f"{command.instalment_id} wants no money any more", type="NotAllowed")
        step = self._step().model_copy(update={"start_due": False})
        if await pursue(step, wanted, amount=command.amount) is not None:
            return
        running = naming.instalment_workflow(self._state.agency, wanted.instalment_id)
        try:
            await workflow.get_external_workflow_handle(running).signal("charge_now", command)
        except ApplicationError:
            workflow.logger.info("%s has just ended", running)

    # -- life ----------------------------------------------------------------------------------------------------------

    @workflow.run
    async def run(self, state: PlanState) -> PlanState:
        while not self._state.over:
            await workflow.wait_condition(lambda: self._has_news() or must_renew())
            if not self._has_news():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._has_news():
                    await renew(self._state)
            is_news = bool(self._state.queue)
            if is_news:
                self._state.take()
            starts = is_news or self._start_due
            self._look_again = self._start_due = False
            if self._state.plan_id is None:
                continue
            step = self._step().model_copy(update={"start_due": starts, "shown": self._state.days})
            arranged = await self.step(OFFICE_ARRANGE_PLAN, step, about="arrange the due dates")
            if arranged is not None:
                for instalment_id in self._state.arranged(arranged):
                    await self._settled(instalment_id)
                self._details()
            self._state.over = arranged is not None and not arranged.due and not self._state.queue
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    def _has_news(self) -> bool:
        return bool(self._state.queue) or self._look_again

    async def _settled(self, instalment_id: str) -> None:
        """It wants no money any more: whoever asks for it, or waits for a person about it, may stop."""
        running = naming.instalment_workflow(self._state.agency, instalment_id)
        try:
            await workflow.get_external_workflow_handle(running).signal("settled")
        except ApplicationError:
            workflow.logger.info("%s does not run", running)

    def _step(self) -> PlanStep:
        return PlanStep(
            agency=self._state.agency,
            lifecycle=workflow.info().workflow_id,
            plan_id=self._state.plan_id or "",
            booking_id=self._state.booking_id,
            event_id=self._state.event_id or "",
            revision=self._state.revision,
        )

    def _details(self) -> None:
        state = self._state
        lines = [f"**{state.plan_id}**, revision {state.revision}, {state.collection}", ""]
        lines += [f"- paused: {state.paused}"] if state.paused else []
        lines += [f"- `{own}` wants {amount}" for own, amount in state.open.items()]
        lines += [f"- `{own}` is held: {why}" for own, why in state.held.items()]
        workflow.set_current_details("\n".join(lines))


@workflow.defn
class CollectInstalment(Stepping):
    """One due day of one plan: every instalment that is due gets its pursuit, unless one is at it already."""

    @workflow.init
    def __init__(self, plan: PlanStep) -> None:
        super().__init__()

    @workflow.run
    async def run(self, plan: PlanStep) -> int:
        """Returns how many instalments were due."""
        arranged = await self.step(OFFICE_DUE_INSTALMENTS, plan, about="what is due today", decisions=FORWARD)
        due = arranged.due if arranged else ()
        pursuits = [await pursue(plan, instalment) for instalment in due]
        # The day is over with its last pursuit, whatever became of it: whoever looks at the day sees what is still going on.
        await asyncio.gather(*(pursuit for pursuit in pursuits if pursuit is not None), return_exceptions=True)
        return len(due)


async def pursue(
    plan: PlanStep, due: DueInstalment, *, amount: Money | None = None, not_before: datetime | None = None
) -> workflow.ChildWorkflowHandle[Any, Any] | None:
    """Start the pursuit of an instalment; None when one is running."""
    step = PursuitStep(
        agency=plan.agency,
        plan_id=plan.plan_id,
        booking_id=plan.booking_id,
        instalment_id=due.instalment_id,
        attempt=due.next_attempt,
        amount=amount,
        due_on=due.due_on,
        ask_first=due.ask_first,
        grace_days=due.grace_days,
        not_before=not_before,
    )
    try:
        return await workflow.start_child_workflow(
            "PursueInstalment",
            step,
            id=naming.instalment_workflow(plan.agency, due.instalment_id),
            parent_close_policy=ParentClosePolicy.ABANDON,
            search_attributes=searching.found_by("instalment", plan.agency, booking=plan.booking_id),
            static_summary=f"collect {due.instalment_id}",
        )
    except WorkflowAlreadyStartedError:
        return None
