"""What payers still owe by days since it fell due, as it was kept when the events came in (contracts: money-rules 1.2, M7).

The same rule as `domain.reporting.ages_of`: what no instalment explains is due on the day of departure, and what a cancelled booking
owes on the day of its cancellation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    String,
    Table,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from domain.money import Money
from domain.reporting import Ages
from store.database import Database
from store.debts import debt_parts, debts
from store.facts import bookings, experiences

BUCKETS = tuple(field.name for field in fields(Ages))
_EDGES = (("days_0_30", 30), ("days_31_60", 60), ("days_61_90", 90))
DebtPlace = tuple[int, str, str]
"""What is pending, its currency and the booking."""


@dataclass(frozen=True, slots=True)
class Debt:
    """What one booking owes, or (negative) is owed, in one currency."""

    booking_id: str
    locator: str
    status: str
    experience_id: str
    departs_on: date | None
    pending: Money

    @property
    def place(self) -> DebtPlace:
        return self.pending.amount, self.pending.currency, self.booking_id


class Receivables:
    """Each method is one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ages(self, agency: str, zone: ZoneInfo, today: date) -> dict[str, Ages]:
        """Currency → everything that is pending, by age; `today` is a day in the agency's `zone`."""
        with self._database.read() as connection:
            return {currency: ages for (currency, _), ages in _aged(connection, agency, zone, today)}

    def ages_of_bookings(
        self, agency: str, booking_ids: Sequence[str], zone: ZoneInfo, today: date
    ) -> dict[tuple[str, str], Ages]:
        """Booking and currency → what is pending of it by age, for those of which anything is."""
        with self._database.read() as connection:
            found = _aged(connection, agency, zone, today, of=booking_ids)
            return {(booking_id, currency): ages for (currency, booking_id), ages in found}

    def debts(self, agency: str, *, owed: bool = False, after: DebtPlace | None = None, limit: int = 50) -> list[Debt]:
        """The largest first, behind the place `after`; with `owed` those to whom money is owed."""
        own = debts.c
        place = (own.pending, own.currency, own.booking_id)
        query = select(own.booking_id, own.currency, own.pending).where(
            own.agency == agency, own.pending < 0 if owed else own.pending > 0
        )
        if after is not None:
            last = tuple_(literal(after[0], BigInteger), literal(after[1], String), literal(after[2], String))
            query = query.where(tuple_(*place) > last if owed else tuple_(*place) < last)
        chosen = query.order_by(*_in_order(place, owed)).limit(limit).cte("chosen")
        told = (
            select(chosen, bookings.c.locator, bookings.c.status, bookings.c.experience_id, experiences.c.starts_on)
            .join(bookings, and_(bookings.c.agency == agency, bookings.c.id == chosen.c.booking_id))
            .outerjoin(experiences, and_(experiences.c.agency == agency, experiences.c.id == bookings.c.experience_id))
            .order_by(*_in_order((chosen.c.pending, chosen.c.currency, chosen.c.booking_id), owed))
        )
        with self._database.read() as connection:
            return [
                Debt(
                    booking_id=row.booking_id,
                    locator=row.locator,
                    status=row.status,
                    experience_id=row.experience_id,
                    departs_on=row.starts_on,
                    pending=Money(amount=row.pending, currency=row.currency),
                )
                for row in connection.execute(told)
            ]


def _in_order(place: Sequence[ColumnElement[Any]], owed: bool) -> list[ColumnElement[Any]]:
    return [each if owed else each.desc() for each in place]


def _aged(
    connection: Connection, agency: str, zone: ZoneInfo, today: date, of: Sequence[str] | None = None
) -> list[tuple[tuple[str, str], Ages]]:
    """Ages by currency, and by booking where some are named; in the order of currencies."""

    def chosen(table: Table) -> ColumnElement[bool]:
        own = table.c.agency == agency
        return own if of is None else own & table.c.booking_id.in_(of)

    def by(table: Table) -> tuple[ColumnElement[Any], ...]:
        return table.c.currency, (literal("", String) if of is None else table.c.booking_id).label("booking_id")

    owed = select(*by(debts), literal("owed", String).label("bucket"), debts.c.pending.label("amount"))
    parts = (
        select(*by(debt_parts), _bucket(zone, today).label("bucket"), debt_parts.c.amount)
        .select_from(debt_parts)
        .outerjoin(experiences, and_(experiences.c.agency == agency, experiences.c.id == debt_parts.c.departs_with))
        .where(chosen(debt_parts))
    )
    each = union_all(owed.where(chosen(debts), debts.c.pending < 0), parts).subquery("each")
    keys = (each.c.currency, each.c.booking_id)
    query = select(*keys, each.c.bucket, func.sum(each.c.amount).label("amount"))
    found: dict[tuple[str, str], dict[str, Money]] = {}
    for row in connection.execute(query.group_by(*keys, each.c.bucket).order_by(*keys)):
        amount = Money(amount=int(row.amount), currency=row.currency)
        found.setdefault((row.currency, row.booking_id), {})[row.bucket] = amount
    return [
        (key, Ages(**{name: amounts.get(name, Money.zero(key[0])) for name in BUCKETS}))
        for key, amounts in found.items()
    ]


def _bucket(zone: ZoneInfo, today: date) -> ColumnElement[str]:
    """How old a part is. A day that nobody knows is not due."""
    day, moment = func.coalesce(debt_parts.c.due_on, experiences.c.starts_on), debt_parts.c.ended_at

    def since(days: int) -> ColumnElement[bool]:
        first = today - timedelta(days=days)
        return or_(day >= literal(first, Date), moment >= datetime.combine(first, time(), zone))

    unknown = and_(day.is_(None), moment.is_(None))
    whens = ((or_(unknown, since(-1)), "not_due"), *((since(most), name) for name, most in _EDGES))
    return case(*((when, literal(name, String)) for when, name in whens), else_=literal("over_90", String))
