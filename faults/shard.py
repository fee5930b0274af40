"""One process of the enumeration: an office, and the cases of one job file played on it side by side.

python -m faults.shard JOB OUTCOMES
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from faults import bugs, patience
from faults.cases import Case, Recording
from faults.houses import House, OwnDoor, crm, invoicing, settings_of
from faults.leaks import Searched, searched
from faults.office import Office, address_of, gateway_socket, light, on_the_street, open_office, quiet, temporal_server
from faults.playing import Outcome, play, record
from faults.scenarios import SCENARIOS
from faults.stage import Stage
from faults.watching import Watch
from sandbox.airplus.stand_in import AirplusStandIn
from sandbox.running import running
from starter import entrypoint

AT_ONCE = 14
"""Cases side by side: they wait more than they work."""
Work = Callable[[Stage], Coroutine[Any, Any, dict[str, Any]]]


@dataclass(frozen=True)
class Job:
    """What a process has to do: scenarios to record, or cases to play against recordings."""

    name: str
    scenarios: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    recordings: tuple[Recording, ...] = ()
    bug: str | None = None

    def written(self, path: Path) -> Path:
        plain = {
            "name": self.name,
            "scenarios": self.scenarios,
            "cases": [vars(each) for each in self.cases],
            "recordings": [each.plain() for each in self.recordings],
            "bug": self.bug,
        }
        path.write_text(json.dumps(plain), "utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> Job:
        plain = json.loads(path.read_text("utf-8"))
        return cls(
            plain["name"],
            tuple(plain["scenarios"]),
            tuple(Case(**each) for each in plain["cases"]),
            tuple(Recording(**each) for each in plain["recordings"]),
            plain["bug"],
        )


@dataclass(frozen=True)
class Piece:
    """One agency's work."""

    agency: str
    systems: frozenset[str]
    work: Work


def pieces_of(job: Job) -> list[Piece]:
    found = []
    recordings = {each.scenario: each for each in job.recordings}

    def recording(name: str) -> Work:
        async def work(stage: Stage) -> dict[str, Any]:
            return (await record(stage, name)).plain()

        return work

    def playing(case: Case) -> Work:
        async def work(stage: Stage) -> dict[str, Any]:
            return (await play(stage, case, recordings[case.scenario])).plain()

        return work

    works = [(name, recording(name)) for name in job.scenarios]
    works += [(case.scenario, playing(case)) for case in job.cases]
    for number, (scenario, work) in enumerate(works):
        found.append(Piece(f"c{number:04d}", SCENARIOS[scenario].systems, work))
    return found


async def run(job: Job, tell: Callable[[dict[str, Any]], None]) -> None:
    """Do everything; `tell` hears of each end as it comes, and at last of the search for people and secrets."""
    with bugs.planted(job.bug):
        search = await work_off(pieces_of(job), tell)
    if job.cases and job.bug is None:
        tell({"searched": job.name, "places": search.places, "found": search.found})


async def work_off(
    pieces: Sequence[Piece],
    tell: Callable[[dict[str, Any]], None],
    *,
    remembering: int = 200,
    store_url: str | None = None,
) -> Searched:
    """One office for all pieces, side by side; in the end everything that it wrote is searched for people and secrets."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        async with standing(stack, folder, pieces, remembering, store_url) as (office, watch, http, doors):
            limit = asyncio.Semaphore(AT_ONCE)

            async def one(piece: Piece) -> None:
                async with limit:
                    house = House(office.street, office.gateway, piece.agency, piece.systems, doors[piece.agency])
                    stage = Stage(office, watch, house, http)
                    try:
                        tell(await piece.work(stage))
                    finally:
                        with contextlib.suppress(OSError):
                            # What cannot be tidied up must not end the cases beside it.
                            await stage.leave()
                            house.close()

            await asyncio.gather(*(one(piece) for piece in pieces))
            return await searched(office)


@asynccontextmanager
async def standing(
    stack: ExitStack, folder: Path, pieces: Sequence[Piece], remembering: int, store_url: str | None
) -> AsyncIterator[tuple[Office, Watch, httpx.AsyncClient, dict[str, dict[str, OwnDoor]]]]:
    street, bound = on_the_street(stack), gateway_socket()
    boxes: list[AirplusStandIn] = []
    doors: dict[str, dict[str, OwnDoor]] = {}
    agencies: dict[str, Any] = {}
    for piece in pieces:
        own = doors[piece.agency] = {}
        if "airplus" in piece.systems:
            box = AirplusStandIn()
            boxes.append(box)
            if "ftps" in piece.systems:
                own["airplus"] = OwnDoor(box, {"port": box.start_ftps(), "pins": [box.papers.pin]})
            else:
                port = await street.run(box.start_sftp(0, "127.0.0.1"))
                own["airplus"] = OwnDoor(box, {"port": port, "host_keys": [box.fingerprint]})
        if "kommo" in piece.systems:
            for name, made in (("kommo", crm()), ("easycount", invoicing())):
                own[name] = OwnDoor(made, {}, stack.enter_context(running(made)))
        agencies[piece.agency] = settings_of(piece.agency, street.url, address_of(bound), own, piece.systems)
    try:
        async with (
            temporal_server(folder) as client,
            open_office(
                client, street, folder, agencies, bound, remembering=remembering, store_url=store_url
            ) as office,
        ):
            watch = Watch(office.store, client)
            async with watch.kept(), httpx.AsyncClient(timeout=60, trust_env=False) as http:
                yield office, watch, http, doors
    finally:
        for box in boxes:
            await street.run(box.stop_sftp())


def main() -> int:
    job, out = Job.read(Path(sys.argv[1])), Path(sys.argv[2])
    patience.shorten()
    quiet()
    light()
    with out.open("a", encoding="utf-8") as lines:

        def tell(told: dict[str, Any]) -> None:
            lines.write(json.dumps(told) + "\n")
            lines.flush()

        if job.bug is None:
            asyncio.run(_until_told(run(job, tell)))
            return 0
        played: list[dict[str, Any]] = []
        asyncio.run(_until_told(run(job, played.append)))
        caught = [each for each in played if each["result"] == "violation" and not _vacuous(each)]
        tell({"bug": job.bug, "caught": bool(caught), "by": [each["id"] for each in caught], "played": played})
    return 0


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """SIGTERM ends the work in order: the Temporal server is a process of its own, and has to end with it."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _vacuous(outcome: dict[str, Any]) -> bool:
    """A case that failed by itself catches nothing."""
    return all(found.startswith("the case itself failed") for found in outcome["found"])


if __name__ == "__main__":
    entrypoint.run(main)


__all__ = ["Job", "Outcome", "main", "run"]
