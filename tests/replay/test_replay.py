"""Every stored history replays on the present code: a running booking survives a deployment (DESIGN section 9)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from workers.sandboxing import workflow_runner
from workflows.registry import WORKFLOWS

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
async def test_the_history_replays(file: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=workflow_runner())
    await replayer.replay_workflow(read(file))


def read(file: Path) -> WorkflowHistory:
    """The history under its true id, because parked items are named after their workflow."""
    text = file.read_text()
    started = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], text)


def test_every_workflow_type_has_a_history() -> None:
    started = {
        json.loads(file.read_text())["events"][0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"]
        for file in HISTORIES
    }
    assert started == {workflow.__name__ for workflow in WORKFLOWS}


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
def test_no_history_tells_of_the_machine_that_recorded_it(file: Path) -> None:
    text = file.read_text()
    assert re.findall(r'"identity": "(?!worker")[^"]*"', text) == []
    assert re.findall(r'"\d+@[^"]*"|"[^"]*/(?:home|root|tmp|usr|var)/[^"]*"', text) == []
