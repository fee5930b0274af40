"""The read model as rows of a report: every booking with its figures and its debt (contracts: money-rules 1.2, G2, M7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from domain.notices import EventNotice
from domain.platform import Booking, Experience
from domain.reporting import Ages, Due, Figures, ages_of, dues_of, figures_of
from store import Store
from store.installation import Installation

ERP = "giav"
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
        store = self._store
        zone = ZoneInfo(self._installation.agencies[agency].timezone)
        trips = {each.id: _trip_of(agency)(each) for each in store.facts.experiences(agency)}
        moved, waiting = store.sums.moved(agency, ERP), waiting_bookings(store, agency)
        told = store.tamara.by_booking(agency)
        found = []
        for booking in store.facts.bookings(agency, selection.experience):
            trip = trips.get(booking.experience_id) or Trip(agency, booking.experience_id, "", None)
            if selection.has(trip.experience_id, trip.departs_on):
                found.append((trip, booking))
        found.sort(key=lambda pair: (pair[0].departs_on or date.max, pair[0].experience_id, pair[1].id))
        for trip, booking in found:
            for currency, figures in figures_of(booking, moved.get(booking.id, {})).items():
                ages = self._ages(booking, figures, trip, zone)
                lines = told.get(booking.id, {})
                waits = booking.id in waiting or not STOPPED.isdisjoint(lines)
                yield BookingRow(trip, booking.id, booking.status, currency, figures, ages, waits, lines)

    def _ages(self, booking: Booking, figures: Figures, trip: Trip, zone: ZoneInfo) -> Ages:
        today = self._now().astimezone(zone).date()
        pending, otherwise, dues = figures.pending, trip.departs_on, list[Due]()
        if booking.status == "cancelled" and booking.cancelled_at is not None:
            # What is owed of a cancelled booking is its penalty, and that is due at once.
            otherwise = booking.cancelled_at.astimezone(zone).date()
        elif pending.amount > 0:
            dues = self._dues(trip.agency, booking.id, pending.currency)
        return ages_of(pending, dues, otherwise, today)

    def _dues(self, agency: str, booking_id: str, currency: str) -> list[Due]:
        plan = self._store.facts.plan(agency, booking_id)
        if plan is None or plan.currency != currency:
            return []
        payments = self._store.facts.payments_of(agency, booking_id)
        return dues_of(plan, {each.installment_id for each in payments if each.installment_id})


def _trip_of(agency: str) -> Callable[[Experience], Trip]:
    return lambda experience: Trip(agency, experience.id, experience.title, experience.starts_on)


def waiting_bookings(store: Store, agency: str) -> set[str]:
    """Bookings with a parked item, or with an event that was not handed to its workflow yet."""
    parked = {item.booking_id for item in store.parked.list(agency, limit=EVERYTHING)}
    notices = (EventNotice.model_validate_json(row.notice_json) for row in store.inbox.undispatched(EVERYTHING))
    undelivered = {notice.booking_id for notice in notices if notice.agency == agency}
    return {booking_id for booking_id in parked | undelivered if booking_id is not None}
