from datetime import UTC, datetime, timedelta

import pytest

from domain.desk import Desk, Duty, item_id
from domain.errors import ContractBroken
from domain.money import Money
from domain.steps import DecisionTaken, Parking
from store import Store
from store.parked import StoreParking

SINCE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DEADLINE = SINCE + timedelta(hours=8)


def parking(**changes: object) -> Parking:
    values = {
        "agency": "sol",
        "item_id": "prk_1",
        "workflow_id": "booking/sol/bkg_500",
        "booking_id": "bkg_500",
        "verb": "giav.record_payment",
        "reason": "Refused",
        "detail": "unknown client",
        "fault": "Refused",
        "effect": "sol/giav/invoice/pay_1001/create",
        "amount": Money(amount=30000, currency="EUR"),
        "decisions": ("retry", "adopt"),
        "since": SINCE,
    }
    return Parking.model_validate(values | changes)


def taken(decision: str = "retry", item: str = "prk_1") -> DecisionTaken:
    return DecisionTaken.model_validate({"item_id": item, "decision": decision, "by": "marta", "explanation": "ok"})


def test_a_parked_item_keeps_everything_a_person_needs(store: Store) -> None:
    opened = store.parked.open(parking(), "operations", DEADLINE)
    assert (opened.owner, opened.deadline) == ("operations", DEADLINE)
    item = store.parked.get("prk_1")
    assert item is not None
    assert (item.reason, item.amount, item.decisions, item.since, item.state) == (
        "Refused",
        Money(amount=30000, currency="EUR"),
        ("retry", "adopt"),
        SINCE,
        "open",
    )


def test_parking_the_same_stop_again_changes_nothing_even_after_the_decision(store: Store) -> None:
    store.parked.open(parking(), "operations", DEADLINE)
    again = store.parked.open(parking(detail="later words"), "technical", DEADLINE + timedelta(days=1))
    assert (again.owner, again.deadline) == ("operations", DEADLINE)
    store.parked.close("prk_1", taken())
    store.parked.open(parking(), "operations", DEADLINE)
    assert store.parked.list("sol") == []


def test_a_later_stop_under_the_same_id_is_open_again_and_remembers_the_first_decision(store: Store) -> None:
    store.parked.open(parking(), "operations", DEADLINE)
    store.parked.close("prk_1", taken())
    store.parked.open(parking(since=SINCE + timedelta(hours=1), detail="refused again"), "operations", DEADLINE)
    (item,) = store.parked.list("sol")
    assert item.detail == "refused again"
    found = store.parked.get("prk_1")
    assert found is not None
    assert [made.taken for made in found.taken] == [taken()]


def test_a_decision_is_recorded_once(store: Store) -> None:
    store.parked.open(parking(), "operations", DEADLINE)
    store.parked.close("prk_1", taken("retry"))
    closed = store.parked.close("prk_1", taken("adopt"))
    assert closed.state == "closed"
    assert [made.taken.decision for made in closed.taken] == ["retry"]


def test_only_allowed_decisions_on_known_items_are_taken(store: Store) -> None:
    store.parked.open(parking(), "operations", DEADLINE)
    with pytest.raises(ContractBroken):
        store.parked.close("prk_1", taken("abandon"))
    with pytest.raises(ContractBroken):
        store.parked.close("prk_2", taken(item="prk_2"))
    assert len(store.parked.list("sol")) == 1


def test_items_are_listed_by_deadline_and_counted_by_reason(store: Store) -> None:
    store.parked.open(parking(item_id="late"), "operations", DEADLINE)
    store.parked.open(parking(item_id="soon", reason="chargeback"), "accounting", SINCE)
    store.parked.open(parking(item_id="theirs", agency="luna"), "operations", SINCE)
    assert [item.item_id for item in store.parked.list("sol")] == ["soon", "late"]
    assert [item.item_id for item in store.parked.list(owner="accounting")] == ["soon"]
    assert store.parked.counts("sol") == {"Refused": 1, "chargeback": 1}
    assert store.parked.counts() == {"Refused": 2, "chargeback": 1}


def test_what_the_store_parks_itself_goes_to_the_agency_s_desk(store_url: str) -> None:
    desk = Desk(duties={"twins": Duty(owner="marta", hours=3)})
    store = Store.open(store_url, desks={"sol": desk}, clock=lambda: SINCE)
    for agency in ("sol", "luna"):
        store.parked.open_from_store(
            StoreParking(item_id(agency), agency, "twins", "two of them", "giav.create", ("skip",))
        )
    found = {item.agency: (item.owner, item.deadline) for item in store.parked.list()}
    store.close()
    assert found == {
        "sol": ("marta", SINCE + timedelta(hours=3)),
        "luna": ("accounting", SINCE + timedelta(hours=24)),
    }
