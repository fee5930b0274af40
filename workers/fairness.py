"""Every workflow carries its agency as fairness key, so that a thousand tasks of one do not stand in front of another's one
(DESIGN section 4).

Children, activities and the next run inherit the key from the workflow. Temporal goes by it where `matching.enableFairness` is set,
as in `deploy/temporal/dynamicconfig.yaml` and in the embedded server; without that the key changes nothing.
"""

from __future__ import annotations

import inspect
from copy import copy
from typing import Any

from temporalio.client import (
    CreateScheduleInput,
    Interceptor,
    OutboundInterceptor,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleUpdate,
    ScheduleUpdateInput,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    UpdateScheduleInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.common import Priority

from domain.naming import agency_of

LONGEST = 64
"""Bytes of a fairness key, by Temporal's own limit."""


def turn_of(workflow_id: str) -> Priority:
    """An agency's own turn among the tasks that wait."""
    return Priority(fairness_key=agency_of(workflow_id).encode()[:LONGEST].decode(errors="ignore"))


class Fairness(Interceptor):
    """For the client of every process: whatever it starts, now or by a Schedule, has its agency's turn."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Keyed(next)


class _Keyed(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.priority = turn_of(input.id)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        input.start_workflow_input.priority = turn_of(input.start_workflow_input.id)
        return await super().start_update_with_start_workflow(input)

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
        input.schedule = _keyed(input.schedule)
        return await super().create_schedule(input)

    async def update_schedule(self, input: UpdateScheduleInput) -> None:
        wanted = input.updater

        async def keyed(known: ScheduleUpdateInput) -> ScheduleUpdate | None:
            given = wanted(known)
            update = await given if inspect.isawaitable(given) else given
            if update is not None:
                update.schedule = _keyed(update.schedule)
            return update

        input.updater = keyed
        await super().update_schedule(input)


def _keyed(schedule: Schedule) -> Schedule:
    keyed = copy(schedule)
    if isinstance(schedule.action, ScheduleActionStartWorkflow):
        keyed.action = copy(schedule.action)
        keyed.action.priority = turn_of(schedule.action.id)
    return keyed
