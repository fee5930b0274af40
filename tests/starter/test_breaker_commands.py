"""`payment breakers` and `payment reconciliation`: who waits, why, and what a night found (contracts: payment-sync 3, 7)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from domain.money import Money
from domain.payment_sync import Failing
from domain.payment_sync.breaker import Breaker
from starter.cli import run
from store import Store
from store.installation import load_installation
from store.opening import open_store
from store.reconciliations import Pair
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY, SECRET, SOURCE

Command = Callable[..., tuple[int, str, str]]
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(
        f"""
        data = "."
        [store]
        url = "{migrated_url("sqlite", tmp_path)}"
        master_key = "{MASTER_KEY}"
        [agencies.demo]
        name = "Viajes Ejemplo"
        [agencies.demo.platform]
        source = "{SOURCE}"
        webhook_secrets = [{{ value = "{SECRET}" }}]
        """
    )
    return path


@pytest.fixture
def kept(settings: Path) -> Iterator[Store]:
    opened = open_store(load_installation(settings))
    yield opened
    opened.close()


@pytest.fixture
def command(settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["bookings", *words])
        monkeypatch.setenv("BOOKINGS_SETTINGS", str(settings))
        try:
            code = run()
        except SystemExit as end:
            code = int(end.code or 0)
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


def test_a_breaker_is_shown_with_its_reason_also_while_temporal_is_down(kept: Store, command: Command) -> None:
    breaker = Breaker(agency="demo", connector="giav").opened(Failing.TRANSIENT, "5 payments: not connected", NOW)
    kept.connectors.keep(breaker)
    code, out, _ = command("payment", "breakers", "--json")
    (row,) = json.loads(out)
    assert (code, row["breaker"], row["reason"]) == (0, "open", "5 payments: not connected")
    assert "open" in command("payment", "breakers", "list")[1]


def test_a_contract_that_changed_is_named_part_by_part(kept: Store, command: Command) -> None:
    assert "no contract yet" in command("payment", "breakers", "contract", "demo")[2]
    kept.connectors.seen("demo", "giav", "a", {"element Cobro_POST": "1"})
    kept.connectors.seen("demo", "giav", "b", {"element Cobro_POST": "2"})
    code, out, _ = command("payment", "breakers", "contract", "demo", "--json")
    assert (code, json.loads(out)["differs"]) == (0, ["changed: element Cobro_POST"])


def test_a_report_adds_up_both_sides_of_each_utc_day_and_names_what_differs(kept: Store, command: Command) -> None:
    assert "no such report" in command("payment", "reconciliation", "show")[2]
    day, amount = date(2026, 11, 20), Money(amount=30000, currency="EUR")
    report = kept.reconciliations.begin("r1", "demo", "giav", day, day)
    agrees = Pair(verdict="agrees", day=day, payment_id="pay_1", receipt_id="7", paid=amount, received=amount)
    gone = Pair(verdict="reversed", day=day, payment_id="pay_2", paid=amount, words="cobro 8 is not there any more")
    kept.reconciliations.add(report, [agrees, gone], [], ended=True)
    code, out, _ = command("payment", "reconciliation", "show", "--json")
    shown = json.loads(out)
    assert (code, shown["differing"]) == (0, 1)
    assert [(each["captured"], each["receipts"]) for each in shown["days"]] == [("600.00", "300.00")]
    assert "UTC" in shown["boundary"]
    assert "cobro 8" in command("payment", "reconciliation", "show", "r1")[1]
    assert "r1" in command("payment", "reconciliation", "list")[1]
