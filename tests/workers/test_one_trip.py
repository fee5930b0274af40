"""One trip through inbox, dispatcher, Temporal and the workers' own threads: bookings told at once, the trip called off."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.steps import DecisionTaken
from sandbox.faults import Kind
from sandbox.giav.stand_in import GiavStandIn
from sandbox.running import running
from starter.dispatch import Dispatcher
from store import Store
from store.inbox import AcceptedEvent
from store.installation import Installation
from store.opening import open_store
from tests import stories
from tests.activities.giav.desk import SERVICES, TRAVELLERS, booking, section
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY
from workers.running import build_workers

AGENCY = "trip"
TRIP = "exp_900"
SOLD = [f"bkg_{number}" for number in range(900, 914)]
HOTEL = stories.line("lin_01", "svc_hotel", 41250, 33000)
GONE = stories.line("lin_01", "svc_hotel", 41250, 0, status="cancelled")


@dataclass
class Agency:
    giav: GiavStandIn
    installation: Installation
    store: Store
    number: int = 0

    def told(self, kind: str, data: dict[str, Any]) -> AcceptedEvent:
        self.number += 1
        event = stories.event(self.number, kind, data, agency=AGENCY)
        assert self.store.inbox.accept(event) == "new"
        return event

    def experience(self, revision: int = 1, **changes: Any) -> None:
        told = {"experience": stories.experience(id=TRIP, services=SERVICES, **changes)}
        if changes:
            now = "2026-11-22T09:00:00Z"
            told["cancellation"] = {"id": "cxl_900", "cause": "planner", "decided_at": now, "affected_bookings": 14}
        kind = "experience.cancelled" if changes else "experience.created"
        self.told(kind, stories.data(f"experience/{TRIP}", revision, **told))

    def sold(self, own: str) -> None:
        told = booking(id=own, experience_id=TRIP, lines=[HOTEL], travellers=TRAVELLERS[:1])
        self.told("booking.created", stories.data(f"booking/{own}", booking=told))

    def cancelled(self, own: str) -> None:
        told = booking(id=own, experience_id=TRIP, lines=[GONE], travellers=TRAVELLERS[:1], status="cancelled")
        why = stories.cancellation("none") | {"id": own.replace("bkg", "cxl")}
        why["penalty"] = {"amount": stories.eur(0), "treatment": "none"}
        self.told("booking.cancelled", stories.data(f"booking/{own}", 2, booking=told, cancellation=why))

    def held(self, entity: str) -> list[dict[str, Any]]:
        return list(self.giav.state()[entity])

    def containers(self) -> list[dict[str, Any]]:
        return [each for each in self.held("Reserva") if each["TipoReserva"] == "PQ"]


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[Agency]:
    giav = GiavStandIn()
    with ExitStack() as stack:
        url = stack.enter_context(running(giav))
        platform = {"source": "https://platform.example/planners/pl_900"}
        installation = Installation.model_validate(
            {
                "data": tmp_path,
                "store": {"url": migrated_url("sqlite", tmp_path), "master_key": MASTER_KEY},
                "agencies": {
                    AGENCY: {
                        "name": "Viajes Ejemplo, S.L.",
                        "platform": platform,
                        "giav": section(url, wait_for_expediente_seconds=0.2),
                    }
                },
            }
        )
        store = open_store(installation)
        stack.callback(store.close)
        yield Agency(giav, installation, store)


@asynccontextmanager
async def at_work(agency: Agency, client: Client) -> AsyncIterator[Callable[[], Any]]:
    """All workers; yields what hands on the events that wait."""

    async def the_client() -> Client:
        return client

    async with AsyncExitStack() as stack:
        for worker in build_workers(agency.installation, client, stack):
            await stack.enter_async_context(worker)
        yield Dispatcher(agency.store, the_client).sweep


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(180):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 the workers make it true
            await asyncio.sleep(0.1)


@pytest.mark.covers("G1", "G3", "F-C2", "F-X11", "giav 4: experience cancelled")
async def test_fourteen_bookings_told_at_once_share_a_file_which_closes_after_the_one_that_fails(
    agency: Agency, dev_server: Client
) -> None:
    """The answer that the file was opened gets lost, and later GIAV refuses one of the fourteen cancellations."""
    agency.giav.faults.set({"operation": "Expediente_POST", "kind": Kind.DROP_AFTER.value})
    agency.experience()
    for own in SOLD:
        agency.sold(own)
    async with at_work(agency, dev_server) as hand_on:
        await hand_on()
        await until(lambda: len(agency.held("Reserva")) == 2 * len(SOLD) and not agency.store.effects.unsettled())
        (file,) = agency.held("Expediente")
        assert Counter(each["CodSolicitud"] for each in agency.containers()) == Counter(SOLD)
        assert {each["IdExpediente"] for each in agency.held("Reserva")} == {file["Id"]}
        agency.giav.faults.set({"operation": "Reserva_Normal_PUT", "kind": Kind.REFUSE.value, "skip": 4})
        agency.experience(2, status="cancelled")
        for own in SOLD:
            agency.cancelled(own)
        await hand_on()
        await until(lambda: sum("CANCELADA" in each["Descripcion"] for each in agency.containers()) == 13)
        await until(lambda: len(agency.store.parked.list(AGENCY)) == 1)
        (item,) = agency.store.parked.list(AGENCY)
        assert (item.reason, item.decisions) == ("giav_refused", ("retry", "skip", "adopt"))
        trip = dev_server.get_workflow_handle(f"experience/{AGENCY}/{TRIP}")
        await trip.signal("look_now")
        assert not agency.held("Expediente")[0]["Cerrado"]
        cancelling = dev_server.get_workflow_handle(item.workflow_id)
        await cancelling.execute_update("decide", DecisionTaken(item_id=item.item_id, decision="retry", by="ana"))
        await cancelling.result()
        await trip.signal("look_now")
        await trip.result()
    assert agency.held("Expediente")[0]["Cerrado"]
    assert agency.giav.calls[-1]["operation"] == "Expediente_CLOSE"
    assert agency.store.parked.list(AGENCY) == []
