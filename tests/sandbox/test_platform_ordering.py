"""The platform and RateHawk side by side: what is sold is ordered, and what is given up stays alive there."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.platform.stand_in import PlatformStandIn
from sandbox.ratehawk.stand_in import RateHawkStandIn
from sandbox.running import running
from tests.sandbox.platform_wishes import BOOKING, EXPERIENCE

Doc = dict[str, Any]


class Sides:
    """Both stand-ins behind sockets; `do` is what people do on the platform."""

    def __init__(self, platform: str, supplier: RateHawkStandIn) -> None:
        self._platform = platform
        self._supplier = supplier

    def do(self, verb: str, wish: Doc, key: str | None = None) -> None:
        headers = {"Idempotency-Key": key} if key else {}
        httpx.post(f"{self._platform}/sim/{verb}", json=wish, headers=headers).raise_for_status()

    def orders(self) -> list[tuple[str, str, str]]:
        return [
            (one["partner_data"]["order_id"], one["status"], one["amount_payable"]["amount"])
            for one in self._supplier.orders.all()
        ]


@pytest.fixture
def supplier() -> RateHawkStandIn:
    return RateHawkStandIn()


@pytest.fixture
def sides(supplier: RateHawkStandIn) -> Iterator[Sides]:
    platform = PlatformStandIn()
    with running(supplier) as there, running(platform) as here:
        platform.ordering.url = there
        sides = Sides(here, supplier)
        sides.do("create-experience", EXPERIENCE)
        yield sides
    platform.close()


def test_a_sold_hotel_is_an_order_with_its_cost_dates_and_guests(sides: Sides, supplier: RateHawkStandIn) -> None:
    sides.do("create-booking", BOOKING)
    (order,) = supplier.orders.all()
    assert sides.orders() == [("bkg_500-lin_01", "completed", cost_of(BOOKING))]
    assert (order["checkin_at"], order["checkout_at"]) == (EXPERIENCE["starts_on"], EXPERIENCE["ends_on"])
    assert order["cancellation_info"]["free_cancellation_before"] == "2027-06-17T00:00:00"
    guests = [guest for room in order["rooms_data"] for guest in room["guest_data"]["guests"]]
    assert [guest["first_name"] for guest in guests] == [one["first_name"] for one in BOOKING["travellers"]]


def test_a_verb_that_is_repeated_orders_once(sides: Sides) -> None:
    for _ in range(2):
        sides.do("create-booking", BOOKING, key="once")
    assert len(sides.orders()) == 1


def test_a_traveller_who_leaves_makes_the_order_cheaper_and_a_cancelled_booking_leaves_it_alive(sides: Sides) -> None:
    sides.do("create-booking", BOOKING)
    sides.do("cancel-booking", {"booking_id": "bkg_500", "traveller_ids": ["trv_02"]})
    fewer = copy.deepcopy(BOOKING) | {"travellers": BOOKING["travellers"][1:]}
    assert sides.orders() == [("bkg_500-lin_01", "completed", cost_of(fewer))]
    sides.do("cancel-booking", {"booking_id": "bkg_500"})
    assert sides.orders() == [("bkg_500-lin_01", "completed", cost_of(fewer))]


def test_what_was_sold_before_there_was_a_supplier_is_ordered_with_the_next_sale(
    supplier: RateHawkStandIn, tmp_path: Path
) -> None:
    platform = PlatformStandIn(tmp_path)
    with running(platform) as here:
        sides = Sides(here, supplier)
        sides.do("create-experience", EXPERIENCE)
        sides.do("create-booking", BOOKING)
    platform.close()
    again = PlatformStandIn(tmp_path)
    with running(supplier) as there, running(again) as here:
        again.ordering.url = there
        Sides(here, supplier).do("create-booking", BOOKING | {"id": "bkg_501", "locator": "SECOND"})
    again.close()
    assert [partner for partner, *_ in sides.orders()] == ["bkg_500-lin_01", "bkg_501-lin_01"]


def cost_of(booking: Doc) -> str:
    each = EXPERIENCE["services"][0]["cost_estimated"]["amount"]
    return f"{len(booking['travellers']) * each / 100:.2f}"
