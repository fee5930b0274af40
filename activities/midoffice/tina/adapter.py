"""TINA behind the interface of all mid-offices, pushing or only verifying (contracts: midoffice 5.2)."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from activities.midoffice.adapter import MidOfficeAdapter, MidOfficeState, PushResult
from activities.midoffice.booking import BookingRef, MidOfficeBooking, MidOfficePayment
from activities.midoffice.codec import Announce, AnnouncePayment, Question
from activities.midoffice.one_call import OneCallAdapter
from activities.midoffice.tina.codec import TinaCodec, operation_of
from activities.midoffice.tina.settings import TinaSettings
from activities.midoffice.web import Route, Web
from domain.errors import NeedsPerson, Refused, Transient

SYSTEM = "tina"
GONE = frozenset({"CANCELLED", "REJECTED"})
LOOK_AGAIN_SECONDS = 300.0


def open_tina(settings: TinaSettings, transport: httpx.BaseTransport | None = None) -> MidOfficeAdapter:
    """The adapter for the mode that the agency chose."""
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    web = Web(SYSTEM, settings, path="/ws/import", headers=headers, transport=transport)
    pushing = OneCallAdapter(SYSTEM, settings, web, TinaCodec(settings), route, payment=settings.mode == "push")
    return pushing if settings.mode == "push" else Verifying(pushing, settings.verify_hours * 3600)


def route(question: Question) -> Route:
    """All questions go to one address; the action names the operation."""
    operation = operation_of(question)
    action = f'"http://tina.dcsplus.net/ws/{operation}"'
    return Route(operation, isinstance(question, Announce | AnnouncePayment), headers={"SOAPAction": action})


class Verifying:
    """TINA fetches bookings from the supplier by itself: nothing is pushed, and what it holds is held against ours.

    Patience is counted by each process from its first look at a revision.
    """

    def __init__(
        self, reader: OneCallAdapter, patience_seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.system = reader.system
        self.capabilities = reader.capabilities
        self._reader = reader
        self._patience_seconds = patience_seconds
        self._now = now
        self._first_look: dict[tuple[str, int], float] = {}

    def close(self) -> None:
        self._reader.close()

    def ping(self) -> None:
        self._reader.ping()

    def push_booking(self, record: MidOfficeBooking) -> PushResult:
        """Wait until TINA holds the record; raises `Transient` meanwhile and `NeedsPerson` when it takes too long."""
        held = self._reader.read_status(record.ref)
        missing = _differs(held, record)
        asked = (record.supplier_booking_id, record.revision)
        if missing is None:
            self._first_look.pop(asked, None)
            return PushResult("ACCEPTED", held[0].external_ref)
        waited = self._now() - self._first_look.setdefault(asked, self._now())
        text = f"{record.supplier_booking_id}: {missing}"
        if waited < self._patience_seconds:
            raise Transient(text, system=self.system, operation="verify", retry_after=LOOK_AGAIN_SECONDS)
        self._first_look.pop(asked)
        raise NeedsPerson(f"{text}; TINA should have fetched it by itself", system=self.system, operation="verify")

    def cancel_booking(self, record: MidOfficeBooking) -> PushResult:
        return self.push_booking(record)

    def push_payment(self, booking: BookingRef, payment: MidOfficePayment) -> PushResult:
        raise Refused("TINA is only read in this mode", system=self.system, operation="announce payment")

    def read_status(self, booking: BookingRef) -> list[MidOfficeState]:
        return self._reader.read_status(booking)


def _differs(states: list[MidOfficeState], record: MidOfficeBooking) -> str | None:
    """What TINA's booking lacks to be ours; its revision is its own and says nothing."""
    if not states:
        return "TINA does not hold it"
    held, cancelled = states[0].held, record.status in GONE
    if (held.status == "CANCELLED") != cancelled:
        return f"TINA holds it as {held.status.lower()}"
    if held.price is not None and held.price != record.price.sell_gross:
        return f"TINA holds it at {held.price}, sold at {record.price.sell_gross} {record.currency}"
    return None
