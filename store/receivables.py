"""What payers still owe by days since it fell due, added up by the database (contracts: money-rules 1.2, M7).

The same rule as `domain.reporting.ages_of`: money settles the oldest instalment first, so what is missing is missing of the
latest ones; what no instalment explains is due on the day of departure, and what a cancelled booking owes on the day of its
cancellation.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, ColumnElement, Date, Select, String, case, func, literal, select, true, tuple_, union_all

from domain.money import Money
from domain.reporting import NOT_COLLECTED, Ages
from store.added_figures import moved_of
from store.database import Database
from store.facts import bookings, experiences, payments, plan_instalments

BUCKETS = tuple(field.name for field in fields(Ages))
_EDGES = (("not_due", None), ("days_0_30", 30), ("days_31_60", 60), ("days_61_90", 90))


@dataclass(frozen=True, slots=True)
class Debt:
    """What one booking owes, or (negative) is owed, in one currency."""

    booking_id: str
    locator: str
    status: str
    experience_id: str
    departs_on: date | None
    pending: Money


class Receivables:
    """Each method is one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ages(self, agency: str, zone: ZoneInfo, today: date) -> dict[str, Ages]:
        """Currency → everything that is pending, by age; `today` is a day in the agency's `zone`."""
        owing = _owing(agency)
        parts = union_all(_owed(owing), _ended(owing, zone, today), _due(owing, agency, today)).subquery("parts")
        query = select(parts.c.currency, parts.c.bucket, func.sum(parts.c.amount).label("amount"))
        found: dict[str, dict[str, Money]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query.group_by(parts.c.currency, parts.c.bucket)):
                amount = Money(amount=int(row.amount), currency=row.currency)
                found.setdefault(row.currency, {})[row.bucket] = amount
        return {
            currency: Ages(**{name: amounts.get(name, Money.zero(currency)) for name in BUCKETS})
            for currency, amounts in sorted(found.items())
        }

    def debts(
        self, agency: str, *, owed: bool = False, after: tuple[int, str] | None = None, limit: int = 50
    ) -> list[Debt]:
        """The largest first, behind the amount and booking `after`; with `owed` those to whom money is owed."""
        owing = _owing(agency)
        size = -owing.c.pending if owed else owing.c.pending
        query = (
            select(owing, bookings.c.locator, experiences.c.starts_on)
            .join(bookings, (bookings.c.agency == agency) & (bookings.c.id == owing.c.booking_id))
            .outerjoin(experiences, _experience_of(owing, agency))
            .where(size > 0)
            .order_by(size.desc(), owing.c.booking_id)
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(-size, owing.c.booking_id) > tuple_(literal(-after[0]), literal(after[1])))
        with self._database.read() as connection:
            return [
                Debt(
                    booking_id=row.booking_id,
                    locator=row.locator,
                    status=row.status,
                    experience_id=row.experience_id,
                    departs_on=row.starts_on,
                    pending=Money(amount=int(row.pending), currency=row.currency),
                )
                for row in connection.execute(query)
            ]


def _owing(agency: str) -> CTE:
    """Bookings of which something is pending, in either direction."""
    moves = moved_of(agency, true(), ("collected", "refunded", "disputed"))
    pending = func.sum(moves.c.sale - moves.c.collected + moves.c.refunded + moves.c.disputed)
    sums = (
        select(moves.c.booking_id, moves.c.currency, pending.label("pending"))
        .group_by(moves.c.booking_id, moves.c.currency)
        .having(pending != 0)
        .subquery("sums")
    )
    return (
        select(sums, bookings.c.experience_id, bookings.c.status, bookings.c.cancelled_at)
        .join(bookings, (bookings.c.agency == agency) & (bookings.c.id == sums.c.booking_id))
        .cte("owing")
    )


def _experience_of(owing: CTE, agency: str) -> ColumnElement[bool]:
    return (experiences.c.agency == agency) & (experiences.c.id == owing.c.experience_id)


def _ended_already(owing: CTE) -> ColumnElement[bool]:
    return (owing.c.status == "cancelled") & owing.c.cancelled_at.is_not(None)


def _owed(owing: CTE) -> Select[Any]:
    return select(owing.c.currency, literal("owed", String).label("bucket"), owing.c.pending.label("amount")).where(
        owing.c.pending < 0
    )


def _ended(owing: CTE, zone: ZoneInfo, today: date) -> Select[Any]:
    """What is owed of a cancelled booking is its penalty, and that is due at once."""

    def begins(days: int) -> datetime:
        return datetime.combine(today - timedelta(days=days), time(), zone)

    moment = owing.c.cancelled_at
    whens = [(moment >= begins(-1), "not_due"), *((moment >= begins(most), name) for name, most in _EDGES[1:] if most)]
    bucket = case(*((when, literal(name, String)) for when, name in whens), else_=literal("over_90", String))
    query = select(owing.c.currency, bucket.label("bucket"), owing.c.pending.label("amount"))
    return query.where(owing.c.pending > 0, _ended_already(owing))


def _due(owing: CTE, agency: str, today: date) -> Select[Any]:
    """What is owed of the others, by instalments and then by departure."""
    plan = plan_instalments.c
    paid = (
        select(payments.c.id)
        .where(
            payments.c.agency == agency,
            payments.c.booking_id == owing.c.booking_id,
            payments.c.instalment_id == plan.id,
        )
        .exists()
    )
    settled = case((plan.status == "paid", 1), (paid, 1), else_=0)
    dues = (
        select(
            owing.c.booking_id,
            owing.c.currency,
            owing.c.pending,
            plan.due_on,
            plan.amount,
            settled.label("settled"),
            plan.id,
        )
        .join(
            plan_instalments,
            (plan.agency == agency)
            & (plan.booking_id == owing.c.booking_id)
            & (plan.currency == owing.c.currency)
            & plan.status.not_in(NOT_COLLECTED),
        )
        .where(owing.c.pending > 0, ~_ended_already(owing))
        .subquery("dues")
    )
    so_far = func.sum(dues.c.amount).over(
        partition_by=(dues.c.booking_id, dues.c.currency),
        order_by=(dues.c.settled, dues.c.due_on.desc(), dues.c.id),
        rows=(None, 0),
    )
    walked = select(dues, (dues.c.pending - (so_far - dues.c.amount)).label("left")).cte("walked")
    part = case((walked.c.left <= 0, 0), (walked.c.left < walked.c.amount, walked.c.left), else_=walked.c.amount)
    planned = select(walked.c.currency, walked.c.due_on.label("due_on"), part.label("amount"))
    explained = (
        select(walked.c.booking_id, walked.c.currency, func.sum(walked.c.amount).label("amount"))
        .group_by(walked.c.booking_id, walked.c.currency)
        .subquery("explained")
    )
    rest = owing.c.pending - func.coalesce(explained.c.amount, 0)
    departing = (
        select(owing.c.currency, experiences.c.starts_on.label("due_on"), rest.label("amount"))
        .outerjoin(
            explained,
            (explained.c.booking_id == owing.c.booking_id) & (explained.c.currency == owing.c.currency),
        )
        .outerjoin(experiences, _experience_of(owing, agency))
        .where(owing.c.pending > 0, ~_ended_already(owing), rest > 0)
    )
    each = union_all(planned, departing).subquery("each")
    bucket = case(
        (each.c.due_on.is_(None), literal("not_due", String)),
        (each.c.due_on > literal(today, Date), literal("not_due", String)),
        *(
            (each.c.due_on >= literal(today - timedelta(days=most), Date), literal(name, String))
            for name, most in _EDGES
            if most
        ),
        else_=literal("over_90", String),
    )
    return select(each.c.currency, bucket.label("bucket"), each.c.amount)
