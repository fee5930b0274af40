"""Money: one rounding, exact splits (contracts: money-rules 1.6)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.money import CurrencyMismatch, Money, rounded, total


def euro(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


@pytest.mark.covers("1.6.1")
@pytest.mark.parametrize(
    ("value", "cents"), [("0.5", 1), ("-0.5", -1), ("1.4999", 1), ("2.5", 3), ("-2.5", -3), ("0", 0)]
)
def test_exact_halves_round_away_from_zero(value: str, cents: int) -> None:
    assert rounded(Decimal(value)) == cents


def test_forty_percent_of_955_euro_is_382_euro() -> None:
    assert euro(95500).percent("40.00") == euro(38200)


@pytest.mark.covers("1.6.1")
@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any))
def test_parts_of_a_split_add_up_to_the_whole(amount: int, weights: list[int]) -> None:
    parts = euro(amount).split(weights)
    assert total(parts, "EUR") == euro(amount)
    assert all(part.amount == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(CurrencyMismatch):
        euro(1) + Money(amount=1, currency="USD")


@pytest.mark.parametrize("amount", [1.0, "1", True, 9_007_199_254_740_992])
def test_an_amount_is_a_whole_number_of_minor_units(amount: object) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": "EUR"})


def test_major_units_follow_the_currency() -> None:
    assert Money.of_decimal("12.345", "EUR").amount == 1235
    assert Money.of_decimal("12.5", "JPY").amount == 13
    assert str(Money(amount=1234567, currency="KWD")) == "1,234.567 KWD"
