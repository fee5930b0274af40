"""The TINA stand-in: reservations by external id and revision (contracts: midoffice 5.2). `GET /` lists what arrived.

An external id that ends in `x_closed` can be made, and then neither changed nor cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.arrivals import arrivals
from sandbox.grammar import ShapeError, check, name_of
from sandbox.intake import Intake, NotTaken, Why
from sandbox.serving import StandIn
from sandbox.shelf import Record, Shelf
from sandbox.soap11 import NotSoap, answer, as_bytes, in_body
from sandbox.tina.messages import MESSAGES, NAMESPACE

USERNAME = "orchestrator"
PASSWORD = "sandbox-tina"
DUPLICATE = ("W1P0001", "this transaction was processed before")
CODES: dict[Why, str] = {"unknown": "E2P0404", "older": "E2P0409", "value": "E2P0422", "closed": "E2P0423"}


class TinaError(Exception):
    """An error with TINA's own code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class TinaStandIn(StandIn):
    """TINA behind `/ws/import`. `data` is a folder (None: memory), `logins` maps user to password, `resellers` and
    `suppliers` limit the agencies and creditors that exist (None: any).
    """

    name = "tina"

    def __init__(
        self,
        data: Path | None = None,
        *,
        logins: Mapping[str, str] | None = None,
        resellers: frozenset[str] | None = None,
        suppliers: frozenset[str] | None = None,
    ) -> None:
        super().__init__()
        self._logins = dict(logins or {USERNAME: PASSWORD})
        self._resellers, self._suppliers = resellers, suppliers
        self._intake = Intake(Shelf(data / "tina.sqlite" if data else None), "TN", 50_001)
        self._operations: dict[str, Callable[[str, Record], tuple[Record, bool]]] = {
            "BookingImport": self._import,
            "BookingCancel": self._cancel,
            "PaymentImport": self._payment,
            "ReservationDetails": self._details,
        }

    def routes(self) -> list[BaseRoute]:
        return [Route("/ws/import", self._call, methods=["POST"]), Route("/", self._page)]

    def state(self) -> dict[str, Any]:
        return self._intake.everything()

    def close(self) -> None:
        self._intake.close()

    def refusal(self, operation: str) -> Response:
        return _errors(operation, TinaError("E2P0422", "Reservation: refused by an import rule of the agency"))

    def breakdown(self, operation: str) -> Response:
        return PlainTextResponse("Internal Server Error", status_code=500)

    def throttled(self, operation: str, seconds: float) -> Response:
        return _errors(operation, TinaError("E3H0503", "the system is busy"))

    async def _page(self, _: Request) -> Response:
        bookings = [
            {
                "code": one["code"],
                "external id": one["bookingId"],
                "revision": one["revision"],
                "status": one["status"],
                "supplier": one["supplier"],
                "price": f"{one['price']} {one['currency']}",
                "cost": one["cost"],
            }
            for one in self._intake.bookings()
        ]
        return arrivals("TINA", {"Reservations": bookings, "Payments": self._intake.payments()})

    async def _call(self, request: Request) -> Response:
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "text/xml":
            return PlainTextResponse("text/xml is required", status_code=415)
        try:
            message = in_body(await request.body())
            operation = _operation(message, request.headers.get("soapaction", ""))
        except (NotSoap, ShapeError) as problem:
            self.calls.append({"operation": "?", "outcome": str(problem)})
            return _errors("Unknown", TinaError("E1P0001", str(problem)))
        return await self.serve(operation, lambda: self._answer(operation, message))

    def _answer(self, operation: str, message: etree._Element) -> Response:
        try:
            wish = check(message, MESSAGES[operation], frozenset({NAMESPACE}))
            reseller = self._let_in(wish["AuthHeader"][0])
            said, repeated = self._operations[operation](reseller, wish)
        except ShapeError as problem:
            return _errors(operation, TinaError("E1P0001", str(problem)))
        except TinaError as problem:
            return _errors(operation, problem)
        except NotTaken as problem:
            return _errors(operation, TinaError(CODES[problem.why], problem.text))
        return _success(operation, said, [DUPLICATE] if repeated else [])

    def _let_in(self, auth: Record) -> str:
        password = self._logins.get(_text(auth, "Username"))
        if password is None or password != _text(auth, "Password"):
            raise TinaError("E1U0401", "unknown user or wrong password")
        reseller = _text(auth, "ResellerCode")
        if self._resellers is not None and reseller not in self._resellers:
            raise TinaError("E1U0403", "this agency is not open to the user")
        return reseller

    def _import(self, reseller: str, wish: Record) -> tuple[Record, bool]:
        reservation = wish["Reservation"][0]
        supplier = reservation["Supplier"][0]["Code"]
        if self._suppliers is not None and supplier not in self._suppliers:
            raise TinaError("E2P0422", f"Supplier@Code: {supplier} is not known")
        _check_stays(reservation)
        price = reservation["Price"][0]
        content = {
            "status": reservation["Status"],
            "supplier": supplier,
            "price": price["Amount"],
            "cost": price["SupplierPrice"][0]["Amount"],
            "currency": price["CurrencyCode"],
            "persons": len(reservation["Travellers"][0]["Traveller"]),
            "reservation": reservation,
        }
        return self._intake.take(
            reseller,
            reservation["ExternalID"],
            int(reservation["Revision"]),
            content,
            idem=wish["TransactionIdentifier"],
            known=wish["Action"] == "Modify",
        )

    def _cancel(self, reseller: str, wish: Record) -> tuple[Record, bool]:
        named, fee = wish["Reservation"][0], wish["Fee"][0]
        held = self._intake.booking(reseller, named["ExternalID"])
        if held is not None and held["currency"] != fee["CurrencyCode"]:
            raise TinaError("E2P0422", "Fee@CurrencyCode: not the currency of the reservation")
        content = {
            **{name: (held or {}).get(name, "") for name in ("supplier", "currency", "persons", "reservation")},
            "status": "XX",
            "price": fee["Amount"],
            "cost": fee["SupplierPrice"][0]["Amount"] if "SupplierPrice" in fee else fee["Amount"],
        }
        idem, revision = wish["TransactionIdentifier"], int(named["Revision"])
        return self._intake.take(reseller, named["ExternalID"], revision, content, idem=idem, known=True)

    def _payment(self, reseller: str, wish: Record) -> tuple[Record, bool]:
        payment, named = wish["Payment"][0], wish["Reservation"][0]
        transaction, idem = payment["TransactionID"], wish["TransactionIdentifier"]
        return self._intake.pay(reseller, named["ExternalID"], payment, transaction=transaction, idem=idem)

    def _details(self, reseller: str, wish: Record) -> tuple[Record, bool]:
        wanted = wish["Reservation"][0]["ExternalID"]
        held = self._intake.booking(reseller, wanted)
        if held is None:
            raise TinaError("E2P0404", f"reservation {wanted} is not known")
        paid = bool(self._intake.paid(reseller, wanted))
        return {**held, "paymentStatus": "OK" if paid else "PR"}, False


def _operation(message: etree._Element, action: str) -> str:
    name = name_of(message)
    operation = name.removeprefix("TINA_").removesuffix("RQ")
    if etree.QName(message).namespace != NAMESPACE or name != f"TINA_{operation}RQ" or operation not in MESSAGES:
        raise ShapeError(f"{name} is not a request of this service")
    if action.strip('"') != f"http://tina.dcsplus.net/ws/{operation}":
        raise ShapeError("the header SOAPAction does not name the operation")
    return operation


def _check_stays(reservation: Record) -> None:
    known = {traveller["RPH"] for traveller in reservation["Travellers"][0]["Traveller"]}
    for stay in reservation["AccommodationComponent"][0]["ResService"]:
        span = stay["DateRange"][0]
        if date.fromisoformat(span["End"]) < date.fromisoformat(span["Start"]):
            raise TinaError("E2P0422", "DateRange@End: is before the start")
        strangers = {ref["text"] for ref in stay.get("TravellerRPH", [])} - known
        if strangers:
            raise TinaError("E2P0422", f"TravellerRPH: {min(strangers)} is not among the travellers")


def _text(block: Record, name: str) -> str:
    return str(block[name][0].get("text", ""))


def _success(operation: str, said: Record, warnings: Sequence[tuple[str, str]]) -> Response:
    envelope, response = answer(NAMESPACE, f"TINA_{operation}RS")
    _sub(response, "Success", {})
    if warnings:
        block = _sub(response, "Warnings", {})
        for code, text in warnings:
            _sub(block, "Warning", {"Code": code}).text = text
    values = {"ID": said["id"], "Code": said["code"], "Revision": said["revision"]}
    if operation == "ReservationDetails":
        values |= {"ExternalID": said["bookingId"], "Status": said["status"], "PaymentStatus": said["paymentStatus"]}
    reservation = _sub(response, "Reservation", values)
    if operation == "ReservationDetails":
        _sub(reservation, "Price", {"Amount": said["price"], "CurrencyCode": said["currency"]})
    return Response(as_bytes(envelope), media_type="text/xml")


def _errors(operation: str, problem: TinaError) -> Response:
    envelope, response = answer(NAMESPACE, f"TINA_{operation}RS")
    error = _sub(_sub(response, "Errors", {}), "Error", {"Code": problem.code})
    _sub(error, "Message", {}).text = problem.text
    return Response(as_bytes(envelope), media_type="text/xml")


def _sub(parent: etree._Element, name: str, values: Mapping[str, object]) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    for attribute, value in values.items():
        element.set(attribute, str(value))
    return element
