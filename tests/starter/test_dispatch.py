"""Outbox rows reach their mailboxes on a real Temporal server: once each, in order, after any outage."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from domain.naming import SEARCH_ATTRIBUTES, booking_workflow
from starter import temporal
from starter.dispatch import Dispatcher, TemporalAway
from starter.embedded import temporal_binary
from starter.events import take_in
from store import Store
from tests.starter.agency import booking_created, eur, event, installation, payment_captured, raw
from tests.starter.collector import collecting
from workers.console_links import ConsoleLinks
from workers.tracing import trace_of


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter, dev_server_existing_path=temporal_binary(), dev_server_log_level="error"
    )
    await temporal.ensure_search_attributes(environment.client)
    yield environment
    await environment.shutdown()


@pytest.fixture
def client(server: WorkflowEnvironment) -> Client:
    """As `workers.connection` makes one."""
    return Client(
        server.client.service_client,
        data_converter=pydantic_data_converter,
        interceptors=[ConsoleLinks("https://console.example")],
    )


def keep(store: Store, folder: Path, *events: dict[str, Any]) -> None:
    for content in events:
        receipt = take_in(store, installation(folder), raw(content).encode(), received_at=datetime.now(UTC))
        assert receipt.result == "new"


def of_booking(content: dict[str, Any], booking: str) -> dict[str, Any]:
    """The same event for another booking: each test has its own mailbox."""
    return dict(json.loads(raw(content).replace("bkg_500", booking)))


async def signalled(client: Client, workflow_id: str) -> list[str]:
    """The event ids in the mailbox's history, in order."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return [
        json.loads(e.workflow_execution_signaled_event_attributes.input.payloads[0].data)["event_id"]
        for e in history.events
        if e.HasField("workflow_execution_signaled_event_attributes")
    ]


def dispatcher(store: Store, client: Client, every: float = 0.2) -> Dispatcher:
    async def connect() -> Client:
        return client

    return Dispatcher(store, connect, every=every)


async def test_events_of_a_booking_arrive_in_order_at_one_mailbox(store: Store, tmp_path: Path, client: Client) -> None:
    contents = [of_booking(booking_created(1), "bkg_a1")]
    contents += [of_booking(payment_captured(n, f"pay_a{n:02d}", 100 + n), "bkg_a1") for n in range(2, 12)]
    keep(store, tmp_path, *contents)
    assert await dispatcher(store, client).sweep() == 11
    assert await signalled(client, booking_workflow("demo", "bkg_a1")) == [content["id"] for content in contents]
    assert store.inbox.undispatched(10) == []


async def test_a_mailbox_starts_with_what_it_is_about(store: Store, tmp_path: Path, client: Client) -> None:
    keep(store, tmp_path, of_booking(booking_created(20), "bkg_a2"))
    await dispatcher(store, client).sweep()
    handle = client.get_workflow_handle(booking_workflow("demo", "bkg_a2"))
    history = await handle.fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes
    state = json.loads(started.input.payloads[0].data)
    assert (started.workflow_type.name, started.task_queue.name) == ("Booking", "workflows")
    assert (state["agency"], state["booking_id"]) == ("demo", "bkg_a2")
    description = await handle.describe()
    assert {pair.key.name: pair.value for pair in description.typed_search_attributes} == {
        "Agency": "demo",
        "Booking": "bkg_a2",
        "Experience": "exp_31",
        "Lifecycle": "Booking",
    }
    assert await description.static_summary() == "Booking bkg_a2 of demo"
    assert await description.static_details() == ("[In the console](https://console.example/bookings/demo/bkg_a2)")


async def test_experiences_and_plans_have_mailboxes_of_their_own(store: Store, tmp_path: Path, client: Client) -> None:
    experience = {
        "id": "exp_a3", "title": "Viaje", "sales_mode": "seat_b2c", "status": "on_sale", "currency": "EUR",
        "starts_on": "2027-06-20", "ends_on": "2027-06-23",
    }  # fmt: skip
    instalment = {
        "id": "ins_01", "seq": 1, "due_on": "2027-01-01", "kind": "balance", "amount": eur(100), "status": "scheduled"
    }  # fmt: skip
    plan = {
        "id": "plan_a3", "booking_id": "bkg_a3", "revision": 1, "currency": "EUR", "total": eur(100),
        "collection": "on_notice", "method": "transfer", "installments": [instalment],
    }  # fmt: skip
    keep(
        store,
        tmp_path,
        event("experience.created", ("experience", "exp_a3", 1), {"experience": experience}, 30),
        event("payment_plan.created", ("payment_plan", "plan_a3", 1), {"payment_plan": plan}, 31),
    )
    assert await dispatcher(store, client).sweep() == 2
    for workflow_id, name in (("experience/demo/exp_a3", "Experience"), ("plan/demo/bkg_a3", "PaymentPlan")):
        assert (await client.get_workflow_handle(workflow_id).describe()).workflow_type == name


async def test_a_second_sweep_delivers_nothing_again(store: Store, tmp_path: Path, client: Client) -> None:
    keep(store, tmp_path, of_booking(booking_created(40), "bkg_a4"))
    assert await dispatcher(store, client).sweep() == 1
    assert await dispatcher(store, client).sweep() == 0
    assert len(await signalled(client, booking_workflow("demo", "bkg_a4"))) == 1


async def test_an_outage_delays_and_loses_nothing(store: Store, tmp_path: Path, client: Client) -> None:
    keep(store, tmp_path, of_booking(booking_created(50), "bkg_a5"))

    async def nobody() -> Client:
        return await Client.connect("127.0.0.1:1")

    with pytest.raises(TemporalAway):
        await Dispatcher(store, nobody).sweep()
    assert len(store.inbox.undispatched(10)) == 1
    assert await dispatcher(store, client).sweep() == 1


async def test_a_mailbox_that_refuses_holds_up_only_itself(store: Store, tmp_path: Path, client: Client) -> None:
    keep(store, tmp_path, of_booking(booking_created(60), "bkg_" + "x" * 40), of_booking(booking_created(61), "bkg_a6"))
    rows = store.inbox.undispatched(10)
    # A summary above Temporal's limit is refused for this one workflow only.
    long = "n" * 3_000
    with store.database.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE outbox SET notice = replace(notice, ?, ?) WHERE event_id = ?",
            ("bkg_" + "x" * 40, long, rows[0].event_id),
        )
    assert await dispatcher(store, client).sweep() == 1
    [waiting] = store.inbox.undispatched(10)
    assert waiting.event_id == rows[0].event_id
    assert waiting.attempts == 1
    assert waiting.last_reason


async def test_a_nudge_delivers_at_once_and_the_sweep_finds_the_rest(
    store: Store, tmp_path: Path, client: Client
) -> None:
    running = dispatcher(store, client, every=60)
    task = asyncio.create_task(running.run())
    try:
        keep(store, tmp_path, of_booking(booking_created(70), "bkg_a7"))
        running.nudge()
        async with asyncio.timeout(180):
            while store.inbox.undispatched(1):  # noqa: ASYNC110 the store has no events to wait for
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(await signalled(client, booking_workflow("demo", "bkg_a7"))) == 1


async def test_search_attributes_are_added_once(client: Client) -> None:
    assert await temporal.ensure_search_attributes(client) == ()
    assert await temporal.missing_search_attributes(client) == {}
    assert len(SEARCH_ATTRIBUTES) == 11


async def test_a_command_that_ends_at_once_has_sent_its_part_of_the_trace(
    store: Store, tmp_path: Path, client: Client
) -> None:
    content = of_booking(booking_created(1), "bkg_a9")
    keep(store, tmp_path, content)
    with collecting() as collector:
        path = tmp_path / "settings.toml"
        path.write_text(
            f"""
            data = "."
            [store]
            url = "{store.database.engine.url}"
            [temporal]
            address = "{client.service_client.config.target_host}"
            [telemetry]
            traces = "{collector.url}"
            [agencies.demo]
            name = "Viajes Ejemplo"
            platform = {{ source = "{content["source"]}" }}
            """
        )
        command = [sys.executable, "-m", "starter", "event", "replay", "--undispatched", "--settings", str(path)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        (span,) = collector.spans
    assert (span.service, span.name) == ("bookings-command", "dispatch")
    assert span.trace == format(trace_of("demo", content["id"]).trace_id, "032x")
