"""The floor of `plans`: a plain Temporal program with the same Schedules, workflows, signals and activities that does nothing.

`python -m benchmarks.bare_plans TARGET` is its worker process.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from benchmarks.bare import Nothing, nothing, step
    from domain.naming import Queue
    from starter import entrypoint
    from workers.running import AT_ONCE
    from workers.sandboxing import PASSED_THROUGH

WORKFLOWS = "bare-plan-workflows"


@workflow.defn
class BarePlan:
    """As long as the plan: looks again whenever an instalment was collected."""

    def __init__(self) -> None:
        self._news = True

    @workflow.signal
    def collected(self) -> None:
        self._news = True

    @workflow.run
    async def run(self, given: Nothing) -> None:
        while True:
            await workflow.wait_condition(lambda: self._news)
            self._news = False
            await step(Queue.OFFICE, given)


@workflow.defn
class BareCollect:
    """One due day: what is due, and a child for it."""

    @workflow.run
    async def run(self, given: Nothing) -> None:
        await step(Queue.OFFICE, given)
        child = await workflow.start_child_workflow(
            BarePursue.run,
            given,
            id=f"bare-instalment/{given.booking_id}",
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
        await child


@workflow.defn
class BarePursue:
    """One charge, and a word to the plan."""

    @workflow.run
    async def run(self, given: Nothing) -> None:
        await step(Queue.PLATFORM, given)
        await workflow.get_external_workflow_handle(f"bare-plan/{given.booking_id}").signal("collected")


async def work(target: str) -> None:
    """The workers of the queues that plans use, as `workers.running` has them."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await Client.connect(target, data_converter=pydantic_data_converter)
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    async with AsyncExitStack() as stack:
        workers = [
            Worker(
                client,
                task_queue=WORKFLOWS,
                workflows=[BarePlan, BareCollect, BarePursue],
                workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
            )
        ]
        for queue in (Queue.OFFICE, Queue.PLATFORM):
            at_once = AT_ONCE[queue]
            workers.append(
                Worker(
                    client,
                    task_queue=f"bare-{queue}",
                    activities=[nothing],
                    activity_executor=stack.enter_context(ThreadPoolExecutor(at_once)),
                    max_concurrent_activities=at_once,
                )
            )
        for worker in workers:
            await stack.enter_async_context(worker)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", help="address of the Temporal server")
    asyncio.run(work(parser.parse_args().target))


if __name__ == "__main__":
    entrypoint.run(main)
