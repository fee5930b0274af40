"""Hints that deals changed, handed over to their workflows by signal-with-start (contracts: kommo 4.1).

A hint stays in the store until Temporal has acknowledged it. One that is handed over twice costs one reading of the deal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import groupby

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from domain import naming
from domain.deal_steps import DealState
from starter.dispatch import OUTAGE
from store import Store
from store.deal_hooks import WaitingHook
from workflows.searching import found_by

log = logging.getLogger(__name__)

BATCH = 200
WANTED = frozenset({"button", "salesbot"})
"""Hints by which a person asks for money, whatever the stage."""
LIFECYCLE = "payment request"


class DealDispatcher:
    """`nudge` after a commit, and a sweep every `every` seconds for the rest."""

    def __init__(self, store: Store, connect: Callable[[], Awaitable[Client]], *, every: float = 3.0) -> None:
        self._store = store
        self._connect = connect
        self._every = every
        self._client: Client | None = None
        self._work = asyncio.Event()

    def nudge(self) -> None:
        """A hint was stored; returns at once."""
        self._work.set()

    async def run(self) -> None:
        """Sweep until cancelled."""
        is_away = False
        while True:
            self._work.clear()
            try:
                await self.sweep()
                is_away = False
            except (RPCError, RuntimeError) as error:
                if not is_away:
                    log.warning("Temporal does not answer (%s); deals wait", type(error).__name__)
                is_away = True
                await asyncio.sleep(self._every)
            except Exception:
                log.exception("handing deals over failed; the next sweep tries again")
                await asyncio.sleep(self._every)
            try:
                async with asyncio.timeout(self._every):
                    await self._work.wait()
            except TimeoutError:
                pass

    async def sweep(self) -> int:
        """Hand over everything that waits; the number of hints acknowledged. Raises `RPCError` when Temporal is away."""
        done, after = 0, 0
        while hints := await asyncio.to_thread(self._store.deal_hooks.waiting, BATCH, after):
            after = hints[-1].id
            ordered = sorted(hints, key=lambda each: (each.hook.agency, each.hook.lead_id, each.id))
            for _, of_deal in groupby(ordered, key=lambda each: (each.hook.agency, each.hook.lead_id)):
                done += await self._hand_over(list(of_deal))
            if len(hints) < BATCH:
                break
        return done

    async def _hand_over(self, hints: list[WaitingHook]) -> int:
        """All hints of one deal at once: whoever reads it reads the newest anyway."""
        self._client = self._client or await self._connect()
        first = hints[0].hook
        told = DealState(
            agency=first.agency,
            deal_id=first.lead_id,
            wanted=any(hint.hook.kind in WANTED for hint in hints),
            bots=tuple(hint.hook.return_url for hint in hints if hint.hook.return_url),
        )
        try:
            await tell(self._client, told)
        except RPCError as error:
            if error.status in OUTAGE:
                raise
            log.error("deal %s of %s could not be handed over: %s", first.lead_id, first.agency, error.status.name)
            for hint in hints:
                await asyncio.to_thread(self._store.deal_hooks.not_handed_over, hint.id, error.message)
            return 0
        await asyncio.to_thread(self._store.deal_hooks.handed_over, [hint.id for hint in hints])
        return len(hints)


async def tell(client: Client, told: DealState) -> None:
    """Signal-with-start: the deal changed. Raises `RPCError`."""
    await client.start_workflow(
        "RequestPayment",
        DealState(agency=told.agency, deal_id=told.deal_id),
        id=naming.deal_workflow(told.agency, told.deal_id),
        task_queue=naming.Queue.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal="changed",
        start_signal_args=[told],
        search_attributes=found_by(LIFECYCLE, told.agency),
        static_summary=f"deal {told.deal_id} of {told.agency}",
    )


async def look(client: Client, agency: str, deal_id: int) -> None:
    """A customer came back from a page. A deal that nobody watches any more is not started for that. Raises `RPCError`."""
    try:
        await client.get_workflow_handle(naming.deal_workflow(agency, deal_id)).signal("look")
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
