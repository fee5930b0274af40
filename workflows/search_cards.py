"""SearchCards: each week, account numbers are looked for where none may stand (contracts: tamara 5.3)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import TAMARA_SEARCH_CARDS
    from domain.steps import Done, TamaraRetention
    from workflows.stepping import FORWARD, Stepping


@workflow.defn
class SearchCards(Stepping):
    """One step that may be repeated; what it finds is on the list by itself."""

    @workflow.init
    def __init__(self, order: TamaraRetention) -> None:
        super().__init__()

    @workflow.run
    async def run(self, order: TamaraRetention) -> Done | None:
        given = order.model_copy(update={"lifecycle": workflow.info().workflow_id})
        return await self.step(TAMARA_SEARCH_CARDS, given, about="search for account numbers", decisions=FORWARD)
