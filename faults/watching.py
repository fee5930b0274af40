"""What still waits, agency by agency: one look at Temporal and store serves all cases that run side by side."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from sqlalchemy.exc import OperationalError
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.service import RPCError

from faults.dying import agency_of
from starter.settling import WORKING
from store import Store
from store.parked import ParkedItem

EVERY = 0.35
TYPES = (*WORKING, "PursueInstalment", "ReadTamaraAnswers")
QUERY = "ExecutionStatus = 'Running' AND WorkflowType IN (" + ", ".join(f"'{name}'" for name in TYPES) + ")"
EVERYTHING = 100_000


@dataclass
class Look:
    """One moment; `number` grows with every look."""

    number: int = 0
    running: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    parked: dict[str, list[ParkedItem]] = field(default_factory=lambda: defaultdict(list))
    outbox: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def rests(self, agency: str) -> bool:
        """Nothing is to be handed on, and what runs waits for a person."""
        waiting = {item.workflow_id for item in self.parked[agency]}
        return not self.outbox[agency] and self.running[agency] <= waiting


class Watch:
    """Looks again and again while it is kept."""

    def __init__(self, store: Store, client: Client) -> None:
        self._store, self._client = store, client
        self.last = Look()
        self._news = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[Watch]:
        task = asyncio.create_task(self._keep())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            try:
                look = await self._look()
            except (RPCError, OperationalError):  # visibility is rate-limited, and a PostgreSQL may be started again
                await asyncio.sleep(EVERY)
                continue
            async with self._news:
                self.last = look
                self._news.notify_all()
            await asyncio.sleep(EVERY)

    async def _look(self) -> Look:
        look = Look(number=self.last.number + 1)
        rows = await asyncio.to_thread(self._store.inbox.undispatched, EVERYTHING)
        hints = await asyncio.to_thread(self._store.deal_hooks.waiting, EVERYTHING)
        for workflow_id in await self._running():
            look.running[agency_of(workflow_id)].add(workflow_id)
        for row in rows:
            look.outbox[row.agency] += 1
        for hint in hints:
            look.outbox[hint.hook.agency] += 1
        for item in await asyncio.to_thread(lambda: self._store.parked.list(limit=EVERYTHING)):
            look.parked[item.agency].append(item)
        return look

    async def _running(self) -> list[str]:
        """As the server lists them; whole descriptions of workflows would cost a tenth of a run."""
        found, token = [], b""
        while True:
            request = ListWorkflowExecutionsRequest(
                namespace=self._client.namespace, query=QUERY, page_size=1000, next_page_token=token
            )
            answer = await self._client.workflow_service.list_workflow_executions(request)
            found += [each.execution.workflow_id for each in answer.executions]
            token = answer.next_page_token
            if not token:
                return found

    async def after(self, number: int) -> Look:
        """The first look that was begun after look `number` was over."""
        async with self._news:
            await self._news.wait_for(lambda: self.last.number > number)
            return self.last
