"""The demo's deal is won, paid and given back in two parts, whatever else is at work (contracts: kommo 5; money-rules K1)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.mailing.activities import MailActivities
from activities.office.desk import DeskActivities
from domain.naming import Queue
from starter import deals
from starter.demo import Sandbox
from starter.played_deals import play_deal
from store import Store
from store.deal_hooks import DealHook
from tests.activities.deals.theatre import AGENCY, TRIGGER, Clock, House, both, eur, open_house
from tests.databases import MASTER_KEY, migrated_url
from tests.workflows.conftest import dev_server
from workers.sandboxing import workflow_runner
from workers.wiring import implementations
from workflows.registry import WORKFLOWS

__all__ = ["dev_server"]


class Now(Clock):
    """The workflow's time is Temporal's, so the cells' is no other."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    store = Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY)
    with both() as (crm, easycount), open_house(store, Now(), crm, easycount, success_url=f"{easycount[1]}/") as opened:
        yield opened
    store.close()


async def gateway(house: House, client: Client) -> None:
    """What the gateway does: hands on what Kommo tells, and looks at a page when its customer comes back."""

    async def there() -> Client:
        return client

    dispatcher = deals.DealDispatcher(house.store, there)
    told: set[object] = set()
    while True:
        state = house.crm.state()
        for lead in state["leads"]:
            if lead["status_id"] == TRIGGER and lead["id"] not in told:
                told.add(lead["id"])
                house.store.deal_hooks.take_in([DealHook(AGENCY, "kommo", lead["id"], "status", "f1", status=TRIGGER)])
                await dispatcher.sweep()
        for page in house.easycount.state()["pages"]:
            if page["paid"] and page["secret"] not in told:
                told.add(page["secret"])
                await deals.look(client, AGENCY, state["leads"][0]["id"])
        await asyncio.sleep(0.05)


async def test_the_deal_of_the_demo_ends_refunded_and_adds_up(dev_server: Client, house: House) -> None:
    places = {"kommo": {"url": house.kommo_url}, "easycount": {"url": house.easycount_url}}
    sandbox = Sandbox(child=Any, told=places)  # type: ignore[arg-type]
    said: list[str] = []
    columns: dict[str, list[object]] = {
        Queue.CRM: [house.deals],
        Queue.ACCOUNTING: [house.documents, house.payments, house.journal],
        Queue.OFFICE: [DeskActivities(house.store), MailActivities(house.store, {}, {})],
    }
    async with AsyncExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(16))
        for queue, column in columns.items():
            cells = [cell for each in column for cell in implementations(each)]
            await stack.enter_async_context(
                Worker(dev_server, task_queue=queue, activities=cells, activity_executor=threads)
            )
        runner = workflow_runner()
        await stack.enter_async_context(
            Worker(dev_server, task_queue=Queue.WORKFLOWS, workflows=WORKFLOWS, workflow_runner=runner)
        )
        telling = asyncio.create_task(gateway(house, dev_server))
        well = await play_deal(TRIGGER, house.store, dev_server, sandbox, said.append)
        again = await play_deal(TRIGGER, house.store, dev_server, sandbox, said.append)
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
    assert (well, again) == (True, True), said
    house.deal = house.crm.state()["leads"][0]["id"]
    books = house.books()
    assert (books.status, [(each.type, each.total) for each in books.documents]) == (
        "refunded",
        [(300, 42000), (320, 42000), (330, 12000), (400, -12000), (330, 30000), (400, -30000)],
    )
    assert house.audit() == []
    assert house.store.journal.balance(AGENCY, "5729", "easycount", currency="EUR") == eur(0)
