"""A worker that is asked to stop takes nothing new, lets what runs finish, and goes (docs/operations.md: upgrades)."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle

from domain import naming
from sandbox.faults import Kind
from sandbox.giav.stand_in import GiavStandIn
from sandbox.running import running
from starter.dispatch import Dispatcher
from store import Store
from tests import stories
from tests.activities.giav.desk import SERVICES, section
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY
from tests.workflows.conftest import local_server
from workers.running import GRACE

TRIP = naming.experience_workflow(stories.AGENCY, "exp_31")


def toml(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {toml(each)}' for key, each in value.items()) + " }"
    return json.dumps(value)


def settings_of(folder: Path, store: str, temporal: str, giav: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(
        f"""
        data = "."
        [store]
        url = "{store}"
        master_key = "{MASTER_KEY}"
        [temporal]
        address = "{temporal}"
        [agencies.{stories.AGENCY}]
        name = "Viajes Ejemplo"
        platform = {{ source = "https://platform.example/planners/pl_7Q2" }}
        giav = {toml(section(giav, read_seconds=60))}
        """
    )
    return path


async def until(condition: Callable[[], bool], process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60):
        while not condition():
            assert process.returncode is None, "the worker has ended"
            await asyncio.sleep(0.05)


async def ended(handle: WorkflowHandle[Any, Any], activity: str) -> list[int]:
    """The attempts with which calls of this activity ended well."""
    attempts: dict[int, int] = {}
    named = set()
    well = []
    async for event in handle.fetch_history_events():
        if event.HasField("activity_task_scheduled_event_attributes"):
            if event.activity_task_scheduled_event_attributes.activity_type.name == activity:
                named.add(event.event_id)
        elif event.HasField("activity_task_started_event_attributes"):
            started = event.activity_task_started_event_attributes
            attempts[started.scheduled_event_id] = started.attempt
        elif event.HasField("activity_task_completed_event_attributes"):
            scheduled = event.activity_task_completed_event_attributes.scheduled_event_id
            if scheduled in named:
                well.append(attempts[scheduled])
    return well


async def test_sigterm_lets_the_call_under_way_finish_and_its_answer_is_kept(tmp_path: Path) -> None:
    giav, url = GiavStandIn(), migrated_url("sqlite", tmp_path)
    store = Store.open(url)
    async with await local_server() as environment:
        client = environment.client

        async def the_client() -> Client:
            return client

        with running(giav) as at:
            settings = settings_of(tmp_path, url, client.service_client.config.target_host, at)
            giav.faults.set({"operation": "Expediente_POST", "kind": Kind.SLOW.value, "seconds": 3})
            worker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "starter", "worker", "--settings", str(settings)
            )
            try:
                told = stories.experience(id="exp_31", services=SERVICES)
                store.inbox.accept(
                    stories.event(1, "experience.created", stories.data("experience/exp_31", experience=told))
                )
                await Dispatcher(store, the_client).sweep()
                await until(lambda: any(each["fired"] for each in giav.faults.listing()), worker)
                worker.send_signal(signal.SIGTERM)
                async with asyncio.timeout((GRACE + timedelta(seconds=10)).total_seconds()):
                    assert await worker.wait() == 0
            finally:
                if worker.returncode is None:
                    worker.kill()
            assert len(giav.state()["Expediente"]) == 1
        assert await ended(client.get_workflow_handle(TRIP), "giav.open_experience") == [1]
    store.close()
