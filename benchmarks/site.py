"""A whole installation in a temporary folder: Temporal, the sandbox, our worker, and the bare program's worker beside it."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from temporalio.client import Client

from starter import temporal
from starter.children import Child, Recipe
from starter.demo import DemoState, start_sandbox, write_settings
from starter.embedded import server_command, wait_until_serving
from starter.opening import opened_store, read_settings
from store import Store
from store.installation import Installation

TICKS = os.sysconf("SC_CLK_TCK")
NOBODY: Mapping[str, str] = {}


@dataclass(frozen=True)
class Site:
    """Everything that runs; `children` by what they are."""

    installation: Installation
    store: Store
    client: Client
    children: dict[str, Child]

    def cpu(self) -> dict[str, float]:
        """Seconds of processor used so far, by process; `driver` is this one."""
        used = {name: _seconds(child.pid) for name, child in self.children.items() if child.pid}
        own = os.times()
        return used | {"driver": own.user + own.system}

    def check(self) -> None:
        """A figure counts only if the work behind it was done. Raises RuntimeError where a write is open or a person was asked."""
        parked, unsettled = self.store.parked.list(), self.store.effects.unsettled()
        if parked or unsettled:
            raise RuntimeError(f"parked: {parked[:5]}; not settled: {unsettled[:5]}")

    def log(self, name: str) -> str:
        return self.children[name].log_file.read_text("utf-8", "replace")


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.asynccontextmanager
async def standing(
    folder: Path | None = None,
    *,
    bare: bool = True,
    beside: Mapping[str, str] = NOBODY,
    settled: Callable[[str], str] = str,
) -> AsyncIterator[Site]:
    """Started from nothing, and gone at the end; `folder` keeps the files for whoever wants to look at them. `beside` are further
    programs, by name and module, that are given the address of the Temporal server; `settled` changes the settings' text."""
    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bookings-bench-")))
        state = DemoState.invent()
        state = state.model_copy(update={"ports": {name: _free_port() for name in state.ports}})
        sandbox = await start_sandbox(place, state, _quiet)
        children = {"sandbox": sandbox.child}
        try:
            # No gateway runs: events wait, instead of being delivered to nobody again and again.
            async with httpx.AsyncClient(trust_env=False) as platform:
                (await platform.post(f"{sandbox.url('platform')}/sim/target", json={"url": None})).raise_for_status()
            settings = write_settings(place, state, sandbox.fingerprints)
            settings.write_text(settled(_alone(settings.read_text("utf-8"))), "utf-8")
            installation = read_settings(settings)
            store = stack.enter_context(opened_store(installation, migrate=True))
            commands = {
                "temporal": server_command(installation),
                "worker": [sys.executable, "-m", "starter", "worker", "--settings", str(settings)],
            }
            if bare:
                commands["bare"] = [sys.executable, "-m", "benchmarks.bare", installation.temporal.target]
            for name, module in beside.items():
                commands[name] = [sys.executable, "-m", module, installation.temporal.target]
            for name, command in commands.items():
                children[name] = Child(Recipe(name, command), place / "logs", _quiet)
                await children[name].start()
                if name == "temporal":
                    await wait_until_serving(installation)
            yield Site(installation, store, await temporal.connect(installation), children)
        finally:
            for child in reversed(children.values()):
                await child.stop()


def _alone(text: str) -> str:
    """No orders and no deals stand behind the bookings of a benchmark: a supplier who is asked to cancel them would look for them
    for minutes, and whoever looks after Kommo's account would ask a person why it tells us nothing."""
    return re.sub(r"^\[agencies\.demo\.(?:ratehawk|kommo)\]\n(?:[^\[\n].*\n|\n)*", "", text, flags=re.MULTILINE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _quiet(line: str) -> None:
    """Children say that they start; only one that dies is worth a line."""
    if "ended with" in line or "killed" in line:
        print(line, file=sys.stderr, flush=True)
