"""Every workflow that is started tells in Temporal UI where the console shows what it looks after (DESIGN section 7).

The link stands in the details that a workflow is started with: they are written once and are no part of what a replay compares.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

from temporalio import client, worker
from temporalio.client import ScheduleActionStartWorkflow
from temporalio.workflow import ChildWorkflowHandle

from domain.console_places import place_of


def details_of(console: str, workflow_id: str, args: Sequence[Any] = ()) -> str | None:
    """Markdown; None where there is no console or no page."""
    about = getattr(args[0], "booking_id", None) if args else None
    place = place_of(workflow_id, about if isinstance(about, str) else "")
    return f"[In the console]({console}{place})" if console and place else None


class ConsoleLinks(client.Interceptor, worker.Interceptor):
    """To be given to a client: workers that are made of it take it over. `console` is the address that people type."""

    def __init__(self, console: str) -> None:
        self._console = console

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        return _Starting(next, self._console)

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        return type("LinkedWorkflow", (_Linked,), {"console": self._console})


class _Starting(client.OutboundInterceptor):
    def __init__(self, next: client.OutboundInterceptor, console: str) -> None:
        super().__init__(next)
        self._console = console

    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:
        input.static_details = input.static_details or details_of(self._console, input.id, input.args)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self, input: client.StartWorkflowUpdateWithStartInput
    ) -> client.WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        start.static_details = start.static_details or details_of(self._console, start.id, start.args)
        return await super().start_update_with_start_workflow(input)

    async def create_schedule(self, input: client.CreateScheduleInput) -> client.ScheduleHandle:
        input.schedule = self._linked(input.schedule)
        return await super().create_schedule(input)

    async def update_schedule(self, input: client.UpdateScheduleInput) -> None:
        wanted = input.updater

        async def updater(known: client.ScheduleUpdateInput) -> client.ScheduleUpdate | None:
            found = wanted(known)
            update = await found if inspect.isawaitable(found) else found
            return update and dataclasses.replace(update, schedule=self._linked(update.schedule))

        input.updater = updater
        await super().update_schedule(input)

    def _linked(self, schedule: client.Schedule) -> client.Schedule:
        action = schedule.action
        if not isinstance(action, ScheduleActionStartWorkflow) or action.static_details is not None:
            return schedule
        linked = copy.copy(action)
        linked.static_details = details_of(self._console, action.id, action.args)
        return dataclasses.replace(schedule, action=linked)


class _Linked(worker.WorkflowInboundInterceptor):
    console: ClassVar[str] = ""

    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_Bearing(outbound, self.console))


class _Bearing(worker.WorkflowOutboundInterceptor):
    def __init__(self, next: worker.WorkflowOutboundInterceptor, console: str) -> None:
        super().__init__(next)
        self._console = console

    async def start_child_workflow(self, input: worker.StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:
        input.static_details = input.static_details or details_of(self._console, input.id, input.args)
        return await super().start_child_workflow(input)
