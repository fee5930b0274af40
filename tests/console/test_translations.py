import re
from pathlib import Path
from typing import get_args

import pytest

from domain.desk import DUTIES
from domain.ledger import Fact
from domain.steps import Decision
from starter.console import labels, reasons, translating
from starter.console.areas import every_area
from starter.console.languages import LANGUAGES, SOURCE, preferred, speaker, translations
from starter.console.pages.effects_words import happened
from workflows.stepping import OWN_REASONS

DOCS = Path(__file__).parents[2] / "docs"
OTHERS = [language for language in LANGUAGES if language != SOURCE]


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language: str) -> None:
    assert translating.missing(language) == [], "run make translations, and translate what it lists"


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_keeps_what_is_filled_in(language: str) -> None:
    for area, template in translating.extracted().items():
        kept = translating.catalogue_of(language, area)
        for message in template:
            known = kept.get(message.id) if message.id else None
            if known is None or not isinstance(known.id, str):
                continue
            assert placeholders(known.string) == placeholders(known.id), known.id


REASONS = sorted({str(reason) for reason in DUTIES} | OWN_REASONS)


def test_every_reason_to_ask_a_person_has_words_and_so_have_the_answers() -> None:
    """Translated like every marked text."""
    assert [reason for reason in REASONS if reason not in reasons.REASONS] == []
    assert set(get_args(Decision)) == set(reasons.DECISIONS)
    assert [owner for owner in {duty.owner for duty in DUTIES.values()} if labels.label("owner", owner) == owner] == []


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("booking.created", ("reserva creada",)),
        ("cost line nest", ("línea de coste", "colgar de la reserva")),
        ("cost line confirm cost 440012003", ("línea de coste", "confirmar coste")),
        ("collection", ("cobro",)),
        ("something else", ("something else",)),
    ],
)
def test_what_happened_has_words_whichever_system_tells_it(what: str, words: tuple[str, ...]) -> None:
    every_area()
    assert happened(what) == words


def test_every_fact_of_the_books_has_a_word() -> None:
    every_area()
    assert [fact for fact in Fact if labels.label("fact", fact) == fact] == []


def test_every_reason_to_ask_a_person_is_in_the_runbook() -> None:
    told = "".join(file.read_text("utf-8") for file in DOCS.rglob("*.md"))
    kinds = {
        "Refused",
        "UnsupportedProduct",
        "ContractBroken",
        "Unauthorised",
        "NeedsPerson",
        "Transient",
        "UnknownOutcome",
        "unacknowledged",
    }
    assert [reason for reason in REASONS if reason not in kinds | {"Defect"} and f"`{reason}`" not in told] == []


def placeholders(text: object) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]", str(text)))


def test_the_texts_of_every_part_of_the_console_are_found() -> None:
    found = translating.extracted()
    assert found["console"].get("Salir") is not None
    assert found["signing"].get("Contraseña") is not None
    assert found["console"].get("Supervisión") is not None


def test_a_text_is_read_from_the_catalogue_of_its_language() -> None:
    assert translations("pl").gettext("Salir") == "Wyloguj"


def test_a_text_that_nobody_marked_comes_back_as_it_is() -> None:
    assert speaker("en")("the other system's own words") == "the other system's own words"


@pytest.mark.parametrize(
    ("header", "language"),
    [("pl-PL,pl;q=0.9,en;q=0.8", "pl"), ("en", "en"), ("", "es"), ("fi,sv", "es"), (";;,", "es")],
)
def test_a_browser_gets_the_best_of_our_languages(header: str, language: str) -> None:
    assert preferred(header) == language
