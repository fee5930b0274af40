"""An order that was made without the platform reaches the mid-office once, as it stands (contracts: midoffice 3.1, 3.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.midoffice.orders import SupplierOrderActivities
from domain.money import Money
from domain.supplier import RATEHAWK, OrderGuest, OrderRoom, SupplierOrder
from domain.supplier_steps import SupplierOrderStep
from store import Store
from tests import stories
from tests.activities.midoffice.midoco import Midoco
from tests.store.test_supplier_orders import order

ANNOUNCE = "announceBookingMessage"
FAMILY = OrderRoom(
    index=1,
    name="Double Room",
    meal="breakfast",
    guests=(
        OrderGuest(first_name="Ana", last_name="Soler"),
        OrderGuest(first_name="Leo", last_name="Soler", child=True, age=7),
        OrderGuest(first_name="Luz", last_name="Soler", child=True, age=1),
    ),
)


def made(**more: Any) -> SupplierOrder:
    sell = Money(amount=36240, currency="EUR")
    return order(7, partner="RH-web-1", payable=more.pop("payable", 31240), rooms=(FAMILY,), sell=sell, **more)


class Desk:
    def __init__(self, store: Store, midoco: Midoco) -> None:
        self.store = store
        self.midoco = midoco
        self.cells = SupplierOrderActivities(store, {stories.AGENCY: midoco.account})

    def transferred(self, one: SupplierOrder, supplier_code: str = "sup_rh") -> Any:
        self.store.supplier_orders.record(stories.AGENCY, RATEHAWK, [one])
        step = SupplierOrderStep(
            agency=stories.AGENCY, supplier=RATEHAWK, order_id=one.order_id, supplier_code=supplier_code
        )
        for _ in range(8):
            try:
                return self.cells.transfer_order(step)
            except ApplicationError as error:
                if error.non_retryable:
                    raise
        raise AssertionError("not transferred")

    def announced(self) -> int:
        return sum(call["operation"] == ANNOUNCE for call in self.midoco.stand_in.calls)

    def held(self) -> list[dict[str, Any]]:
        bookings: list[dict[str, Any]] = self.midoco.stand_in.state()["bookings"]
        return bookings

    def fate(self) -> tuple[str, str]:
        known = self.store.supplier_orders.get(stories.AGENCY, RATEHAWK, 7)
        assert known is not None
        return known.state, known.reason


@pytest.fixture
def desk(store: Store, midoco: Midoco) -> Desk:
    return Desk(store, midoco)


def test_the_order_stands_there_with_price_dates_and_guests(desk: Desk) -> None:
    done = desk.transferred(made())
    (held,) = desk.held()
    assert done.ids["order"]
    assert held["booking-id"] == "RH-web-1"
    assert Decimal(held["price"]["total-price"]) == Decimal("362.40")
    assert len(held["person"]) == 3
    assert (held["startTravel"][:10], held["endTravel"][:10]) == ("2027-06-20", "2027-06-23")
    assert desk.fate()[0] == "transferred"


def test_the_same_content_is_sent_once(desk: Desk) -> None:
    desk.transferred(made())
    desk.transferred(made(minutes=9))
    assert desk.announced() == 1


def test_a_change_is_sent_under_a_higher_version_and_a_cancellation_with_its_fee(desk: Desk) -> None:
    desk.transferred(made())
    desk.transferred(made(minutes=1, payable=32000))
    refunded = Money(amount=27000, currency="EUR")
    desk.transferred(made(minutes=2, payable=5000, status="cancelled", refunded=refunded))
    (held,) = desk.held()
    assert desk.announced() >= 2
    assert held["status"] == "XX"
    assert Decimal(held["price"]["total-price"]) == Decimal("50.00")


def test_an_order_that_was_over_before_it_came_is_announced_only_for_its_fee(desk: Desk) -> None:
    assert desk.transferred(made(status="cancelled", payable=0)).outcome == "skipped"
    assert desk.held() == []
    refunded = Money(amount=27000, currency="EUR")
    desk.transferred(made(minutes=1, status="cancelled", payable=5000, refunded=refunded))
    (held,) = desk.held()
    assert held["status"] == "XX"


def test_a_failed_order_is_never_transferred(desk: Desk) -> None:
    assert desk.transferred(made(status="failed")).outcome == "partial"
    assert desk.held() == []
    assert desk.fate() == ("listed", "an order that failed is never transferred")


def test_a_supplier_without_a_creditor_number_is_listed(desk: Desk) -> None:
    desk.transferred(made(), supplier_code="sup_unknown")
    assert desk.fate() == ("listed", "supplier sup_unknown has no creditor number in midoco")


def test_an_agency_without_a_mid_office_lists_its_orders(store: Store, desk: Desk) -> None:
    desk.cells = SupplierOrderActivities(store, {})
    desk.transferred(made())
    assert desk.fate() == ("listed", "the agency has no mid-office")


def test_an_order_without_a_guest_is_refused_and_nothing_is_sent(desk: Desk) -> None:
    with pytest.raises(ApplicationError) as caught:
        desk.transferred(order(7, partner="RH-web-1"))
    assert caught.value.type == "Refused"
    assert desk.announced() == 0


def test_an_order_that_a_booking_claims_by_now_is_left_to_it(desk: Desk) -> None:
    desk.store.supplier_orders.record(stories.AGENCY, RATEHAWK, [made()])
    desk.store.supplier_orders.handled(stories.AGENCY, RATEHAWK, 7, 1, "booking", booking_id="bkg_500")
    assert desk.transferred(made()).outcome == "skipped"
    assert desk.held() == []


@pytest.mark.parametrize("kind", ["drop-after", "error-before"])
def test_a_lost_answer_leaves_one_record(desk: Desk, kind: str) -> None:
    desk.midoco.stand_in.faults.set({"operation": ANNOUNCE, "kind": kind})
    desk.transferred(made())
    assert len(desk.held()) == 1
