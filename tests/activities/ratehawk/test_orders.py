"""What RateHawk tells becomes an order of ours, or names the field that is wrong; nothing in between."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.ratehawk.orders import UnusableOrder, read_order
from domain.money import Money
from domain.supplier import spread
from tests.activities.ratehawk.house import House


@pytest.fixture
def raw(house: House) -> dict[str, Any]:
    guests = [
        {"first_name": "Ana", "last_name": "Soler"},
        {"first_name": "Leo", "last_name": "Soler", "is_child": True, "age": 7},
    ]
    return copy.deepcopy(house.place("bkg_417-1", rooms=[guests], sell="362.40"))


def put(raw: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *way, last = path.split(".")
    place: Any = raw
    for name in way:
        place = place[int(name)] if name.isdecimal() else place[name]
    place[last] = value
    return raw


def test_every_field_that_the_books_need_is_read(raw: dict[str, Any]) -> None:
    order = read_order(raw)
    assert order.partner_order_id == "bkg_417-1"
    assert order.payable == Money(amount=31240, currency="EUR")
    assert order.sell == Money(amount=36240, currency="EUR")
    assert (order.checkout - order.checkin).days == 3
    assert [(guest.first_name, guest.child, guest.age) for guest in order.rooms[0].guests] == [
        ("Ana", False, None),
        ("Leo", True, 7),
    ]
    assert order.free_until == datetime(2027, 5, 7, tzinfo=UTC)
    assert [tax.amount.amount for tax in order.hotel_taxes] == [1200]


def test_the_fee_follows_the_terms_of_the_order(raw: dict[str, Any]) -> None:
    order = read_order(raw)
    assert order.free_until is not None
    assert order.fee_at(order.free_until - timedelta(seconds=1)).amount == 0
    assert order.fee_at(order.free_until) == order.payable
    assert order.dearer_at(order.free_until - timedelta(days=9)) == order.free_until
    assert order.dearer_at(order.free_until) is None


def test_a_touched_order_is_the_same_order_and_a_changed_one_is_not(raw: dict[str, Any]) -> None:
    before = read_order(raw)
    touched = read_order(put(copy.deepcopy(raw), "modified_at", "2026-12-24T00:00:00"))
    assert touched.content_hash == before.content_hash
    for path, value in (("status", "cancelled"), ("amount_payable_with_upsells.amount", "312.41"),
                        ("rooms_data.0.guest_data.guests.0.last_name_original", "Sol"),
                        ("hotel_data.order_id", "another")):  # fmt: skip
        assert read_order(put(copy.deepcopy(raw), path, value)).content_hash != before.content_hash


def test_members_that_nobody_knows_change_nothing(raw: dict[str, Any]) -> None:
    assert read_order(raw | {"brand_new": {"x": 1}}).content_hash == read_order(raw).content_hash


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("status", "teleported", "status"),
        ("amount_payable.currency_code", "XXX", "amount_payable.currency_code"),
        ("amount_payable.amount", "-1.00", "amount_payable.amount"),
        ("amount_payable.amount", 312.4, "amount_payable.amount"),
        ("amount_payable.amount", "NaN", "amount_payable.amount"),
        ("amount_payable.amount", "1.005", "amount_payable.amount"),
        ("amount_payable", None, "amount_payable"),
        ("partner_data.order_id", None, "partner_data.order_id"),
        ("partner_data", None, "partner_data"),
        ("hotel_data.id", "", "hotel_data.id"),
        ("checkin_at", "tomorrow", "checkin_at"),
        ("modified_at", None, "modified_at"),
        ("order_type", "cruise", "order_type"),
        ("cancellation_info.policies.1.penalty.amount", "-5.00", "cancellation_info.policies.1.penalty.amount"),
        ("cancellation_info.policies.1.start_at", "soon", "cancellation_info.policies.1.start_at"),
        ("rooms_data", [{"room_name": "Double"}], "rooms_data.0.guest_data"),
        ("rooms_data", "none", "rooms_data"),
        ("checkout_at", "2027-05-09", "order"),
    ],
)
def test_bad_input_is_refused_with_the_path_and_without_the_value(
    raw: dict[str, Any], path: str, value: Any, named: str
) -> None:
    with pytest.raises(UnusableOrder) as refused:
        read_order(put(raw, path, value))
    assert refused.value.path == named
    assert refused.value.order_id == raw["order_id"]
    assert "Soler" not in str(refused.value)
    assert value in (None, "") or str(value) not in refused.value.reason


def test_three_hundred_travellers_are_no_order_of_this_supplier(raw: dict[str, Any]) -> None:
    guests = raw["rooms_data"][0]["guest_data"]["guests"]
    raw["rooms_data"][0]["guest_data"]["guests"] = guests * 150
    with pytest.raises(UnusableOrder) as crowded:
        read_order(raw)
    assert crowded.value.path == "rooms_data.0.guest_data.guests"
    raw["rooms_data"][0]["guest_data"]["guests"] = guests
    raw["rooms_data"] = raw["rooms_data"] * 150
    with pytest.raises(UnusableOrder) as full:
        read_order(raw)
    assert full.value.path == "rooms_data"


def test_an_orders_cost_is_spread_over_its_lines_to_the_cent() -> None:
    euros = {"a": Money(amount=100, currency="EUR"), "b": Money(amount=200, currency="EUR")}
    assert [part.amount for part in spread(Money(amount=100, currency="EUR"), euros).values()] == [33, 67]
    nothing = dict.fromkeys(euros, Money.zero("EUR"))
    assert [part.amount for part in spread(Money(amount=101, currency="EUR"), nothing).values()] == [51, 50]
    assert spread(Money(amount=100, currency="EUR"), {}) == {}
