"""The columns of the reports on bookings, and their lines as table, CSV and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

from domain.money import Money
from domain.reporting import Additive, Ages, Figures, summed
from starter.answers import as_csv, as_table
from starter.figures import BookingRow, Trip

Row = TypeVar("Row", bound=Additive)
Cell = Money | Decimal | None
Cells = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Layout(Generic[Row]):
    """A report: what it takes of each booking, and its columns. `optional` ones are left out of a table when all zero."""

    title: str
    of: Callable[[BookingRow], Row]
    columns: dict[str, Callable[[Row], Cell]]
    optional: tuple[str, ...] = ()

    def cells(self, row: Row) -> Cells:
        return {name: column(row) for name, column in self.columns.items()}


MARGINS: Layout[Figures] = Layout(
    "Margins",
    lambda row: row.figures,
    {
        "sale": lambda f: f.sale,
        "cost_estimated": lambda f: f.cost_estimated,
        "cost_confirmed": lambda f: f.cost_confirmed,
        "cost_invoiced": lambda f: f.cost_invoiced,
        "margin": lambda f: f.margin,
        "margin_percent": lambda f: f.margin_percent,
        "collected": lambda f: f.collected,
        "invoiced": lambda f: f.invoiced,
        "refunded": lambda f: f.refunded,
        "disputed": lambda f: f.disputed,
        "pending": lambda f: f.pending,
    },
    ("cost_confirmed", "cost_invoiced", "refunded", "disputed"),
)
RECEIVABLES: Layout[Ages] = Layout(
    "Receivables",
    lambda row: row.ages,
    {
        "not_due": lambda a: a.not_due,
        "days_0_30": lambda a: a.days_0_30,
        "days_31_60": lambda a: a.days_31_60,
        "days_61_90": lambda a: a.days_61_90,
        "over_90": lambda a: a.over_90,
        "owed": lambda a: a.owed,
        "pending": lambda a: a.pending,
    },
)
BOOKINGS: Layout[Figures] = Layout(
    "Bookings",
    lambda row: row.figures,
    {
        "sale": lambda f: f.sale,
        "cost": lambda f: f.cost,
        "margin": lambda f: f.margin,
        "collected": lambda f: f.collected,
        "invoiced": lambda f: f.invoiced,
        "refunded": lambda f: f.refunded,
        "due": lambda f: f.pending,
    },
)


HEADINGS = {"margin_percent": "%"}
"""Columns whose heading in a table is not their name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report: an experience in one currency, or (`booking` and `status` given) one booking."""

    trip: Trip
    currency: str
    cells: Cells
    bookings: int
    waiting: int
    booking: str | None = None
    status: str | None = None

    def names(self) -> dict[str, object]:
        """What the line is about, as CSV and JSON have it."""
        trip = self.trip
        own = {"bookings": self.bookings} if self.booking is None else {"booking": self.booking, "status": self.status}
        return {
            "agency": trip.agency,
            "experience": trip.experience_id,
            "title": trip.title,
            "departs_on": trip.departs_on and trip.departs_on.isoformat(),
            **own,
            "waiting": self.waiting,
        }


class Report(Generic[Row]):
    """The rows of the read model under one layout."""

    def __init__(self, layout: Layout[Row], rows: Sequence[BookingRow], *, by_booking: bool) -> None:
        self._layout: Layout[Row] = layout
        self._by_booking = by_booking
        self.lines = self._of_bookings(rows) if by_booking else self._of_experiences(rows)
        sums = summed((row.currency, layout.of(row)) for row in rows)
        self.totals = {currency: layout.cells(added) for currency, added in sums.items()}

    def _of_bookings(self, rows: Sequence[BookingRow]) -> list[Line]:
        cells = self._layout.cells
        return [
            Line(row.trip, row.currency, cells(self._layout.of(row)), 1, int(row.waits), row.booking_id, row.status)
            for row in rows
        ]

    def _of_experiences(self, rows: Sequence[BookingRow]) -> list[Line]:
        keys = [(row.trip, row.currency) for row in rows]
        bookings = Counter(keys)
        waiting = Counter(key for key, row in zip(keys, rows, strict=True) if row.waits)
        sums = summed(zip(keys, map(self._layout.of, rows), strict=True))
        return [
            Line(key[0], key[1], self._layout.cells(added), bookings[key], waiting[key]) for key, added in sums.items()
        ]

    def plain(self) -> dict[str, Any]:
        return {
            "rows": [line.names() | {"currency": line.currency} | plain(line.cells) for line in self.lines],
            "totals": [{"currency": currency} | plain(cells) for currency, cells in self.totals.items()],
        }

    def write_csv(self, target: Path) -> None:
        """One line each, amounts in major units with a point; no totals, so that a column can be added up."""
        names = list(Line(Trip("", "", "", None), "", {}, 0, 0, "" if self._by_booking else None).names())
        body = [
            (*line.names().values(), line.currency, *decimals(line.cells, self._layout.columns)) for line in self.lines
        ]
        as_csv(target, (*names, "currency", *self._layout.columns), body)

    def show(self) -> None:
        """A table with the totals per currency below; columns of nothing but zeros, or of one agency, are left out."""
        shown = [name for name in self._layout.columns if name not in self._layout.optional or self._tells(name)]
        agency = ("agency",) if len({line.trip.agency for line in self.lines}) > 1 else ()
        about = (*agency, "experience", "departure", *(("booking", "status") if self._by_booking else ("bookings",)))
        body: list[tuple[object, ...]] = []
        for line in self.lines:
            own = (line.booking, line.status) if self._by_booking else (line.bookings,)
            waits = "" if not line.waiting else "waits" if self._by_booking else f"{line.waiting} wait"
            names = (line.trip.experience_id, line.trip.departs_on, *own, line.currency)
            body.append((*(line.trip.agency for _ in agency), *names, *decimals(line.cells, shown), waits))
        for currency, cells in self.totals.items():
            body.append(("total", *("" for _ in about[1:]), currency, *decimals(cells, shown), ""))
        amounts = tuple(HEADINGS.get(name, name.replace("_", " ")) for name in shown)
        whole = ("experience", "departure", "booking", "currency")
        columns = (*about, "currency", *amounts, "")
        as_table(self._layout.title, columns, body, right=("bookings", *amounts), whole=whole)

    def _tells(self, column: str) -> bool:
        return any(isinstance(cell, Money) and bool(cell) for line in self.lines for cell in [line.cells[column]])


def plain(cells: Cells) -> dict[str, Any]:
    """Amounts as in events, percentages as text, for JSON."""
    return {
        name: cell.model_dump() if isinstance(cell, Money) else None if cell is None else str(cell)
        for name, cell in cells.items()
    }


def decimals(cells: Cells, names: Sequence[str] | dict[str, Any]) -> list[Decimal | None]:
    """Amounts in major units, in the order of `names`. Numbers stay numbers: as text a minus would pass for a formula."""
    return [cell.decimal if isinstance(cell := cells[name], Money) else cell for name in names]
