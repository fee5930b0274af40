"""Agencies that share a worker: one's dead system is not another's trouble (DESIGN section 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleSpec, ScheduleUpdate

from domain import naming
from domain.naming import Queue
from sandbox.faults import Kind
from sandbox.giav.stand_in import GiavStandIn
from sandbox.running import running
from starter.dispatch import Dispatcher
from store import Store
from store.installation import Installation
from store.opening import open_store
from tests import stories
from tests.activities.giav.desk import SERVICES, TRAVELLERS, booking, section
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY
from workers.fairness import Fairness, turn_of
from workers.running import AT_ONCE, build_workers

DEAD, WELL = "dead", "well"
MANY = AT_ONCE[Queue.GIAV] + 8
"""Bookings of the dead agency: more than its queue has threads."""
FEW = 3
HOTEL = stories.line("lin_01", "svc_hotel", 41250, 33000)


@dataclass
class Neighbours:
    """Two agencies, each with a GIAV of its own."""

    giav: dict[str, GiavStandIn]
    installation: Installation
    store: Store
    switch_off: Callable[[], None]
    number: int = 0

    def told(self, agency: str, kind: str, data: dict[str, Any]) -> None:
        self.number += 1
        assert self.store.inbox.accept(stories.event(self.number, kind, data, agency=agency)) == "new"

    def trip(self, agency: str) -> None:
        told = stories.experience(id=f"exp_{agency}", services=SERVICES)
        self.told(agency, "experience.created", stories.data(f"experience/exp_{agency}", experience=told))

    def sold(self, agency: str, number: int) -> None:
        own = f"bkg_{agency}{number}"
        told = booking(id=own, experience_id=f"exp_{agency}", lines=[HOTEL], travellers=TRAVELLERS[:1])
        self.told(agency, "booking.created", stories.data(f"booking/{own}", booking=told))

    def held(self, agency: str, entity: str) -> int:
        return len(self.giav[agency].state()[entity])

    def hanging(self) -> int:
        return sum(each["fired"] for each in self.giav[DEAD].faults.listing())


@pytest.fixture
def neighbours(tmp_path: Path) -> Iterator[Neighbours]:
    giav = {DEAD: GiavStandIn(), WELL: GiavStandIn()}
    with ExitStack() as stack, ExitStack() as of_the_dead:
        urls = {
            DEAD: of_the_dead.enter_context(running(giav[DEAD])),
            WELL: stack.enter_context(running(giav[WELL])),
        }
        installation = Installation.model_validate(
            {
                "data": tmp_path,
                "store": {"url": migrated_url("sqlite", tmp_path), "master_key": MASTER_KEY},
                "agencies": {
                    name: {
                        "name": f"Viajes {name}",
                        "platform": {"source": f"https://platform.example/planners/{name}"},
                        "giav": section(url, wait_for_expediente_seconds=0.2, read_seconds=300, calls_at_once=MANY),
                    }
                    for name, url in urls.items()
                },
            }
        )
        store = open_store(installation)
        stack.callback(store.close)
        yield Neighbours(giav, installation, store, of_the_dead.close)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 the workers make it true
            await asyncio.sleep(0.1)


async def test_bookings_of_one_agency_are_registered_while_the_system_of_another_hangs(
    neighbours: Neighbours, dev_server: Client
) -> None:
    async def the_client() -> Client:
        return dev_server

    async with AsyncExitStack() as stack:
        for worker in build_workers(neighbours.installation, dev_server, stack):
            await stack.enter_async_context(worker)
        # What hangs is cut off before the workers are asked to end.
        stack.callback(neighbours.switch_off)
        hand_on = Dispatcher(neighbours.store, the_client).sweep
        for agency in (DEAD, WELL):
            neighbours.trip(agency)
        await hand_on()
        await until(lambda: all(neighbours.held(each, "Expediente") == 1 for each in (DEAD, WELL)))
        neighbours.giav[DEAD].faults.set({"operation": "*", "kind": Kind.HANG.value, "times": None, "seconds": 280})
        for number in range(MANY):
            neighbours.sold(DEAD, number)
        await hand_on()
        room = AT_ONCE[Queue.GIAV] * 3 // 4
        await until(lambda: neighbours.hanging() >= room)
        for number in range(FEW):
            neighbours.sold(WELL, number)
        await hand_on()
        await until(lambda: neighbours.held(WELL, "Reserva") == 2 * FEW)
        assert neighbours.hanging() == room, "each of them still waits for its first answer"
        assert neighbours.held(DEAD, "Reserva") == 0


async def test_whatever_is_started_has_the_turn_of_its_agency_by_a_schedule_too(
    dev_server: Client,
) -> None:
    """The server's own word: it hands on tasks by the key that it keeps."""
    client = Client(**(dev_server.config() | {"interceptors": [Fairness()]}))
    own = naming.booking_workflow("turns", "bkg_1")
    await client.start_workflow("Nobody", id=own, task_queue="nobody")
    described = (await client.get_workflow_handle(own).describe()).raw_description
    assert described.workflow_execution_info.priority.fairness_key == "turns"
    action = ScheduleActionStartWorkflow(
        "Nobody", id=naming.collection_workflow("turns", "plan_1"), task_queue="nobody"
    )
    schedule = await client.create_schedule("turns", Schedule(action=action, spec=ScheduleSpec()))
    for _ in range(2):
        kept = (await schedule.describe()).schedule.action
        assert isinstance(kept, ScheduleActionStartWorkflow)
        assert kept.priority == turn_of("collect/turns/plan_1")
        await schedule.update(lambda _: ScheduleUpdate(Schedule(action=action, spec=ScheduleSpec())))
    assert action.priority != kept.priority, "the caller's own is left as it was"
    await schedule.delete()
    await client.get_workflow_handle(own).terminate()


def test_a_long_name_of_an_agency_still_is_a_key() -> None:
    key = turn_of(naming.booking_workflow("ñ" * 70, "bkg_1")).fairness_key
    assert key == "ñ" * 32
