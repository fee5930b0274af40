"""An agency connects Kommo and EasyCount while the workers run, from the commands to a deal that shows its link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from activities.easycount.integration import KEY_NAME as EASYCOUNT_KEY
from activities.kommo.integration import KEY_NAME as KOMMO_KEY
from domain.naming import integration_workflow
from domain.steps import IntegrationOrder
from sandbox.easycount.stand_in import API_KEY, EasyCountStandIn
from sandbox.kommo.crm import PIPELINE
from sandbox.kommo.stand_in import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, KommoStandIn
from sandbox.running import running
from starter.deals import DealDispatcher
from store import Store
from store.deal_hooks import DealHook
from store.installation import Installation
from store.opening import open_store
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY
from workers.checking import checks
from workers.consenting import exchange, settings_of
from workers.running import build_workers
from workflows.searching import found_by

AGENCY = "walkin"
TRIGGER, WAITING = 33, 34
GATEWAY = "https://hooks.agency.example"


@dataclass
class Office:
    crm: KommoStandIn
    crm_url: str
    invoicing: EasyCountStandIn
    invoicing_url: str
    installation: Installation
    store: Store


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    crm, invoicing = KommoStandIn(per_second=10_000), EasyCountStandIn()
    with ExitStack() as stack:
        crm_url, invoicing_url = stack.enter_context(running(crm)), stack.enter_context(running(invoicing))
        platform = {"source": "https://platform.example/x"}
        installation = Installation.model_validate(
            {
                "data": tmp_path,
                "store": {"url": migrated_url("sqlite", tmp_path), "master_key": MASTER_KEY},
                "agencies": {AGENCY: {"name": "Viajes Ejemplo, S.L.", "platform": platform}},
            }
        )
        store = open_store(installation)
        stack.callback(store.close)
        yield Office(crm, crm_url, invoicing, invoicing_url, installation, store)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(180):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 the workers make it true
            await asyncio.sleep(0.05)


def begin(office: Office) -> None:
    """What `bookings integration request`, `set` and `key` leave in the store; nobody has consented yet, one key is wrong."""
    store = office.store
    for system, given in (
        (
            "kommo",
            {
                "url": office.crm_url,
                "client_id": CLIENT_ID,
                "redirect_uri": REDIRECT_URI,
                "pipeline": PIPELINE,
                "trigger_stages": [TRIGGER],
                "waiting_stage": WAITING,
                "gateway_url": GATEWAY,
                "calls_per_second": 50,
            },
        ),
        (
            "easycount",
            {
                "url": office.invoicing_url,
                "environment": "demo",
                "developer_email": "it@agency.example",
                "success_url": "https://agency.example/thanks",
                "currency": "EUR",
                "calls_per_second": 50,
            },
        ),
    ):
        store.integrations.request(AGENCY, system, by="ana")
        store.integrations.set(AGENCY, system, given, by="ana", detail="")
    store.vault.seal(AGENCY, KOMMO_KEY, CLIENT_SECRET)
    store.vault.seal(AGENCY, EASYCOUNT_KEY, "a-wrong-key")


async def test_an_agency_connects_both_while_the_workers_run(office: Office, dev_server: Client) -> None:
    store = office.store
    begin(office)

    async def the_client() -> Client:
        return dev_server

    def waiting() -> set[str]:
        return {item.reason for item in store.parked.list(AGENCY)}

    async with AsyncExitStack() as stack:
        for worker in build_workers(office.installation, dev_server, stack):
            await stack.enter_async_context(worker)
        handles = {}
        for system in ("kommo", "easycount"):
            handles[system] = await dev_server.start_workflow(
                "ActivateIntegration",
                IntegrationOrder(agency=AGENCY, system=system, by="ana"),
                id=integration_workflow(AGENCY, system),
                task_queue="workflows",
                search_attributes=found_by("ActivateIntegration", AGENCY),
            )
        # The deal is told of before anything is connected: it waits, and nobody is asked about it.
        deal = int(
            office.crm.lead(
                name="Lisboa, 3 noches",
                price=300,
                status_id=TRIGGER,
                contact={"name": "Ana Prueba", "email": "ana@example.test", "phone": "+34 600 000 000"},
            )["id"]
        )
        store.deal_hooks.take_in([DealHook(AGENCY, "kommo", deal, "status", "f1", status=TRIGGER)])
        await until(lambda: len(waiting()) == 2)
        assert waiting() == {"kommo_unauthorised", "easycount_unauthorised"}
        consent = await asyncio.to_thread(httpx.post, f"{office.crm_url}/control/consent", json={})
        access = settings_of(store, AGENCY, office.installation.agencies[AGENCY])
        await asyncio.to_thread(exchange, store, AGENCY, access, consent.json()["code"])
        await handles["kommo"].signal("changed")
        store.vault.seal(AGENCY, EASYCOUNT_KEY, API_KEY)
        store.integrations.key_stored(AGENCY, "easycount", by="ana")
        await handles["easycount"].signal("changed")
        for handle in handles.values():
            await handle.result()
        assert waiting() == set()
        await DealDispatcher(store, the_client).sweep()
        await until(lambda: shown(office, deal) == "awaiting_payment")
    assert {store.integrations.known(AGENCY, system).state for system in handles} == {"active"}
    (hook,) = office.crm.state()["webhooks"]
    assert hook["destination"].startswith(f"{GATEWAY}/hooks/kommo/{AGENCY}/")
    assert [document["price_total"] for document in office.invoicing.state()["documents"]] == ["1.00", "300.00"]
    for name, ask in checks(office.installation, store):
        if "Kommo" in name or "EasyCount" in name:
            ask()


def shown(office: Office, deal: int) -> str:
    request = office.store.payment_requests.get(AGENCY, deal)
    return request.state if request is not None else "none"
