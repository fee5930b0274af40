"""Tables as CSV, in which nobody's text becomes a formula of whoever's spreadsheet opens them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for the beginning of one, also in its wide form; numbers are no text and keep their sign."""


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A heading and a line for each row, one at a time; None is an empty cell."""
    for row in _headed(columns, rows):
        line = io.StringIO()
        # The writer quotes what its own line end is made of: both characters, so that neither breaks a row.
        csv.writer(line, lineterminator="\r\n").writerow([_cell(cell) for cell in row])
        yield line.getvalue().removesuffix("\r\n") + "\n"


def _headed(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
    yield columns
    yield from rows


def _cell(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_BEGINS_A_FORMULA) else cell
