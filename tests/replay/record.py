"""Record the histories anew: `make histories`, after a deliberate change of workflow code; with names, only those scenarios."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from domain.naming import SEARCH_ATTRIBUTES
from tests.replay.scenarios import SCENARIOS, Scenario
from tests.workflows.conftest import KEYS, binary
from tests.workflows.office import Office, working

OF_A_PROCESS = re.compile(r"\d+@\S+$")
"""Process and machine: a worker's identity, which is also the name of its sticky queue."""
OF_A_RUN = re.compile(r"(.+)@([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
HISTORIES = Path(__file__).parent / "histories"


def anonymous(value: Any) -> Any:
    """A history without the traces of the machine that recorded it; replay does not look at them."""
    if isinstance(value, dict):
        masked = {"identity": "worker", "stackTrace": ""}
        return {name: masked[name] if name in masked else anonymous(inner) for name, inner in value.items()}
    if isinstance(value, str) and OF_A_PROCESS.match(value):
        return "worker"
    return [anonymous(inner) for inner in value] if isinstance(value, list) else value


async def record(names: list[str]) -> int:
    """Play the scenarios, every one unless some are named, on a dev server and keep the histories; returns how many."""
    chosen = [scenario for scenario in SCENARIOS if not names or scenario.name in names]
    for old in HISTORIES.glob("*.json"):
        if any(old.name.startswith(f"{scenario.name}--") for scenario in chosen) or not names:
            old.unlink()
    kept = 0
    for patience in {scenario.renews_after for scenario in chosen}:
        kept += await _record([scenario for scenario in chosen if scenario.renews_after == patience], patience)
    return kept


async def _record(scenarios: list[Scenario], renews_after: int | None) -> int:
    """On one server, which suggests a new run after so many events."""
    limit = ["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={renews_after}"]
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=binary("temporal"),
        search_attributes=[KEYS[kind](name) for name, kind in SEARCH_ATTRIBUTES.items()],
        dev_server_extra_args=limit if renews_after is not None else [],
    )
    kept = 0
    async with environment:
        for scenario in scenarios:
            office = Office()
            async with working(environment.client, office):
                ids = await scenario.play(environment.client, office)
                await asyncio.sleep(1.0)  # let the last tasks reach the histories
            for kept_id in ids:
                # `id@run` is the first of several runs.
                run = OF_A_RUN.fullmatch(kept_id)
                workflow_id, run_id = run.groups() if run else (kept_id, "")
                handle = environment.client.get_workflow_handle(workflow_id, run_id=run_id or None)
                history = await handle.fetch_history()
                workflow_id += "_first" if run_id else ""
                name = f"{scenario.name}--{workflow_id.replace('/', '_').replace(':', '_')}.json"
                (HISTORIES / name).write_text(json.dumps(anonymous(history.to_json_dict()), indent=1) + "\n")
                kept += 1
    return kept


if __name__ == "__main__":
    kept = asyncio.run(record(sys.argv[1:]))
    os.write(1, f"{kept} histories in {HISTORIES}\n".encode())
    os._exit(0)  # the SDK's threads may crash an interpreter that is being torn down
