"""Collect the console's texts and bring the catalogues in step: `python -m starter.console.translating [AREA …]`
(docs/console.md).

Texts of an area stand in its own catalogue; what its pages share with the frame stands in `console.po` only.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from starter.console.languages import FOLDER, LANGUAGES, SOURCE

ROOM = Path(__file__).parent
SHARED = "console"
KEYWORDS = {"_": None, "N_": None, "say": None, "gettext": None, "ngettext": (1, 2)}
TEMPLATE_OPTIONS = {
    "extensions": "jinja2.ext.i18n",
    "newstyle_gettext": "true",
    "silent": "false",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
}


@cache
def extracted() -> dict[str, Catalog]:
    """Every marked text, by area."""
    found: dict[str, Catalog] = {SHARED: Catalog()}
    for path, area in sorted(_sources()):
        method, options = ("jinja2.ext:babel_extract", TEMPLATE_OPTIONS) if path.suffix == ".html" else ("python", {})
        catalogue = found.setdefault(area, Catalog())
        for _, message, comments, context in extract_from_file(method, path, KEYWORDS, options=options):
            place = path.relative_to(ROOM).as_posix()
            catalogue.add(message, locations=[(place, None)], auto_comments=comments, context=context)  # type: ignore[list-item]
    for area, catalogue in found.items():
        if area != SHARED:
            for own in list(catalogue):
                if own.id and found[SHARED].get(own.id) is not None:
                    catalogue.delete(own.id)
    return {area: catalogue for area, catalogue in found.items() if len(catalogue)}


def _sources() -> Iterator[tuple[Path, str]]:
    """Files with texts, and their areas: a template's folder, a page's module."""
    for path in (ROOM / "templates").rglob("*.html"):
        folder = path.relative_to(ROOM / "templates").parts[0]
        area = folder if (ROOM / "pages" / f"{folder}.py").exists() else SHARED
        yield path, area
    for path in ROOM.rglob("*.py"):
        yield path, path.stem if path.parent.name == "pages" and path.stem != "__init__" else SHARED


def catalogue_of(language: str, area: str) -> Catalog:
    """The catalogue as it is kept, an empty one where there is none yet."""
    path = FOLDER / language / f"{area}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(only: Collection[str] = ()) -> None:
    """Add new texts without translation, drop those that nobody shows any more; what is translated stays."""
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        areas = extracted()
        for area, template in areas.items():
            if only and area not in only:
                continue
            kept = catalogue_of(language, area)
            kept.update(template, no_fuzzy_matching=True)
            kept.obsolete.clear()
            path = FOLDER / language / f"{area}.po"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                write_po(file, kept, width=120, omit_header=True, include_lineno=False, sort_by_file=True)
        for path in (FOLDER / language).glob("*.po"):
            if not only and path.stem not in areas:
                path.unlink()


def missing(language: str) -> list[str]:
    """Marked texts that the language has no finished translation for, as `area: text`."""
    lacking = []
    for area, template in extracted().items():
        kept = catalogue_of(language, area)
        for message in template:
            if not message.id:
                continue
            known = kept.get(message.id, message.context)
            strings = () if known is None else known.string if isinstance(known.string, tuple) else (known.string,)
            if known is None or known.fuzzy or not strings or not all(strings):
                text = message.id if isinstance(message.id, str) else message.id[0]
                lacking.append(f"{area}: {text}")
    return lacking


def main() -> int:
    update(sys.argv[1:])
    lacking = {language: missing(language) for language in LANGUAGES if language != SOURCE}
    for language, texts in lacking.items():
        for text in texts:
            print(f"{language}  {text}")
    return 1 if any(lacking.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
