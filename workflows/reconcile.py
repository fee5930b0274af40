"""Reconcile: every night both sides of a connector are laid beside each other (contracts: payment-sync 7).

It opens items and tells payments whose receipt is gone; it never writes into an ERP.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import OFFICE_TELL_PAYMENT
    from domain.connector_steps import ReconcileOrder, ReconcilePage, ReconcileStep
    from domain.steps import Decision
    from workflows.erps import ERPS
    from workflows.stepping import Stepping

WINDOW = timedelta(days=30)
"""How far back a night looks: what is reversed in an ERP is reversed within the month, or found by the audit."""
AGAIN_OR_NOT: tuple[Decision, ...] = ("retry", "skip")


@workflow.defn
class Reconcile(Stepping):
    """One connector, one window of UTC days, one report."""

    @workflow.init
    def __init__(self, order: ReconcileOrder) -> None:
        super().__init__()

    @workflow.run
    async def run(self, order: ReconcileOrder) -> ReconcilePage:
        own = workflow.info().workflow_id
        last = order.day or (workflow.now() - timedelta(days=1)).date()
        step = ReconcileStep(
            agency=order.agency,
            lifecycle=own,
            connector=order.connector,
            first=last - WINDOW,
            last=last,
            report_id=f"{own}/{last.isoformat()}" if order.day else own,
        )
        sums = ReconcilePage()
        while True:
            about = f"after {step.after}" if step.after else "the first page"
            verb = ERPS[order.connector].reconcile
            page = await self.step(verb, step, about=about, decisions=AGAIN_OR_NOT)
            if page is None:
                return sums
            for each in page.told:
                await self.step(OFFICE_TELL_PAYMENT, each, about=each.happening.kind.value, decisions=AGAIN_OR_NOT)
            sums = ReconcilePage(
                compared=sums.compared + page.compared,
                left_out=sums.left_out + page.left_out,
                differing=sums.differing + page.differing,
                told=(*sums.told, *page.told),
            )
            if page.after is None:
                return sums
            step = step.model_copy(update={"after": page.after})
