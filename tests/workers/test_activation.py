"""An agency activates GIAV while the workers run: a refused key, the right one, and what existed before arrives there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from activities.giav.integration import KEY_NAME
from domain.naming import integration_workflow
from domain.steps import BackfillProgress, IntegrationOrder
from sandbox.giav import seeds
from sandbox.giav.stand_in import PATH, GiavStandIn
from sandbox.platform.stand_in import TOKEN, PlatformStandIn
from sandbox.running import running
from starter.dispatch import Dispatcher
from store import Store
from store.installation import Installation
from store.opening import open_store
from tests import stories
from tests.activities.platform.world import SERVICES
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY
from workers.running import build_workers
from workflows.searching import found_by

AGENCY = "walkin"


@dataclass
class Office:
    giav: GiavStandIn
    giav_url: str
    platform: PlatformStandIn
    installation: Installation
    store: Store

    def sell(self, number: int) -> None:
        passport = {"type": "PASSPORT", "value": f"XPA{number:06d}", "country": "FR"}
        self.platform.platform.do(
            "create-booking",
            {
                "id": f"bkg_{number}",
                "experience_id": "exp_31",
                "payer": stories.PAYER | {"id": f"cus_{number}", "tax_id": passport},
                "travellers": [{"first_name": "Ana", "last_name": "Prueba", "is_payer": True}],
                "lines": [{"service_id": "svc_hotel"}],
            },
        )

    def change_price_and_collect(self, number: int) -> None:
        """A discount after the payment, taken back again: two revisions that nobody needs any more."""
        own, given = f"bkg_{number}", {"kind": "amount", "value": {"amount": 9900, "currency": "EUR"}}
        self.platform.platform.do("capture-payment", {"booking_id": own})
        self.platform.platform.do("apply-discount", {"booking_id": own, "id": "dsc_1", **given})
        self.platform.platform.do("revoke-discount", {"booking_id": own, "discount_id": "dsc_1"})

    def containers(self) -> set[str]:
        return {each["CodSolicitud"] for each in self.giav.state()["Reserva"] if each["TipoReserva"] == "PQ"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    giav, platform = GiavStandIn(), PlatformStandIn()
    with ExitStack() as stack:
        giav_url, platform_url = stack.enter_context(running(giav)), stack.enter_context(running(platform))
        account = platform.platform.account
        told = {"source": account.source, "event_prefix": account.prefix, "url": platform_url, "token": TOKEN}
        installation = Installation.model_validate(
            {
                "data": tmp_path,
                "store": {"url": migrated_url("sqlite", tmp_path), "master_key": MASTER_KEY},
                "agencies": {AGENCY: {"name": "Viajes Ejemplo, S.L.", "platform": told}},
            }
        )
        store = open_store(installation)
        stack.callback(store.close)
        stack.callback(platform.close)
        platform.platform.do(
            "create-experience",
            {
                "id": "exp_31",
                "title": "Fin de curso",
                "sales_mode": "seat_b2c",
                "starts_on": "2099-06-20",
                "ends_on": "2099-06-23",
                "services": SERVICES,
                "cancellation_policy": {"basis": "total", "tiers": []},
            },
        )
        yield Office(giav, f"{giav_url}{PATH}", platform, installation, store)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(180):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 the workers make it true
            await asyncio.sleep(0.1)


async def test_an_agency_begins_while_the_workers_run(office: Office, dev_server: Client) -> None:
    for number in (500, 501):
        office.sell(number)
    office.change_price_and_collect(501)
    store = office.store
    store.integrations.request(AGENCY, "giav", by="ana")
    store.integrations.set(AGENCY, "giav", {"url": office.giav_url}, by="ana", detail="")
    store.vault.seal(AGENCY, KEY_NAME, "a-wrong-key")

    async def the_client() -> Client:
        return dev_server

    async with AsyncExitStack() as stack:
        for worker in build_workers(office.installation, dev_server, stack):
            await stack.enter_async_context(worker)
        order = IntegrationOrder(agency=AGENCY, system="giav", by="ana")
        handle = await dev_server.start_workflow(
            "ActivateIntegration",
            order,
            id=integration_workflow(AGENCY, "giav"),
            task_queue="workflows",
            search_attributes=found_by("ActivateIntegration", AGENCY),
            result_type=BackfillProgress,
        )
        await until(lambda: bool(store.parked.list(AGENCY)))
        item = store.parked.list(AGENCY)[0]
        assert (item.reason, item.owner) == ("integration_unauthorised", "technical")
        assert "bookings integration key" in item.detail
        store.vault.seal(AGENCY, KEY_NAME, seeds.API_KEY)
        store.integrations.key_stored(AGENCY, "giav", by="ana")
        await handle.signal("changed")
        ended: Any = await handle.result()
        assert (ended.phase, ended.unusable) == ("done", 0)
        assert ended.superseded >= 2
        assert store.parked.list(AGENCY) == []
        await Dispatcher(store, the_client).sweep()
        await until(lambda: office.containers() == {"bkg_500", "bkg_501"})
        await until(lambda: bool(office.giav.state()["RelationDueDatePayment"]))
    assert store.integrations.known(AGENCY, "giav").state == "active"
    held = office.giav.state()
    assert [len(held[entity]) for entity in ("Expediente", "Cobro", "RelationDueDatePayment")] == [1, 1, 1]
    assert [each["IdTipo"] for each in held["Factura"]] == ["Normal"], "no credit note for a price that came and went"
    assert not [call for call in office.giav.calls if call["operation"] == "Reserva_Normal_PUT"]
