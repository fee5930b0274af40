"""RetireTamara: each night, what AirPlus files held of card numbers is destroyed when its time is over (contracts: tamara 4.7)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import TAMARA_RETIRE_FILES
    from domain.steps import Done, TamaraRetention
    from workflows.stepping import FORWARD, Stepping


@workflow.defn
class RetireTamara(Stepping):
    """One step that may be repeated; what stops it is on the list like everything else."""

    @workflow.init
    def __init__(self, order: TamaraRetention) -> None:
        super().__init__()

    @workflow.run
    async def run(self, order: TamaraRetention) -> Done | None:
        given = order.model_copy(update={"lifecycle": workflow.info().workflow_id})
        return await self.step(TAMARA_RETIRE_FILES, given, about="destroy what is old", decisions=FORWARD)
