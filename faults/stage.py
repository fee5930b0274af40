"""One agency on which a scenario is played: verbs on the platform, events carried to the gateway, people who answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Collection
from typing import Any

import httpx
from temporalio.client import WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.service import RPCError

from domain.steps import DecisionTaken
from faults.cutting import patiently
from faults.houses import House
from faults.office import Office
from faults.watching import Look, Watch
from sandbox.platform.signature import SECRET, signed_headers
from store.parked import ParkedItem

Doc = dict[str, Any]
PERSON = "ana@agency"
STILL = 60.0
"""Seconds without any call, commit or workflow of the agency after which nothing comes any more."""
LOOKS = 100
"""So many looks as well: a process that hardly gets its turn is slow at everything, also at looking."""
HELD_LOOKS = 25
"""So many looks without any call while a person is asked: it is the person's turn. A call that hangs lasts fewer."""
PATIENCE = 1800.0
"""Seconds after which what has to come is not waited for any longer, however much moves."""


class Stuck(Exception):
    """The scenario does not go on: something that has to come does not come."""


class Told:
    """An event as it travels."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        event = json.loads(body)
        self.id, self.sequence, self.partition = str(event["id"]), int(event["sequence"]), str(event["partitionkey"])
        self.kind = event["type"].removeprefix("example.planner.").removesuffix(".v1")


class Moving:
    """Whether an agency still gets anywhere; a machine that is busy with other things is no reason to give up."""

    def __init__(self, stage: Stage, *, still: float | None = None, patience: float | None = None) -> None:
        self._stage, self._seen, self._look = stage, (0, 0, 0), stage.watch.last.number
        self._allowed = STILL if still is None else still
        self._end = time.monotonic() + (PATIENCE if patience is None else patience)
        self._still = time.monotonic() + self._allowed

    def or_stuck(self, words: Callable[[], str]) -> None:
        """Raises `Stuck` when nothing moved for a minute, or for ever the same."""
        if self.over():
            raise Stuck(words())

    def over(self) -> bool:
        """Whether it stood still for too long, or there is no patience left."""
        stage, now = self._stage, time.monotonic()
        points = len(stage.office.cemetery.of(stage.agency).passed)
        calls = sum(len(each.calls) for each in stage.house.stand_ins.values())
        seen = (points, calls, len(stage.watch.last.running[stage.agency]))
        if seen != self._seen:
            self._seen, self._still, self._look = seen, now + self._allowed, stage.watch.last.number
        enough = LOOKS * self._allowed / 60.0
        return now > self._end or (now > self._still and stage.watch.last.number - self._look > enough)


class Held:
    """Whether others wait for the answer to somebody's question: bookings for a file that GIAV refused to open."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._calls, self._look = stage, -1, 0

    def by_a_person(self, look: Look) -> bool:
        """A person is asked, and for many looks nothing was called and nothing handed on."""
        agency = self._stage.agency
        asked = any(item.workflow_id for item in look.parked[agency])
        calls = sum(len(each.calls) for each in self._stage.house.stand_ins.values())
        if calls != self._calls or look.outbox[agency] or not asked:
            self._calls, self._look = calls, look.number
        return look.number - self._look >= HELD_LOOKS


WHY = "looked at in both systems, and it is right"


class Stage:
    """`held`: events are kept until somebody carries them by hand."""

    def __init__(self, office: Office, watch: Watch, house: House, http: httpx.AsyncClient) -> None:
        self.office, self.watch, self.house, self.http = office, watch, house, http
        self.agency = house.agency
        self.held = False
        self.skew = 0.0
        self.day: str | None = None
        """On which day of `faults.days` the experience departs."""
        self.waiting: list[Told] = []
        self.told: list[Told] = []
        self._read = 0

    # -- the platform -----------------------------------------------------------------------------------------------

    async def do(self, verb: str, **wish: Any) -> Doc:
        answer = await self.http.post(f"{self.house.urls['platform']}/sim/{verb}", json=wish)
        if answer.is_error:
            raise Stuck(f"{verb}: {answer.text[:300]}")
        await self.carry()
        done: Doc = answer.json()
        return done

    async def carry(self) -> int:
        """Carry what the platform has to tell to the gateway, in its order; how many events."""

        async def read() -> list[bytes]:
            return self.house.platform.platform.storage.events_after(self._read, 500)

        fresh = [Told(body) for body in await self.office.street.run(read())]
        if fresh:
            self._read = fresh[-1].sequence
        self.waiting += fresh
        if self.held:
            return 0
        for told in fresh:
            await self.tell(told)
        return len(fresh)

    async def tell(self, told: Told) -> int:
        """One delivery; the status of the answer. What cannot be kept now is delivered again."""
        if told in self.waiting:
            self.waiting.remove(told)
        self.told.append(told)
        while True:
            headers = signed_headers((SECRET,), told.id, int(time.time() + self.skew), told.body)
            answer = await self.http.post(f"{self.office.gateway}/events", content=told.body, headers=headers)
            if answer.status_code != 503:
                return answer.status_code
            await asyncio.sleep(0.2)

    # -- rest -------------------------------------------------------------------------------------------------------

    async def rest(self, quiet: int = 2) -> Look:
        """Until nothing moves any more, or all that still moves waits for what a person has to answer. Raises `Stuck`."""
        moving, still, look, held = Moving(self), 0, self.watch.last, Held(self)
        while still < quiet:
            running, waiting = look.running[self.agency], look.outbox[self.agency]
            moving.or_stuck(lambda: f"no rest: {sorted(running)}, {waiting} in the outbox")  # noqa: B023 called at once
            look = await self.watch.after(look.number if still else self.watch.last.number)
            moved = await self.carry()
            if not moved and held.by_a_person(look):
                return look
            rests = look.rests(self.agency) and not moved
            if rests and still + 1 == quiet:
                # Last, because every question wakes a workflow.
                rests = await self._mailboxes_rest({item.workflow_id for item in look.parked[self.agency]})
            still = still + 1 if rests else 0
        return look

    async def _mailboxes_rest(self, asked: Collection[str]) -> bool:
        """Asked of the mailboxes themselves: what they were told is not seen anywhere else before they begin with it."""
        for partition in {told.partition for told in self.told}:
            for kind in ("booking", "plan") if partition.startswith("bkg") else ("experience",):
                handle = self.office.client.get_workflow_handle(f"{kind}/{self.agency}/{partition}")
                try:
                    state = await handle.query("view", result_type=dict)
                except (RPCError, WorkflowQueryFailedError):
                    if kind == "plan":
                        continue
                    return False
                if state.get("running") or (state["queue"] and not asked):
                    return False
                if any(workflow_id not in asked for workflow_id in state.get("parked", ())):
                    return False
        return True

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Until the systems show it. Raises `Stuck`."""
        moving = Moving(self)
        while not holds():
            moving.or_stuck(lambda: f"does not come: {what}")
            await asyncio.sleep(0.15)
            await self.carry()

    async def until_or_asked(self, holds: Callable[[], bool], what: str) -> None:
        """As `until`; or until a person is asked, without whom it does not go on."""
        await self.until(lambda: holds() or any(item.workflow_id for item in self.items()), what)

    # -- people -----------------------------------------------------------------------------------------------------

    def items(self) -> list[ParkedItem]:
        return patiently(lambda: self.office.store.parked.list(self.agency))

    async def answer(self, item: ParkedItem, decision: str = "retry", by: str = PERSON) -> bool:
        """A person's answer; whether it was accepted."""
        taken = DecisionTaken.model_validate(
            {
                "item_id": item.item_id,
                "decision": decision,
                "by": by,
                "explanation": WHY,
            }
        )
        try:
            await self.office.client.get_workflow_handle(item.workflow_id).execute_update("decide", taken)
        except (WorkflowUpdateFailedError, RPCError):
            return False
        return True

    async def parked(self, besides: Collection[str] = ()) -> ParkedItem:
        """An item that waits for a person, once it is there."""
        found: list[ParkedItem] = []

        def there() -> bool:
            found[:] = [item for item in self.items() if item.reason not in besides]
            return bool(found)

        await self.until(there, "an item for a person")
        return found[0]

    # -- Temporal ---------------------------------------------------------------------------------------------------

    async def start(self, workflow: str, given: Any, workflow_id: str) -> None:
        """Start one of ours and wait until it ends, or asks a person. Raises `Stuck`."""
        handle = await self.office.client.start_workflow(workflow, given, id=workflow_id, task_queue="workflows")
        moving, ended = Moving(self), asyncio.ensure_future(handle.result())
        try:
            while not ended.done():
                moving.or_stuck(lambda: f"{workflow_id} does not end")
                if any(item.workflow_id == workflow_id for item in self.items()):
                    return
                await asyncio.wait({ended}, timeout=0.15)
            ended.result()
        finally:
            ended.cancel()

    async def leave(self) -> None:
        """End what still lives of this agency, so that it does not go on in other cases' time."""
        ids: set[str] = set()
        async for execution in self.office.client.list_workflows(
            f"ExecutionStatus = 'Running' AND Agency = '{self.agency}'"
        ):
            ids.add(execution.id)
        ids |= self.watch.last.running[self.agency]
        await asyncio.gather(*(self._end(each) for each in ids))

    async def _end(self, workflow_id: str) -> None:
        try:
            await self.office.client.get_workflow_handle(workflow_id).terminate("the case is over")
        except RPCError:  # it ended meanwhile
            return
