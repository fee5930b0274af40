"""CheckFiles: every night GIAV's files and our ledger are compared, and late invoices are named (contracts: giav 4; money-rules 1.1.3)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import GIAV_CHECK_FILES, GIAV_CHECK_INVOICES
    from domain.check_steps import CheckOrder, FilesCheck, FilesChecked, InvoicesCheck
    from domain.steps import Decision
    from workflows.stepping import Stepping

AGAIN_OR_NOT: tuple[Decision, ...] = ("retry", "skip")


@workflow.defn
class CheckFiles(Stepping):
    """Differences become items of the store; nothing is ever written over there."""

    @workflow.init
    def __init__(self, order: CheckOrder) -> None:
        super().__init__()

    @workflow.run
    async def run(self, order: CheckOrder) -> FilesChecked:
        own = workflow.info().workflow_id
        invoices = InvoicesCheck(agency=order.agency, lifecycle=own)
        await self.step(GIAV_CHECK_INVOICES, invoices, about="late invoices", decisions=AGAIN_OR_NOT)
        after: str | None = "" if order.what == "files" else None
        compared = left_out = differing = 0
        while after is not None:
            step = FilesCheck(agency=order.agency, lifecycle=own, after=after)
            page = await self.step(
                GIAV_CHECK_FILES, step, about=f"files after {after or 'the first'}", decisions=AGAIN_OR_NOT
            )
            if page is None:
                break
            compared, left_out = compared + page.compared, left_out + page.left_out
            differing, after = differing + page.differing, page.after
        return FilesChecked(compared=compared, left_out=left_out, differing=differing)
