"""How workflow code is run: in the SDK's sandbox, which refuses clock, dice and files, with our pure modules passed through."""

from __future__ import annotations

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = ("domain", "activities", "workflows", "pydantic", "pydantic_core", "annotated_types")
"""Pure modules that the sandbox need not import anew for every workflow."""


def workflow_runner() -> SandboxedWorkflowRunner:
    """The runner of our workers, also in tests and replays."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
