"""Entities go on as new runs: when their history grows, and when another version of the program is to carry them on.

Every run is pinned to the version that began it; only a new run may change it (docs/operations.md, "Updating the program"). What has
to fit between neighbouring versions is therefore the state that is handed on, and nothing else.
"""

from __future__ import annotations

from typing import Any, NoReturn

from temporalio import workflow


def must_renew() -> bool:
    """Whether a run that has nothing under way should end now and go on as a new one."""
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.is_target_worker_deployment_version_changed()


async def renew(state: Any) -> NoReturn:
    """Go on as a new run, with the version of the program that is current by then."""
    await workflow.wait_condition(workflow.all_handlers_finished)
    workflow.continue_as_new(state, initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE)


class Renewable:
    """An entity that can be made to look whether its version changed, although nothing happens to it."""

    @workflow.signal(description="Look whether another version of the program is to carry this on")
    def look_at_version(self) -> None:
        """Nothing is to be done: the task that brings the signal tells the version, and the entity's own wait looks at it."""
