"""SupplierFeed reads a supplier's changes; TransferOrder takes care of an order that no booking claims (contracts: midoffice 2.7, 2.9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        MIDOFFICE_TRANSFER_ORDER,
        RATEHAWK_HAND_OVER,
        RATEHAWK_READ_NUDGED,
        RATEHAWK_READ_PAGE,
    )
    from domain.supplier_steps import FeedState, FeedStep, OrderState
    from workflows.renewing import Renewable, must_renew, renew
    from workflows.stepping import Stepping

SWEEPS = 200
"""After so many sweeps a new run begins, so that no history grows for ever."""


@workflow.defn
class SupplierFeed(Stepping, Renewable):
    """For ever, one per agency and supplier. A nudge makes it read at once; without any it sweeps by the clock.

    What was read and handed over is in the store, so that nothing is lost with a run, or with Temporal.
    """

    @workflow.init
    def __init__(self, state: FeedState) -> None:
        super().__init__()
        self._state = state
        self._nudged = False
        self._wanted = True
        self._swept_at: datetime | None = None
        self._again: datetime | None = None

    @workflow.signal(description="A webhook was stored: read the orders that it names")
    def nudge(self) -> None:
        self._nudged = True

    @workflow.signal(description="Sweep now, whatever the clock says")
    def sweep(self) -> None:
        self._wanted = True

    @workflow.signal(description="The settings changed: how often to sweep")
    def arrange(self, state: FeedState) -> None:
        self._state.poll_minutes = state.poll_minutes

    @workflow.query(description="The feed: when it sweeps, and how far the present sweep is")
    def view(self) -> FeedState:
        return self._state

    @workflow.run
    async def run(self, state: FeedState) -> FeedState:
        while True:
            await self._read_nudged()
            if self._state.sweep is not None or self._wanted or self._is_due():
                await self._sweep()
            await self._wait()
            if self._must_renew():
                await renew(self._state.model_copy(update={"sweeps": 0}))

    async def _read_nudged(self) -> None:
        """Orders that webhooks named, until none is due."""
        self._nudged, changed = False, 0
        while True:
            page = await self.step(
                RATEHAWK_READ_NUDGED, self._step(), about="read what was named", decisions=("retry",)
            )
            assert page is not None
            changed, self._again = changed + page.changed, page.again
            if page.next_page is None:
                break
        if changed:
            await self._hand_over()

    async def _sweep(self) -> None:
        """Every page of what changed; then whatever changed goes to its writer."""
        self._wanted = False
        step = self._state.sweep or self._step()
        while True:
            page = await self.step(RATEHAWK_READ_PAGE, step, about=f"page {step.page}", decisions=("retry",))
            assert page is not None
            if page.next_page is None:
                break
            step = step.model_copy(update={"page": page.next_page, "since": page.since, "newest": page.newest})
            self._state.sweep = step
            if must_renew():
                await renew(self._state)
        self._state.sweep = None
        self._state.sweeps += 1
        self._swept_at = workflow.now()
        await self._hand_over()

    async def _hand_over(self) -> None:
        await self.step(RATEHAWK_HAND_OVER, self._step(), about="hand over what changed", decisions=("retry",))

    async def _wait(self) -> None:
        now = workflow.now()
        due = [self._next_sweep(), *([self._again] if self._again is not None else [])]
        try:
            await workflow.wait_condition(
                lambda: self._nudged or self._wanted or must_renew(),
                timeout=max(timedelta(seconds=1), min(due) - now),
                timeout_summary="until the next sweep",
            )
        except TimeoutError:
            return

    def _next_sweep(self) -> datetime:
        return (self._swept_at or workflow.now()) + timedelta(minutes=self._state.poll_minutes)

    def _is_due(self) -> bool:
        return self._swept_at is None or workflow.now() >= self._next_sweep()

    def _must_renew(self) -> bool:
        return must_renew() or self._state.sweeps >= SWEEPS

    def _step(self) -> FeedStep:
        return FeedStep(agency=self._state.agency, lifecycle=workflow.info().workflow_id, supplier=self._state.supplier)


@workflow.defn
class TransferOrder(Stepping):
    """The one writer of an order that was made without the platform, until it holds the newest version."""

    @workflow.init
    def __init__(self, state: OrderState) -> None:
        super().__init__()
        self._state = state
        self._revision = 0

    @workflow.signal(description="The order changed")
    def changed(self, revision: int) -> None:
        self._revision = max(self._revision, revision)

    @workflow.run
    async def run(self, state: OrderState) -> OrderState:
        step = state.step.model_copy(update={"lifecycle": workflow.info().workflow_id})
        done = -1
        while done < self._revision:
            done = self._revision
            about = f"transfer order {state.partner_order_id}"
            await self.step(MIDOFFICE_TRANSFER_ORDER, step, about=about, decisions=("retry", "skip", "adopt"))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state
