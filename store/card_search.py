"""A search for account numbers where none may stand: files of the data folder and every table (contracts: tamara 5.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import JSON, String, Text, cast, select

from store.schema import metadata
from store.store import Store

BLOCK = 4 * 1024 * 1024
LONGEST = 16
"""Bytes that two blocks share, so that no number is cut in two."""
DIGITS = 15


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a number stands; the number itself is masked."""

    place: str
    masked: str


def numbers_in(content: bytes, prefixes: Sequence[str]) -> Iterator[str]:
    """Numbers of 15 digits with one of the prefixes and a right check digit."""
    begin = "|".join(re.escape(prefix) for prefix in prefixes)
    for found in re.finditer(rb"(?<!\d)(?=(?:%s))\d{%d}(?!\d)" % (begin.encode(), DIGITS), content):
        number = found.group().decode()
        if passes_luhn(number):
            yield number


def passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def masked(number: str) -> str:
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"


def in_files(folder: Path, prefixes: Sequence[str], without: Sequence[Path] = ()) -> Iterator[Sighting]:
    """Every file below `folder` that can be read, except those below `without`."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or any(path.is_relative_to(left_out) for left_out in without):
            continue
        for number in sorted(_in_file(path, prefixes)):
            yield Sighting(str(path), masked(number))


def _in_file(path: Path, prefixes: Sequence[str]) -> set[str]:
    found: set[str] = set()
    rest = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            content = rest + block
            found.update(numbers_in(content, prefixes))
            rest = content[-LONGEST:]
    return found


def in_tables(store: Store, prefixes: Sequence[str]) -> Iterator[Sighting]:
    """Every text and JSON column of the store."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, String | JSON):
                continue
            found: set[str] = set()
            with store.database.read() as connection:
                rows = connection.execution_options(yield_per=1000).execute(select(cast(column, Text)))
                for (value,) in rows:
                    found.update(numbers_in((value or "").encode(), prefixes))
            for number in sorted(found):
                yield Sighting(f"{table.name}.{column.name}", masked(number))
