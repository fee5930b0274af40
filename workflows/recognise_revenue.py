"""RecogniseRevenue: every night the advances of trips that have started become revenue (contracts: money-rules 2, L2)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import JOURNAL_RECOGNISE_REVENUE
    from domain.steps import Done, RevenueOrder, RevenueStep
    from workflows.stepping import FORWARD, Stepping


@workflow.defn
class RecogniseRevenue(Stepping):
    """One step over all bookings; what a night missed the next one posts, because 438 says what is left."""

    @workflow.init
    def __init__(self, order: RevenueOrder) -> None:
        super().__init__()

    @workflow.run
    async def run(self, order: RevenueOrder) -> Done | None:
        day = order.day or workflow.now().date()
        step = RevenueStep(agency=order.agency, lifecycle=workflow.info().workflow_id, day=day)
        return await self.step(JOURNAL_RECOGNISE_REVENUE, step, about=f"recognise revenue {day}", decisions=FORWARD)
