"""Payments that wait for too long are named to a supervisor, every day once, and by nobody else's list (contracts: payment-sync 7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from activities.office.ageing import REASON, AgeingActivities
from domain.connector_steps import ConnectorStep
from domain.money import Money
from domain.payment_steps import TransitionLog
from domain.payment_sync import Event, Failing, Kind, PaymentSync, Role, Transition, decide
from domain.payment_sync.ageing import AMBER, RED, days_red, light
from store import Store
from store.parked import ParkedItem

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EUR = Money(amount=30000, currency="EUR")
SUPERVISOR = "supervisor"


@dataclass
class List:
    """A store, and a day that goes on."""

    store: Store
    now: datetime = NOW
    moved: dict[str, PaymentSync] = field(default_factory=dict)

    def captured(self, name: str, age: timedelta, connector: str = "giav") -> None:
        start = PaymentSync(payment_id=name, amount=EUR, since=self.now - age)
        self._moves(start, connector, Event(kind=Kind.CAPTURED, role=Role.GATEWAY, at=self.now - age))

    def fails(self, name: str, connector: str = "giav") -> None:
        """Refused by the ERP: a person has to look at it."""
        self._moves(
            self.moved[name],
            connector,
            Event(kind=Kind.START, at=self.now),
            Event(kind=Kind.FAILED, failing=Failing.BUSINESS, text="periodo cerrado", at=self.now),
        )

    def marked(self, name: str, connector: str = "giav") -> None:
        """A supervisor says why nothing is to be posted."""
        told = Event(
            kind=Kind.SYNC_MANUALLY,
            role=Role.SUPERVISOR,
            actor="ana",
            at=self.now,
            explanation="entered by hand in GIAV",
            override="seen there with the accountant",
        )
        self._moves(self.moved[name], connector, told)

    def _moves(self, sync: PaymentSync, connector: str, *events: Event) -> None:
        lines = []
        for told in events:
            step = decide(sync, told)
            sync = step.after
            lines.append(Transition.of(step, told))
        self.moved[sync.payment_id] = sync
        self.store.payment_sync.moved(
            TransitionLog(
                agency="sol",
                lifecycle=f"payment/sol/{sync.payment_id}",
                booking_id="bkg_1",
                experience_id="exp_1",
                connector=connector,
                sync=sync,
                lines=tuple(lines),
            )
        )

    def look(self, connector: str = "giav", agency: str = "sol") -> None:
        cells = AgeingActivities(self.store, lambda: self.now)
        cells.age_payments(ConnectorStep(agency=agency, connector=connector))

    @property
    def items(self) -> list[ParkedItem]:
        return self.store.parked.list("sol", reason=REASON)

    @property
    def named(self) -> list[str]:
        return [str(item.payment_id) for item in self.items]


@pytest.fixture
def list_(store: Store) -> List:
    return List(store)


def test_a_payment_is_named_after_a_day_with_its_money_and_not_before(list_: List) -> None:
    list_.captured("pay_young", RED - timedelta(minutes=1))
    list_.captured("pay_old", RED + timedelta(minutes=1))
    list_.fails("pay_old")
    list_.look()
    (item,) = list_.items
    assert (item.payment_id, item.amount, item.owner, item.booking_id) == ("pay_old", EUR, SUPERVISOR, "bkg_1")
    assert "periodo cerrado" in item.detail or "business" in item.detail
    list_.look()
    assert len(list_.items) == 1, "the same day it is one item, however often it is looked"


def test_every_day_has_an_item_of_its_own_and_that_of_yesterday_goes(list_: List) -> None:
    list_.captured("pay_1", RED + timedelta(hours=1))
    list_.look()
    first = list_.items
    list_.now += RED
    list_.look()
    second = list_.items
    assert [len(first), len(second)] == [1, 1]
    assert first[0].item_id != second[0].item_id
    assert "2 days" in second[0].detail
    assert not [item for item in list_.store.parked.list("sol") if item.item_id == first[0].item_id]


def test_what_was_settled_is_named_no_more(list_: List) -> None:
    list_.captured("pay_1", 3 * RED)
    list_.captured("pay_2", 3 * RED)
    list_.fails("pay_1")
    list_.look()
    assert sorted(list_.named) == ["pay_1", "pay_2"]
    list_.marked("pay_1")
    list_.look()
    assert list_.named == ["pay_2"]


def test_an_agency_s_other_connector_is_left_alone(list_: List) -> None:
    list_.captured("pay_giav", 2 * RED)
    list_.captured("pay_journal", 2 * RED, connector="journal")
    list_.look("giav")
    assert list_.named == ["pay_giav"]
    list_.look("journal")
    assert sorted(list_.named) == ["pay_giav", "pay_journal"], "neither closes the other's items"
    list_.look("giav", agency="luna")
    assert sorted(list_.named) == ["pay_giav", "pay_journal"]


@pytest.mark.parametrize(
    ("age", "colour"),
    [
        (timedelta(), "green"),
        (AMBER - timedelta(seconds=1), "green"),
        (AMBER, "amber"),
        (RED - timedelta(seconds=1), "amber"),
        (RED, "red"),
        (30 * RED, "red"),
    ],
)
def test_a_payment_turns_amber_after_an_hour_and_red_after_a_day(list_: List, age: timedelta, colour: str) -> None:
    list_.captured("pay_1", age)
    assert light(list_.moved["pay_1"], NOW) == colour


def test_what_is_synchronised_is_green_however_old_it_is(list_: List) -> None:
    list_.captured("pay_1", 30 * RED)
    list_.fails("pay_1")
    assert light(list_.moved["pay_1"], NOW) == "red"
    list_.marked("pay_1")
    assert light(list_.moved["pay_1"], NOW) == "green"


def test_days_are_counted_from_the_capture(list_: List) -> None:
    assert [days_red(NOW - age, NOW) for age in (RED, 2 * RED - timedelta(seconds=1), 2 * RED, 9 * RED)] == [1, 1, 2, 9]
