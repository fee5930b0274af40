"""The MIDOCO stand-in: two SOAP services over the same orders (contracts: midoffice 4, 4.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.grammar import ShapeError, check
from sandbox.midoco import envelope
from sandbox.midoco.envelope import Call, Leaf, MidocoError, Row
from sandbox.midoco.messages import BOOKING_SERVICE_ONLY, OPERATIONS, ORDER_SERVICE_ONLY, OTHER_SERVICES
from sandbox.midoco.names import NAMESPACES
from sandbox.midoco.orders import Orders
from sandbox.serving import Dropped, StandIn
from sandbox.shelf import Record, Shelf

LOGIN = "orchestrator"
PASSWORD = "sandbox-midoco"
FORBIDDEN = {"BookingService": ORDER_SERVICE_ONLY, "OrderService": BOOKING_SERVICE_ONLY}

Reply = tuple[Mapping[str, Leaf], Sequence[Row]]


class MidocoStandIn(StandIn):
    """MIDOCO behind `/ws/services/BookingService` and `/ws/services/OrderService`.

    `data` is a folder (None keeps everything in memory), `logins` maps login to password, `units` and `suppliers` limit
    the organisation units and creditors that exist (None: any), `hang_seconds` is how long a magic time-out lasts.
    """

    name = "midoco"

    def __init__(
        self,
        data: Path | None = None,
        *,
        logins: Mapping[str, str] | None = None,
        units: frozenset[str] | None = None,
        suppliers: frozenset[str] | None = None,
        hang_seconds: float = 90.0,
    ) -> None:
        super().__init__()
        self._logins = dict(logins or {LOGIN: PASSWORD})
        self._units, self._suppliers, self._hang_seconds = units, suppliers, hang_seconds
        self._orders = Orders(Shelf(data / "midoco.sqlite" if data else None))
        self._operations: dict[str, Callable[[str, Record], Reply]] = {
            "announceBookingMessage": self._announce,
            "updateBookingStatus": self._update_status,
            "announceExternalPayment": self._external_payment,
            "announcePayment": self._payment,
            "searchBookingId": self._search,
            "getShortOrderStatus": self._short_status,
            "printOrderInvoice": self._print_invoice,
            "getOrderInvoices": self._invoices,
            "getProcessedBookings": lambda unit, wish: _fed("MidocoProcessedBooking", self._orders.feed(unit), wish),
            "getSkippedBookings": lambda unit, wish: _fed("MidocoSkippedBooking", self._orders.skipped(unit), wish),
        }

    def routes(self) -> list[BaseRoute]:
        return [Route("/ws/services/{service}", self._call, methods=["POST"])]

    def state(self) -> dict[str, Any]:
        return self._orders.everything()

    def close(self) -> None:
        self._orders.close()

    def refusal(self, operation: str) -> Response:
        return _faulty(MidocoError("9001", f"{operation} was refused by a rule of the organisation unit"))

    def breakdown(self, operation: str) -> Response:
        return PlainTextResponse("Internal Server Error", status_code=500)

    async def _call(self, request: Request) -> Response:
        service = request.path_params["service"]
        if service not in FORBIDDEN:
            return PlainTextResponse("no such service", status_code=404)
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "text/xml":
            return PlainTextResponse("text/xml is required", status_code=415)
        try:
            call = envelope.read(await request.body())
            if "soapaction" not in request.headers:
                raise ShapeError("the header SOAPAction is required")
        except (MidocoError, ShapeError) as problem:
            self.calls.append({"operation": "?", "outcome": str(problem)})
            return _faulty(problem if isinstance(problem, MidocoError) else MidocoError("1100", str(problem), "Client"))
        lost = _magic(call, "x_timeout_lost")
        if not lost:
            answer = await self.serve(call.operation, lambda: self._answer(service, call))
        if lost or (_magic(call, "x_timeout_applied") and answer.status_code == 200):
            await self._hang(request)
            return Dropped()
        return answer

    async def _hang(self, request: Request) -> None:
        """Say nothing until the client gives up, or for `hang_seconds`."""
        try:
            async with asyncio.timeout(self._hang_seconds):
                while (await request.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return

    def _answer(self, service: str, call: Call) -> Response:
        try:
            unit = self._unit(call)
            if call.operation not in OPERATIONS or call.operation in FORBIDDEN[service]:
                raise MidocoError("1101", f"{service} has no operation {call.operation}", "Client")
            for element in call.body.iter("{*}*"):
                if element.tag.rsplit("}", 1)[-1] in OTHER_SERVICES:
                    raise MidocoError("4010", "only accomodation services are switched on for this unit")
            wish = check(call.body, OPERATIONS[call.operation], NAMESPACES)
            values, rows = self._operations[call.operation](unit, wish)
        except ShapeError as problem:
            return _faulty(MidocoError("1100", str(problem), "Client"))
        except MidocoError as problem:
            return _faulty(problem)
        return Response(envelope.answer(call, values, rows), media_type="text/xml")

    def _unit(self, call: Call) -> str:
        given = call.credentials
        password = self._logins.get(given.get("Login", ""))
        if password is None or given.get("Password") != password:
            raise MidocoError("1001", "login failed: unknown user or wrong password")
        unit = given.get("OrganisationUnit", "").strip()
        if not unit or (self._units is not None and unit not in self._units):
            raise MidocoError("1002", f"login failed: organisation unit {unit or '(none)'} is not open to this user")
        return unit

    # --- operations ---

    def _announce(self, unit: str, wish: Record) -> Reply:
        message = wish["midoco-booking-message"][0]
        for booking in message["booking"]:
            if booking["booking-id"].endswith("x_fault"):
                raise MidocoError("9001", "business rule: booking refused")
            if booking["booking-id"].endswith("x_auth"):
                raise MidocoError("1001", "login failed: session has ended")
            if self._suppliers is not None and booking["supplier"] not in self._suppliers:
                raise MidocoError("4006", f"creditor {booking['supplier']} is not known")
        order = self._orders.announce(unit, message)
        return {"OrderId": order["orderId"], "OrderNo": order["orderNo"], "unitName": unit}, []

    def _update_status(self, unit: str, wish: Record) -> Reply:
        booking = self._orders.change_status(unit, wish)
        return {"itemId": booking["itemId"], "result": "OK"}, []

    def _external_payment(self, unit: str, wish: Record) -> Reply:
        order = self._orders.order(unit, wish["orderId"])
        results = self._orders.pay(unit, order, wish["ExternalPayment"])
        return {}, [("ExternalPaymentResultType", _payment_row(result)) for result in results]

    def _payment(self, unit: str, wish: Record) -> Reply:
        if "orderId" in wish:
            order = self._orders.order(unit, wish["orderId"])
        elif "orderNo" in wish:
            order = self._orders.order_numbered(unit, wish["orderNo"])
        else:
            held = self._orders.booking(unit, wish.get("supplierId", ""), wish.get("bookingId", ""))
            if held is None:
                raise MidocoError("4001", "announcePayment names no known order or booking")
            order = self._orders.order(unit, held["orderId"])
        guarded = wish.get("dontImportExistingPayments") in ("true", "1")
        self._orders.pay(unit, order, wish["AnnounceOrderPayment"], guarded=guarded)
        total = sum((Decimal(payment["amount"]) for payment in order["payments"]), Decimal(0))
        return {"totalPayment": f"{total:.2f}"}, []

    def _search(self, unit: str, wish: Record) -> Reply:
        dated = wish.get("checkDates", "true") in ("true", "1")
        for held in self._orders.called(unit, wish["bookingId"], wish.get("supplierId")):
            # Asked with dates, MIDOCO finds a booking only if they are the booking's own.
            if dated and any(wish.get(edge, held[edge]) != held[edge] for edge in ("startTravel", "endTravel")):
                continue
            order = self._orders.order(unit, held["orderId"])
            return {"itemId": held["itemId"], "orderNo": order["orderNo"], "orderId": order["orderId"]}, []
        return {}, []

    def _short_status(self, unit: str, wish: Record) -> Reply:
        order = self._orders.order(unit, wish["orderId"])
        return {}, [("bookingStatus", _status_row(booking)) for booking in self._orders.bookings_of(order)]

    def _print_invoice(self, unit: str, wish: Record) -> Reply:
        written = self._orders.invoice(self._orders.order(unit, wish["orderId"]))
        return {}, [("MidocoInvoiceInfo", _shown(written))]

    def _invoices(self, unit: str, wish: Record) -> Reply:
        written = self._orders.invoices(self._orders.order(unit, wish["orderId"]))
        return {}, [("MidocoInvoiceInfo", _shown(entry)) for entry in written]


def _magic(call: Call, suffix: str) -> bool:
    return call.operation == "announceBookingMessage" and any(
        (element.get("booking-id") or "").endswith(suffix) for element in call.body.iter("{*}booking")
    )


def _faulty(problem: MidocoError) -> Response:
    return Response(envelope.fault(problem), status_code=500, media_type="text/xml")


def _shown(record: Record) -> dict[str, Leaf]:
    return {name: value for name, value in record.items() if name not in ("orderId", "unit")}


def _payment_row(result: Record) -> dict[str, Leaf]:
    return {
        "payment_date": result["payment-date"],
        "transaction_number": result["transaction-number"],
        "amount": result["amount"],
        "transaction_type": result.get("transaction-type", ""),
        "payment_id": result["paymentId"],
        "result_code": result["result"],
    }


def _status_row(booking: Record) -> dict[str, Leaf]:
    return {
        "supplierId": booking["supplier"],
        "bookingId": booking["booking-id"],
        "status": booking["status"],
        "price": booking["price"]["total-price"],
        "noOfPersons": len(booking.get("person", [])),
        "startTravel": booking["startTravel"],
        "endTravel": booking["endTravel"],
        "extId": booking.get("source-ext-id", ""),
    }


def _fed(name: str, entries: Sequence[Record], wish: Record) -> Reply:
    wanted = [
        entry
        for entry in entries
        if wish.get("externalSystem", entry["externalSystem"]) == entry["externalSystem"]
        and wish.get("externalId", entry["externalId"]) == entry["externalId"]
        and entry["timestamp"] >= wish.get("timestamp", "")
    ]
    return {}, [(name, {key: value for key, value in entry.items() if key != "unit"}) for entry in wanted]
