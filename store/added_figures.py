"""Sale, costs and money of chosen bookings or experiences, added up by the database in one question (money-rules 1.2, M7).

The same figures as `domain.reporting.figures_of`, without opening a snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, Table, case, func, literal, select, union_all

from domain.money import Money
from domain.reporting import Figures
from store.database import Database
from store.documents import documents
from store.facts import booking_money, bookings

NAMES = tuple(field.name for field in fields(Figures))
MONEY = ("collected", "refunded", "disputed")
ERP = "giav"
"""The system whose documents count as invoiced."""


@dataclass(frozen=True, slots=True)
class ExperienceFigures:
    """What was sold of an experience in one currency; `bookings` counts those with figures in it."""

    experience_id: str
    bookings: int
    figures: Figures


class AddedFigures:
    """Each method is one statement, however many bookings, payments and documents there are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_bookings(
        self, agency: str, booking_ids: Sequence[str], *, invoiced: bool = True
    ) -> dict[str, list[Figures]]:
        """Booking → its figures, one for each currency, its own first; what is not shown as invoiced need not be added up."""
        if not booking_ids:
            return {}
        moves = moved_of(agency, bookings.c.id.in_(booking_ids), invoiced=invoiced)
        query = added(moves, moves.c.booking_id, moves.c.own)
        found: dict[str, list[Figures]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query.order_by(moves.c.own.desc(), moves.c.currency)):
                found.setdefault(row.booking_id, []).append(figures_in(row))
        return found

    def of_experiences(
        self, agency: str, experience_ids: Sequence[str], *, invoiced: bool = True
    ) -> dict[str, list[ExperienceFigures]]:
        """Experience → its figures by currency."""
        if not experience_ids:
            return {}
        moves = moved_of(agency, bookings.c.experience_id.in_(experience_ids), invoiced=invoiced)
        query = added(moves, moves.c.experience_id).add_columns(
            func.count(moves.c.booking_id.distinct()).label("number")
        )
        found: dict[str, list[ExperienceFigures]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query.order_by(moves.c.currency)):
                one = ExperienceFigures(row.experience_id, row.number, figures_in(row))
                found.setdefault(row.experience_id, []).append(one)
        return found


def moved_of(agency: str, wanted: ColumnElement[bool], *, invoiced: bool = True) -> Subquery:
    """Every movement of the bookings that are wanted, one row each; `own` is 1 in the booking's own currency."""
    costs = {name: bookings.c[name] for name in ("cost_estimated", "cost_confirmed", "cost_invoiced")}
    sold = select(
        bookings.c.id.label("booking_id"),
        bookings.c.experience_id,
        bookings.c.currency,
        literal(1).label("own"),
        *_amounts(sale=bookings.c.amount, **costs),
    ).where(bookings.c.agency == agency, wanted)
    parts = [sold, _beside(agency, wanted, booking_money, {name: booking_money.c[name] for name in MONEY})]
    if invoiced:
        documented = _beside(agency, wanted, documents, {"invoiced": documents.c.amount})
        parts.append(documented.where(documents.c.system == ERP))
    return union_all(*parts).subquery("moves")


def _beside(
    agency: str, wanted: ColumnElement[bool], table: Table, amounts: Mapping[str, ColumnElement[int]]
) -> Select[Any]:
    return (
        select(
            bookings.c.id.label("booking_id"),
            bookings.c.experience_id,
            table.c.currency,
            case((table.c.currency == bookings.c.currency, 1), else_=0).label("own"),
            *_amounts(**amounts),
        )
        .select_from(bookings)
        .join(table, (table.c.agency == bookings.c.agency) & (table.c.booking_id == bookings.c.id))
        .where(bookings.c.agency == agency, wanted)
    )


def _amounts(**given: ColumnElement[int]) -> list[ColumnElement[int]]:
    return [given.get(name, literal(0)).label(name) for name in NAMES]


def added(moves: Subquery, *by: ColumnElement[Any]) -> Select[Any]:
    """The movements added up by these columns and the currency."""
    sums = [func.sum(moves.c[name]).label(name) for name in NAMES]
    return select(*by, moves.c.currency, *sums).group_by(*by, moves.c.currency)


def figures_in(row: Any) -> Figures:
    """PostgreSQL adds whole numbers up to decimals."""
    return Figures(*(Money(amount=int(row._mapping[name]), currency=row.currency) for name in NAMES))
