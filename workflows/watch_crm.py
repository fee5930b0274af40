"""WatchCrm: every hour somebody looks whether an agency's Kommo still works (contracts: kommo 1, 2, 4.1)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import KOMMO_WATCH_ACCOUNT
    from domain.steps import Done, Step
    from workflows.stepping import FORWARD, Stepping


@workflow.defn
class WatchCrm(Stepping):
    """One look; what it finds are items of the store."""

    @workflow.init
    def __init__(self, order: Step) -> None:
        super().__init__()

    @workflow.run
    async def run(self, order: Step) -> Done | None:
        step = Step(agency=order.agency, lifecycle=workflow.info().workflow_id)
        return await self.step(KOMMO_WATCH_ACCOUNT, step, about="look after Kommo", decisions=FORWARD)
