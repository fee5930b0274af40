"""What payers are told, in their language (contracts: money-rules 1.7)."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from domain.money import Money
from domain.plan_letters import TEMPLATES, Told, composed, language_of, letter_key
from domain.plan_steps import Occasion

AMOUNT = Money(amount=123450, currency="EUR")


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("occasion", get_args(Occasion))
def test_every_occasion_has_words_and_leaves_no_gap(language: str, occasion: Occasion) -> None:
    told = Told(occasion, "Ana", "KX7Q2P", AMOUNT, "Viajes", date(2027, 3, 8), "https://pay.example/1", "MND50")
    subject, text = composed(told, language)
    assert "{" not in subject + text
    assert "KX7Q2P" in text
    assert ("1.234,50 EUR" if language == "es" else "1,234.50 EUR") in text


@pytest.mark.parametrize(
    ("wish", "otherwise", "language"),
    [("es-ES", "en", "es"), ("EN", "es", "en"), ("de", "en", "en"), (None, "es", "es"), ("fr", "fr", "es")],
)
def test_a_payer_is_written_to_in_their_language_or_the_agency_s(
    wish: str | None, otherwise: str, language: str
) -> None:
    assert language_of(wish, otherwise) == language
    assert set(TEMPLATES) == {"es", "en"}


def test_an_announcement_is_of_one_amount_and_other_letters_of_one_attempt() -> None:
    def key(occasion: Occasion, number: int, cents: int) -> str:
        return str(letter_key("demo", "plan_1", "ins_1", occasion, number, Money(amount=cents, currency="EUR")))

    assert key("announced", 1, 100) == key("announced", 2, 100) != key("announced", 1, 200)
    assert key("declined", 1, 100) == key("declined", 1, 200) != key("declined", 2, 100)
