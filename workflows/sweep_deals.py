"""SweepDeals: deals whose webhook was lost are found by looking (contracts: kommo 4.1)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import CRM_SWEEP_DEALS
    from domain.deal_steps import DealsFound, DealSweep
    from workflows.stepping import Stepping


@workflow.defn
class SweepDeals(Stepping):
    """One look, every ten minutes by Schedule. What it finds becomes a hint like any other."""

    @workflow.init
    def __init__(self, sweep: DealSweep) -> None:
        super().__init__()

    @workflow.run
    async def run(self, sweep: DealSweep) -> DealsFound:
        step = sweep.model_copy(update={"lifecycle": workflow.info().workflow_id})
        found = await self.step(CRM_SWEEP_DEALS, step, about="whose webhook was lost", decisions=("retry", "skip"))
        return found or DealsFound()
