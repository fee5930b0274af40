"""A sold-out trip: 500 bookings of one experience at once, at a GIAV that takes 20 ms for every answer (contracts: giav 1.5).

What limits is how many writes an account may have under way (`writes_at_once`). The floor is a bare sender that keeps as
many under way without a pause: it sends the same writes once more, from as many threads, and does nothing else. Ours is the
GIAV column as the worker runs it: its threads, its cells, its ledger. `--whole` tells the same through gateway's way in,
Temporal and worker as well, which on a small machine says more about processors than about GIAV.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from activities.giav.activities import GiavActivities
from activities.giav.client import GiavClient
from activities.giav.office import GiavAccount
from activities.giav.settings import GiavSettings
from benchmarks.lifecycles import AGENCY, opened
from benchmarks.results import Result
from benchmarks.sales import Market, Trip
from benchmarks.site import Site, standing
from domain.naming import Queue
from domain.notices import EventNotice
from domain.steps import BookingStep, ExperienceStep
from sandbox.remote import Remote
from starter.dispatch import Dispatcher
from starter.events import take_in
from workers.running import AT_ONCE

LEAST = 0.9
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 1800.0
READS = ("_SEARCH", "_GET")
SERVICES = "svc_72H,svc_72B,svc_72A,svc_72G,svc_72S,svc_72W"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bookings", type=int, default=500, metavar="N", help="of one trip (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="of each side (default: %(default)s)")
    parser.add_argument(
        "--latency", type=float, default=0.02, metavar="SECONDS", help="of every call (default: %(default)s)"
    )
    parser.add_argument(
        "--services", default=SERVICES, metavar="IDS", help="of the sandbox's Granada trip (default: all six)"
    )
    parser.add_argument("--whole", action="store_true", help="also through Temporal, once")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="run in this folder and leave the files there")


def run(chosen: argparse.Namespace) -> Result:
    return asyncio.run(_measure(chosen))


@dataclass
class Line(httpx.BaseTransport):
    """The client's sockets, with a note of every write and of how long each was under way."""

    sockets: httpx.HTTPTransport = field(default_factory=httpx.HTTPTransport)
    writes: list[httpx.Request] = field(default_factory=list)
    under_way: list[tuple[float, float]] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        began = time.perf_counter()
        answer = self.sockets.handle_request(request)
        answer.read()
        if not request.headers["SOAPAction"].strip('"').endswith(READS):
            self.writes.append(request)
            self.under_way.append((began, time.perf_counter()))
        return answer

    def seconds(self) -> float:
        """From the first write to the end of the last."""
        return max(end for _, end in self.under_way) - min(began for began, _ in self.under_way)

    def busy(self) -> float:
        return sum(end - began for began, end in self.under_way)


async def _measure(chosen: argparse.Namespace) -> Result:
    market = Market(chosen.services.split(","))
    ours: list[float] = []
    floor: list[float] = []
    told: dict[str, Any] = {}
    async with standing(chosen.keep, bare=False) as site:
        settings = GiavSettings.model_validate(site.installation.agencies[AGENCY].section("giav"))
        giav = Remote("giav", settings.url.partition("/webservices/")[0])
        giav.set_fault({"operation": "*", "kind": "slow", "times": None, "seconds": chosen.latency})
        await asyncio.to_thread(_column, site, settings, market.trip(8))
        shares = []
        for number in range(chosen.rounds):
            line = await asyncio.to_thread(_column, site, settings, market.trip(chosen.bookings))
            bare = await asyncio.to_thread(_bare, line.writes, settings.writes_at_once)
            ours.append(chosen.bookings / line.seconds())
            floor.append(chosen.bookings / bare)
            shares.append(round(line.busy() / (settings.writes_at_once * line.seconds()), 3))
            _say(f"  round {number + 1}: {line.seconds():.1f} s against {bare:.1f} s; busy {shares[-1]}")
        if chosen.whole:
            told["whole_program"] = await _whole(site, giav, market.trip(chosen.bookings))
        site.check()
    return Result.of(
        "giav",
        "bookings/s",
        ours,
        floor,
        bookings=chosen.bookings,
        latency_seconds=chosen.latency,
        writes_at_once=settings.writes_at_once,
        writes_per_booking=len(line.writes) / chosen.bookings,
        share_of_permitted_under_way=shares,
        **told,
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _tell(site: Site, bodies: Iterable[bytes]) -> list[EventNotice]:
    """Take events in; what the mailboxes would be told of them."""
    for body in bodies:
        receipt = take_in(site.store, site.installation, body, received_at=datetime.now(UTC))
        assert receipt.result == "new", receipt
    return [EventNotice.model_validate_json(row.notice_json) for row in site.store.inbox.undispatched(limit=1_000_000)]


# The column, and the bare sender --------------------------------------------------------------------------------------


def _column(site: Site, settings: GiavSettings, trip: Trip) -> Line:
    """Every booking of the trip at once, on the threads of GIAV's queue; what went over the line."""
    line = Line()
    account = GiavAccount(GiavClient(settings, line), settings)
    cells = GiavActivities(site.store, {AGENCY: account})
    (first, *sold) = _tell(site, [trip.opened, *(sale.created for sale in trip.sales)])
    cells.open_experience(
        ExperienceStep(
            agency=AGENCY, experience_id=trip.experience_id, event_id=first.event_id, revision=first.revision
        )
    )
    line.writes.clear()
    line.under_way.clear()
    steps = [
        BookingStep(
            agency=AGENCY,
            booking_id=notice.booking_id or "",
            experience_id=trip.experience_id,
            event_id=notice.event_id,
            revision=notice.revision,
        )
        for notice in sold
    ]
    with ThreadPoolExecutor(AT_ONCE[Queue.GIAV]) as threads:
        assert len(list(threads.map(cells.register_booking, steps))) == len(trip.sales)
    for notice in (first, *sold):
        site.store.inbox.mark_dispatched(AGENCY, notice.event_id)
    account.client.close()
    return line


def _bare(writes: Sequence[httpx.Request], at_once: int) -> float:
    """Seconds for the same writes once more, from `at_once` threads that do nothing else."""
    with httpx.HTTPTransport() as sockets, ThreadPoolExecutor(at_once) as threads:

        def send(share: int) -> None:
            for request in writes[share::at_once]:
                sockets.handle_request(request).read()

        began = time.perf_counter()
        list(threads.map(send, range(at_once)))
        return time.perf_counter() - began


# The whole program ----------------------------------------------------------------------------------------------------


async def _whole(site: Site, giav: Remote, trip: Trip) -> dict[str, Any]:
    """The same through inbox, dispatcher, Temporal and worker; at which processor time."""

    async def ready() -> Any:
        return site.client

    dispatcher = Dispatcher(site.store, ready)
    sweeping = asyncio.create_task(dispatcher.run())
    try:
        await asyncio.to_thread(_tell, site, [trip.opened])
        dispatcher.nudge()
        await opened(site, trip.experience_id)
        used, before = site.cpu(), len(giav.calls())
        await asyncio.to_thread(_tell, site, [sale.created for sale in trip.sales])
        dispatcher.nudge()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await _registered(site) < len(trip.sales):  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)
        now, calls = site.cpu(), giav.calls()[before:]
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
    seconds = max(call["at"] for call in calls) - min(call["at"] - call["seconds"] for call in calls)
    cpu = {name: round(1000 * (now[name] - used[name]) / len(trip.sales), 1) for name in now}
    _say(f"  the whole program: {seconds:.1f} s; {cpu} ms of processor a booking")
    return {"bookings_per_second": round(len(trip.sales) / seconds, 2), "cpu_ms_per_booking": cpu}


async def _registered(site: Site) -> int:
    counted = await site.client.count_workflows("WorkflowType = 'CreateBooking' AND ExecutionStatus = 'Completed'")
    return int(counted.count)
