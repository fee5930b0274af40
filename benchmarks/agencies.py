"""What an agency notices of its neighbours: its throughput while one has a dead ERP or imports thousands, relative to alone.

All share one installation: gateway's way in, Temporal, one worker process, one store. GIAV takes 200 ms for every answer, so an
agency's bookings are limited by its own GIAV, as in life (docs/scale.md). The dead neighbour's ERP and mid-office take every
connection and say nothing; the importing one has `--import` bookings in the outbox. Rounds take turns: alone, dead, import.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from benchmarks.lifecycles import AGENCY, Round, life_of
from benchmarks.results import Result, Spread
from benchmarks.sales import Market, Trip
from benchmarks.site import Site, standing
from sandbox.remote import Remote
from starter.dispatch import Dispatcher
from starter.events import take_in
from store.events import outbox

LEAST = 0.9
DEAD, IMPORTING = "dead", "importing"
PLANNER = "pl_7Q2"
SERVICES = ("svc_72H", "svc_72B")
HELD_BACK = datetime(2000, 1, 1, tzinfo=UTC)
"""Marks rows of the outbox that are to wait for the next round."""
ENDED_WITHIN = 600.0
SECTIONS = re.compile(r"^\[agencies\.demo(\.(platform|giav|midoffice)(\.[\w.]+)?)?\]")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bookings", type=int, default=12, metavar="N", help="in flight at once (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of each kind (default: %(default)s)")
    parser.add_argument(
        "--import",
        dest="imported",
        type=int,
        default=10_000,
        metavar="N",
        help="bookings of the importing neighbour (default: %(default)s; making them takes minutes)",
    )
    parser.add_argument("--dead", type=int, default=100, metavar="N", help="of the dead one (default: %(default)s)")
    parser.add_argument(
        "--latency", type=float, default=0.2, metavar="SECONDS", help="of every call of GIAV (default: %(default)s)"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="run in this folder and leave the files there")


def run(chosen: argparse.Namespace) -> Result:
    return asyncio.run(_measure(chosen))


async def _measure(chosen: argparse.Namespace) -> Result:
    market = Market(SERVICES)
    rounds: dict[str, list[Round]] = {"alone": [], DEAD: [], IMPORTING: []}
    with silent_system() as silent:
        async with standing(chosen.keep, bare=False, settled=lambda text: with_neighbours(text, silent.port)) as site:
            url = str(site.installation.agencies[AGENCY].section("giav")["url"])
            giav = Remote("giav", url.partition("/webservices/")[0])
            giav.set_fault({"operation": "*", "kind": "slow", "times": None, "seconds": chosen.latency})
            for agency, bookings in ((DEAD, chosen.dead), (IMPORTING, chosen.imported)):
                _say(f"  making {bookings} bookings of the neighbour '{agency}'")
                await asyncio.to_thread(_kept, site, agency, market.trip(bookings))
            async with dispatching(site) as dispatcher:
                await life_of(site, dispatcher, market.trip(4))
                for number in range(chosen.rounds):
                    for kind, taken in _in_turns(rounds, number):
                        neighbour = () if kind == "alone" else (kind,)
                        async with at_work(site, dispatcher, neighbour, silent):
                            taken.append(await life_of(site, dispatcher, market.trip(chosen.bookings)))
                            _say(f"  {kind}: {taken[-1]}")
                    _say(f"  round {number + 1}: " + ", ".join(f"{kind} {each[-1]}" for kind, each in rounds.items()))
    alone = [each.per_second for each in rounds["alone"]]
    ratios = {kind: _ratios(rounds[kind], alone) for kind in (DEAD, IMPORTING)}
    for kind, spread in ratios.items():
        _say(f"  beside '{kind}': {spread}")
    # What is promised holds for either neighbour, so the worse of the two counts in every round.
    worse = [min(pair) for pair in zip(*([each.per_second for each in rounds[kind]] for kind in ratios), strict=True)]
    return Result.of(
        "agencies",
        "bookings/s",
        worse,
        alone,
        bookings_in_flight=chosen.bookings,
        imported=chosen.imported,
        dead=chosen.dead,
        latency_seconds=chosen.latency,
        ratio_beside_dead=str(ratios[DEAD]),
        ratio_beside_import=str(ratios[IMPORTING]),
        per_second={kind: [round(each.per_second, 3) for each in taken] for kind, taken in rounds.items()},
        cpu_seconds={kind: [each.cpu for each in taken] for kind, taken in rounds.items()},
    )


def _in_turns(rounds: dict[str, list[Round]], number: int) -> Iterable[tuple[str, list[Round]]]:
    """Who begins alternates, so that a machine that gets busier or quieter favours nobody."""
    return list(rounds.items())[:: 1 if number % 2 == 0 else -1]


def _ratios(beside: list[Round], alone: list[float]) -> Spread:
    return Spread.of([each.per_second / other for each, other in zip(beside, alone, strict=True)])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# The neighbours -------------------------------------------------------------------------------------------------------


def with_neighbours(text: str, silent_port: int) -> str:
    """The demo's settings with two agencies more: one whose ERP and mid-office are silent, one with the same as the demo's."""
    own = "".join(block for block in re.split(r"^(?=\[)", text, flags=re.MULTILINE) if SECTIONS.match(block))
    for agency in (DEAD, IMPORTING):
        its = own.replace("[agencies.demo", f"[agencies.{agency}").replace(PLANNER, f"{PLANNER}{agency}")
        if agency == DEAD:
            its = re.sub(r'^url = "http://127\.0\.0\.1:\d+', f'url = "http://127.0.0.1:{silent_port}', its, flags=re.M)
        text = f"{text}\n{its}"
    return text


def _kept(site: Site, agency: str, trip: Trip) -> None:
    """Its events are in the outbox, and held back."""
    bodies = [trip.opened, *(body for sale in trip.sales for body in (sale.created, sale.captured))]
    for body in bodies:
        its = body.replace(PLANNER.encode(), f"{PLANNER}{agency}".encode())
        assert take_in(site.store, site.installation, its, received_at=datetime.now(UTC)).result == "new"
    _hold_back(site, agency)


def _hold_back(site: Site, agency: str) -> None:
    rows = outbox.c.agency == agency, outbox.c.dispatched_at.is_(None)
    with site.store.database.begin() as connection:
        connection.execute(update(outbox).where(*rows).values(dispatched_at=HELD_BACK))


@asynccontextmanager
async def at_work(site: Site, dispatcher: Dispatcher, neighbours: Iterable[str], silent: Silent) -> AsyncIterator[None]:
    """Its events are handed on meanwhile; afterwards all that it has at work is ended, and nothing of it waits anywhere."""
    for agency in neighbours:
        held = outbox.c.agency == agency, outbox.c.dispatched_at == HELD_BACK
        with site.store.database.begin() as connection:
            connection.execute(update(outbox).where(*held).values(dispatched_at=None))
        dispatcher.nudge()
        # What is measured is an outage or an import that lasts, not the moment in which it begins.
        await asyncio.sleep(30)
    yield
    for agency in neighbours:
        await asyncio.to_thread(_hold_back, site, agency)
        await asyncio.sleep(1)
        await _end(site.client, agency)
        silent.hang_up()
        await asyncio.sleep(5)


async def _end(client: Client, agency: str) -> None:
    """Mailboxes first, because they would begin anew what they lose."""
    at_once = asyncio.Semaphore(16)

    async def end(found: WorkflowExecution) -> None:
        async with at_once:
            try:
                await client.get_workflow_handle(found.id).terminate("the round is over")
            except RPCError:
                return  # ended by itself, or with its parent

    deadline = time.monotonic() + ENDED_WITHIN
    running = f"Agency = '{agency}' AND ExecutionStatus = 'Running'"
    for query in (f"{running} AND WorkflowType IN ('Booking', 'Experience')", running):
        while found := [each async for each in client.list_workflows(query)]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"workflows of {agency} do not end: {[each.id for each in found[:5]]}")
            await asyncio.gather(*(end(each) for each in found))


@asynccontextmanager
async def dispatching(site: Site) -> AsyncIterator[Dispatcher]:
    """As the gateway does it, with its pace."""

    async def ready() -> Client:
        return site.client

    pace = site.installation.gateway.catching_up_per_second
    dispatcher = Dispatcher(site.store, ready, catching_up_per_second=pace)
    sweeping = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


# A system that is dead ------------------------------------------------------------------------------------------------


class Silent:
    """Takes every connection and says nothing, like a host behind a firewall that forgot it."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.port = int(listening.getsockname()[1])
        self._open: list[socket.socket] = []

    def accept(self) -> None:
        while True:
            try:
                self._open.append(self._listening.accept()[0])
            except OSError:
                return

    def hang_up(self) -> None:
        """Whoever still waits for an answer hears that there will be none."""
        while self._open:
            self._open.pop().close()


@contextmanager
def silent_system() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        silent = Silent(listening)
        threading.Thread(target=silent.accept, daemon=True).start()
        yield silent
        silent.hang_up()
