"""How workflow code is run: in the SDK's sandbox, which refuses clock, dice and files, but entered only to run that code.

The SDK also enters it to ask, for every single payload on its way in or out, for whom the payload is. Only converters and
stores that look at that context need to know, and we have none; without the question a worker spends a third less on
workflows.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = ("domain", "activities", "workflows", "pydantic", "pydantic_core", "annotated_types")
"""Pure modules that the sandbox need not import anew for every workflow."""


def workflow_runner() -> SandboxedWorkflowRunner:
    """The runner of our workers, with our own models passed through."""
    return Runner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


@dataclass(frozen=True)
class Runner(SandboxedWorkflowRunner):
    """Not for data converters that take a serialization context, nor for external storage."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _WithoutContexts(super().create_instance(det))


class _WithoutContexts(WorkflowInstance):
    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._sandboxed.activate(act)

    def get_serialization_context(self, command_info: object) -> None:
        return None

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> workflow.Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()
