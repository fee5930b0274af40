"""An agency connects its mid-office while the workers run: a wrong key, the right one, the letter, in use."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from temporalio.client import Client

from activities.midoffice.integration import key_name
from domain.naming import Queue, integration_workflow
from domain.steps import IntegrationOrder
from sandbox.running import running
from sandbox.tina.stand_in import PASSWORD, USERNAME, TinaStandIn
from store.installation import Installation
from store.opening import open_store
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

    with running(TinaStandIn(resellers=frozenset({"AG01"}))) as url:
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
                IntegrationOrder(agency=AGENCY, system=SYSTEM, by="ana"),
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
            async with asyncio.timeout(60):
                assert await handle.result() is None
    assert store.integrations.known(AGENCY, SYSTEM).state == "active"
    assert not waiting()
    taken = [one.step for one in store.integrations.history(AGENCY, SYSTEM)]
    assert taken[-3:] == ["checked", "account manager told", "active"]
    store.close()
