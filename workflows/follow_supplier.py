"""FollowSupplier: a changed order reaches the cost in the ERP and the record in the mid-office, or a person (contracts:
money-rules F-C6, F-M14, S1 to S3)."""

from __future__ import annotations

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_CONFIRM_COSTS,
        MIDOFFICE_CONFIRM_COSTS,
        RATEHAWK_ACCEPT_COST,
        RATEHAWK_JUDGE_ORDER,
    )
    from domain.steps import Decision, DecisionTaken
    from domain.supplier_steps import OrderVerdict, SupplierStep, Verdict
    from workflows.lifecycle import BookingLifecycle
    from workflows.messages import Known, LifecycleInput, LifecycleResult
    from workflows.stepping import FORWARD, Fault, perform

REASONS: dict[Verdict, str] = {
    "cost_differs": "supplier_cost",
    "order_failed": "supplier_order_failed",
    "order_gone": "supplier_order_gone",
    "order_alive": "supplier_order_alive",
    "fee_without_line": "supplier_fee",
}
"""Verdicts that a person has to hear, and the desk's name for each."""


@workflow.defn
class FollowSupplier(BookingLifecycle):
    """The customer's price and invoices are none of its business. While it is parked everything else of the booking goes on."""

    kind = "supplier"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self._has_news = False

    @workflow.signal(description="Something of the booking changed: judge the order again")
    def look_again(self, known: Known) -> None:
        self._has_news = True

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        step = self._step()
        while True:
            found = await self.step(RATEHAWK_JUDGE_ORDER, step, about="what does it mean", decisions=("retry", "skip"))
            if found is None or found.verdict in ("nothing", "superseded"):
                break
            if found.verdict == "confirmed":
                await self._follow(step)
                break
            taken = await self._ask(step, found)
            if taken.decision == "retry":
                continue
            if taken.decision == "approve":
                await self.step(RATEHAWK_ACCEPT_COST, step, about="the supplier's price counts", decisions=FORWARD)
                await self._follow(step)
            else:
                self.notes.append(f"{REASONS[found.verdict]}: {taken.explanation}")
            break
        return await self.conclude("done")

    async def _follow(self, step: SupplierStep) -> None:
        about = f"costs of order {step.order_id}"
        await asyncio.gather(
            self.step(GIAV_CONFIRM_COSTS, step, about=about, decisions=FORWARD),
            self.step(MIDOFFICE_CONFIRM_COSTS, step, about=about, decisions=FORWARD),
        )

    async def _ask(self, step: SupplierStep, found: OrderVerdict) -> DecisionTaken:
        """Wait for a person, or until what the booking has become answers the question."""
        decisions: tuple[Decision, ...] = ("skip", "retry")
        if found.verdict == "cost_differs":
            decisions = ("approve", "decline", "retry") if found.acceptable else ("decline", "retry")
        fault = Fault(kind="NeedsPerson", words=found.words, code=REASONS[found.verdict])
        answered = asyncio.create_task(self._otherwise_than(step, found))
        taken = await self.park(
            RATEHAWK_JUDGE_ORDER.name,
            step,
            fault,
            amount=found.amount,
            decisions=decisions,
            solved=answered.done,
            otherwise=("retry", "the booking or the order changed"),
        )
        answered.cancel()
        return taken

    async def _otherwise_than(self, step: SupplierStep, found: OrderVerdict) -> None:
        """Judge again with every news of the booking, until the verdict is another one."""
        self._has_news = False
        while True:
            await workflow.wait_condition(lambda: self._has_news)
            self._has_news = False
            if await perform(RATEHAWK_JUDGE_ORDER, step, about="does it still mean that") != found:
                return

    def _step(self) -> SupplierStep:
        notice = self.given.notice
        return SupplierStep(
            agency=notice.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
            experience_id=self.given.experience_id,
            supplier=notice.fact_id.partition(":")[0],
            order_id=int(notice.aggregate_id),
            revision=notice.revision,
        )
