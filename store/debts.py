"""What each booking owes, kept as its events come in, so that reading it needs no adding up (contracts: money-rules 1.2, M7).

The rule is `domain.reporting.parts_of`. A part without an instalment falls due with the departure, which is looked up when it is
read: a trip that is moved needs no debt to be written anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Index,
    SmallInteger,
    String,
    Table,
    bindparam,
    delete,
    func,
    select,
)

from domain.money import Money
from domain.reporting import NOT_COLLECTED, Due, parts_of
from store.facts import booking_money, bookings, plan_instalments
from store.tables import Instant, agency_column, id_column, metadata

debts = Table(
    "debts",
    metadata,
    agency_column(primary_key=True),
    id_column("booking_id", primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("pending", BigInteger, nullable=False),
    Index(None, "agency", "pending", "currency", "booking_id"),
)
"""Bookings of which something is pending; negative where money is owed to the payer."""
debt_parts = Table(
    "debt_parts",
    metadata,
    agency_column(primary_key=True),
    id_column("booking_id", primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("due_on", Date),
    id_column("departs_with", nullable=True),
    Column("ended_at", Instant),
)
"""What is owed, by when it fell due: on a day, when the experience `departs_with` begins, or when the booking ended."""

_SOLD = select(
    bookings.c.id,
    bookings.c.currency,
    bookings.c.amount,
    bookings.c.status,
    bookings.c.cancelled_at,
    bookings.c.experience_id,
).where(bookings.c.agency == bindparam("of_agency"), bookings.c.id.in_(bindparam("of_bookings", expanding=True)))


def _of_these(table: Table) -> Any:
    return (table.c.agency == bindparam("of_agency")) & table.c.booking_id.in_(bindparam("of_bookings", expanding=True))


_MONEY = select(
    booking_money.c.booking_id,
    booking_money.c.currency,
    (booking_money.c.refunded + booking_money.c.disputed - booking_money.c.collected).label("moved"),
).where(_of_these(booking_money))
_PLANNED = select(
    plan_instalments.c.booking_id,
    plan_instalments.c.currency,
    plan_instalments.c.due_on,
    plan_instalments.c.amount,
    plan_instalments.c.settled,
).where(_of_these(plan_instalments), plan_instalments.c.status.not_in(NOT_COLLECTED))
_FORGET = tuple(delete(table).where(_of_these(table)) for table in (debts, debt_parts))
_INSERT_DEBTS, _INSERT_PARTS = debts.insert(), debt_parts.insert()
_ALONE = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("of_booking"), 0)))


def keep_debts(connection: Connection, agency: str, booking_ids: Sequence[str]) -> None:
    """Write anew what these bookings owe. The last thing that a transaction does to them: until its end nobody else may."""
    if connection.dialect.name == "postgresql":
        # Two events of one booking, each of which would not see what the other brings.
        for booking_id in sorted(booking_ids):
            connection.execute(_ALONE, {"of_booking": f"debts/{agency}/{booking_id}"})
    these = {"of_agency": agency, "of_bookings": list(booking_ids)}
    bookings_sold = connection.execute(_SOLD, these).all()
    if not bookings_sold:
        return  # their money came first
    moved: dict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(_MONEY, these):
        moved[row.booking_id][row.currency] = row.moved
    dues: dict[tuple[str, str], list[Due]] = defaultdict(list)
    for each in connection.execute(_PLANNED, these):
        amount = Money(amount=each.amount, currency=each.currency)
        dues[each.booking_id, each.currency].append(Due(each.due_on, amount, each.settled))
    for statement in _FORGET:
        connection.execute(statement, these)
    whole: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    for sold in bookings_sold:
        for pending in _pending(sold, moved[sold.id]):
            own = {"agency": agency, "booking_id": sold.id, "currency": pending.currency}
            whole.append(own | {"pending": pending.amount})
            told = _parts(sold, pending, dues[sold.id, pending.currency])
            parts += [own | {"number": number} | part for number, part in enumerate(told)]
    if whole:
        connection.execute(_INSERT_DEBTS, whole)
    if parts:
        connection.execute(_INSERT_PARTS, parts)


def _pending(sold: Any, moved: dict[str, int]) -> Iterator[Money]:
    """What is left of a booking in each currency, its own first."""
    for currency in (sold.currency, *sorted(moved.keys() - {sold.currency})):
        amount = moved.get(currency, 0) + (sold.amount if currency == sold.currency else 0)
        if amount:
            yield Money(amount=amount, currency=currency)


def _parts(sold: Any, pending: Money, dues: Sequence[Due]) -> Iterator[dict[str, Any]]:
    ended = sold.cancelled_at if sold.status == "cancelled" else None
    # What is owed of a cancelled booking is its penalty, and that is due at once.
    for due_on, amount in parts_of(pending, [] if ended else dues):
        departs_with = sold.experience_id if due_on is None and ended is None else None
        yield {"amount": amount.amount, "due_on": due_on, "departs_with": departs_with, "ended_at": ended}
