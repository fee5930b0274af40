"""xMid behind the interface of all mid-offices (contracts: midoffice 3.2, 7.1, 7.3)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote

import httpx

from activities.midoffice.adapter import Capabilities, MidOfficeState, PushResult
from activities.midoffice.booking import BookingRef, MidOfficeBooking, MidOfficePayment
from activities.midoffice.codec import Accepted, Announce, AnnouncePayment, FindBooking, OrderContent, Question
from activities.midoffice.faults import StaleRevision, UnknownBooking
from activities.midoffice.idempotency import idem_of, payment_idem
from activities.midoffice.web import Route, Web
from activities.midoffice.xmid.codec import XmidCodec
from activities.midoffice.xmid.settings import XmidSettings
from domain.errors import ContractBroken

SYSTEM = "xmid"
NOT_DONE = frozenset({429, 503})


class XmidAdapter:
    """One agency at xMid. The path names the booking, `Idempotency-Key` the message, `If-Revision` what it builds on."""

    system = SYSTEM

    def __init__(self, settings: XmidSettings, transport: httpx.BaseTransport | None = None) -> None:
        headers = {
            "Authorization": f"Bearer {settings.token.get_secret_value()}",
            "X-Agency-Id": settings.agency_no,
            "Accept": "application/json",
        }
        self._creditors = settings.supplier_numbers
        self._codec = XmidCodec(settings)
        self._web = Web(
            SYSTEM, settings, path="/api/v1/bookings", headers=headers, not_done=NOT_DONE, transport=transport
        )
        self.capabilities = Capabilities(products=frozenset(settings.capabilities))

    def close(self) -> None:
        self._web.close()

    def ping(self) -> None:
        """A look at a booking that exists nowhere."""
        self.read_status(BookingRef("", "", next(iter(self._creditors)), "doctor-check"))

    def push_booking(self, record: MidOfficeBooking) -> PushResult:
        """Create or change. Where an older revision is held than the one before ours, ours is put on top of that one."""
        expected = record.revision - 1 if record.action == "CHANGE" else None
        try:
            return self._put(record, expected)
        except StaleRevision:
            held = self.read_status(record.ref)
            revision = held[0].held.revision if held else None
            if revision is None or revision >= record.revision:
                raise
            # A message between the two was refused there: nothing newer is lost by building on what they have.
            return self._put(record, revision)

    def cancel_booking(self, record: MidOfficeBooking) -> PushResult:
        """Cancel with both fees; the record's services have no place in it."""
        question = Announce(record, self._creditors[record.supplier_code], idem_of(SYSTEM, record))
        path = f"{_place(record.ref)}/cancellation"
        return self._write(Route("cancel booking", True, "POST", path, _json(question.idem)), question)

    def push_payment(self, booking: BookingRef, payment: MidOfficePayment) -> PushResult:
        """Put a payment under its transaction id."""
        idem = payment_idem(SYSTEM, booking, payment)
        question = AnnouncePayment(booking, self._creditors[booking.supplier_code], payment, idem)
        path = f"{_place(booking)}/payments/{quote(payment.transaction_id, safe='')}"
        return self._write(Route("put payment", True, "PUT", path, _json(idem)), question)

    def read_status(self, booking: BookingRef) -> list[MidOfficeState]:
        """The booking as it is held, or nothing."""
        question = FindBooking(self._creditors[booking.supplier_code], booking.supplier_booking_id)
        route = Route("get booking", False, "GET", _place(booking))
        with suppress(UnknownBooking):
            reply = self._web.ask(route, self._codec.encode(question), self._codec.decode)
            if not isinstance(reply, OrderContent):
                raise ContractBroken("not an answer to a look-up", system=SYSTEM)
            # The path named it, so the answer does not.
            return [
                MidOfficeState(one.order_id, replace(one, creditor=question.creditor, booking_id=question.booking_id))
                for one in reply.bookings
            ]
        return []

    def _put(self, record: MidOfficeBooking, expected: int | None) -> PushResult:
        question = Announce(record, self._creditors[record.supplier_code], idem_of(SYSTEM, record))
        headers = _json(question.idem) | ({} if expected is None else {"If-Revision": str(expected)})
        return self._write(Route("put booking", True, "PUT", _place(record.ref), headers), question)

    def _write(self, route: Route, question: Question) -> PushResult:
        reply = self._web.ask(route, self._codec.encode(question), self._codec.decode)
        if not isinstance(reply, Accepted):
            raise ContractBroken("not an answer to a write", system=SYSTEM)
        outcome = "DUPLICATE" if reply.duplicate else "ACCEPTED"
        return PushResult(outcome, reply.order_id, reply.order_no, reply.warnings)  # type: ignore[arg-type]


def _place(booking: BookingRef) -> str:
    return f"/{quote(booking.supplier_code, safe='')}/{quote(booking.supplier_booking_id, safe='')}"


def _json(idem: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "Idempotency-Key": idem}
