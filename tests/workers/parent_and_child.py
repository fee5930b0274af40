"""Two workflows in a file of their own: the sandbox imports the whole file that a workflow stands in."""

from __future__ import annotations

from temporalio import workflow

from domain.steps import PlanStep


@workflow.defn
class Child:
    @workflow.run
    async def run(self, step: PlanStep) -> None:
        return None


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, step: PlanStep) -> None:
        await workflow.execute_child_workflow(Child.run, step, id=f"instalment/demo/{step.plan_id}")
