"""From a deal that was told to the link in it, against the outside answers that lie on that way (contracts: kommo 5; notes: performance).

The floor is five answers of 200 ms one after the other: the deal, its contact, the page, the document, the link's own write.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.mailing.activities import MailActivities
from activities.office.desk import DeskActivities
from benchmarks.results import Result
from domain import naming
from domain.naming import Queue
from starter.deals import DealDispatcher
from store import Store
from store.deal_hooks import DealHook
from tests.activities.deals.theatre import AGENCY, Clock, House, both, open_house
from tests.databases import MASTER_KEY, migrated_url
from tests.workflows.conftest import KEYS, binary
from workers.sandboxing import workflow_runner
from workers.wiring import implementations
from workflows.registry import WORKFLOWS

LEAST = 0.77
"""Not longer than 1.3 times what the outside systems take."""
ANSWER_SECONDS = 0.2
ON_THE_WAY = 5


class Now(Clock):
    def __call__(self) -> datetime:
        return datetime.now(UTC)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=7, help="how many deals (default 7)")


def run(chosen: argparse.Namespace) -> Result:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        crm, easycount = stack.enter_context(both())
        store = Store.open(migrated_url("sqlite", folder), master_key=MASTER_KEY)
        stack.callback(store.close)
        house = stack.enter_context(open_house(store, Now(), crm, easycount))
        took = asyncio.run(_measured(house, chosen.rounds))
    floor = 1 / (ANSWER_SECONDS * ON_THE_WAY)
    return Result.of("deals", "deals a second", [1 / seconds for seconds in took], [floor] * len(took))


async def _measured(house: House, rounds: int) -> list[float]:
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=binary("temporal"),
        search_attributes=[KEYS[kind](name) for name, kind in naming.SEARCH_ATTRIBUTES.items()],
    )
    columns: dict[str, list[object]] = {
        Queue.CRM: [house.deals],
        Queue.ACCOUNTING: [house.documents, house.payments, house.journal],
        Queue.OFFICE: [DeskActivities(house.store), MailActivities(house.store, {}, {})],
    }
    async with environment, AsyncExitStack() as stack:
        client = environment.client
        threads = stack.enter_context(ThreadPoolExecutor(16))
        for queue, column in columns.items():
            cells = [cell for each in column for cell in implementations(each)]
            worker = Worker(client, task_queue=queue, activities=cells, activity_executor=threads)
            await stack.enter_async_context(worker)
        runner = workflow_runner()
        await stack.enter_async_context(
            Worker(client, task_queue=Queue.WORKFLOWS, workflows=WORKFLOWS, workflow_runner=runner)
        )
        await _one(client, house, 0)
        for system in (house.crm, house.easycount):
            system.faults.set({"operation": "*", "kind": "slow", "times": None, "seconds": ANSWER_SECONDS})
        return [await _one(client, house, number) for number in range(1, rounds + 1)]


async def _one(client: Client, house: House, number: int) -> float:
    """Seconds from a stored hint to the link in the deal."""

    async def there() -> Client:
        return client

    deal = house.new_deal()
    began = time.perf_counter()
    house.store.deal_hooks.take_in([DealHook(AGENCY, "kommo", deal, "status", f"told:{number}", status=33)])
    await DealDispatcher(house.store, there).sweep()
    while not _shows_link(house, deal):  # noqa: ASYNC110 the stand-in knows nothing of us
        await asyncio.sleep(0.01)  # a look at the shelf takes the processor from what is measured
    took = time.perf_counter() - began
    await client.get_workflow_handle(naming.deal_workflow(AGENCY, deal)).terminate()
    return took


def _shows_link(house: House, deal: int) -> bool:
    lead = house.crm._crm.lead(deal)  # the whole state would cost more than what is measured
    return lead is not None and "/pay/" in str(lead["custom_fields_values"])
