"""From the outbox to Temporal by signal-with-start (contracts: platform-events 3.1 step 10, section 6).

An outage delays and never loses: a row stays in the outbox until Temporal has acknowledged its signal. A row may be
delivered twice (two dispatchers, or a death between signal and mark); the mailboxes answer each fact once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from pydantic import BaseModel
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from domain.mailbox import BookingState
from domain.naming import Queue
from domain.notices import EventNotice
from domain.superseding import ExperienceState, PlanState
from starter.gateway.metrics import show_paced
from starter.turns import Turns
from store import Store
from store.inbox import OutboxRow
from workers.tracing import span_of
from workflows.searching import found_by

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Mailboxes signalled side by side; within one mailbox the order of the outbox is kept."""

OUTAGE = frozenset(
    {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.UNAUTHENTICATED}
)
"""Answers that say something of Temporal as a whole, not of one mailbox."""


class TemporalAway(Exception):
    """Temporal cannot be reached; everything waits in the outbox."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a mailbox begins: its workflow type, the state it starts with, what Temporal UI shows."""

    workflow: str
    state: BaseModel
    summary: str


def start_of(notice: EventNotice) -> Start:
    """The workflow that receives `notice`, ready to be started if it is not running."""
    agency = notice.agency
    match notice.mailbox:
        case "experience":
            experience = notice.experience_id or notice.aggregate_id
            state = ExperienceState(agency=agency, experience_id=experience)
            return Start("Experience", state, f"Experience {experience} of {agency}")
        case "plan":
            booking = notice.booking_id or notice.aggregate_id
            return Start("PaymentPlan", PlanState(agency=agency, booking_id=booking), f"Plan of {booking} of {agency}")
        case "booking":
            booking = notice.booking_id or notice.aggregate_id
            return Start("Booking", BookingState(agency=agency, booking_id=booking), f"Booking {booking} of {agency}")


class Dispatcher:
    """Delivers what waits in the outbox; `nudge` after a commit, and a sweep every `every` seconds for the rest."""

    def __init__(
        self,
        store: Store,
        connect: Callable[[], Awaitable[Client]],
        *,
        every: float = 3.0,
        catching_up_per_second: float | None = None,
    ) -> None:
        """For the pace of who catches up see `starter.turns`."""
        self._store = store
        self._connect = connect
        self._every = every
        self._turns = Turns(catching_up_per_second)
        self._client: Client | None = None
        self._work = asyncio.Event()
        self._away = False

    def nudge(self) -> None:
        """Something new is in the outbox; returns at once."""
        self._work.set()

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            self._work.clear()
            try:
                await self.sweep()
                if self._away:
                    log.info("Temporal answers again")
                self._away = False
            except TemporalAway as error:
                if not self._away:
                    log.warning("%s; events are kept and delivered later", error)
                self._away = True
                await asyncio.sleep(self._every)
            except Exception:
                log.exception("the sweep of the outbox failed; the next one tries again")
                await asyncio.sleep(self._every)
            try:
                async with asyncio.timeout(self._every):
                    await self._work.wait()
            except TimeoutError:
                pass

    async def sweep(self) -> int:
        """Deliver everything that waits now and whose turn it is; the number of rows acknowledged. Raises `TemporalAway`."""
        delivered, refusing, stuck = 0, set[str](), dict[str, int]()
        while True:
            # What a mailbox refused stays in front; the window grows past it, so that it holds up nobody else.
            waiting = await asyncio.to_thread(self._store.inbox.waiting)
            behind = {agency: count - stuck.get(agency, 0) for agency, count in waiting.items()}
            shares = self._turns.shares({agency: count for agency, count in behind.items() if count > 0})
            show_paced(self._turns.paced)
            windows = {agency: stuck.get(agency, 0) + share for agency, share in shares.items() if share}
            if not windows:
                return delivered
            rows = await asyncio.to_thread(self._store.inbox.in_turns, windows)
            acknowledged = await self._deliver(rows, refusing)
            delivered += sum(acknowledged.values())
            read = Counter(row.agency for row in rows)
            if not acknowledged and all(read[agency] <= stuck.get(agency, 0) for agency in windows):
                return delivered
            stuck |= {agency: read[agency] - acknowledged[agency] for agency in windows}

    async def _deliver(self, rows: Iterable[OutboxRow], refusing: set[str]) -> Counter[str]:
        """Signal the mailboxes of `rows`: in order within a mailbox, side by side between them; how many of each agency went.

        Mailboxes that refuse are added to `refusing` and left alone from then on.
        """
        waiting: dict[str, list[EventNotice]] = {}
        for row in rows:
            notice = EventNotice.model_validate_json(row.notice_json)
            waiting.setdefault(notice.workflow_id, []).append(notice)
        mailboxes = [notices for workflow_id, notices in waiting.items() if workflow_id not in refusing]
        if not mailboxes:
            return Counter()
        client = await self._connected()
        limit = asyncio.Semaphore(AT_ONCE)

        async def one_mailbox(notices: list[EventNotice]) -> Counter[str]:
            async with limit:
                count = await self._deliver_in_order(client, notices)
            if count < len(notices):
                refusing.add(notices[0].workflow_id)
            return Counter({notices[0].agency: count})

        tasks = [asyncio.create_task(one_mailbox(notices)) for notices in mailboxes]
        try:
            return sum(await asyncio.gather(*tasks), Counter())
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _connected(self) -> Client:
        if self._client is None:
            try:
                self._client = await self._connect()
            except RuntimeError as error:
                raise TemporalAway(f"Temporal cannot be reached: {str(error)[:200]}") from None
        return self._client

    async def _deliver_in_order(self, client: Client, notices: list[EventNotice]) -> int:
        """Stops at the first that fails, so that a later event never overtakes it."""
        for count, notice in enumerate(notices):
            try:
                with span_of(notice.agency, notice.event_id, "dispatch", workflow=notice.workflow_id):
                    await signal(client, notice)
            except RPCError as error:
                if error.status in OUTAGE:
                    raise TemporalAway(f"Temporal answers {error.status.name}") from None
                reason = f"{error.status.name}: {error.message}"[:300]
                log.error("event %s could not be delivered to %s: %s", notice.event_id, notice.workflow_id, reason)
                await asyncio.to_thread(self._store.inbox.dispatch_failed, notice.agency, notice.event_id, reason)
                return count
            await asyncio.to_thread(self._store.inbox.mark_dispatched, notice.agency, notice.event_id)
        return len(notices)


async def signal(client: Client, notice: EventNotice) -> None:
    """One signal-with-start. Raises `RPCError`."""
    start = start_of(notice)
    await client.start_workflow(
        start.workflow,
        start.state,
        id=notice.workflow_id,
        task_queue=Queue.WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal="deliver",
        start_signal_args=[notice],
        search_attributes=found_by(
            start.workflow, notice.agency, booking=notice.booking_id, experience=notice.experience_id
        ),
        static_summary=start.summary,
    )
