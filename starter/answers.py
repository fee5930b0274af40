"""What commands print: tables for people, JSON for machines, one line for an error that the user can mend."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

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
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()
) -> None:
    """A table; columns named in `right` (amounts, counts) are aligned to the right. None shows as a dash."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        numbers = column in right
        table.add_column(column, justify="right" if numbers else "left", overflow="fold", no_wrap=numbers)
    for row in rows:
        table.add_row(*("–" if cell is None else escape(str(cell)) for cell in row))
    out.print(table)


def say(text: str) -> None:
    """One line for a person, brackets taken literally."""
    out.print(text, markup=False, soft_wrap=True)


def complain(text: str) -> None:
    """One line on standard error."""
    err.print(f"error: {text}", markup=False, style="red", soft_wrap=True)
