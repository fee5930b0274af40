"""A list: which agency it is about, from which place on, and its rows as a table or as CSV (docs/console.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from domain.money import Money
from starter.console.refusals import ConsoleRefusal
from starter.console.rendering import page
from starter.console.visiting import ChosenAgencies
from starter.sheets import csv_lines

R = TypeVar("R")
Kind = Literal["text", "id", "money", "number", "percent", "day", "moment", "badge", "label", "told", "workflow"]
AT_A_TIME = 500
"""Rows read at once for a file."""
MARK = "~"
"""Between the parts of a place; stands in none of the ids but perhaps in the last one."""
After = Annotated[str, Query(max_length=500)]
Word = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column. `title` is Spanish and marked, `name` heads it in a file, `words` is the kind of its labels."""

    name: str
    title: str
    of: Callable[[R], Any]
    kind: Kind = "text"
    words: str = ""
    link: Callable[[R], str] | None = None


_TONES = {
    "good": (
        ("confirmed", "completed", "paid", "done", "transferred", "applied", "posted", "issued", "synced"),
        ("ACCEPTED", "MATCHED", "ACKED", "CLOSED", "APPLIED"),
    ),
    "warn": (
        ("pending", "processing", "queued", "intended", "partial", "superseded", "new", "own"),
        ("STAGED", "SEALED", "SENT", "HELD", "RENDERED", "UPLOADING", "DELIVERED", "PARTIAL", "UNCONFIRMED"),
    ),
    "bad": (
        ("cancelled", "failed", "refused", "unknown", "not_transferred", "parked", "unsynced", "listed"),
        ("REFUSED", "REJECTED", "EXPIRED", "ABANDONED", "DELIVERY_UNKNOWN", "VOID"),
        ("UNKNOWN", "CONTRADICTION", "UNREADABLE"),
    ),
}
TONES = {state: tone for tone, groups in _TONES.items() for group in groups for state in group}


def tone_of(state: object) -> str:
    """How a state looks; its word says the same."""
    return TONES.get(str(state), "plain")


def one_agency(agencies: ChosenAgencies) -> str:
    """The agency of `?agency=`, or the visitor's first one."""
    if not agencies:
        raise ConsoleRefusal("no agency")
    return agencies[0]


OneAgency = Annotated[str, Depends(one_agency)]


def day_of(text: str) -> date | None:
    """A day of a filter, None when it was left empty."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConsoleRefusal(text) from None


def place_of(text: str, *kinds: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """Where a page begins: the parts of the last row's place, None at the beginning."""
    if not text:
        return None
    try:
        return tuple(kind(part) for kind, part in zip(kinds, text.split(MARK, len(kinds) - 1), strict=True))
    except ValueError:
        raise ConsoleRefusal(text) from None


def told(place: Iterable[object]) -> str:
    """A place as it stands in an address."""
    return MARK.join(part.isoformat() if isinstance(part, date | datetime) else str(part) for part in place)


def page_of(rows: Sequence[R], size: int, place: Callable[[R], Iterable[object]]) -> tuple[Sequence[R], str]:
    """What to show of `size + 1` rows, and where the next page begins; empty on the last."""
    shown = rows[:size]
    return shown, told(place(shown[-1])) if len(rows) > size else ""


def each(fetch: Callable[[Any, int], Sequence[R]], place: Callable[[R], Any]) -> Iterator[R]:
    """Every row of a list, read a page at a time."""
    after = None
    while True:
        rows = fetch(after, AT_A_TIME)
        yield from rows
        if len(rows) < AT_A_TIME:
            return
        after = place(rows[-1])


def as_file(name: str, columns: Sequence[Column[R]], rows: Iterable[R]) -> StreamingResponse:
    """The rows as CSV: amounts in major units beside their currency, days and moments in ISO 8601, text never a formula."""
    return StreamingResponse(
        _lines(columns, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


def list_page(request: Request, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
    """A page that shows lists."""
    return page(request, template, status, tone_of=tone_of, **values)


def _lines(columns: Sequence[Column[R]], rows: Iterable[R]) -> Iterator[str]:
    yield "\ufeff"  # with the mark, spreadsheets read accents as they are
    names = [name for column in columns for name in _names(column)]
    yield from csv_lines(names, ([cell for column in columns for cell in _cells(column, row)] for row in rows))


def _names(column: Column[R]) -> list[str]:
    return [column.name, f"{column.name}_currency"] if column.kind == "money" else [column.name]


def _cells(column: Column[R], row: R) -> list[object]:
    value = column.of(row)
    if column.kind == "money":
        assert value is None or isinstance(value, Money)
        return [None, None] if value is None else [value.decimal, value.currency]
    return [value.isoformat() if isinstance(value, date | datetime) else value]
