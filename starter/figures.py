"""The read model as rows of a report: every booking with its figures and its debt (contracts: money-rules 1.2, G2, M7).

From the same sums and debts that the console shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from domain.notices import EventNotice
from domain.platform import Experience
from domain.reporting import Ages, Figures
from store import Store
from store.booking_lists import BookingFilter, ListedBooking
from store.installation import Installation

AT_A_TIME = 500
"""Bookings read at once."""
EVERYTHING = 100_000
STOPPED = frozenset({"REFUSED", "REJECTED", "EXPIRED"})
"""States of lines that a person has to see to."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which bookings are meant; days are those of the departure, both inclusive."""

    agency: str | None = None
    experience: str | None = None
    departs_from: date | None = None
    departs_to: date | None = None

    def has(self, experience_id: str, departs_on: date | None) -> bool:
        """A booking whose experience nobody told us of yet has no departure and is in no span of days."""
        if self.experience is not None and self.experience != experience_id:
            return False
        if self.departs_from is None and self.departs_to is None:
            return True
        return departs_on is not None and (self.departs_from or date.min) <= departs_on <= (self.departs_to or date.max)


@dataclass(frozen=True, slots=True)
class Trip:
    """What a row says of its experience; `departs_on` is unknown while only its bookings were told."""

    agency: str
    experience_id: str
    title: str
    departs_on: date | None


@dataclass(frozen=True, slots=True)
class BookingRow:
    """One booking in one currency. `waits`: a parked item, an event that was not handed on yet or a line that AirPlus did not
    get or take concerns it. `airplus`: its lines at AirPlus, counted by state.
    """

    trip: Trip
    booking_id: str
    status: str
    currency: str
    figures: Figures
    ages: Ages
    waits: bool
    airplus: Mapping[str, int] = field(default_factory=dict)


class ReadModel:
    """The bookings of an installation by departure, experience and id, as the events told them."""

    def __init__(self, installation: Installation, store: Store, now: Clock = utc_now) -> None:
        self._installation, self._store, self._now = installation, store, now

    def rows(self, selection: Selection) -> list[BookingRow]:
        """One row per booking and currency."""
        return [row for agency in self._agencies(selection) for row in self._rows(agency, selection)]

    def trips(self, selection: Selection) -> list[Trip]:
        """The experiences, those without bookings too."""
        return [
            trip
            for agency in self._agencies(selection)
            for trip in map(_trip_of(agency), self._store.facts.experiences(agency))
            if selection.has(trip.experience_id, trip.departs_on)
        ]

    def knows(self, selection: Selection) -> bool:
        """Whether anybody told of the experience that is selected, or of a booking of it."""
        facts, experience = self._store.facts, selection.experience or ""
        return any(
            facts.experience(agency, experience) is not None or facts.bookings(agency, experience)
            for agency in self._agencies(selection)
        )

    def _agencies(self, selection: Selection) -> list[str]:
        return [selection.agency] if selection.agency else list(self._installation.agencies)

    def _rows(self, agency: str, selection: Selection) -> Iterator[BookingRow]:
        store, zone = self._store, ZoneInfo(self._installation.agencies[agency].timezone)
        today, waiting = self._now().astimezone(zone).date(), waiting_bookings(store, agency)
        told = store.tamara.by_booking(agency)
        listed = sorted(
            self._listed(agency, selection),
            key=lambda one: (one.departs_on or date.max, one.experience_id, one.booking_id),
        )
        for start in range(0, len(listed), AT_A_TIME):
            some = listed[start : start + AT_A_TIME]
            own = [one.booking_id for one in some]
            figures = store.added_figures.of_bookings(agency, own)
            aged = store.receivables.ages_of_bookings(agency, own, zone, today)
            for one in some:
                trip = Trip(agency, one.experience_id, one.title, one.departs_on)
                lines = told.get(one.booking_id, {})
                waits = one.booking_id in waiting or not STOPPED.isdisjoint(lines)
                for each in figures[one.booking_id]:
                    currency = each.sale.currency
                    ages = aged.get((one.booking_id, currency)) or Ages.nothing(currency)
                    yield BookingRow(trip, one.booking_id, one.status, currency, each, ages, waits, lines)

    def _listed(self, agency: str, selection: Selection) -> Iterator[ListedBooking]:
        wanted = BookingFilter(
            experience=selection.experience, departs_from=selection.departs_from, departs_to=selection.departs_to
        )
        after = None
        while some := self._store.booking_lists.bookings(agency, wanted, after=after, limit=AT_A_TIME):
            yield from some
            after = some[-1].place


def _trip_of(agency: str) -> Callable[[Experience], Trip]:
    return lambda experience: Trip(agency, experience.id, experience.title, experience.starts_on)


def waiting_bookings(store: Store, agency: str) -> set[str]:
    """Bookings with a parked item, or with an event that was not handed to its workflow yet."""
    parked = {item.booking_id for item in store.parked.list(agency, limit=EVERYTHING)}
    notices = (EventNotice.model_validate_json(row.notice_json) for row in store.inbox.undispatched(EVERYTHING))
    undelivered = {notice.booking_id for notice in notices if notice.agency == agency}
    return {booking_id for booking_id in parked | undelivered if booking_id is not None}
