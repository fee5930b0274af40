"""Figures of bookings and the age of debts, by table."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.platform import Booking, PaymentPlan
from domain.reporting import Ages, Due, Figures, Moved, ages_of, dues_of, figures_of, summed
from tests import stories

TODAY = date(2027, 3, 1)
DEPARTURE = date(2027, 6, 20)


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def figures(sale: int = 0, cost: int = 0, **moved: int) -> Figures:
    names = ("collected", "invoiced", "refunded", "disputed")
    return Figures(eur(sale), eur(cost), eur(0), eur(0), **{name: eur(moved.get(name, 0)) for name in names})


def told(ages: Ages) -> dict[str, int]:
    """The buckets that hold something."""
    names = ("not_due", "days_0_30", "days_31_60", "days_61_90", "over_90", "owed")
    return {name: getattr(ages, name).amount for name in names if getattr(ages, name)}


def booking(**changes: Any) -> Booking:
    return Booking.model_validate(stories.booking(**changes))


def costing(line_id: str, cost: int, how_sure: str, **changes: str) -> dict[str, Any]:
    line = stories.line(line_id, "svc_hotel", 10000, cost, **changes)
    return line | {"cost": line["cost"] | {"status": how_sure}}


def test_costs_stand_by_how_sure_they_are_and_those_of_cancelled_lines_count() -> None:
    lines = [
        costing("lin_1", 1000, "estimated"),
        costing("lin_2", 200, "confirmed"),
        costing("lin_3", 30, "invoiced"),
        costing("lin_4", 4, "invoiced", status="cancelled"),
    ]
    found = figures_of(booking(lines=lines), {})["EUR"]
    assert (found.cost_estimated, found.cost_confirmed, found.cost_invoiced) == (eur(2000), eur(400), eur(68))
    assert (found.cost, found.margin) == (eur(2468), eur(100500 - 2468))


@pytest.mark.parametrize(
    ("sale", "cost", "percent"),
    [
        (100500, 79000, "21.39"),
        (95500, 79000, "17.28"),
        (100, 100, "0.00"),
        (100, 250, "-150.00"),
        (20000, 19999, "0.01"),
        (20000, 19998, "0.01"),
        (3, 2, "33.33"),
        (0, 5000, None),
    ],
)
def test_the_margin_in_percent_of_the_sale(sale: int, cost: int, percent: str | None) -> None:
    assert figures(sale, cost).margin_percent == (None if percent is None else Decimal(percent))


@pytest.mark.parametrize(
    ("moved", "pending", "to_invoice"),
    [
        ({}, 100000, 100000),
        ({"collected": 30000, "invoiced": 30000}, 70000, 70000),
        ({"collected": 120000, "invoiced": 120000}, -20000, -20000),
        ({"collected": 120000, "refunded": 20000, "invoiced": 100000}, 0, 0),
        ({"collected": 100000, "invoiced": 100000, "disputed": 100000}, 100000, 0),
    ],
)
def test_what_is_pending_and_what_is_not_invoiced_yet(moved: dict[str, int], pending: int, to_invoice: int) -> None:
    found = figures(100000, **moved)
    assert (found.pending, found.to_invoice) == (eur(pending), eur(to_invoice))


def test_money_of_another_currency_is_neither_lost_nor_added_to_the_bookings_own() -> None:
    usd = Moved(*(Money(amount=amount, currency="USD") for amount in (500, 400, 300, 0)))
    found = figures_of(booking(), {"USD": usd})
    assert list(found) == ["EUR", "USD"]
    assert (found["EUR"].sale, found["EUR"].collected) == (eur(100500), eur(0))
    assert (found["USD"].sale, found["USD"].cost) == (Money.zero("USD"), Money.zero("USD"))
    assert (found["USD"].collected, found["USD"].pending) == (usd.collected, Money(amount=-200, currency="USD"))


def test_sums_stand_under_their_keys_in_the_order_in_which_these_come() -> None:
    rows = [("b", figures(100, 60)), ("a", figures(10, 20)), ("b", figures(1, 1))]
    assert list(summed(rows).items()) == [("b", figures(101, 61)), ("a", figures(10, 20))]


@pytest.mark.parametrize(
    ("due_on", "bucket"),
    [
        ("2027-03-02", "not_due"),
        ("2027-03-01", "days_0_30"),
        ("2027-01-30", "days_0_30"),
        ("2027-01-29", "days_31_60"),
        ("2026-12-31", "days_31_60"),
        ("2026-12-30", "days_61_90"),
        ("2026-12-01", "days_61_90"),
        ("2026-11-30", "over_90"),
    ],
)
def test_a_debt_without_a_plan_is_as_old_as_its_day(due_on: str, bucket: str) -> None:
    assert told(ages_of(eur(500), [], date.fromisoformat(due_on), TODAY)) == {bucket: 500}


def test_a_debt_whose_day_nobody_told_is_not_due() -> None:
    assert told(ages_of(eur(500), [], None, TODAY)) == {"not_due": 500}


OPEN = [
    Due(date(2026, 11, 22), eur(30000), settled=False),
    Due(date(2027, 1, 22), eur(40000), settled=False),
    Due(date(2027, 4, 22), eur(30000), settled=False),
]
FIRST_PAID = [OPEN[0]._replace(settled=True), *OPEN[1:]]


@pytest.mark.parametrize(
    ("pending", "dues", "ages"),
    [
        pytest.param(100000, OPEN, {"over_90": 30000, "days_31_60": 40000, "not_due": 30000}, id="nothing was paid"),
        pytest.param(70000, FIRST_PAID, {"days_31_60": 40000, "not_due": 30000}, id="the first was paid"),
        pytest.param(65000, OPEN, {"days_31_60": 35000, "not_due": 30000}, id="a transfer settles the oldest first"),
        pytest.param(
            100000,
            FIRST_PAID,
            {"over_90": 30000, "days_31_60": 40000, "not_due": 30000},
            id="a chargeback took the first: owed since its day",
        ),
        pytest.param(
            70000,
            [OPEN[0], OPEN[1]._replace(settled=True), OPEN[2]],
            {"over_90": 30000, "not_due": 30000, "days_31_60": 10000},
            id="the second was paid before the first",
        ),
        pytest.param(
            110000,
            OPEN,
            {"over_90": 30000, "days_31_60": 40000, "not_due": 40000},
            id="what the plan does not hold is due at departure",
        ),
        pytest.param(0, OPEN, {}, id="nothing is owed"),
        pytest.param(-2500, OPEN, {"owed": -2500}, id="money belongs to the payer"),
    ],
)
def test_the_age_of_a_debt_follows_the_plan(pending: int, dues: list[Due], ages: dict[str, int]) -> None:
    assert told(ages_of(eur(pending), dues, DEPARTURE, TODAY)) == ages


@given(
    pending=st.integers(-100_000, 200_000),
    dues=st.lists(
        st.builds(
            Due, st.dates(date(2026, 1, 1), date(2028, 1, 1)), st.integers(0, 90_000).map(eur), settled=st.booleans()
        ),
        max_size=6,
    ),
    otherwise=st.none() | st.just(DEPARTURE),
)
def test_the_ages_of_a_debt_add_up_to_it(pending: int, dues: list[Due], otherwise: date | None) -> None:
    ages = ages_of(eur(pending), dues, otherwise, TODAY)
    assert ages.pending == eur(pending)
    assert all(amount > 0 or name == "owed" for name, amount in told(ages).items())


def test_instalments_count_unless_nobody_will_pay_them_and_a_payment_that_names_one_settles_it() -> None:
    plan = stories.plan()
    statuses = ("paid", "failed", "waived")
    plan["installments"] = [
        each | {"status": status} for each, status in zip(plan["installments"], statuses, strict=True)
    ]
    found = dues_of(PaymentPlan.model_validate(plan), {"ins_02"})
    assert found == [Due(date(2027, 1, 22), eur(30000), True), Due(date(2027, 2, 22), eur(38200), True)]
    assert [due.settled for due in dues_of(PaymentPlan.model_validate(plan), set())] == [True, False]
