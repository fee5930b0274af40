"""Lists of bookings and experiences, a page at a time, by what people look for (contracts: platform-events 5.2, 5.3)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, String, func, literal, or_, select, tuple_, union, union_all

from store.database import Database
from store.documents import documents
from store.effect_tables import effects
from store.facts import bookings, experiences, payments
from store.tables import Instant

UNKNOWN_DAY = date.max
"""Where an experience of which only bookings were told stands in the order of departures."""
BookingPlace = tuple[datetime, str]
ExperiencePlace = tuple[date, str]


@dataclass(frozen=True, slots=True)
class BookingFilter:
    """Which bookings are meant; what is None does not matter. Days are those of the departure, both inclusive.

    `reference`: a booking's id or locator, a payment, the number of a document, or one of our references (`ORQ-…`).
    """

    reference: str | None = None
    status: str | None = None
    experience: str | None = None
    departs_from: date | None = None
    departs_to: date | None = None


@dataclass(frozen=True, slots=True)
class ListedBooking:
    """A booking without the people in it."""

    booking_id: str
    locator: str
    status: str
    experience_id: str
    title: str
    departs_on: date | None
    updated_at: datetime

    @property
    def place(self) -> BookingPlace:
        return self.updated_at, self.booking_id


@dataclass(frozen=True, slots=True)
class ListedExperience:
    """An experience; without title and day while only its bookings were told."""

    experience_id: str
    title: str
    status: str
    departs_on: date | None

    @property
    def place(self) -> ExperiencePlace:
        return self.departs_on or UNKNOWN_DAY, self.experience_id


class BookingLists:
    """Each method is one statement; a page begins behind the place of the last row before it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bookings(
        self, agency: str, wanted: BookingFilter, *, after: BookingPlace | None = None, limit: int = 50
    ) -> list[ListedBooking]:
        """Those that changed last come first."""
        own = bookings.c
        query = (
            select(
                own.id,
                own.locator,
                own.status,
                own.experience_id,
                own.updated_at,
                experiences.c.starts_on,
                experiences.c.body.label("experience"),
            )
            .outerjoin(experiences, (experiences.c.agency == own.agency) & (experiences.c.id == own.experience_id))
            .where(own.agency == agency, *_conditions(agency, wanted))
            .order_by(own.updated_at.desc(), own.id.desc())
            .limit(limit)
        )
        if after is not None:
            place = tuple_(literal(after[0], Instant), literal(after[1], String))
            query = query.where(tuple_(own.updated_at, own.id) < place)
        with self._database.read() as connection:
            return [
                ListedBooking(
                    booking_id=row.id,
                    locator=row.locator,
                    status=row.status,
                    experience_id=row.experience_id,
                    title=_title(row.experience),
                    departs_on=row.starts_on,
                    updated_at=row.updated_at,
                )
                for row in connection.execute(query)
            ]

    def experiences(
        self,
        agency: str,
        *,
        experience: str | None = None,
        status: str | None = None,
        departs_from: date | None = None,
        departs_to: date | None = None,
        after: ExperiencePlace | None = None,
        limit: int = 25,
    ) -> list[ListedExperience]:
        """By departure; those of which only bookings were told come last."""
        known = experiences.c
        told = select(known.id, known.starts_on.label("day"), known.status, known.body).where(known.agency == agency)
        if experience is not None:
            told = told.where(known.id == experience)
        if status is not None:
            told = told.where(known.status == status)
        if departs_from is not None:
            told = told.where(known.starts_on >= departs_from)
        if departs_to is not None:
            told = told.where(known.starts_on <= departs_to)
        if after is not None:
            told = told.where(tuple_(known.starts_on, known.id) > _after(after))
        parts: list[Select[Any]] = [_subselect(told.order_by(known.starts_on, known.id).limit(limit))]
        if (status, departs_from, departs_to) == (None, None, None):
            parts.append(self._untold(agency, experience, after, limit))
        found = union_all(*parts).subquery("found")
        query = select(found).order_by(found.c.day, found.c.id).limit(limit)
        with self._database.read() as connection:
            return [
                ListedExperience(
                    experience_id=row.id,
                    title=_title(row.body),
                    status=row.status,
                    departs_on=None if row.day == UNKNOWN_DAY else row.day,
                )
                for row in connection.execute(query)
            ]

    @staticmethod
    def _untold(agency: str, experience: str | None, after: ExperiencePlace | None, limit: int) -> Select[Any]:
        known, own = experiences.c, bookings.c
        unknown = ~select(known.id).where(known.agency == own.agency, known.id == own.experience_id).exists()
        day = literal(UNKNOWN_DAY, Date)
        query = (
            select(own.experience_id.label("id"), day.label("day"), literal("", String), literal(None, String))
            .where(own.agency == agency, unknown)
            .distinct()
            .order_by(own.experience_id)
            .limit(limit)
        )
        if experience is not None:
            query = query.where(own.experience_id == experience)
        if after is not None and after[0] == UNKNOWN_DAY:
            query = query.where(own.experience_id > after[1])
        return _subselect(query)


def _subselect(query: Select[Any]) -> Select[Any]:
    """A part of a union with an order and a limit of its own; SQLite knows it only as a table."""
    return select(query.subquery())


def _after(place: ExperiencePlace) -> Any:
    return tuple_(literal(place[0], Date), literal(place[1], String))


def _conditions(agency: str, wanted: BookingFilter) -> list[ColumnElement[bool]]:
    own, found = bookings.c, list[ColumnElement[bool]]()
    if wanted.reference:
        found.append(_called(agency, wanted.reference.strip()))
    if wanted.status is not None:
        found.append(own.status == wanted.status)
    if wanted.experience is not None:
        found.append(own.experience_id == wanted.experience)
    if wanted.departs_from is not None:
        found.append(experiences.c.starts_on >= wanted.departs_from)
    if wanted.departs_to is not None:
        found.append(experiences.c.starts_on <= wanted.departs_to)
    return found


def _called(agency: str, name: str) -> ColumnElement[bool]:
    """Each of the ways to name a booking has an index of its own."""
    of_payment = select(payments.c.booking_id).where(payments.c.agency == agency, payments.c.id == name)
    of_document = select(documents.c.booking_id).where(documents.c.agency == agency, documents.c.number == name)
    of_effect = select(func.coalesce(effects.c.booking_id, "")).where(
        effects.c.agency == agency, effects.c.reference == name.upper()
    )
    by_name = select(bookings.c.id).where(
        bookings.c.agency == agency, or_(bookings.c.id == name, bookings.c.locator.in_((name, name.upper())))
    )
    return bookings.c.id.in_(union(by_name, of_payment, of_document, of_effect))


def _title(body: str | None) -> str:
    return "" if body is None else str(json.loads(body)["title"])
