"""What a changed order means for its booking (contracts: money-rules F-C6, F-M14, S1, S3)."""

from __future__ import annotations

import pytest

from domain.money import Money
from domain.supplier import RATEHAWK
from domain.supplier_steps import FeedStep
from tests import stories
from tests.activities.ratehawk.office import FIRST, SECOND, Back, one


@pytest.mark.covers("F-M14")
@pytest.mark.parametrize(("price", "verdict"), [("660.00", "confirmed"), ("666.60", "confirmed"), ("653.40", "confirmed"),
                                                ("666.61", "cost_differs"), ("600.00", "cost_differs")])  # fmt: skip
def test_a_price_within_the_tolerance_is_taken_over_and_any_other_asks(back: Back, price: str, verdict: str) -> None:
    back.sold()
    back.ordered(amount=price)
    assert back.cells.judge_order(back.changed()).verdict == verdict
    confirmed = back.store.supplier_orders.confirmed(stories.AGENCY, "bkg_500")
    assert set(confirmed) == ({FIRST} if verdict == "confirmed" else set())


@pytest.mark.covers("F-M14")
def test_a_cost_is_its_bookings_also_before_the_hand_over_is_written_down(back: Back) -> None:
    back.sold()
    back.house.place(FIRST, amount="660.00")
    back.cells.read_page(FeedStep(agency=stories.AGENCY, supplier=RATEHAWK))
    assert back.cells.judge_order(back.changed()).verdict == "confirmed"
    confirmed = back.store.supplier_orders.confirmed(stories.AGENCY, "bkg_500")
    assert confirmed == {FIRST: Money(amount=66000, currency="EUR")}


@pytest.mark.covers("F-M14")
def test_a_person_may_say_that_the_suppliers_price_counts(back: Back) -> None:
    back.sold()
    back.ordered(amount="700.00")
    judged = back.cells.judge_order(back.changed())
    assert judged.words.endswith("costs 700.00 EUR, estimated were 660.00 EUR")
    back.cells.accept_cost(back.changed())
    confirmed = back.store.supplier_orders.confirmed(stories.AGENCY, "bkg_500")
    assert confirmed == {FIRST: Money(amount=70000, currency="EUR")}


def test_another_currency_is_never_within_the_tolerance(back: Back) -> None:
    back.sold()
    back.ordered(currency="USD")
    assert back.cells.judge_order(back.changed()).verdict == "cost_differs"


def test_an_older_version_is_superseded(back: Back) -> None:
    back.sold()
    back.ordered()
    old = back.changed()
    back.house.clock.later(minutes=1)
    back.house.orders.change(FIRST, {"amount": "665.00"})
    back.read()
    assert back.cells.judge_order(old).verdict == "superseded"
    assert back.cells.judge_order(back.changed()).amount == Money(amount=66500, currency="EUR")


@pytest.mark.covers("F-C6", "F-C6b")
@pytest.mark.parametrize("status", ["failed", "rejected"])
def test_an_order_that_failed_leaves_somebody_without_a_room(back: Back, status: str) -> None:
    back.sold()
    back.ordered()
    back.house.clock.later(minutes=1)
    back.house.orders.change(FIRST, {"status": status})
    back.read()
    assert back.cells.judge_order(back.changed()).verdict == "order_failed"


@pytest.mark.covers("S1")
def test_an_order_that_was_cancelled_at_the_supplier_is_missed_where_its_service_is_sold(back: Back) -> None:
    back.sold()
    back.ordered()
    back.house.clock.later(minutes=1)
    back.house.orders.change(FIRST, {"status": "cancelled"})
    back.read()
    assert back.cells.judge_order(back.changed()).verdict == "order_gone"


def test_an_order_that_another_one_replaced_is_no_trouble(back: Back) -> None:
    back.sold()
    back.ordered()
    back.sold(2, FIRST, SECOND)
    back.ordered(SECOND, amount="661.00")
    back.house.clock.later(minutes=1)
    back.house.orders.change(FIRST, {"status": "cancelled"})
    back.read()
    assert back.cells.judge_order(back.changed(FIRST)).verdict == "nothing"
    assert back.cells.judge_order(back.changed(SECOND)).verdict == "confirmed"


def test_the_fee_of_a_replaced_order_is_a_cost_without_a_line(back: Back) -> None:
    back.sold()
    back.ordered(early_penalty="50.00")
    back.sold(2, FIRST, SECOND)
    back.house.clock.later(minutes=1)
    back.house.orders.change(FIRST, {"status": "cancelled"})
    back.read()
    assert back.cells.judge_order(back.changed()).verdict == "fee_without_line"


@pytest.mark.covers("S3")
def test_an_order_that_is_alive_after_the_cancellation_is_called_out_until_it_is_being_cancelled(back: Back) -> None:
    back.sold()
    back.ordered()
    cancelled = back.cancelled()
    assert back.cells.judge_order(back.changed()).verdict == "order_alive"
    back.cells.cancel_order(one(cancelled))
    back.read()
    assert back.cells.judge_order(back.changed()).verdict == "confirmed"


def test_an_order_stands_when_nobody_came(back: Back) -> None:
    back.sold()
    back.ordered()
    back.cancelled(cause="no_show")
    assert back.cells.judge_order(back.changed()).verdict == "nothing"


@pytest.mark.covers("S1")
def test_the_fee_of_a_cancelled_line_is_its_cost(back: Back) -> None:
    back.sold()
    back.ordered(early_penalty="25.00")
    back.cancelled()
    back.house.clock.later(minutes=1)
    back.house.orders.change(FIRST, {"status": "cancelled"})
    back.read()
    assert back.cells.judge_order(back.changed()).verdict == "confirmed"
    booking = back.store.facts.booking(stories.AGENCY, "bkg_500")
    assert booking is not None
    shown = back.store.supplier_orders.confirmed_in(stories.AGENCY, booking)
    assert [line.cost.total.amount for line in shown.lines] == [2500, 0]
