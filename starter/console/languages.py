"""The console's languages: Spanish in the templates, English and Polish in `locale/{language}/{area}.po` (docs/console.md).

The catalogues are read from their source files when the console starts; nothing has to be compiled before.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

FOLDER = Path(__file__).parent / "locale"
SOURCE = "es"
LANGUAGES = {"es": "Español", "en": "English", "pl": "Polski"}


def N_(text: str) -> str:  # noqa: N802 the name by which gettext's tools know it
    """Mark a text for translation where it is written; it is translated where it is shown."""
    return text


@cache
def translations(language: str) -> NullTranslations:
    """Every catalogue of a language in one; Spanish needs none."""
    if language == SOURCE:
        return NullTranslations()
    merged: Translations | None = None
    for path in sorted((FOLDER / language).glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        part = Translations(compiled)
        merged = part if merged is None else merged.merge(part)
    return merged or NullTranslations()


def speaker(language: str) -> Callable[..., str]:
    """`say("Hay %(count)s", count=3)` in that language. Texts that nobody marked come back as they are."""
    catalogue = translations(language)

    def say(text: str, **values: Any) -> str:
        told: str = catalogue.gettext(text) if text else ""
        return told % values if values else told

    return say


def preferred(accepted: str) -> str:
    """The best of our languages for an `Accept-Language` header."""
    wanted = [part.partition(";")[0].strip() for part in accepted[:200].split(",")]
    found = negotiate_locale([each for each in wanted if each], list(LANGUAGES), sep="-")
    return found if found in LANGUAGES else SOURCE
