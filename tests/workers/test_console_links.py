"""Temporal UI leads back to the console, from whatever workflow somebody looks at (DESIGN section 7)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from domain.console_places import place_of
from domain.steps import PlanStep
from starter.console.areas import every_area
from starter.embedded import temporal_binary
from tests.replay.test_replay import HISTORIES, read
from tests.workers.parent_and_child import Child, Parent
from workers.console_links import ConsoleLinks
from workers.sandboxing import workflow_runner
from workflows.registry import WORKFLOWS

CONSOLE = "https://console.example"
STEP = PlanStep(agency="demo", lifecycle="", plan_id="plan_1", booking_id="bkg_1", event_id="", revision=1)


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_binary(), dev_server_log_level="error"
    ) as server:
        yield Client(
            server.client.service_client,
            data_converter=pydantic_data_converter,
            interceptors=[ConsoleLinks(CONSOLE)],
        )


async def details(client: Client, workflow_id: str) -> str | None:
    return await (await client.get_workflow_handle(workflow_id).describe()).static_details()


async def test_a_workflow_and_its_child_say_where_the_console_shows_them(client: Client) -> None:
    async with Worker(client, task_queue="links", workflows=[Parent, Child], workflow_runner=workflow_runner()):
        await client.execute_workflow("Parent", STEP, id="booking/demo/bkg 1/create/evt_1", task_queue="links")
    assert await details(client, "booking/demo/bkg 1/create/evt_1") == (
        f"[In the console]({CONSOLE}/bookings/demo/bkg%201)"
    )
    assert await details(client, "instalment/demo/plan_1") == f"[In the console]({CONSOLE}/plans/demo/bkg_1)"


async def test_what_a_schedule_starts_says_so_too_also_after_it_was_changed(client: Client) -> None:
    def schedule(summary: str) -> Schedule:
        action = ScheduleActionStartWorkflow(
            "Child", STEP, id="collect/demo/plan_1", task_queue="links", static_summary=summary
        )
        return Schedule(action=action, spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=300))]))

    handle = await client.create_schedule("links", schedule("first"))
    await handle.update(lambda _: ScheduleUpdate(schedule=schedule("second")))
    action = (await handle.describe()).schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    found = [
        (await client.data_converter.decode([each]))[0]  # type: ignore[list-item]
        for each in (action.static_summary, action.static_details)
    ]
    assert found == ["second", f"[In the console]({CONSOLE}/plans/demo/bkg_1)"]
    await handle.delete()


WITH_CHILDREN = [
    file for file in HISTORIES if file.stem in ("whole_life--booking_demo_bkg_r1", "plan--collect_demo_plan_r6")
]


@pytest.mark.parametrize("file", WITH_CHILDREN, ids=lambda file: file.stem)
async def test_a_workflow_that_began_without_links_goes_on_with_them(file: Path) -> None:
    replayer = Replayer(
        workflows=WORKFLOWS,
        data_converter=pydantic_data_converter,
        workflow_runner=workflow_runner(),
        interceptors=[ConsoleLinks(CONSOLE)],
    )
    await replayer.replay_workflow(read(file))


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
def test_every_type_of_workflow_has_a_page_that_the_console_serves(file: Path) -> None:
    started = json.loads(file.read_text())["events"][0]["workflowExecutionStartedEventAttributes"]
    (given,) = asyncio.run(_given(file))
    place = place_of(started["workflowId"], given.get("booking_id") or "")
    assert place, started["workflowId"]
    path = place.partition("?")[0]
    routes = [route for area in every_area() for route in area.router.routes if isinstance(route, APIRoute)]
    assert any(route.path_regex.match(path) and "GET" in (route.methods or ()) for route in routes), path


async def _given(file: Path) -> list[dict[str, str]]:
    started = read(file).events[0].workflow_execution_started_event_attributes
    return await pydantic_data_converter.decode(started.input.payloads, [dict])


def test_a_link_needs_a_page_and_a_booking_where_the_page_is_a_bookings() -> None:
    assert place_of("collect/demo/plan_1") is None
    assert place_of("collect/demo/plan_1-2026-11-22T08:00:00Z", "bkg_1") == "/plans/demo/bkg_1"
    assert place_of("somebody-elses/workflow") is None
    assert place_of("booking") is None
