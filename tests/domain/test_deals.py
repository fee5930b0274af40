"""What a deal must say, the keys of its documents, when its pages are looked at, what a payment is to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from domain import deals
from domain.deals import DealRules, DealSaid, amount_of, document_key, faults_of, next_look, role_of
from domain.money import Money

MADE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ENDS = MADE + timedelta(hours=72)


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


SAID = DealSaid(name="Ana", amount=eur(30000), description="Lisboa", email="ana@example.test")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "name is missing"),
        ({"amount": None}, "no number"),
        ({"amount": eur(0)}, "more than zero"),
        ({"amount": eur(-1)}, "more than zero"),
        ({"amount": eur(100_000_001)}, "largest"),
        ({"amount": Money(amount=1, currency="PLN")}, "no currency of EasyCount"),
        ({"description": ""}, "description"),
        ({"email": "ana"}, "e-mail address is none"),
        ({"email": ""}, "e-mail address is missing"),
        ({"language": "es"}, "language"),
        ({"booking_id": "500"}, "booking"),
    ],
)
def test_what_is_missing_or_absurd_is_said_without_its_value(changes: dict[str, object], words: str) -> None:
    (fault,) = faults_of(SAID.model_copy(update=changes), DealRules())
    assert words in fault
    assert "Ana" not in fault


def test_a_deal_that_says_everything_has_no_faults() -> None:
    assert faults_of(SAID.model_copy(update={"booking_id": "bkg_500"}), DealRules()) == ()
    assert faults_of(SAID.model_copy(update={"email": ""}), DealRules(mail="none")) == ()


def test_only_what_is_asked_of_whom_makes_another_document() -> None:
    assert SAID.printed_alike(SAID.model_copy(update={"phone": "1", "terms": "x"}))
    assert not SAID.printed_alike(SAID.model_copy(update={"amount": eur(30001)}))
    assert not SAID.printed_alike(SAID.model_copy(update={"name": "Eva"}))


def test_keys_are_short_the_same_for_the_same_and_another_for_anything_else() -> None:
    first = document_key("pf", "demo", 1, "request", 1)
    assert first == document_key("pf", "demo", 1, "request", 1)
    assert len(first) == 39 <= 45
    others = {
        document_key("in", "demo", 1, "request", 1),
        document_key("pf", "other", 1, "request", 1),
        document_key("pf", "demo", 2, "request", 1),
        document_key("pf", "demo", 1, "withdrawn", 1),
        document_key("pf", "demo", 1, "request", 2),
    }
    assert len(others | {first}) == 6


@pytest.mark.parametrize(
    ("price", "units"), [("300", 30000), ("12.5", 1250), ("0.01", 1), ("12.345", None), ("NaN", None), ("1E+30", None)]
)
def test_prices_are_whole_minor_units_or_none(price: str, units: int | None) -> None:
    found = amount_of(Decimal(price), "EUR")
    assert (found.amount if found else None) == units


def test_pages_are_looked_at_soon_then_hourly_to_the_end_and_once_a_day_later() -> None:
    looks, at = [], MADE
    while (due := next_look(MADE, ENDS, at)) is not None:
        looks.append(due)
        at = due
    seconds = [int((look - MADE).total_seconds()) for look in looks]
    assert seconds[:8] == [15, 30, 60, 120, 300, 600, 1800, 3600]
    assert seconds[8:-1] == [hour * 3600 for hour in range(2, 73)]
    assert seconds[-1] == 96 * 3600


def test_a_look_that_comes_late_skips_what_is_over() -> None:
    assert next_look(MADE, ENDS, MADE + timedelta(minutes=90)) == MADE + timedelta(hours=2)
    assert next_look(MADE, ENDS, ENDS + timedelta(hours=25)) is None


@pytest.mark.parametrize(
    ("paid", "before", "expired", "cancelled", "role"),
    [
        (30000, 0, False, False, "first"),
        (30000, 0, True, False, "late"),
        (30000, 0, True, True, "after_cancel"),
        (10000, 0, False, False, "partial"),
        (20000, 10000, False, False, "first"),
        (40000, 0, False, False, "over"),
        (30000, 30000, False, False, "duplicate"),
        (1, 30000, True, False, "duplicate"),
    ],
)
def test_what_a_payment_is_to_its_deal(paid: int, before: int, expired: bool, cancelled: bool, role: str) -> None:
    assert role_of(eur(paid), eur(30000), before, expired=expired, cancelled=cancelled) == role


def test_money_in_another_currency_is_nobodys_payment() -> None:
    usd = Money(amount=30000, currency="USD")
    assert role_of(usd, eur(30000), 0, expired=False, cancelled=False) == "duplicate"


def test_letters_of_our_own_need_a_mail_server() -> None:
    with pytest.raises(ValidationError, match="needs a section smtp"):
        DealRules(mail="smtp")


def test_markers_name_workflow_and_step() -> None:
    assert deals.marker("deal/demo/1", "asked:1") == "[ref:deal/demo/1:asked:1]"
