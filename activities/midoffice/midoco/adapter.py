"""MIDOCO behind the interface of all mid-offices (contracts: midoffice 3.2, 4.1, 4.6)."""

from __future__ import annotations

import httpx

from activities.midoffice.adapter import Capabilities, MidOfficeState, PushResult
from activities.midoffice.booking import MidOfficeBooking, MidOfficePayment
from activities.midoffice.codec import Accepted, Announce, AnnouncePayment, FindBooking, Found, OrderContent, ReadOrder
from activities.midoffice.midoco.client import SYSTEM, MidocoClient
from activities.midoffice.midoco.codec import MidocoCodec
from activities.midoffice.settings import MidOfficeSettings
from domain.errors import ContractBroken, Refused, UnsupportedProduct


class MidocoAdapter:
    """One organisation unit of MIDOCO. (creditor, booking id) is one booking; a repeat is a change of it, never a second."""

    system = SYSTEM

    def __init__(self, settings: MidOfficeSettings, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._client = MidocoClient(settings, MidocoCodec(settings), transport)
        self.capabilities = Capabilities(products=frozenset(settings.capabilities))

    def close(self) -> None:
        self._client.close()

    def ping(self) -> None:
        """A search that finds nothing."""
        self._client.ask(FindBooking(next(iter(self._settings.supplier_numbers.values())), "doctor-check"))

    def push_booking(self, record: MidOfficeBooking) -> PushResult:
        """Announce the record; raises `UnsupportedProduct` before any call if a service has no place here."""
        for service in record.services:
            if service.kind not in self.capabilities.products:
                raise UnsupportedProduct(
                    f"{service.kind} has no place here", system=SYSTEM, operation="announceBookingMessage"
                )
        reply = self._client.ask(Announce(record, self._creditor(record)))
        if not isinstance(reply, Accepted):
            raise ContractBroken("not an answer to a booking message", system=SYSTEM)
        return PushResult("ACCEPTED", reply.order_id, reply.order_no, reply.warnings)

    def cancel_booking(self, record: MidOfficeBooking) -> PushResult:
        """The same message: its services are cancelled and its price is the fee."""
        return self.push_booking(record)

    def push_payment(self, external_ref: str, payment: MidOfficePayment) -> PushResult:
        """Announce a payment on an order; MIDOCO knows it by its transaction number."""
        reply = self._client.ask(AnnouncePayment(external_ref, payment))
        if not isinstance(reply, Accepted):
            raise ContractBroken("not an answer to a payment", system=SYSTEM)
        return PushResult(
            "DUPLICATE" if "DUPLICATE" in reply.warnings else "ACCEPTED", external_ref, "", reply.warnings
        )

    def read_status(self, record: MidOfficeBooking) -> list[MidOfficeState]:
        """Every order that holds this booking of ours; one of somebody else under the same id is `Refused`."""
        creditor = self._creditor(record)
        found = self._client.ask(FindBooking(creditor, record.supplier_booking_id))
        if not isinstance(found, Found):
            raise ContractBroken("not an answer to a search", system=SYSTEM)
        states = []
        for order in found.orders:
            content = self._client.ask(ReadOrder(order.order_id))
            if not isinstance(content, OrderContent):
                raise ContractBroken("not an order status", system=SYSTEM)
            for held in content.bookings:
                if (held.creditor, held.booking_id) != (creditor, record.supplier_booking_id):
                    continue
                if held.ours != record.booking_key:
                    raise Refused(
                        f"order {order.order_no or order.order_id} holds this booking id for another source",
                        system=SYSTEM,
                        operation="searchBookingId",
                    )
                states.append(MidOfficeState(order.order_id, held))
        return states

    def _creditor(self, record: MidOfficeBooking) -> str:
        return self._settings.supplier_numbers[record.supplier_code]
