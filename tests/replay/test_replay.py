"""Every stored history replays on the present code: a running booking survives a deployment (DESIGN section 9)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.workflows.office import runner
from workflows.registry import WORKFLOWS

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
async def test_the_history_replays(file: Path) -> None:
    events = json.loads(file.read_text())["events"]
    # Parked items are named after their workflow, so the id must be the true one.
    workflow_id = events[0]["workflowExecutionStartedEventAttributes"]["workflowId"]
    history = WorkflowHistory.from_json(workflow_id, file.read_text())
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=runner())
    await replayer.replay_workflow(history)


def test_every_workflow_type_has_a_history() -> None:
    started = {
        json.loads(file.read_text())["events"][0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"]
        for file in HISTORIES
    }
    assert started == {workflow.__name__ for workflow in WORKFLOWS}
