"""The floor of `lifecycles`: a plain Temporal program with the same workflows, activities and queues that does nothing.

`python -m benchmarks.bare TARGET` is its worker process.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any, ClassVar

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from datetime import timedelta

    from pydantic import BaseModel

    from domain.naming import Queue
    from starter import entrypoint
    from workers.running import AT_ONCE
    from workers.sandboxing import PASSED_THROUGH

WORKFLOWS = "bare-workflows"
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


@workflow.defn
class BareCreate:
    @workflow.run
    async def run(self, given: Nothing) -> Nothing:
        await asyncio.gather(step(Queue.GIAV, given), step(Queue.MIDOFFICE, given))
        # Ours puts on record that the mid-office has no place for the coach.
        await step(Queue.OFFICE, given)
        return given


@workflow.defn
class BarePayment:
    @workflow.run
    async def run(self, given: Nothing) -> Nothing:
        await asyncio.gather(step(Queue.GIAV, given), step(Queue.MIDOFFICE, given), step(Queue.ACCOUNTING, given))
        return given


@workflow.defn
class BareCancel:
    @workflow.run
    async def run(self, given: Nothing) -> Nothing:
        await step(Queue.OFFICE, given)
        await asyncio.gather(step(Queue.MIDOFFICE, given), self._books(given))
        return given

    async def _books(self, given: Nothing) -> None:
        await step(Queue.GIAV, given)
        await asyncio.gather(step(Queue.ACCOUNTING, given), step(Queue.TAMARA, given))


@workflow.defn
class BareBooking:
    """Runs one child for every signal, one after the other, and like a mailbox of ours waits for more."""

    CHILDREN: ClassVar[dict[str, Any]] = {"create": BareCreate, "payment": BarePayment, "cancel": BareCancel}

    def __init__(self) -> None:
        self._queue: list[str] = []

    @workflow.signal
    def deliver(self, kind: str) -> None:
        self._queue.append(kind)

    @workflow.run
    async def run(self, given: Nothing) -> None:
        while True:
            await workflow.wait_condition(lambda: bool(self._queue))
            kind = self._queue.pop(0)
            await workflow.execute_child_workflow(
                self.CHILDREN[kind].run,
                given,
                id=f"{workflow.info().workflow_id}/{kind}",
                parent_close_policy=ParentClosePolicy.ABANDON,
            )


async def deliver(client: Client, booking_id: str, kind: str) -> None:
    """One signal-with-start."""
    await client.start_workflow(
        BareBooking.run,
        Nothing(booking_id=booking_id),
        id=f"bare/{booking_id}",
        task_queue=WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal="deliver",
        start_signal_args=[kind],
    )


async def work(target: str) -> None:
    """The same workers as `workers.running`, with nothing behind them."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await Client.connect(target, data_converter=pydantic_data_converter)
    async with AsyncExitStack() as stack:
        workers = [
            Worker(
                client,
                task_queue=WORKFLOWS,
                workflows=[BareBooking, BareCreate, BarePayment, BareCancel],
                workflow_runner=SandboxedWorkflowRunner(
                    restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
                ),
            )
        ]
        for queue, at_once in AT_ONCE.items():
            threads = stack.enter_context(ThreadPoolExecutor(at_once))
            workers.append(
                Worker(
                    client,
                    task_queue=f"bare-{queue}",
                    activities=[nothing],
                    activity_executor=threads,
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
