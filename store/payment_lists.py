"""Payments page by page, narrowed by what people ask for, each with what a person knows it by (contracts: payment-sync 8).

Whatever is asked, an index answers (docs/performance.md): a page costs the rows it shows, not the rows there are.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Connection, Integer, Row, Select, String, func, literal, select, tuple_

from domain.payment_sync import State
from domain.platform import Booking, Payment
from store.database import Database
from store.documents import documents
from store.facts import bookings, payments
from store.payment_sync import SyncedPayment, payment_syncs, synced_payment
from store.tables import Instant

Order = Literal["urgent", "newest"]
"""`urgent`: paid and not synchronised first, the oldest first; `newest`: by capture, the newest first."""


class PaymentFilter(BaseModel):
    """What is wanted of payments; everything given must hold. Amounts are in minor units, bounds
    inclusive; `text` is an id, locator, reference or invoice number, whole."""

    model_config = ConfigDict(frozen=True)

    states: frozenset[State] = frozenset()
    causes: frozenset[str] = frozenset()
    connector: str | None = None
    captured_before: datetime | None = None
    captured_after: datetime | None = None
    least: int | None = None
    most: int | None = None
    currency: str | None = None
    claimed_by: str | None = None
    booking_id: str | None = None
    text: str | None = None


class BrokenPlace(ValueError):
    """Not a place that a page of ours ended with."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended; the next one begins behind it, whatever has changed before it meanwhile."""

    order: Order
    settled: int
    captured_at: datetime
    payment_id: str
    agency: str

    def __str__(self) -> str:
        told = json.dumps([self.order, self.settled, self.captured_at.isoformat(), self.payment_id, self.agency])
        return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `BrokenPlace`."""
        try:
            padded = text + "=" * (-len(text) % 4)
            order, settled, moment, payment_id, agency = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
            at = datetime.fromisoformat(moment)
        except (ValueError, TypeError):
            raise BrokenPlace("not a place of this list") from None
        known = order in ("urgent", "newest") and settled in (0, 1)
        known = known and isinstance(payment_id, str) and isinstance(agency, str)
        if not known or at.tzinfo is None:
            raise BrokenPlace("not a place of this list")
        return cls(order, settled, at, payment_id, agency)


@dataclass(frozen=True, slots=True)
class Face:
    """What people know a payment by."""

    payment: Payment | None
    customer: str
    locator: str
    invoices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Some payments, and where the next ones begin; None when there are no more."""

    payments: list[SyncedPayment]
    next: Place | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many payments of one cause are paid and not synchronised, and since when the oldest of them."""

    cause: str
    number: int
    oldest: datetime


class PaymentLists:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        agencies: Sequence[str],
        wanted: PaymentFilter,
        *,
        order: Order = "urgent",
        after: Place | None = None,
        limit: int = 50,
    ) -> Page:
        """Of one agency or of several in one order. `after` counts only for the order that it came from."""
        with self._database.read() as connection:
            rows = [
                row
                for agency in agencies
                for row in connection.execute(page_query(agency, wanted, order=order, after=after, limit=limit + 1))
            ]
        rows.sort(key=_urgency if order == "urgent" else _moment, reverse=order == "newest")
        found = [synced_payment(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return Page(found, None)
        last = rows[limit - 1]
        return Page(found, Place(order, last.settled, last.captured_at, last.payment_id, last.agency))

    def waiting(self, agencies: Sequence[str]) -> list[Waiting]:
        """What is paid and not synchronised, by cause, the oldest first."""
        wanted = payment_syncs.c
        query = (
            select(wanted.cause, func.count().label("number"), func.min(wanted.captured_at).label("oldest"))
            .where(wanted.agency.in_(agencies), wanted.settled == 0)
            .group_by(wanted.cause)
        )
        with self._database.read() as connection:
            found = [Waiting(row.cause, row.number, row.oldest) for row in connection.execute(query)]
        return sorted(found, key=lambda each: each.oldest)

    def connectors(self, agencies: Sequence[str]) -> list[str]:
        """The ERPs that these agencies' payments go to: each is found by one step in the index."""
        at, found = payment_syncs.c, set[str]()
        with self._database.read() as connection:
            for agency in agencies:
                last: str | None = ""
                while last is not None:
                    query = select(func.min(at.connector)).where(at.agency == agency, at.connector > last)
                    last = connection.scalar(query)
                    found |= {last} if last is not None else set()
        return sorted(found)

    def faces(self, shown: Sequence[SyncedPayment]) -> dict[tuple[str, str], Face]:
        """By agency and payment id; three reads for each agency of a page."""
        found: dict[tuple[str, str], Face] = {}
        with self._database.read() as connection:
            for agency in {each.agency for each in shown}:
                of = {each.sync.payment_id: each.booking_id for each in shown if each.agency == agency}
                found |= {(agency, own): face for own, face in _faces(connection, agency, of).items()}
        return found


def _faces(connection: Connection, agency: str, of: dict[str, str]) -> dict[str, Face]:
    paid_query = select(payments.c.body).where(payments.c.agency == agency, payments.c.id.in_(of))
    sold_query = select(bookings.c.body).where(bookings.c.agency == agency, bookings.c.id.in_(set(of.values())))
    issued_query = (
        select(documents.c.payment_id, documents.c.number)
        .where(documents.c.agency == agency, documents.c.payment_id.in_(of), documents.c.kind == "invoice")
        .order_by(documents.c.recorded_at, documents.c.key)
    )
    paid = {each.id: each for each in map(Payment.model_validate_json, connection.scalars(paid_query))}
    sold = {each.id: each for each in map(Booking.model_validate_json, connection.scalars(sold_query))}
    numbers: dict[str, list[str]] = {}
    for row in connection.execute(issued_query):
        numbers.setdefault(row.payment_id, []).append(row.number)
    return {
        own: Face(
            paid.get(own),
            sold[booking].payer.name if booking in sold else "",
            sold[booking].locator if booking in sold else "",
            tuple(numbers.get(own, ())),
        )
        for own, booking in of.items()
    }


def _urgency(row: Row[Any]) -> tuple[Any, ...]:
    return row.settled, row.captured_at, row.payment_id, row.agency


def _moment(row: Row[Any]) -> tuple[Any, ...]:
    return row.captured_at, row.payment_id, row.agency


def page_query(
    agency: str, wanted: PaymentFilter, *, order: Order = "urgent", after: Place | None = None, limit: int = 51
) -> Select[Any]:
    """The statement of one page of one agency."""
    at = payment_syncs.c
    query = select(payment_syncs).where(at.agency == agency, *_conditions(agency, wanted)).limit(limit)
    if order == "newest":
        query = query.order_by(at.captured_at.desc(), at.payment_id.desc())
        if after is not None:
            last = tuple_(literal(after.captured_at, Instant), literal(after.payment_id, String))
            here = tuple_(at.captured_at, at.payment_id)
            query = query.where(here <= last if agency < after.agency else here < last)
        return query
    query = query.order_by(at.settled, at.captured_at, at.payment_id)
    if after is not None:
        last = tuple_(
            literal(after.settled, Integer), literal(after.captured_at, Instant), literal(after.payment_id, String)
        )
        here = tuple_(at.settled, at.captured_at, at.payment_id)
        query = query.where(here >= last if agency > after.agency else here > last)
    return query


def _conditions(agency: str, wanted: PaymentFilter) -> list[ColumnElement[bool]]:
    at = payment_syncs.c
    given: list[ColumnElement[bool]] = []
    if wanted.states:
        given.append(_one_of(at.state, sorted(state.value for state in wanted.states)))
    if wanted.causes:
        given.append(_one_of(at.cause, sorted(wanted.causes)))
    for column, exact in (
        (at.connector, wanted.connector),
        (at.currency, wanted.currency),
        (at.claimed_by, wanted.claimed_by),
        (at.booking_id, wanted.booking_id),
    ):
        if exact is not None:
            given.append(column == exact)
    if wanted.captured_before is not None:
        given.append(at.captured_at <= wanted.captured_before)
    if wanted.captured_after is not None:
        given.append(at.captured_at >= wanted.captured_after)
    if wanted.least is not None:
        given.append(at.amount >= wanted.least)
    if wanted.most is not None:
        given.append(at.amount <= wanted.most)
    if wanted.text is not None:
        given.append(_known_as(agency, wanted.text))
    return given


def _one_of(column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    return column == next(iter(values)) if len(values) == 1 else column.in_(values)


def _known_as(agency: str, text: str) -> ColumnElement[bool]:
    """Payments by any name that a person may have of them; each name has an index of its own."""
    at = payment_syncs.c
    sold = select(bookings.c.id).where(bookings.c.agency == agency, bookings.c.locator == text)
    paid = select(payments.c.id).where(payments.c.agency == agency, payments.c.payment_ref == text)
    issued = select(documents.c.payment_id).where(documents.c.agency == agency, documents.c.number == text)
    own = select(at.payment_id).where(at.agency == agency, at.booking_id.in_(sold.union_all(select(literal(text)))))
    return at.payment_id.in_(own.union_all(paid, issued, select(literal(text))).scalar_subquery())
