"""ExportTamara: the nightly AirPlus file of one kind, sealed once, delivered once (contracts: tamara 3.6, 3.12, 4)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import TAMARA_DELIVER_FILE, TAMARA_SEAL_FILE
    from domain.steps import SealedFile, TamaraFileStep, TamaraOrder, TamaraStep
    from workflows.stepping import FORWARD, Stepping


@workflow.defn
class ExportTamara(Stepping):
    """Sealing takes number and content in one step; after it the same bytes go out under the same name, however often."""

    @workflow.init
    def __init__(self, order: TamaraOrder) -> None:
        super().__init__()

    @workflow.run
    async def run(self, order: TamaraOrder) -> SealedFile | None:
        given = TamaraStep(
            agency=order.agency,
            lifecycle=workflow.info().workflow_id,
            kind=order.kind,
            day=order.day or workflow.now().date(),
        )
        sealed = await self.step(TAMARA_SEAL_FILE, given, about=f"seal {given.kind} {given.day}", decisions=FORWARD)
        if sealed is None or sealed.seq == 0:
            return sealed
        file = TamaraFileStep(
            agency=given.agency,
            lifecycle=workflow.info().workflow_id,
            partner_id=sealed.partner_id,
            kind=sealed.kind,
            seq=sealed.seq,
        )
        await self.step(TAMARA_DELIVER_FILE, file, about=f"deliver {sealed.name}", decisions=FORWARD)
        return sealed
