"""`payment breakers` and `payment reconciliation`: who waits, why, and what a night found (contracts: payment-sync 3, 7)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.connector_steps import BreakerOrder, Described
from domain.money import Money
from domain.payment_sync import Failing
from domain.payment_sync.breaker import Breaker
from domain.people import Role
from starter import temporal
from starter.cli import run
from store import Store
from store.installation import Installation, load_installation
from store.opening import open_store
from store.reconciliations import Pair

Command = Callable[..., tuple[int, str, str]]
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
WHY = "spoken with GIAV on the telephone"


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


@dataclass
class Connector:
    """Temporal as far as orders to a connector need it: keeps what it is told, or refuses."""

    told: list[tuple[str, str, BreakerOrder]] = field(default_factory=list)
    refusal: str = ""

    def get_workflow_handle(self, workflow_id: str) -> Any:
        return Handle(self, workflow_id)


@dataclass
class Handle:
    connector: Connector
    workflow_id: str

    async def execute_update(self, name: str, given: BreakerOrder, result_type: type) -> Any:
        if self.connector.refusal:
            raise WorkflowUpdateFailedError(ApplicationError(self.connector.refusal))
        self.connector.told.append((self.workflow_id, name, given))
        if result_type is Described:
            return Described(contract="abcdef0123456789", accepted="abcdef0123456789")
        closed = Breaker(agency="demo", connector="giav")
        return closed.opened_by(given.by, given.why, NOW) if name == "open_breaker" else closed


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> Connector:
    found = Connector()

    async def connect(_: Installation) -> Any:
        return found

    monkeypatch.setattr(temporal, "connect", connect)
    return found


def deeds(kept: Store) -> list[tuple[str, str, str, str, str | None]]:
    return [
        (each.deed.actor, each.deed.action, each.deed.object, each.deed.outcome, each.deed.why)
        for each in reversed(kept.audit_trail.list())
        if each.deed.action.startswith("breaker.")
    ]


@pytest.mark.parametrize(
    ("words", "update", "said"),
    [
        ("open", "open_breaker", "payments wait until 'payment breakers close'"),
        ("close", "close_breaker", "whoever waits goes on"),
        ("accept", "accept_contract", "accepted abcdef012345"),
    ],
)
def test_an_operators_word_reaches_the_connector_and_the_audit_trail(
    kept: Store, command: Command, connector: Connector, words: str, update: str, said: str
) -> None:
    kept.people.add("olga", Role.OPERATOR, ["demo"], password=None, by="tests")
    code, out, err = command("payment", "breakers", words, "demo", "--by", "olga", "--why", WHY)
    assert (code, said in " ".join(out.split())) == (0, True), out + err
    assert connector.told == [("connector/demo/giav", update, BreakerOrder(by="olga", why=WHY))]
    assert deeds(kept) == [("olga", f"breaker.{words}", "demo/giav", "done", WHY)]


def test_a_word_of_somebody_without_the_right_or_against_a_rule_is_refused_and_written_down(
    kept: Store, command: Command, connector: Connector
) -> None:
    for name, role, agencies in (
        ("vera", Role.VIEWER, ["demo"]),
        ("otto", Role.OPERATOR, ["other"]),
        ("olga", Role.OPERATOR, ["demo"]),
    ):
        kept.people.add(name, role, agencies, password=None, by="tests")
    refused = {
        "ana": "nobody is called 'ana'",
        "vera": "this needs at least operator",
        "otto": "there is no such thing",
    }
    for name, complaint in refused.items():
        code, _, err = command("payment", "breakers", "open", "demo", "--by", name, "--why", WHY)
        assert (code, complaint in " ".join(err.split())) == (2, True), err
    connector.refusal = "it is closed"
    code, _, err = command("payment", "breakers", "close", "demo", "--by", "olga", "--why", WHY)
    assert (code, "it is closed" in err) == (2, True)
    assert connector.told == []
    assert [(actor, action, outcome) for actor, action, _, outcome, _ in deeds(kept)] == [
        ("vera", "breaker.open", "refused"),
        ("otto", "breaker.open", "refused"),
        ("olga", "breaker.close", "refused"),
    ]


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
