"""A long call keeps its pulse, and the pulse does not hide what the call said."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.worker import Worker

from workers import pulse
from workers.sandboxing import workflow_runner

SILENCE = timedelta(seconds=1)
over = threading.Event()


@activity.defn(name="long.call")
def long_call() -> str:
    activity.heartbeat("create cobro")
    assert over.wait(60)
    return f"attempt {activity.info().attempt}"


@workflow.defn
class OneLongCall:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            long_call, start_to_close_timeout=timedelta(minutes=5), heartbeat_timeout=SILENCE
        )


async def pending(client: Client, workflow_id: str) -> tuple[datetime, str, int] | None:
    """Last beat, what it said, and the attempt, as an operator sees them."""
    request = DescribeWorkflowExecutionRequest(namespace=client.namespace)
    request.execution.workflow_id = workflow_id
    described = await client.workflow_service.describe_workflow_execution(request)
    if not described.pending_activities or not described.pending_activities[0].HasField("last_heartbeat_time"):
        return None
    found = described.pending_activities[0]
    (said,) = await client.data_converter.decode(found.heartbeat_details.payloads)
    return found.last_heartbeat_time.ToDatetime(UTC), said, found.attempt


async def test_a_call_longer_than_the_silence_is_not_taken_over_and_still_says_what_it_does(
    dev_server: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "BEAT", SILENCE / 5)
    over.clear()
    with ThreadPoolExecutor(1) as threads:
        async with Worker(
            dev_server,
            task_queue="pulse",
            workflows=[OneLongCall],
            activities=[long_call],
            activity_executor=threads,
            interceptors=[pulse.Pulse()],
            max_heartbeat_throttle_interval=SILENCE / 5,
            workflow_runner=workflow_runner(),
        ):
            handle = await dev_server.start_workflow(OneLongCall.run, id="pulse", task_queue="pulse")
            began = datetime.now(UTC)
            while (seen := await pending(dev_server, handle.id)) is None or seen[0] < began + 3 * SILENCE:  # noqa: ASYNC110 a server has no event to wait for
                await asyncio.sleep(0.05)
            over.set()
            assert seen[1:] == ("create cobro", 1)
            assert await handle.result() == "attempt 1"
