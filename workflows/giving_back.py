"""How money of a duplicate goes back: asked of its gateway once, and looked after to the end (payment-sync 6.2, rows 21, 25-27).

What the gateway has in hand is never asked for a second time, nor credited beside it, before the gateway says that it failed.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.signatures import GATEWAY_GET_REFUND, GATEWAY_REQUEST_REFUND
    from domain.duplicates import RefundOrderStep
    from domain.payment_sync import Command, Evidence, Kind, Role, State
    from domain.ports import RefundCase
    from domain.steps import PaymentStep
    from workflows.messages import LifecycleInput, LifecycleResult
    from workflows.payment_decisions import DecidesPayment
    from workflows.stepping import Fault, perform

WORKING_DAYS = 3
"""How long a gateway may take to give money back before a person is asked (row 26)."""
LOOKS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""Waits before each look at a refund that is under way; the last one is repeated. The gateway's own word mostly comes first."""
UNDER_WAY = (
    "the gateway has it in hand and may still give the money back: ask for the refund again to see what became of it"
)


class GivesBack(DecidesPayment):
    """The gateway's part, and the person's where the gateway takes no orders."""

    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self._number = 1
        self._outstanding = False
        self._asking: asyncio.Task[RefundCase] | None = None

    async def give_back(self, step: PaymentStep) -> None:
        """Until it is back, refused, or overdue."""
        if self._reported:
            # It never was in the ERP: its refund need not wait for it.
            await self._report(LifecycleResult(outcome="partial", notes=("is being given back",)))
        rest = self.sync.amount - self._back
        if not rest:
            self._concluded(RefundCase(case_id="", state="done", words="it had been given back before"))
            return
        deadline = _working_days_after(self.sync.since, WORKING_DAYS)
        order = RefundOrderStep(**{**step.model_dump(), "amount": rest}, number=self._number)
        self._outstanding = True
        # What the gateway has not answered yet is never asked for by a second activity beside the first.
        if self._asking is None:
            self._asking = asyncio.create_task(self._request(order))
        case = await self._within(deadline, self._asking)
        if case is None:
            return
        self._asking = None
        order = order.model_copy(update={"case_id": case.case_id})
        self._outstanding = case.state == "requested" and not (case.by_hand and case.case_id)
        if case.by_hand and case.state == "requested":
            looking = asyncio.create_task(self._look_after(order, case, deadline))
            await self.ask(step, words=case.words, deadline=deadline)
            looking.cancel()
            if self.last.kind is Kind.REFUND_REFUSED and self.last.explanation:
                # A person looked, and says that nothing is under way.
                self._refused()
        else:
            await self._look_after(order, case, deadline)

    async def told_by(self, kind: Kind, command: Command, evidence: Evidence | None) -> dict[str, Any]:
        told = await super().told_by(kind, command, evidence)
        if kind is Kind.CHOOSE_CREDIT and self._outstanding:
            told |= {"permitted": False, "because": UNDER_WAY}
        return told

    async def _request(self, order: RefundOrderStep) -> RefundCase:
        """The gateway's answer; whatever only a person can clear up is a case for a person."""
        try:
            return await perform(GATEWAY_REQUEST_REFUND, order, about=f"give {order.amount} back")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return RefundCase(case_id="", state="requested", by_hand=True, words=Fault.of(error).words)

    async def _look_after(self, order: RefundOrderStep, case: RefundCase, deadline: datetime) -> None:
        looks = iter(LOOKS)
        pause = LOOKS[0]
        while case.state == "requested":
            pause = next(looks, pause)
            if await self.changed(max(timedelta(seconds=1), min(pause, deadline - workflow.now()))):
                return
            if workflow.now() >= deadline:
                self._overdue()
                return
            if order.case_id:
                found = await self._within(deadline, asyncio.create_task(self._look(order, case)))
                if found is None:
                    return
                case = found
        self._concluded(case)

    async def _look(self, order: RefundOrderStep, case: RefundCase) -> RefundCase:
        try:
            return await perform(GATEWAY_GET_REFUND, order, about="is it back?")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("refund of %s cannot be looked at: %s", order.payment_id, Fault.of(error).words)
            return case

    async def _within(self, deadline: datetime, answer: asyncio.Task[RefundCase]) -> RefundCase | None:
        """None when the payment moved meanwhile, or time ran out; the question is left to itself then."""
        version = self.sync.version
        try:
            await workflow.wait_condition(
                lambda: answer.done() or self.sync.version != version,
                timeout=max(timedelta(seconds=1), deadline - workflow.now()),
            )
        except TimeoutError:
            self._overdue()
        return answer.result() if answer.done() and self.sync.version == version else None

    def _concluded(self, case: RefundCase) -> None:
        if self.sync.state is not State.REFUND_REQUESTED:
            return
        self._outstanding = False
        if case.state == "done":
            own = case.words or case.case_id
            self.move(Kind.REFUND_DONE, role=Role.GATEWAY, amount=self.sync.amount, case_id=own or None)
        else:
            self._refused()
            self.move(Kind.REFUND_REFUSED, role=Role.GATEWAY, text=case.words)

    def _refused(self) -> None:
        """What is asked for next is another refund."""
        self._number += 1
        self._outstanding = False

    def _overdue(self) -> None:
        if self.sync.state is State.REFUND_REQUESTED:
            self.move(Kind.REFUND_REFUSED, text=f"no answer in {WORKING_DAYS} working days")


def _working_days_after(moment: datetime, days: int) -> datetime:
    """The same time of day so many days later, Saturdays and Sundays not counted."""
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < 5
    return moment
