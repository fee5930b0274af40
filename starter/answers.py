"""What commands print: tables for people, JSON for machines, one line for an error that the user can mend."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from starter.sheets import csv_lines

PIPED_WIDTH = 220
"""Columns of a table that no terminal limits: wide enough that no id is broken."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = Console(stderr=True, highlight=False)


class CommandError(Exception):
    """Something that the user can mend; one line that says what is wrong and what to do. Ends the command with code 2."""


def as_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def as_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> None:
    """A table; columns named in `right` (amounts, counts) are aligned to the right. None shows as a dash.

    Text folds where the terminal is narrow. Amounts and the columns in `whole` never do, and no digit is ever cut off:
    the table is rather wider than the terminal.
    """
    body = [["–" if cell is None else str(cell) for cell in row] for row in rows]
    table = Table(title=title, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        longest = max((len(row[index]) for row in body), default=0)
        least = longest if column in right or column in whole else None
        table.add_column(column, justify="right" if column in right else "left", overflow="fold", min_width=least)
    for row in body:
        table.add_row(*map(escape, row))
    out.print(table, crop=False)


def as_csv(target: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A CSV file with a heading, `-` for standard output; None is an empty cell. Raises `CommandError`."""
    if str(target) == "-":
        _write_csv(sys.stdout, columns, rows)
        return
    try:
        with target.open("w", encoding="utf-8", newline="") as file:
            _write_csv(file, columns, rows)
    except OSError as error:
        raise CommandError(f"{target}: cannot be written ({error.strerror})") from None


def _write_csv(file: TextIO, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    for line in csv_lines(columns, rows):
        file.write(line)


def say(text: str) -> None:
    """One line for a person, brackets taken literally."""
    out.print(text, markup=False, soft_wrap=True)


def complain(text: str) -> None:
    """One line on standard error."""
    err.print(f"error: {text}", markup=False, style="red", soft_wrap=True)
