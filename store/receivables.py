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

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Select,
    String,
    Subquery,
    case,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from domain.money import Money
from domain.reporting import NOT_COLLECTED, Ages
from store.database import Database
from store.facts import booking_money, bookings, experiences, plan_instalments

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
        chosen = select(owing, size.label("size")).where(size > 0)
        if after is not None:
            chosen = chosen.where(tuple_(-size, owing.c.booking_id) > tuple_(literal(-after[0]), literal(after[1])))
        largest = chosen.order_by(size.desc(), owing.c.booking_id).limit(limit).cte("largest")
        query = (
            select(largest, bookings.c.locator, experiences.c.starts_on)
            .join(bookings, (bookings.c.agency == agency) & (bookings.c.id == largest.c.booking_id))
            .outerjoin(experiences, _experience_of(largest, agency))
            .order_by(largest.c.size.desc(), largest.c.booking_id)
        )
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
    money, own = booking_money.c, bookings.c
    about = (own.id.label("booking_id"), own.experience_id, own.status, own.cancelled_at)
    moved = money.refunded + money.disputed - money.collected
    pending = own.amount + func.coalesce(moved, 0)
    same = (money.agency == own.agency) & (money.booking_id == own.id)
    in_own = (
        select(*about, own.currency, pending.label("pending"))
        .outerjoin(booking_money, same & (money.currency == own.currency))
        .where(own.agency == agency, pending != 0)
    )
    in_others = (
        select(*about, money.currency, moved.label("pending"))
        .join(booking_money, same & (money.currency != own.currency))
        .where(own.agency == agency, moved != 0)
    )
    return union_all(in_own, in_others).cte("owing")


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
    """What is owed of the others: by open instalments, by those that were paid once, and then by departure."""
    still = _open(agency)
    after = _after_open(owing, still)
    # Nearly every debt is what its open instalments say, and needs no walk through them.
    whole = select(after.c.currency, plan_instalments.c.due_on, plan_instalments.c.amount)
    whole = whole.join(plan_instalments, _instalments_of(after, agency, settled=False)).where(after.c.pending >= 0)
    less = select(after).where(after.c.pending < 0).cte("less")
    first = _walked(less, agency, less.c.pending + less.c.open, settled=False, name="first")
    more = select(after).where(after.c.pending > 0).cte("more")
    second = _walked(more, agency, more.c.pending, settled=True, name="second")
    last = _left(more, second)
    departing = select(last.c.currency, experiences.c.starts_on.label("due_on"), last.c.pending.label("amount"))
    departing = departing.outerjoin(experiences, _experience_of(last, agency))
    each = union_all(whole, _parts(first), _parts(second), departing).subquery("each")
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
    return select(each.c.currency, bucket.label("bucket"), func.sum(each.c.amount).label("amount")).group_by(
        each.c.currency, bucket
    )


def _instalments_of(owing: CTE, agency: str, *, settled: bool) -> ColumnElement[bool]:
    plan = plan_instalments.c
    return (
        (plan.agency == agency)
        & (plan.booking_id == owing.c.booking_id)
        & (plan.currency == owing.c.currency)
        & plan.status.not_in(NOT_COLLECTED)
        & (plan.settled if settled else ~plan.settled)
    )


def _open(agency: str) -> Subquery:
    """What the open instalments of each plan add up to."""
    plan = plan_instalments.c
    return (
        select(plan.booking_id, plan.currency, func.sum(plan.amount).label("amount"))
        .where(plan.agency == agency, ~plan.settled, plan.status.not_in(NOT_COLLECTED))
        .group_by(plan.booking_id, plan.currency)
        .subquery("still_open")
    )


def _after_open(owing: CTE, still: Subquery) -> CTE:
    """Every debt with what its open instalments add up to; `pending` is what they leave, negative where they are too much."""
    known = func.coalesce(still.c.amount, 0)
    columns = [owing.c[name] for name in ("booking_id", "experience_id", "status", "cancelled_at", "currency")]
    return (
        select(*columns, (owing.c.pending - known).label("pending"), known.label("open"))
        .outerjoin(still, (still.c.booking_id == owing.c.booking_id) & (still.c.currency == owing.c.currency))
        .where(owing.c.pending > 0, ~_ended_already(owing))
        .cte("after_open")
    )


def _walked(owing: CTE, agency: str, pending: ColumnElement[Any], *, settled: bool, name: str) -> CTE:
    """Instalments from the latest on, each with what is left to explain when its turn comes."""
    plan = plan_instalments.c
    so_far = func.sum(plan.amount).over(
        partition_by=(owing.c.booking_id, owing.c.currency), order_by=(plan.due_on.desc(), plan.id), rows=(None, 0)
    )
    left = (pending - so_far + plan.amount).label("left")
    return (
        select(owing.c.booking_id, owing.c.currency, plan.due_on, plan.amount, left)
        .join(plan_instalments, _instalments_of(owing, agency, settled=settled))
        .cte(name)
    )


def _parts(walked: CTE) -> Select[Any]:
    left, amount = walked.c.left, walked.c.amount
    part = case((left < amount, left), else_=amount)
    return select(walked.c.currency, walked.c.due_on, part.label("amount")).where(left > 0)


def _left(owing: CTE, walked: CTE) -> CTE:
    """What of a debt no instalment explains."""
    explained = (
        select(walked.c.booking_id, walked.c.currency, func.sum(walked.c.amount).label("amount"))
        .group_by(walked.c.booking_id, walked.c.currency)
        .subquery("explained")
    )
    left = owing.c.pending - func.coalesce(explained.c.amount, 0)
    same = (explained.c.booking_id == owing.c.booking_id) & (explained.c.currency == owing.c.currency)
    columns = (owing.c.booking_id, owing.c.experience_id, owing.c.currency)
    return select(*columns, left.label("pending")).outerjoin(explained, same).where(left > 0).cte("last")
