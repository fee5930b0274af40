"""What a process shows of itself: alive, ready with reasons, its counters, what waits in the store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from activities.effects import Effect, Effects
from domain.effects import EffectKey
from domain.errors import UnknownOutcome
from domain.steps import Parking
from store import Store
from store.standing import LABELS
from tests.databases import migrated_url
from workers.probes import Probes, measured_runtime, split
from workers.probing import readiness
from workers.standing import StandingCollector

EARLIER = datetime.now(UTC) - timedelta(hours=2)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(migrated_url(request.param, tmp_path), clock=lambda: EARLIER)
    yield opened
    opened.close()


def value(text: str, name: str, **labels: str) -> float | None:
    """The one sample of that name and those labels."""
    found = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return found[0] if found else None


def test_readiness_names_what_is_missing() -> None:
    trouble: dict[str, str | None] = {"store": "the store does not answer", "temporal": None}
    with Probes("127.0.0.1:0", {name: lambda name=name: trouble[name] for name in trouble}) as probes:  # type: ignore[misc]
        answer = httpx.get(f"http://{probes.address}/health/ready")
        assert answer.status_code == 503
        assert answer.json()["missing"] == {"store": "the store does not answer"}
        trouble["store"] = None
        assert httpx.get(f"http://{probes.address}/health/ready").status_code == 200
        assert httpx.get(f"http://{probes.address}/health/live").status_code == 200
        assert httpx.get(f"http://{probes.address}/events").status_code == 404


def test_the_metrics_of_temporals_sdk_stand_beside_our_own() -> None:
    registry = CollectorRegistry()
    Counter("bookings_things", "Things", registry=registry).inc(3)
    _, shown_at = measured_runtime()
    with Probes("127.0.0.1:0", {}, sdk_metrics=shown_at, registry=registry) as probes:
        answer = httpx.get(f"http://{probes.address}/metrics")
        assert httpx.get(f"http://{shown_at}/metrics").status_code == 200
    assert value(answer.text, "bookings_things_total") == 3


def test_no_probes_are_served_without_an_address() -> None:
    with Probes("", {}) as probes, pytest.raises(AssertionError):
        _ = probes.address


@pytest.mark.parametrize("wrong", ["9464", "host:", "host:port", "host:70000"])
def test_an_address_of_probes_is_host_and_port(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not host:port"):
        split(wrong)


def test_what_waits_in_the_store_is_counted_with_the_age_of_the_oldest(store: Store) -> None:
    parking = Parking(
        agency="one",
        workflow_id="booking/one/b1",
        booking_id="b1",
        verb="giav.register_booking",
        item_id="item_1",
        reason="giav_refused",
        detail="no",
        fault="Refused",
        since=EARLIER,
        decisions=("retry",),
    )
    store.parked.open(parking, "planner", EARLIER + timedelta(minutes=30))

    def act(_: str) -> str:
        raise UnknownOutcome("the line went dead")

    key = EffectKey("one", "giav", "cobro", "pay_1", "post")
    with pytest.raises(UnknownOutcome):
        Effects(store.effects).perform(Effect(key, act, look_up=lambda _: []))

    registry = CollectorRegistry()
    store.standings._clock = lambda: datetime.now(UTC)
    registry.register(StandingCollector(store))
    with Probes("127.0.0.1:0", {}, registry=registry) as probes:
        text = httpx.get(f"http://{probes.address}/metrics").text
    assert value(text, "bookings_store_up") == 1
    assert value(text, "bookings_parked_items", agency="one", reason="giav_refused") == 1
    assert value(text, "bookings_overdue_items", agency="one", owner="planner") == 1
    waited = value(text, "bookings_overdue_items_oldest_seconds", agency="one")
    assert waited is not None
    expected = (datetime.now(UTC) - EARLIER - timedelta(minutes=30)).total_seconds()
    assert waited == pytest.approx(expected, abs=60)
    assert value(text, "bookings_unknown_outcomes", agency="one", system="giav") == 1
    assert all(f"bookings_{kind}" in text for kind in LABELS)


def test_a_store_that_is_away_is_said_and_not_an_error(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    away = Store.open(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    registry.register(StandingCollector(away))
    with Probes("127.0.0.1:0", {"store": away.database.trouble}, registry=registry) as probes:
        assert value(httpx.get(f"http://{probes.address}/metrics").text, "bookings_store_up") == 0
        assert "does not answer" in httpx.get(f"http://{probes.address}/health/ready").text
    away.close()


def test_a_health_check_asks_without_loading_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen containers are asked every ten seconds."""
    trouble: list[str] = []
    with Probes("127.0.0.1:0", {"store": lambda: trouble[0] if trouble else None}) as probes:
        host, port = split(probes.address)
        assert readiness(host, port) == (True, '{"status": "ready"}')
        trouble.append("away")
        assert readiness(host, port) == (False, '{"status": "not ready", "missing": {"store": "away"}}')
        monkeypatch.setenv("BOOKINGS_PROBES", f"0.0.0.0:{port}")
        command = [sys.executable, "-X", "importtime", "-m", "workers.probing"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout) == (1, '{"status": "not ready", "missing": {"store": "away"}}\n')
        loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
        assert "urllib.request" in loaded
        assert loaded.isdisjoint({"temporalio", "sqlalchemy", "pydantic", "typer"})
    assert not readiness(host, port)[0]
