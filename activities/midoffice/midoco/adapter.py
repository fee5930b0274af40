"""MIDOCO behind the interface of all mid-offices (contracts: midoffice 3.2, 4.1, 4.6)."""

from __future__ import annotations

import httpx

from activities.midoffice.adapter import Capabilities, MidOfficeState, PushResult
from activities.midoffice.booking import BookingRef, MidOfficeBooking, MidOfficePayment
from activities.midoffice.codec import (
    Accepted,
    Announce,
    AnnouncePayment,
    FindBooking,
    Found,
    OrderContent,
    Question,
    ReadOrder,
    Reply,
)
from activities.midoffice.midoco.codec import OPERATIONS, MidocoCodec
from activities.midoffice.midoco.settings import MidocoSettings
from activities.midoffice.web import Route, Web
from domain.errors import ContractBroken, Refused

SYSTEM = "midoco"


class MidocoAdapter:
    """One organisation unit of MIDOCO. (creditor, booking id) is one booking; a repeat is a change of it, never a second."""

    system = SYSTEM

    def __init__(self, settings: MidocoSettings, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        if settings.bearer_token is not None:
            headers["Authorization"] = f"Bearer {settings.bearer_token.get_secret_value()}"
        self._settings = settings
        self._codec = MidocoCodec(settings)
        self._web = Web(SYSTEM, settings, path="/ws/services/BookingService", headers=headers, transport=transport)
        self.capabilities = Capabilities(products=frozenset(settings.capabilities))

    def close(self) -> None:
        self._web.close()

    def ping(self) -> None:
        """A search that finds nothing."""
        self._ask(FindBooking(next(iter(self._settings.supplier_numbers.values())), "doctor-check"))

    def push_booking(self, record: MidOfficeBooking) -> PushResult:
        """Announce the record; its services carry the status, so create, change and cancel are one message."""
        reply = self._ask(Announce(record, self._creditor(record.supplier_code)))
        if not isinstance(reply, Accepted):
            raise ContractBroken("not an answer to a booking message", system=SYSTEM)
        return PushResult("ACCEPTED", reply.order_id, reply.order_no, reply.warnings)

    def cancel_booking(self, record: MidOfficeBooking) -> PushResult:
        """The same message: its services are cancelled and its price is the fee."""
        return self.push_booking(record)

    def push_payment(self, booking: BookingRef, payment: MidOfficePayment) -> PushResult:
        """Announce a payment on the booking's order; MIDOCO knows it by its transaction number."""
        reply = self._ask(AnnouncePayment(booking, self._creditor(booking.supplier_code), payment))
        if not isinstance(reply, Accepted):
            raise ContractBroken("not an answer to a payment", system=SYSTEM)
        return PushResult("DUPLICATE" if reply.duplicate else "ACCEPTED", booking.external_ref, "", reply.warnings)

    def read_status(self, booking: BookingRef) -> list[MidOfficeState]:
        """Every order that holds this booking of ours; one of somebody else under the same id is `Refused`."""
        creditor = self._creditor(booking.supplier_code)
        found = self._ask(FindBooking(creditor, booking.supplier_booking_id))
        if not isinstance(found, Found):
            raise ContractBroken("not an answer to a search", system=SYSTEM)
        states = []
        for order in found.orders:
            content = self._ask(ReadOrder(order.order_id))
            if not isinstance(content, OrderContent):
                raise ContractBroken("not an order status", system=SYSTEM)
            for held in content.bookings:
                if (held.creditor, held.booking_id) != (creditor, booking.supplier_booking_id):
                    continue
                if held.ours != booking.booking_key:
                    raise Refused(
                        f"order {order.order_no or order.order_id} holds this booking id for another source",
                        system=SYSTEM,
                        operation="searchBookingId",
                    )
                states.append(MidOfficeState(order.order_id, held))
        return states

    def _ask(self, question: Question) -> Reply:
        operation = OPERATIONS[type(question)]
        write = isinstance(question, Announce | AnnouncePayment)
        route = Route(operation, write, headers={"SOAPAction": f'"{operation}"'})
        return self._web.ask(route, self._codec.encode(question), self._codec.decode)

    def _creditor(self, supplier: str) -> str:
        return self._settings.supplier_numbers[supplier]
