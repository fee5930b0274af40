"""`make production-check`: the topology of docker-compose.yml as plain processes, a season through it, and processes killed meanwhile.

PostgreSQL, Temporal's four roles on it, gateway, console and two workers for every task queue. While the season runs, a
worker, Temporal's history and frontend are killed, and PostgreSQL is switched off and on. At the end the tables must be those of an
undisturbed demo, and every invariant must hold. Ends with 0, or with 1 and what differs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from domain.naming import Queue
from starter import demo as stage
from starter import entrypoint
from starter.answers import say
from starter.children import Child, Recipe
from starter.commands.consenting import install_crm
from starter.commands.demo import Played, play_season
from starter.demo import DemoState, Sandbox
from starter.embedded import server_command
from starter.opening import read_settings
from store.effect_tables import effects
from store.installation import Installation
from tests.production.cluster import PROJECT, CannotBuild, Cluster, built, free_ports
from tests.production.postgres import Postgres
from tests.season.playing import standings

WORKERS_EACH = 2
"""Worker processes for each task queue."""
BINARIES = PROJECT / "var" / "production"
DISTURBANCES = ((15, "worker"), (30, "postgres"), (90, "history"), (150, "frontend"), (210, "worker"))
"""After how many settled writes what is disturbed; a season has well over three hundred.

The database goes while the season is still told by its own process: whoever asks for the report later needs the database, too.
"""


@dataclass
class Production:
    """Everything that runs."""

    folder: Path
    postgres: Postgres
    cluster: Cluster | None
    children: dict[str, Child]

    async def disturb(self, what: str) -> None:
        if what == "postgres":
            say("PostgreSQL is switched off for three seconds")
            await asyncio.to_thread(self.postgres.stop)
            await asyncio.sleep(3)
            await asyncio.to_thread(self.postgres.start)
            return
        named = {f"temporal-{role}": child for role, child in (self.cluster.roles if self.cluster else {}).items()}
        chosen = [f"worker-{Queue.GIAV}-1", f"worker-{Queue.WORKFLOWS}-1"] if what == "worker" else [f"temporal-{what}"]
        for name, child in {**self.children, **named}.items():
            if name in chosen and child.pid:
                say(f"kill -9 of {name}")
                os.kill(child.pid, signal.SIGKILL)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="production-", dir=_var()) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's account looks into it
        reference = undisturbed(folder / "reference")
        return asyncio.run(check(folder, reference))


def _var() -> Path:
    BINARIES.mkdir(parents=True, exist_ok=True)
    return BINARIES.parent


def undisturbed(folder: Path) -> dict[str, Any]:
    """The report of a demo on the embedded defaults."""
    say("first the season on the embedded defaults, undisturbed")
    folder.mkdir()
    command = [sys.executable, "-m", "starter", "demo", "--once", "--any-ports", "--data", str(folder / "data")]
    paths = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
    with (folder / "said.txt").open("w") as said:
        done = subprocess.run(
            command, cwd=folder, env=os.environ | {"PYTHONPATH": paths}, stdout=said, stderr=said, check=False
        )
    assert done.returncode == 0, f"the undisturbed season ended with {done.returncode}; see {said.name}"
    report: dict[str, Any] = json.loads((folder / "demo-report.json").read_text("utf-8"))
    return report


async def check(folder: Path, reference: dict[str, Any]) -> int:
    state = DemoState.invent(any_ports=True)
    sandbox = await stage.start_sandbox(folder, state, say)
    try:
        async with production(folder, state, sandbox) as (running, settings, installation):
            await asyncio.to_thread(install_crm, installation, stage.AGENCY)
            await asyncio.to_thread(stage.let_in, installation, state)
            season = asyncio.create_task(play_season(installation, settings, sandbox, state, 0.0))
            disturbing = asyncio.create_task(disturb(running, season))
            played = await season
            disturbed = await disturbing
            restarts = {name: child.restarts for name, child in running.children.items() if child.restarts}
            say(f"started again meanwhile: {restarts or 'nothing'}")
    finally:
        await sandbox.child.stop()
    return judged(played, reference, disturbed)


@contextlib.asynccontextmanager
async def production(
    folder: Path, state: DemoState, sandbox: Sandbox
) -> AsyncIterator[tuple[Production, Path, Installation]]:
    """The whole topology up, and stopped at the end."""
    postgres = Postgres(folder / "postgres", free_ports(["postgres"], 15432)["postgres"])
    postgres.start()
    running = Production(folder, postgres, None, {})
    try:
        postgres.create("bookings")
        settings = stage.write_settings(folder, state, sandbox.fingerprints)
        try:
            cluster = Cluster(built(BINARIES, say), folder, postgres.port, say)
            cluster.set_up_schema()
            await cluster.start()
            running.cluster, address = cluster, cluster.address
        except CannotBuild as error:
            say(f"NOT the real server: {error}. The embedded dev server takes its place, on SQLite and in one process.")
            address = f"127.0.0.1:{state.ports['temporal']}"
            await _child(running, "temporal", server_command(read_settings(settings)))
        _point_to(settings, address, postgres.url("bookings"))
        installation = read_settings(settings)
        for arguments in (["temporal", "prepare"], ["store", "migrate"]):
            assert await stage.run_to_end(_bookings(settings, *arguments)) == 0, " ".join(arguments)
        for name in ("gateway", "console"):
            await _child(running, name, _bookings(settings, name))
        for queue in Queue:
            for number in range(WORKERS_EACH):
                name = f"worker-{queue}-{number + 1}"
                await _child(running, name, _bookings(settings, "worker", "--queue", queue))
        say(f"up: PostgreSQL, Temporal at {address}, gateway, console, {len(Queue) * WORKERS_EACH} workers")
        yield running, settings, installation
    finally:
        for child in running.children.values():
            await child.stop()
        if running.cluster is not None:
            await running.cluster.stop()
        postgres.stop()


def _bookings(settings: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "starter", *arguments, "--settings", str(settings)]


async def _child(running: Production, name: str, command: list[str]) -> None:
    running.children[name] = Child(Recipe(name, command, grace=25), running.folder / "logs", say)
    await running.children[name].start()


def _point_to(settings: Path, address: str, store_url: str) -> None:
    """The demo's settings, with a Temporal cluster and a PostgreSQL store instead of the embedded ones."""
    text = settings.read_text("utf-8")
    text = text.replace("[temporal]\n", f'[temporal]\naddress = "{address}"\nnamespace = "bookings"\n', 1)
    text = text.replace("[store]\n", f'[store]\nurl = "{store_url}"\n', 1)
    stage.write_private(settings, text)


async def disturb(running: Production, season: asyncio.Task[Played]) -> list[str]:
    """Carry out the disturbances while the season runs; those that were carried out."""
    done: list[str] = []
    for settled, what in DISTURBANCES:
        while not season.done() and await asyncio.to_thread(_settled, running.postgres) < settled:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        if season.done():
            break
        await running.disturb(what)
        done.append(what)
    return done


def _settled(postgres: Postgres) -> int:
    """How many writes in outside systems are settled; none while the database is away."""
    engine = create_engine(postgres.url("bookings"))
    try:
        with engine.connect() as connection:
            query = select(func.count()).select_from(effects).where(effects.c.state.in_(("done", "undone")))
            return int(connection.execute(query).scalar_one())
    except SQLAlchemyError:
        return 0
    finally:
        engine.dispose()


def judged(played: Played, reference: dict[str, Any], disturbed: list[str]) -> int:
    """Say what differs; 0 when nothing does."""
    report = played.report.plain()
    wrong = [
        f"invariant broken: {each['name']}: {each['detail']}" for each in report["invariants"] if not each["holds"]
    ]
    if not (played.season_ended_well and played.came_to_rest and not played.left_to_people):
        wrong.append(
            f"season ended well: {played.season_ended_well}, at rest: {played.came_to_rest}, left: {played.left_to_people}"
        )
    expected, found = standings(reference), standings(report)
    wrong += [f"table differs: {title}" for title in expected if expected[title] != found.get(title)]
    missing = [what for _, what in DISTURBANCES[len(disturbed) :]]
    if missing:
        wrong.append(f"the season was over before these could be disturbed: {', '.join(missing)}")
    for line in wrong:
        say(f"WRONG {line}")
    held = sum(1 for each in report["invariants"] if each["holds"])
    say(f"{held} of {len(report['invariants'])} invariants hold; disturbed: {', '.join(disturbed)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    started = time.monotonic()

    def run() -> int:
        code = main()
        say(f"production check: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s")
        return code

    entrypoint.run(run)
