"""A hint in the store becomes a paid and recorded deal: real workflow, real cells, real wires."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.mailing.activities import MailActivities
from activities.office.desk import DeskActivities
from domain import naming
from domain.naming import Queue
from starter.deals import DealDispatcher
from store.deal_hooks import DealHook
from tests.activities.deals.theatre import AGENCY, PAID, Clock, House, eur
from tests.workflows.conftest import dev_server
from workers.sandboxing import workflow_runner
from workers.wiring import implementations
from workflows.registry import WORKFLOWS

__all__ = ["dev_server"]


async def until(true: Callable[[], bool]) -> None:
    """The test's time limit ends a wait in vain."""
    while not true():  # noqa: ASYNC110 other tasks and threads make it true
        await asyncio.sleep(0.05)


@pytest.fixture
def clock() -> Clock:
    """The workflow's time is Temporal's, so the cells' is no other."""
    from datetime import UTC, datetime

    class Now(Clock):
        def __call__(self) -> datetime:
            return datetime.now(UTC)

    return Now()


async def test_a_deal_that_is_told_is_asked_for_paid_recorded_and_shown(dev_server: Client, house: House) -> None:
    deal = house.new_deal()
    columns = {
        Queue.CRM: [house.deals],
        Queue.ACCOUNTING: [house.documents, house.payments, house.journal],
        Queue.OFFICE: [DeskActivities(house.store), MailActivities(house.store, {}, {})],
    }
    house.store.deal_hooks.take_in([DealHook(AGENCY, "kommo", deal, "status", "f1", status=33)])

    async def there() -> Client:
        return dev_server

    def state() -> str:
        request = house.store.payment_requests.get(AGENCY, deal)
        return request.state if request is not None else "none"

    async with AsyncExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(16))
        for queue, column in columns.items():
            cells = [cell for each in column for cell in implementations(each)]
            worker = Worker(dev_server, task_queue=queue, activities=cells, activity_executor=threads)
            await stack.enter_async_context(worker)
        runner = workflow_runner()
        await stack.enter_async_context(
            Worker(dev_server, task_queue=Queue.WORKFLOWS, workflows=WORKFLOWS, workflow_runner=runner)
        )
        await DealDispatcher(house.store, there).sweep()
        await until(lambda: state() == "awaiting_payment")
        house.pay()
        handle = dev_server.get_workflow_handle(naming.deal_workflow(AGENCY, deal))
        await handle.signal("look")
        await handle.result()
    books = house.books()
    assert (books.status, [document.type for document in books.documents]) == ("paid", [300, 320])
    lead = next(lead for lead in house.crm.state()["leads"] if lead["id"] == deal)
    assert lead["status_id"] == PAID
    assert house.audit() == []
    assert house.store.journal.balance(AGENCY, "5729", "easycount", currency="EUR") == eur(30000)
