"""An agency connects its mid-office while the workers run: a wrong key, the right one, the letter, in use."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

from temporalio.client import Client

from activities.midoffice.integration import key_name
from domain.naming import Queue, integration_workflow
from domain.steps import IntegrationOrder
from sandbox.running import running
from sandbox.tina.stand_in import PASSWORD, USERNAME, TinaStandIn
from store import Store
from store.installation import Installation
from store.opening import open_store
from tests.activities.platform import trip
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY
from tests.workers.test_activation import until
from workers.running import build_workers
from workflows.searching import found_by

AGENCY, SYSTEM = "connecting", "tina"


async def test_a_mid_office_is_connected_while_the_workers_run(tmp_path: Path, dev_server: Client) -> None:
    installation = Installation.model_validate(
        {
            "data": tmp_path,
            "store": {"url": migrated_url("sqlite", tmp_path), "master_key": MASTER_KEY},
            "agencies": {
                AGENCY: {
                    "name": "Viajes Ejemplo, S.L.",
                    "platform": {"source": "https://platform.example/planners/pl_9"},
                }
            },
        }
    )
    store = open_store(installation)

    def waiting() -> list[str]:
        return [item.detail for item in store.parked.list(AGENCY)]

    tina = TinaStandIn(resellers=frozenset({"AG01"}))
    with running(tina) as url:
        booked_before(store)
        store.integrations.request(AGENCY, SYSTEM, by="ana")
        settings = {
            "url": url,
            "username": USERNAME,
            "reseller_code": "AG01",
            "supplier_numbers": {"sup_rh": "RATEHAWK"},
        }
        store.integrations.set(AGENCY, SYSTEM, settings, by="ana", detail="")
        store.vault.seal(AGENCY, key_name(SYSTEM), "wrong-one")
        store.integrations.key_stored(AGENCY, SYSTEM, by="ana")
        async with AsyncExitStack() as stack:
            for worker in build_workers(installation, dev_server, stack):
                await stack.enter_async_context(worker)
            handle = await dev_server.start_workflow(
                "ActivateIntegration",
                IntegrationOrder(agency=AGENCY, system=SYSTEM, by="ana", ended_since=date(2026, 11, 1)),
                id=integration_workflow(AGENCY, SYSTEM),
                task_queue=Queue.WORKFLOWS,
                search_attributes=found_by("ActivateIntegration", AGENCY),
            )
            await until(lambda: any("seal the right key" in detail for detail in waiting()))
            store.vault.seal(AGENCY, key_name(SYSTEM), PASSWORD)
            store.integrations.key_stored(AGENCY, SYSTEM, by="ana")
            await handle.signal("changed")
            await until(lambda: any("send this to the RateHawk account manager" in detail for detail in waiting()))
            assert store.integrations.known(AGENCY, SYSTEM).state == "checked"
            store.integrations.confirmed(AGENCY, SYSTEM, by="ana", detail="by e-mail")
            await handle.signal("changed")
            async with asyncio.timeout(180):
                ended = await handle.result()
            assert (ended["phase"], ended["taken"], ended["seen"]) == ("done", 1, 1)
    assert store.integrations.known(AGENCY, SYSTEM).state == "active"
    assert not waiting()
    taken = [one.step for one in store.integrations.history(AGENCY, SYSTEM)]
    assert taken[-4:] == ["checked", "account manager told", "active", "backfilled"]
    (booking,), (payment,) = tina.state()["bookings"], tina.state()["payments"]
    assert (booking["bookingId"], booking["price"]) == ("bkg_500-lin_01", "825.00")
    assert (payment["transaction"], payment["Amount"]) == ("pay_1001", "300.00")
    tina.close()
    store.close()


def booked_before(store: Store) -> None:
    """A booking and its first money, told while the agency had no mid-office."""
    trip.tell(store, "experience.created", agency=AGENCY, experience=trip.experience())
    trip.tell(store, "booking.created", agency=AGENCY, booking=trip.booking())
    trip.tell(store, "payment.captured", agency=AGENCY, payment=trip.payment())
