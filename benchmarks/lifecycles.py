"""THE figure: a booking's life through all systems, against a bare Temporal program of the same shape that does nothing.

A life is: created, paid by card, cancelled for a penalty. Ours writes it to GIAV and MIDOCO over SOAP, to the journal and to
the ledger of effects; the stand-ins answer without delay and share the machine. The bare program has the same workflows,
the same number of activities on as many queues and as many processes. Both run on one durable dev server, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.service import RPCError

from benchmarks import bare
from benchmarks.results import Result
from benchmarks.sales import Market, Sale, Trip
from benchmarks.site import Site, standing
from domain.effects import EffectKey
from starter.dispatch import AT_ONCE, Dispatcher
from starter.events import take_in

LEAST = 0.7
AGENCY = "demo"
POLL_SECONDS = 0.25
PATIENCE_SECONDS = 300.0

TYPES = {"CreateBooking": "BareCreate", "RecordPayment": "BarePayment", "CancelBooking": "BareCancel"}
"""Which workflow of the bare program stands for which of ours."""


Tell = Callable[[Sale], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of one side."""

    seconds: float
    bookings: int
    cpu: dict[str, float]

    @property
    def per_second(self) -> float:
        return self.bookings / self.seconds

    @property
    def milliseconds(self) -> dict[str, float]:
        """Processor time of one booking, by process."""
        return {name: round(1000 * used / self.bookings, 1) for name, used in self.cpu.items()}

    def __str__(self) -> str:
        return f"{self.per_second:.2f}/s and {sum(self.milliseconds.values()):.0f} ms of processor each"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bookings", type=int, default=32, metavar="N", help="in flight at once (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of each side (default: %(default)s)")
    parser.add_argument(
        "--services",
        default="svc_72H,svc_72B",
        metavar="IDS",
        help="of the sandbox's Granada trip, in every booking (default: a hotel and a coach)",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="run in this folder and leave the files there")


def run(chosen: argparse.Namespace) -> Result:
    return asyncio.run(_measure(chosen))


async def _measure(chosen: argparse.Namespace) -> Result:
    market = Market(chosen.services.split(","))
    ours: list[Round] = []
    floor: list[Round] = []
    async with standing(chosen.keep) as site:
        dispatcher = Dispatcher(site.store, lambda: _ready(site.client))
        sweeping = asyncio.create_task(dispatcher.run())
        try:
            warming = market.trip(8)
            await life_of(site, dispatcher, warming)
            await _bare(site, warming)
            counts = await _same_shape(site.client)
            for number in range(chosen.rounds):
                trip = market.trip(chosen.bookings)
                # Who begins alternates, so that a machine that gets busier or quieter favours nobody.
                for side in ("ours", "floor") if number % 2 == 0 else ("floor", "ours"):
                    if side == "ours":
                        ours.append(await life_of(site, dispatcher, trip))
                    else:
                        floor.append(await _bare(site, trip))
                _say(f"  round {number + 1}: {ours[-1]} against {floor[-1]}")
            site.check()
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
    return Result.of(
        "lifecycles",
        "bookings/s",
        [each.per_second for each in ours],
        [each.per_second for each in floor],
        bookings_in_flight=chosen.bookings,
        services=chosen.services.split(","),
        activities_per_booking=counts,
        cpu_ms_per_booking={
            "ours": [each.milliseconds for each in ours],
            "floor": [each.milliseconds for each in floor],
        },
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def _ready(client: Client) -> Client:
    return client


async def life_of(site: Site, dispatcher: Dispatcher, trip: Trip) -> Round:
    """Through the gateway's way in: taken in, stored, dispatched."""

    async def tell(*bodies: bytes) -> None:
        for body in bodies:
            receipt = await asyncio.to_thread(
                take_in, site.store, site.installation, body, received_at=datetime.now(UTC)
            )
            assert receipt.result == "new", receipt
        dispatcher.nudge()

    await tell(trip.opened)
    await opened(site, trip.experience_id)
    return await _round(
        site,
        trip.sales,
        list(TYPES),
        lambda sale: tell(sale.created, sale.captured),
        lambda sale: tell(sale.cancelled),
    )


async def opened(site: Site, experience_id: str) -> None:
    """Wait until the trip has its expediente."""
    expediente = EffectKey(AGENCY, "giav", "expediente", experience_id, "create")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await asyncio.to_thread(site.store.effects.outside_id, expediente) is None:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)


async def _bare(site: Site, trip: Trip) -> Round:
    """The same three signals, as the dispatcher sends them."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def tell(sale: Sale, *kinds: str) -> None:
        async with limit:
            for kind in kinds:
                await bare.deliver(site.client, sale.booking_id, kind)

    return await _round(
        site,
        trip.sales,
        list(TYPES.values()),
        lambda sale: tell(sale, "create", "payment"),
        lambda sale: tell(sale, "cancel"),
    )


async def _round(site: Site, sales: Sequence[Sale], types: Sequence[str], first: Tell, last: Tell) -> Round:
    """All bookings at once: sold and paid, cancelled as soon as the payment is recorded; until the last one is cancelled."""
    _, payment, cancel = types
    coming, ended = {sale.booking_id: sale for sale in sales}, dict[str, datetime]()
    began, used = datetime.now(UTC), site.cpu()
    deadline = time.monotonic() + PATIENCE_SECONDS
    async with asyncio.TaskGroup() as telling:
        for sale in sales:
            telling.create_task(first(sale))
        while len(ended) < len(sales):
            await asyncio.sleep(POLL_SECONDS)
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(ended)} of {len(sales)} ended, {len(coming)} unpaid; {await _at_work(site)}")
            for child in await _completed(site.client, (payment, cancel), began):
                booking_id = child.parent_execution.workflow_id.rpartition("/")[2]
                if child.type.name == payment and booking_id in coming:
                    telling.create_task(last(coming.pop(booking_id)))
                elif child.type.name == cancel:
                    ended[booking_id] = child.close_time.ToDatetime(UTC)
    now = site.cpu()
    return Round(
        (max(ended.values()) - began).total_seconds(), len(sales), {name: now[name] - used[name] for name in now}
    )


async def _completed(client: Client, types: Sequence[str], since: datetime) -> Sequence[WorkflowExecutionInfo]:
    """Lifecycles that ended; asked of the service itself, because the client would unpack what nobody reads here."""
    names = ", ".join(f"'{name}'" for name in types)
    query = f"WorkflowType IN ({names}) AND ExecutionStatus = 'Completed' AND StartTime >= '{since.isoformat()}'"
    request = ListWorkflowExecutionsRequest(namespace=client.namespace, query=query, page_size=1000)
    try:
        return (await client.workflow_service.list_workflow_executions(request)).executions
    except RPCError:
        return ()  # a busy server is asked again


async def _at_work(site: Site) -> str:
    """What still runs, and the last words of the workers."""
    at_work = [
        f"{found.id} since {found.start_time:%H:%M:%S}"
        async for found in site.client.list_workflows("ExecutionStatus = 'Running'")
        if found.workflow_type not in ("Booking", "BareBooking", "Experience")
    ]
    last_words = "\n".join(site.log(name)[-2000:] for name in ("worker", "bare") if name in site.children)
    return f"at work: {at_work[:20]}; parked: {site.store.parked.list()[:3]}\n{last_words}"


async def _same_shape(client: Client) -> dict[str, int]:
    """Activities of each lifecycle, counted in the histories of both sides; raises when they differ."""
    counts = {}
    for mine, floor in TYPES.items():
        ours = await _activities(client, mine)
        if len(ours) != len(await _activities(client, floor)):
            raise RuntimeError(f"{floor} has not as many activities as {mine}: {', '.join(ours)}")
        counts[mine] = len(ours)
    return counts


async def _activities(client: Client, kind: str) -> list[str]:
    async for found in client.list_workflows(f"WorkflowType = '{kind}' AND ExecutionStatus = 'Completed'"):
        history = await client.get_workflow_handle(found.id, run_id=found.run_id).fetch_history()
        scheduled = (event.activity_task_scheduled_event_attributes for event in history.events)
        return [each.activity_type.name for each in scheduled if each.activity_id]
    raise RuntimeError(f"no {kind} was completed")
