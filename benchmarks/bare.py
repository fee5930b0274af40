"""The floor of `lifecycles`: a plain Temporal program with the same workflows, activities and queues that does nothing.

`python -m benchmarks.bare TARGET` is its worker process.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from benchmarks.bare_workers import Nothing, run, step
    from domain.naming import Queue

WORKFLOWS = "bare-workflows"


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
        await step(Queue.OFFICE, given)
        await asyncio.gather(self._books(given), step(Queue.MIDOFFICE, given), step(Queue.ACCOUNTING, given))
        return given

    async def _books(self, given: Nothing) -> None:
        """Looked for, recorded, told to AirPlus; ours puts each move on record beside the next step."""
        await asyncio.gather(step(Queue.OFFICE, given), step(Queue.GIAV, given))
        await step(Queue.GIAV, given)
        await asyncio.gather(step(Queue.OFFICE, given), step(Queue.TAMARA, given))
        await step(Queue.OFFICE, given)


@workflow.defn
class BareCancel:
    @workflow.run
    async def run(self, given: Nothing) -> Nothing:
        await step(Queue.OFFICE, given)
        await asyncio.gather(step(Queue.SUPPLIER, given), step(Queue.MIDOFFICE, given), self._books(given))
        await step(Queue.OFFICE, given)
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


if __name__ == "__main__":
    run(__doc__, WORKFLOWS, [BareBooking, BareCreate, BarePayment, BareCancel])
