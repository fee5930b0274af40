"""What the workflow sandbox costs: stored histories replayed as the workers run them, against no sandbox at all."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner

from benchmarks.results import Result
from workers.sandboxing import workflow_runner
from workflows.registry import WORKFLOWS

LEAST = 0.3
HISTORIES = Path(__file__).resolve().parents[1] / "tests" / "replay" / "histories"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--times", type=int, default=3, metavar="N", help="each history a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of each side (default: %(default)s)")


def run(chosen: argparse.Namespace) -> Result:
    histories = [_read(file) for file in sorted(HISTORIES.glob("*.json"))] * chosen.times
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(chosen.rounds):
        ours.append(len(histories) / asyncio.run(_replayed(histories, workflow_runner())))
        floor.append(len(histories) / asyncio.run(_replayed(histories, UnsandboxedWorkflowRunner())))
    return Result.of("replay", "histories/s", ours, floor, histories=len(histories))


def _read(file: Path) -> WorkflowHistory:
    text = file.read_text("utf-8")
    started = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], text)


async def _replayed(histories: list[WorkflowHistory], runner: WorkflowRunner) -> float:
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=runner)
    began = time.perf_counter()
    for history in histories:
        await replayer.replay_workflow(history)
    return time.perf_counter() - began
