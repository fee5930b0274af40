"""The adapter of every system that answers each question in one call over HTTP (contracts: midoffice 3.2).

What differs between such systems is a codec and the route of a question; nothing here knows a format.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from activities.midoffice.adapter import Capabilities, MidOfficeState, PushResult
from activities.midoffice.booking import BookingRef, MidOfficeBooking, MidOfficePayment
from activities.midoffice.codec import (
    Accepted,
    Announce,
    AnnouncePayment,
    Codec,
    FindBooking,
    HeldBooking,
    OrderContent,
    Question,
    Reply,
)
from activities.midoffice.faults import UnknownBooking
from activities.midoffice.idempotency import idem_of, payment_idem
from activities.midoffice.settings import MidOfficeSettings
from activities.midoffice.web import Route, Web
from domain.errors import ContractBroken, Refused

Router = Callable[[Question], Route]


class OneCallAdapter:
    """One agency's account at such a system."""

    def __init__(
        self, system: str, settings: MidOfficeSettings, web: Web, codec: Codec, route: Router, *, payment: bool = True
    ) -> None:
        self.system = system
        self.capabilities = Capabilities(products=frozenset(settings.capabilities), payment=payment)
        self._creditors = settings.supplier_numbers
        self._web = web
        self._codec = codec
        self._route = route

    def close(self) -> None:
        self._web.close()

    def ping(self) -> None:
        """A look at a booking that exists nowhere."""
        self._find(next(iter(self._creditors.values())), "doctor-check")

    def push_booking(self, record: MidOfficeBooking) -> PushResult:
        """Announce the record under its idempotency key."""
        creditor = self._creditors[record.supplier_code]
        return _taken(self._write(Announce(record, creditor, idem_of(self.system, record))))

    def cancel_booking(self, record: MidOfficeBooking) -> PushResult:
        """The same question: the record's action says that it is a cancellation."""
        return self.push_booking(record)

    def push_payment(self, booking: BookingRef, payment: MidOfficePayment) -> PushResult:
        """Announce a payment under its transaction id."""
        idem = payment_idem(self.system, booking, payment)
        reply = self._write(AnnouncePayment(booking, self._creditors[booking.supplier_code], payment, idem))
        return _taken(reply, instead=booking.external_ref)

    def read_status(self, booking: BookingRef) -> list[MidOfficeState]:
        """What is held; a booking of somebody else under the same id is `Refused`."""
        held = self._find(self._creditors[booking.supplier_code], booking.supplier_booking_id)
        for one in held:
            if one.ours and one.ours != booking.booking_key:
                raise Refused(f"{one.order_id} holds this booking id for another source", system=self.system)
        return [MidOfficeState(one.order_id, one) for one in held]

    def _find(self, creditor: str, booking_id: str) -> tuple[HeldBooking, ...]:
        with suppress(UnknownBooking):
            reply = self._ask(FindBooking(creditor, booking_id))
            if not isinstance(reply, OrderContent):
                raise ContractBroken("not an answer to a look-up", system=self.system)
            return reply.bookings
        return ()

    def _write(self, question: Question) -> Accepted:
        reply = self._ask(question)
        if not isinstance(reply, Accepted):
            raise ContractBroken("not an answer to a write", system=self.system)
        return reply

    def _ask(self, question: Question) -> Reply:
        return self._web.ask(self._route(question), self._codec.encode(question), self._codec.decode)


def _taken(reply: Accepted, instead: str = "") -> PushResult:
    outcome = "DUPLICATE" if reply.duplicate else "ACCEPTED"
    return PushResult(outcome, reply.order_id or instead, reply.order_no, reply.warnings)  # type: ignore[arg-type]
