"""What the floors of benchmarks share: an activity that does nothing, and worker processes as `workers.running` has them."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta

from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from domain.naming import Queue
from starter import entrypoint
from workers.running import AT_ONCE
from workers.sandboxing import PASSED_THROUGH

LIMIT = timedelta(seconds=10)
"""When a lost activity is given to another worker, as soon as with ours."""


class Nothing(BaseModel):
    """What is passed around: a key."""

    booking_id: str


@activity.defn(name="nothing")
def nothing(given: Nothing) -> Nothing:
    """Does nothing in a thread, as every cell of ours runs in one."""
    return given


async def step(queue: str, given: Nothing) -> Nothing:
    return await workflow.execute_activity(nothing, given, task_queue=f"bare-{queue}", start_to_close_timeout=LIMIT)


def run(what: str | None, task_queue: str, workflows: list[type], queues: Iterable[Queue] = tuple(AT_ONCE)) -> None:
    """A worker process until it is told to end; its argument is the address of the Temporal server."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("target", help="address of the Temporal server")
    entrypoint.run(lambda: asyncio.run(_work(parser.parse_args().target, task_queue, workflows, queues)))


async def _work(target: str, task_queue: str, workflows: list[type], queues: Iterable[Queue]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await Client.connect(target, data_converter=pydantic_data_converter)
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    runner = SandboxedWorkflowRunner(restrictions=restrictions)
    async with AsyncExitStack() as stack:
        workers = [Worker(client, task_queue=task_queue, workflows=workflows, workflow_runner=runner)]
        for queue in queues:
            threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE[queue]))
            workers.append(
                Worker(
                    client,
                    task_queue=f"bare-{queue}",
                    activities=[nothing],
                    activity_executor=threads,
                    max_concurrent_activities=AT_ONCE[queue],
                )
            )
        for worker in workers:
            await stack.enter_async_context(worker)
        await stop.wait()
