"""Card numbers never show, and characters always fit (contracts: tamara 3.8, 5.2, 5.4)."""

from __future__ import annotations

import pickle
import traceback

import pytest
from pydantic import BaseModel

from activities.tamara.card import TEST_NUMBERS, CardNumber, passes_luhn
from activities.tamara.characters import fitted, loses

NUMBER = "122089000000006"


class Holder(BaseModel):
    card: CardNumber


def test_every_text_form_is_masked() -> None:
    card = CardNumber(NUMBER)
    forms = [
        str(card),
        repr(card),
        f"{card}",
        repr([card]),
        Holder(card=card).model_dump_json(),
        repr(Holder(card=card)),
    ]
    assert all(NUMBER not in form and "122089*****0006" in form for form in forms)
    assert str(CardNumber("12345678901234567890")) == "*" * 20


def test_a_card_does_not_leave_the_process() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(CardNumber(NUMBER))


def test_a_traceback_with_locals_is_masked() -> None:
    try:
        held = CardNumber(NUMBER)
        raise RuntimeError(held)
    except RuntimeError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "122089*****0006" in shown
    # The source line names the constant, never its digits.
    assert shown.count(NUMBER) == shown.count(f"NUMBER = '{NUMBER}'")


@pytest.mark.parametrize("number", sorted(TEST_NUMBERS))
def test_the_synthetic_numbers_pass_luhn_and_their_neighbours_do_not(number: str) -> None:
    assert passes_luhn(number)
    assert not passes_luhn(number[:-1] + str((int(number[-1]) + 1) % 10))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("Peña Gómez €", "Peña Gómez €"),
        ("Łukasz Őrs Şahin", "Lukasz Ors Sahin"),
        ("Щука Юлия", "Shchuka Iuliia"),
        ("Αθήνα", "Athina"),
        ("שלום", "shlvm"),
        ("a\tb\r\nc", "a b c"),
        ("e\u0301", "é"),
        ("“so” – so…", '"so" - so...'),
        ("=1+1", "=1+1"),
        ("漢字", "??"),
    ],
)
def test_characters_are_transliterated_before_they_are_lost(text: str, fits: str) -> None:
    assert fitted(text, "ISO-8859-15") == fits
    assert loses(text, "ISO-8859-15") is ("?" in fits)
    assert not loses(text, "UTF-8")
