"""The program is updated in the middle of a season to a version that cannot replay what runs, and taken back again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from domain.mailbox import BookingState
from domain.naming import SEARCH_ATTRIBUTES, Queue, booking_workflow
from starter.commands import deploy
from tests.workflows.conftest import KEYS, binary
from tests.workflows.next_version import NextBooking
from tests.workflows.office import Office, deliver, told
from workers.running import versioned
from workers.sandboxing import workflow_runner
from workflows.booking import Booking
from workflows.registry import WORKFLOWS

BUSY, IDLE, NEW = "bkg_busy", "bkg_idle", "bkg_new"
NEXT = [NextBooking if each is Booking else each for each in WORKFLOWS]


@asynccontextmanager
async def workers_of(client: Client, office: Office, build: str, workflows: Sequence[type]) -> AsyncIterator[None]:
    """All queues, as one version."""
    async with AsyncExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(8))
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=Queue.WORKFLOWS,
                workflows=workflows,
                workflow_runner=workflow_runner(),
                deployment_config=versioned(build),
            )
        )
        for queue in set(Queue) - {Queue.WORKFLOWS}:
            await stack.enter_async_context(
                Worker(
                    client,
                    task_queue=queue,
                    activities=office.cells(queue),
                    activity_executor=threads,
                    deployment_config=versioned(build),
                )
            )
        yield


class Season:
    """What a person does and sees from outside."""

    def __init__(self, client: Client, folder: Path) -> None:
        self._client = client
        self._settings = folder / "settings.toml"
        self._settings.write_text(
            f'[temporal]\naddress = "{client.service_client.config.target_host}"\n'
            '[agencies.demo]\nname = "Viajes"\n[agencies.demo.platform]\nsource = "//platform.example/one"\n'
        )

    async def make_current(self, build: str) -> None:
        await asyncio.to_thread(deploy.current, self._settings, build, wait=30)

    async def nudge(self) -> None:
        await asyncio.to_thread(deploy.nudge, self._settings)

    async def show(self) -> None:
        await asyncio.to_thread(deploy.show, self._settings)

    def booking(self, name: str) -> WorkflowHandle[Booking, BookingState]:
        return self._client.get_workflow_handle_for(Booking.run, booking_workflow("demo", name))

    async def version(self, name: str) -> str:
        described = await self.booking(name).describe()
        return described.raw_description.workflow_execution_info.versioning_info.deployment_version.build_id

    async def becomes(self, name: str, build: str, *, nudging: bool = False) -> None:
        """`nudging`: again and again, as a person does who sees that some have not moved yet."""
        looks = 0
        async with asyncio.timeout(180):
            while await self.version(name) != build:
                await asyncio.sleep(0.2)
                looks += 1
                if nudging and looks % 50 == 0:
                    await self.nudge()

    async def pays(self, name: str, number: int) -> None:
        paid = told(
            "payment.captured", name, fact=f"pay_{name}{number}", payment_id=f"pay_{name}{number}", method="card"
        )
        await deliver(self._client, paid)
        async with asyncio.timeout(180):
            while len((await self.booking(name).query(Booking.view)).payments) < number:  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    async def failed_tasks(self, name: str) -> int:
        """Workflow tasks that failed in any run of the booking."""
        query = f"WorkflowId = '{booking_workflow('demo', name)}'"
        failed = 0
        async for run in self._client.list_workflows(query):
            history = await self._client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
            failed += sum(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for event in history.events)
        return failed


async def test_bookings_go_on_through_an_update_and_back(office: Office, tmp_path: Path) -> None:
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=binary("temporal"),
        search_attributes=[KEYS[kind](name) for name, kind in SEARCH_ATTRIBUTES.items()],
    )
    async with environment:
        client, season = environment.client, Season(environment.client, tmp_path)
        async with workers_of(client, office, "1", WORKFLOWS):
            await season.make_current("1")
            for name in (BUSY, IDLE):
                await deliver(client, told("booking.created", name))
                await season.pays(name, 1)
            assert [await season.version(name) for name in (BUSY, IDLE)] == ["1", "1"]

            async with workers_of(client, office, "2", NEXT):
                await season.make_current("2")
                await season.pays(BUSY, 2)
                await season.becomes(BUSY, "2")
                assert await season.version(IDLE) == "1"
                await season.nudge()
                await season.becomes(IDLE, "2", nudging=True)
                await deliver(client, told("booking.created", NEW))
                for name, number in ((BUSY, 3), (IDLE, 2), (NEW, 1)):
                    await season.pays(name, number)
                assert await season.version(NEW) == "2"

                await season.make_current("1")
                await season.nudge()
                for name in (BUSY, IDLE, NEW):
                    await season.becomes(name, "1", nudging=True)
                await season.show()
        async with workers_of(client, office, "1", WORKFLOWS):
            for name, number in ((BUSY, 4), (IDLE, 3), (NEW, 2)):
                await season.pays(name, number)
        assert [await season.failed_tasks(name) for name in (BUSY, IDLE, NEW)] == [0, 0, 0]
    assert office.count("giav.record_payment") == 9
    assert office.count("giav.register_booking") == 3
