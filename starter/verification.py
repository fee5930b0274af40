"""Our figures of every file against the ERP's own; nothing is written (contracts: giav 4 "nightly check"; money-rules G2, M7)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.comparing import Difference, Verdict, differences, expected, judge
from domain.errors import NeedsPerson, Refused
from starter.figures import EVERYTHING, BookingRow, Clock, Trip, utc_now
from store import Store
from store.inbox import EventFilter
from store.parked import ParkedItem

if TYPE_CHECKING:
    from workers.economics import Economics

SETTLES_WITHIN = timedelta(minutes=10)
"""How long after an event or a write the ERP may show something else: our step runs, its sums lag (giav 1.5)."""
WRONG: frozenset[Verdict] = frozenset({"differs", "missing"})


@dataclass(frozen=True, slots=True)
class Compared:
    """One file. `why` names what may explain a difference: what waits, what was left out, what GIAV said."""

    trip: Trip
    file: int | None
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    why: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        return {
            "agency": self.trip.agency,
            "experience": self.trip.experience_id,
            "file": self.file,
            "verdict": self.verdict,
            "differences": [
                {"figure": each.figure, "ours": each.ours.model_dump(), "theirs": each.theirs.model_dump()}
                for each in self.differences
            ],
            "why": list(self.why),
        }


class Verification:
    """Compares file by file. Only where the two sides differ is it looked up what may explain it."""

    def __init__(self, store: Store, readers: Mapping[str, Economics], now: Clock = utc_now) -> None:
        self._store, self._readers, self._now = store, readers, now
        self._parked = store.parked.list(limit=EVERYTHING)

    def compare(self, trips: Iterable[Trip], rows: Iterable[BookingRow]) -> Iterator[Compared]:
        """Every experience of an agency that has the ERP, with all its bookings: one call each.

        Raises the adapter's error when the ERP does not answer.
        """
        bookings: dict[Trip, list[BookingRow]] = defaultdict(list)
        for row in rows:
            bookings[row.trip].append(row)
        for trip in dict.fromkeys((*trips, *bookings)):
            reader = self._readers.get(trip.agency)
            if reader is not None:
                yield self._one(reader, trip, bookings[trip])

    def _one(self, reader: Economics, trip: Trip, rows: list[BookingRow]) -> Compared:
        file: int | None = None
        try:
            file = reader.file_of(trip.experience_id)
            theirs = reader.figures(file) if file is not None else None
        except (Refused, NeedsPerson) as error:
            return Compared(trip, file, "missing", why=(error.message,))
        parked = [item for item in self._parked if item.agency == trip.agency]
        reasons = _Reasons(self._store, reader, trip, rows, parked, self._now())
        if theirs is None:
            waits = reasons.waits()
            return Compared(trip, None, "waits" if waits or not rows else "missing", why=(*waits, "no file yet"))
        ours = expected((row.figures for row in rows if row.currency == reader.currency), reader.currency)
        found = differences(ours, theirs)
        if not found:
            return Compared(trip, file, "agrees")
        waits, settles = reasons.waits(), reasons.settles()
        verdict = judge(found, waits=bool(waits), settles=bool(settles))
        return Compared(trip, file, verdict, found, (*waits, *settles, *reasons.left_out()))


class _Reasons:
    """What of a file's bookings is still on its way to the ERP, or will never get there."""

    def __init__(
        self,
        store: Store,
        reader: Economics,
        trip: Trip,
        rows: Iterable[BookingRow],
        parked: Iterable[ParkedItem],
        now: datetime,
    ) -> None:
        self._store, self._reader, self._trip = store, reader, trip
        self._now, self._lately = now, now - SETTLES_WITHIN
        self._waiting = {row.booking_id: row.waits for row in rows}
        self._ids = list(self._waiting)
        self._parked = [item for item in parked if self._concerns(item)]
        self._ended = {each: store.lifecycles.of_booking(trip.agency, each) for each in self._ids}

    def waits(self) -> list[str]:
        return [*self._stopped(), *(words for each in self._ids for words in self._on_its_way(each))]

    def _concerns(self, item: ParkedItem) -> bool:
        if item.booking_id is None:
            return item.experience_id == self._trip.experience_id
        return item.booking_id in self._waiting

    def _stopped(self) -> Iterator[str]:
        yield from (f"{item.item_id} is parked ({item.reason})" for item in self._parked)
        parked = {item.booking_id for item in self._parked}
        for booking_id, waits in self._waiting.items():
            if waits and booking_id not in parked:
                yield f"an event of {booking_id} is not handed on yet"

    def _on_its_way(self, booking_id: str) -> Iterator[str]:
        left_out = self._left_out(booking_id)
        for entity, business_id in self._reader.unwritten(booking_id):
            if not left_out & {business_id, "*"}:
                yield f"{entity} {business_id} is not there yet"
        told = EventFilter(agency=self._trip.agency, booking_id=booking_id, since=self._lately, until=self._now)
        if any(event.kind.startswith("booking.") for event in self._store.inbox.list(told)):
            yield f"{booking_id} was changed a moment ago"

    def _left_out(self, booking_id: str) -> set[str]:
        """What ended without being written, by a person's decision or a compensation; `*` when that may be anything."""
        found = set()
        for closed in self._ended[booking_id]:
            match closed.outcome.kind:
                case "payment":
                    found.add(closed.outcome.payment_id or "*")
                case "refund":
                    found.add(closed.outcome.workflow_id.rpartition("/")[2])
                case "create":
                    found.add(booking_id)
                case _:
                    found.add("*")
        return found

    def settles(self) -> list[str]:
        written = ((each, self._reader.money_written_at(each)) for each in self._ids)
        return [f"money of {each} was written a moment ago" for each, at in written if at and at >= self._lately]

    def left_out(self) -> list[str]:
        """Lifecycles that ended otherwise than done, in their own words."""
        return [
            ": ".join((booking_id, f"{closed.outcome.kind} ended {closed.outcome.outcome}", *closed.outcome.notes))
            for booking_id, ended in self._ended.items()
            for closed in ended
        ]


def counts(compared: Iterable[Compared]) -> dict[str, int]:
    """How many files there are of each verdict."""
    return dict(Counter(each.verdict for each in compared))
