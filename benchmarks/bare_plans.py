"""The floor of `plans`: a plain Temporal program with the same Schedules, workflows, signals and activities that does nothing.

`python -m benchmarks.bare_plans TARGET` is its worker process.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from benchmarks.bare_workers import Nothing, run, step
    from domain.naming import Queue

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


if __name__ == "__main__":
    run(__doc__, WORKFLOWS, [BarePlan, BareCollect, BarePursue], (Queue.OFFICE, Queue.PLATFORM))
