"""The season against a platform, a gateway that takes everything and somebody who collects the instalments."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from domain.platform import REQUIRED, CloudEvent, EventData
from sandbox.platform.stand_in import TOKEN, PlatformStandIn
from sandbox.running import running
from sandbox.season.outcome import OUTCOME
from sandbox.season.run import run
from sandbox.season.script import SCRIPT
from sandbox.serving import StandIn
from tests.sandbox.platform_gateway import Gateway

START = date(2026, 11, 23)
Doc = dict[str, Any]


class Failing(StandIn):
    """A system that only has a control endpoint."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.were_set: list[tuple[str, str]] = []

    def routes(self) -> list[BaseRoute]:
        return [Route("/control/rejections", self._reject, methods=["POST"])]

    async def _reject(self, _: Request) -> Response:
        return JSONResponse({})

    def state(self) -> Doc:
        return {}


class Interrupted(Exception):
    """Somebody pulled the plug."""


@dataclass
class Played:
    """What a season that was interrupted and taken up again left behind."""

    code: int = -1
    lines: list[Doc] = field(default_factory=list)
    events: list[Doc] = field(default_factory=list)
    kinds_per_booking: dict[str, list[str]] = field(default_factory=dict)
    struck: Counter[str] = field(default_factory=Counter)
    state: Doc = field(default_factory=dict)


def collect(gateway: Gateway, platform: str) -> None:
    """Do what the orchestrator does with a plan whose instalments are due."""
    gateway.wait_for(lambda received: any(".payment_plan.created.v1" in event["type"] for event, _ in received))
    gateway.wait_for(
        lambda received: any(event["data"].get("payment_plan", {}).get("id") == "plan_7202" for event, _ in received)
    )
    headers = {"Authorization": f"Bearer {TOKEN}"}
    plan = httpx.get(f"{platform}/v1/payment_plans/plan_7202", headers=headers).json()
    for item in plan["installments"][1:]:
        body = {
            "plan_id": plan["id"],
            "installment_id": item["id"],
            "merchant_ref": item["id"],
            "amount": item["amount"],
        }
        httpx.post(f"{platform}/v1/charges", json=body, headers=headers).raise_for_status()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    result = Played()
    gateway = Gateway()
    systems = {name: Failing(name) for name in ("giav", "midoco", "airplus")}
    data: Path = tmp_path_factory.mktemp("season")

    def say(line: str) -> None:
        said = json.loads(line)
        result.lines.append(said)
        if said["name"] == "replace-traveller":
            # What the orchestrator's calls would meet.
            for name, system in systems.items():
                fault = system.faults.take("Cobro_POST")
                fault = system.faults.take("Cobro_POST") or fault
                result.struck[f"{name} {fault.kind.value}" if fault else name] += 1

    def interrupted(line: str) -> None:
        say(line)
        if len(result.lines) == 12:
            raise Interrupted

    with ExitStack() as stack:
        gateway_url = stack.enter_context(running(gateway))
        controls = {name: stack.enter_context(running(system)) for name, system in systems.items()}
        first = PlatformStandIn(data, gateway_url)
        with running(first) as platform, pytest.raises(Interrupted):
            run(platform, controls, pace=0.0, start=START, as_json=True, say=interrupted)
        first.close()
        second = PlatformStandIn(data, gateway_url)
        stack.callback(second.close)
        platform = stack.enter_context(running(second))
        collector = threading.Thread(target=collect, args=(gateway, platform))
        collector.start()
        result.code = run(platform, controls, pace=0.0, start=date(2030, 1, 1), as_json=True, say=say)
        collector.join()
        again: list[str] = []
        assert run(platform, pace=0.0, as_json=True, say=again.append) == 0, again[-1]
        assert sum("done before" in line for line in again) == len(SCRIPT)
        result.events = [json.loads(body) for body in second.platform.storage.events_after(0, 1000)]
        result.state = second.state()
        for event, _ in gateway.received:
            kind = event["type"].removeprefix("example.planner.").removesuffix(".v1")
            result.kinds_per_booking.setdefault(event["partitionkey"], []).append(kind)
        yield result


def test_the_season_ends_well_although_it_was_interrupted(played: Played) -> None:
    assert played.code == 0
    assert [line["name"] for line in played.lines[-4:]] == ["delivered", "collected", "delivered", "stands"]
    done = [line["name"] for line in played.lines if line.get("state") == "done"]
    assert done == [step.name for step in SCRIPT]


@pytest.mark.parametrize("booking_id", OUTCOME)
def test_every_booking_stands_as_foretold(played: Played, booking_id: str) -> None:
    snapshot, outcome = played.state["booking"][booking_id]["snapshot"], OUTCOME[booking_id]
    found = {name: amount["amount"] for name, amount in snapshot["totals"].items()}
    assert (snapshot["status"], found["total"], found["captured"], found["refunded"], found["penalty"]) == (
        outcome.status,
        outcome.total,
        outcome.captured,
        outcome.refunded,
        outcome.penalty,
    )
    assert found["due"] == outcome.due


def test_only_the_convention_is_still_owed(played: Played) -> None:
    assert {booking_id: outcome.due for booking_id, outcome in OUTCOME.items() if outcome.due} == {
        "bkg_7101": 1_021_140
    }
    assert len(played.state["booking"]) == len(OUTCOME) == 16


def test_events_are_contiguous_and_meet_the_contract(played: Played) -> None:
    assert [event["sequence"] for event in played.events] == [f"{at:020d}" for at in range(1, len(played.events) + 1)]
    revisions: dict[str, int] = {}
    for event in played.events:
        parsed = CloudEvent.model_validate(event)
        data = EventData.model_validate(parsed.data)
        kind = parsed.kind("example.planner")
        assert kind is not None
        assert all(member in parsed.data for member in REQUIRED[kind])
        assert data.aggregate.revision == revisions.get(data.aggregate.id, 0) + 1
        revisions[data.aggregate.id] = data.aggregate.revision
        assert len(json.dumps(event, ensure_ascii=False).encode()) <= 20_000


def test_departures_lie_ahead_and_instalments_are_due(played: Played) -> None:
    for experience in played.state["experience"].values():
        assert experience["snapshot"]["starts_on"] > START.isoformat()
    due = [item["due_on"] for item in played.state["payment_plan"]["plan_7202"]["instalments"]]
    assert due == ["2026-11-09", "2026-11-16", "2026-11-23"]


def test_deliveries_come_twice_and_in_disorder_as_scripted(played: Played) -> None:
    order = played.kinds_per_booking
    assert order["bkg_7203"] == ["payment.captured", "booking.created"]
    assert order["bkg_7212"] == ["booking.created", "payment.captured", "payment.captured"]
    disorder = order["bkg_7211"]
    assert disorder.index("booking.service_changed") < disorder.index("booking.discount_applied")


def test_faults_are_laid_and_the_outage_ends(played: Played) -> None:
    assert played.struck == {"giav page-503": 1, "midoco": 1, "airplus": 1}


def test_a_platform_that_does_not_run_is_said_in_one_line() -> None:
    said: list[str] = []
    assert run("http://127.0.0.1:9", pace=0.0, say=said.append) == 1
    assert len(said) == 1
    assert "is the sandbox running?" in said[0]
