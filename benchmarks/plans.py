"""Many open plans, and one due day of them: against a bare Temporal program with the same Schedules that does nothing.

A plan has 24 instalments and one Schedule with an entry for each. Ours reads the plan, the orders and the payments from the
store, charges over HTTP under a merchant reference, keeps the effect in the ledger, and lets the plan look again. The bare
program has the same workflows, signals, queues and number of activities. A due day is the triggers of the Schedules of so many
plans, side by side, until the last day's workflow has ended. Both run on one durable dev server, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)

from benchmarks import bare_plans
from benchmarks.bare_workers import Nothing
from benchmarks.results import Result
from benchmarks.site import Site, standing
from domain import naming
from domain.notices import EventNotice
from domain.plan_orders import PlanOrder
from domain.superseding import PlanState
from sandbox.season.catalogue import granada
from starter.events import take_in

LEAST = 0.7
AGENCY = "demo"
INSTALMENTS = 24
AT_ONCE = 32
POLL_SECONDS = 0.25
PATIENCE_SECONDS = 300.0
SCHEDULES = "TemporalNamespaceDivision = 'TemporalScheduler'"
"""The query that finds the workflows behind Schedules: counting them is cheaper than listing them four times a second."""
PAUSED = "until the day is measured"


@dataclass(frozen=True, slots=True)
class Sold:
    """A booking with its plan."""

    booking_id: str
    plan_id: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plans", type=int, default=10_000, metavar="N", help="open plans (default: %(default)s)")
    parser.add_argument(
        "--due", type=int, default=2_000, metavar="N", help="of them due on the measured day (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=4, metavar="N", help="of each side (default: %(default)s)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="run in this folder and leave the files there")


def run(chosen: argparse.Namespace) -> Result:
    return asyncio.run(_measure(chosen))


async def _measure(chosen: argparse.Namespace) -> Result:
    async with standing(chosen.keep, bare=False, beside={"bare": "benchmarks.bare_plans"}) as site:
        sold = await asyncio.to_thread(_sell, site, chosen.plans, chosen.due)
        due = sold[: chosen.due]
        created = {"ours": await _arrange(site, sold, due), "floor": await _arrange_bare(site.client, due)}
        listed = await _listed(site.client)
        await asyncio.to_thread(_resume, site, due)
        await _each(due, lambda each: _unpaused(_schedule(site.client, each)))
        _say("  the day has come")
        ours: list[float] = []
        floor: list[float] = []
        size = chosen.due // chosen.rounds
        for number in range(chosen.rounds):
            part = due[number * size : (number + 1) * size]
            for side in ("ours", "floor") if number % 2 == 0 else ("floor", "ours"):
                if side == "ours":
                    ours.append(await _day(site, part, "CollectInstalment", lambda each: _schedule(site.client, each)))
                else:
                    floor.append(await _day(site, part, "BareCollect", lambda each: _bare(site.client, each)))
            _say(f"  round {number + 1}: {ours[-1]:.1f}/s against {floor[-1]:.1f}/s")
        _check(site, size * chosen.rounds)
    return Result.of(
        "plans",
        "instalments/s",
        ours,
        floor,
        plans=chosen.plans,
        due=size * chosen.rounds,
        instalments_per_plan=INSTALMENTS,
        schedules_created_per_second=created,
        schedules_listed=listed,
    )


# -- what is sold ------------------------------------------------------------------------------------------------------


def _sell(site: Site, plans: int, due: int) -> list[Sold]:
    """On the platform, and as events in our store; the first `due` plans have an instalment today, the others next month."""
    section = site.installation.agencies[AGENCY].platform
    assert section.token is not None
    today = datetime.now(UTC).date()
    headers = {"Authorization": f"Bearer {section.token.get_secret_value()}"}
    with httpx.Client(base_url=section.url or "", headers=headers, timeout=30.0, trust_env=False) as platform:

        def do(verb: str, wish: dict[str, Any]) -> None:
            platform.post(f"/sim/{verb}", json=wish).raise_for_status()

        trip = granada(today) | {"id": "exp_plans", "max_travellers": 10 * plans}
        trip |= {"starts_on": _month(today, 30).isoformat(), "ends_on": _month(today, 31).isoformat()}
        do("create-experience", trip)
        sold = []
        for number in range(1, plans + 1):
            each = Sold(f"bkg_8{number:06}", f"plan_8{number:06}")
            person = {"first_name": "Lucía", "last_name": "Robles"}
            payer = {"id": f"cus_8{number:06}", "kind": "person", "name": "Lucía Robles", "fiscal_complete": False}
            booking = {"id": each.booking_id, "locator": f"P{number:06}", "experience_id": "exp_plans", "payer": payer}
            do("create-booking", {**booking, "travellers": [person], "lines": [{"service_id": "svc_72B"}]})
            do(
                "create-plan",
                {"booking_id": each.booking_id, "id": each.plan_id, "template": _template(today, number > due)},
            )
            sold.append(each)
        _say(f"  {plans} plans sold")
        after = 0
        while items := platform.get("/v1/events", params={"after_sequence": after, "limit": 200}).json()["items"]:
            for item in items:
                take_in(site.store, site.installation, json.dumps(item).encode(), received_at=datetime.now(UTC))
            after = int(items[-1]["sequence"])
    return sold


def _template(today: date, later: int) -> list[dict[str, Any]]:
    """Three euro a month, the rest at the end."""
    months = [
        {
            "seq": at + 1,
            "due": {"on": _month(today, at + later).isoformat()},
            "kind": "fixed",
            "amount": {"amount": 300, "currency": "EUR"},
        }
        for at in range(INSTALMENTS)
    ]
    return [*months[:-1], {name: months[-1][name] for name in ("seq", "due")} | {"kind": "balance"}]


def _month(day: date, months: int) -> date:
    return day + timedelta(days=30 * months)


def _resume(site: Site, due: Sequence[Sold]) -> None:
    for each in due:
        order = PlanOrder(order="resume", by="bench", why="the day is measured", at=datetime.now(UTC))
        site.store.plan_orders.give(AGENCY, each.plan_id, f"{each.plan_id}/2", each.booking_id, order)


# -- Schedules ---------------------------------------------------------------------------------------------------------


async def _arrange(site: Site, sold: Sequence[Sold], due: Sequence[Sold]) -> float:
    """Every plan's mailbox hears of its plan and makes its Schedule; those of the measured day are paused until then."""
    for each in due:
        order = PlanOrder(order="pause", by="bench", why=PAUSED, at=datetime.now(UTC))
        await asyncio.to_thread(
            site.store.plan_orders.give, AGENCY, each.plan_id, f"{each.plan_id}/1", each.booking_id, order
        )
    told = {}
    for row in await asyncio.to_thread(site.store.inbox.undispatched, 10 * len(sold)):
        notice = EventNotice.model_validate_json(row.notice_json)
        if notice.mailbox == "plan":
            told[notice.booking_id] = notice
    began = time.perf_counter()

    async def deliver(each: Sold) -> None:
        notice = told[each.booking_id]
        await site.client.start_workflow(
            "PaymentPlan",
            PlanState(agency=AGENCY, booking_id=each.booking_id),
            id=notice.workflow_id,
            task_queue=naming.Queue.WORKFLOWS,
            start_signal="deliver",
            start_signal_args=[notice],
        )

    await _each(sold, deliver)
    _say(f"  {len(sold)} mailboxes begun")
    ours = f"{SCHEDULES} AND WorkflowId STARTS_WITH 'temporal-sys-scheduler:{naming.plan_schedule(AGENCY, '')}'"
    await _until(lambda: _counted(site.client, ours), len(sold))
    return round(len(sold) / (time.perf_counter() - began), 1)


async def _arrange_bare(client: Client, due: Sequence[Sold]) -> float:
    began = time.perf_counter()
    today = datetime.now(UTC).date()
    days = [_month(today, at) for at in range(1, INSTALMENTS)]

    async def begin(each: Sold) -> None:
        given = Nothing(booking_id=each.booking_id)
        await client.start_workflow(
            bare_plans.BarePlan.run, given, id=f"bare-plan/{each.booking_id}", task_queue=bare_plans.WORKFLOWS
        )
        action = ScheduleActionStartWorkflow(
            bare_plans.BareCollect.run, given, id=f"bare-collect/{each.booking_id}", task_queue=bare_plans.WORKFLOWS
        )
        calendars = [
            ScheduleCalendarSpec(
                year=[ScheduleRange(day.year)],
                month=[ScheduleRange(day.month)],
                day_of_month=[ScheduleRange(day.day)],
                hour=[ScheduleRange(9)],
            )
            for day in days
        ]
        spec = ScheduleSpec(calendars=calendars, time_zone_name="Europe/Madrid")
        policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
        await client.create_schedule(f"bare-plan/{each.booking_id}", Schedule(action=action, spec=spec, policy=policy))

    await _each(due, begin)
    return round(len(due) / (time.perf_counter() - began), 1)


async def _listed(client: Client) -> dict[str, float]:
    """How many Schedules a list of all of them finds, and how long it takes."""
    began = time.perf_counter()
    found = 0
    async for _ in await client.list_schedules(page_size=1000):
        found += 1
    return {"number": found, "seconds": round(time.perf_counter() - began, 2)}


async def _counted(client: Client, query: str) -> int:
    return (await client.count_workflows(query)).count


def _schedule(client: Client, each: Sold) -> ScheduleHandle:
    return client.get_schedule_handle(naming.plan_schedule(AGENCY, each.plan_id))


def _bare(client: Client, each: Sold) -> ScheduleHandle:
    return client.get_schedule_handle(f"bare-plan/{each.booking_id}")


async def _unpaused(handle: ScheduleHandle) -> None:
    """The server answers at once and does it later; only what is done counts as ready for the day."""

    async def ready() -> int:
        return int(not (await handle.describe()).schedule.state.paused)

    await handle.unpause()
    await _until(ready, 1)


# -- the day -----------------------------------------------------------------------------------------------------------


async def _day(site: Site, part: Sequence[Sold], kind: str, handle: Callable[[Sold], ScheduleHandle]) -> float:
    """Instalments a second, from the first trigger to the end of the last day's workflow."""
    query = f"WorkflowType = '{kind}' AND ExecutionStatus = 'Completed'"

    async def done() -> int:
        return await _counted(site.client, query)

    before = await done()
    began = time.perf_counter()
    await _each(part, lambda each: handle(each).trigger())
    await _until(done, before + len(part))
    return len(part) / (time.perf_counter() - began)


def _check(site: Site, wanted: int) -> None:
    """Every instalment was charged once."""
    site.check()
    charged = site.store.effects.counts(AGENCY).get(("platform", "done"), 0)
    if charged != wanted:
        raise RuntimeError(f"charged {charged} of {wanted}")


async def _each(items: Sequence[Sold], work: Callable[[Sold], Awaitable[Any]]) -> None:
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(each: Sold) -> None:
        async with limit:
            await work(each)

    await asyncio.gather(*(one(each) for each in items))


async def _until(count: Callable[[], Awaitable[int]], wanted: int) -> None:
    most, since = -1, time.monotonic()
    while (found := await count()) < wanted:
        if found > most:
            most, since = found, time.monotonic()
        elif time.monotonic() - since > PATIENCE_SECONDS:
            raise RuntimeError(f"{found} of {wanted}, and no more for {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(POLL_SECONDS)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
