"""What the supplier's order and the platform say of a hotel reaches the record, and from there the wire."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from activities.midoffice.activities import MidOfficeActivities
from activities.midoffice.booking import MidOfficeBooking
from activities.midoffice.ordered import with_order
from domain.money import Money
from domain.supplier import ChargedFrom, OrderRoom, SupplierOrder
from store import Store
from tests.activities.midoffice.systems.tina import tina
from tests.activities.midoffice.test_mapping import mapped, only
from tests.activities.midoffice.written import created
from tests.activities.platform import trip

DEADLINE = datetime(2027, 6, 1, 22, tzinfo=UTC)


def order(**changes: Any) -> SupplierOrder:
    known: dict[str, Any] = {
        "order_id": 440012345,
        "partner_order_id": "bkg_500-lin_01",
        "agreement": "B2B-12345/1",
        "status": "completed",
        "created_at": trip.MOMENT,
        "modified_at": trip.MOMENT,
        "checkin": date(2027, 6, 21),
        "checkout": date(2027, 6, 23),
        "hotel_id": "hotel_prueba",
        "hid": 10004834,
        "confirmation": "HX-77810",
        "rooms": (OrderRoom(index=1, name="Doble vista mar", bedding="double", meal="half-board"),),
        "payable": Money(amount=66000, currency="EUR"),
        "free_until": DEADLINE,
        "charges": (ChargedFrom(since=DEADLINE, fee=Money(amount=66000, currency="EUR")),),
    }
    return SupplierOrder.model_validate(known | changes)


def test_the_order_knows_the_hotel_the_nights_the_board_and_the_terms() -> None:
    record = with_order(only(mapped(trip.booking())), order())
    MidOfficeBooking.model_validate(record.model_dump())
    (stay,) = record.services
    assert (stay.hotel.supplier_hotel_id, stay.hotel.hid) == ("hotel_prueba", 10004834)
    assert (stay.start_date, stay.nights) == (date(2027, 6, 21), 2)
    assert stay.board is not None
    assert (stay.board.code, stay.room and stay.room.name) == ("HB", "Doble vista mar")
    assert (record.supplier_order_id, record.supplier_confirmation) == (440012345, "HX-77810")
    assert record.cancellation is not None
    assert record.cancellation.free_until == DEADLINE
    assert [str(policy.fee) for policy in record.cancellation.policies] == ["660.00"]


def test_money_and_state_stay_the_bookings_own() -> None:
    before = only(mapped(trip.booking()))
    after = with_order(before, order(status="cancelled", payable=Money(amount=1, currency="EUR")))
    assert (after.price, after.status) == (before.price, before.status)


def test_an_unknown_meal_is_told_in_its_own_words_and_another_currency_is_left_out() -> None:
    strange = order(
        payable=Money(amount=66000, currency="USD"),
        charges=(ChargedFrom(fee=Money(amount=66000, currency="USD")),),
        free_until=None,
        rooms=(OrderRoom(index=1, name="Doble", meal="super-breakfast"),),
    )
    record = with_order(only(mapped(trip.booking())), strange)
    board = record.services[0].board
    assert board is not None
    assert (board.code, board.text) == ("OT", "super-breakfast")
    assert record.cancellation is None


def test_rooms_that_do_not_fit_are_left_as_they_were() -> None:
    two = (OrderRoom(index=1, name="A"), OrderRoom(index=2, name="B"))
    (stay,) = with_order(only(mapped(trip.booking())), order(rooms=two)).services
    assert stay.room is not None
    assert stay.room.name == "Habitacion doble"


@pytest.mark.parametrize(
    ("place", "held"),
    [
        ({"city": "Palma", "country": "ES"}, ("Palma", "ES")),
        ({"country": "PT"}, (None, "PT")),
        (None, (None, "ES")),
    ],
)
def test_city_and_country_come_from_the_platform_where_it_gives_them(place: Any, held: Any) -> None:
    services = trip.experience()["services"]
    services[0]["place"] = place
    hotel = only(mapped(trip.booking(), services=services)).services[0].hotel
    assert (hotel.city, hotel.country) == held


def test_a_registered_booking_carries_the_facts_of_its_order(store: Store) -> None:
    trip.tell(store, "experience.created", experience=trip.experience())
    store.supplier_orders.record(trip.AGENCY, "ratehawk", [order()])
    with tina() as system:
        MidOfficeActivities(store, {trip.AGENCY: system.account}).register_booking(created(store))
        (held,) = system.stand_in.state()["bookings"]
    stay = held["reservation"]["AccommodationComponent"][0]["ResService"][0]
    assert stay["Hotel"][0]["Code"] == "hotel_prueba"
    assert stay["DateRange"][0] == {"Start": "2027-06-21", "End": "2027-06-23"}
    assert stay["Board"][0]["Code"] == "HB"
    assert stay["ECN"] == "HX-77810"
