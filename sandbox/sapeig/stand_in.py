"""The Sapeig stand-in: XFT transactions, bookings by id and revision (contracts: midoffice 6.2). `GET /` lists what arrived.

A booking id that ends in `x_closed` can be made, and then neither changed nor cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.arrivals import arrivals
from sandbox.grammar import ShapeError, check, name_of
from sandbox.intake import Intake, NotTaken, Why
from sandbox.sapeig.messages import TRANSACTIONS, XFT, XSI
from sandbox.serving import StandIn
from sandbox.shelf import Record, Shelf
from sandbox.soap11 import NotSoap, answer, as_bytes, in_body, parsed

OPERATIONS = "urn:sapeig:import"
UID = "orchestrator"
PASSWORD = "sandbox-sapeig"
CODES: dict[Why, str] = {"unknown": "UNKNOWN_BOOKING", "older": "OLD_REVISION", "value": "VALUE", "closed": "CLOSED"}
SALE = {"CreateBooking": "Sale", "UpdateBooking": "Sale", "CancelBooking": "CancelFee"}
"""The role of the price that the customer pays."""


class SapeigError(Exception):
    """An error with Sapeig's own code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class SapeigStandIn(StandIn):
    """Sapeig behind `/ws/xft`. `data` is a folder (None: memory), `logins` maps uid to password, `owners` and
    `suppliers` limit the agencies and creditors that exist (None: any).
    """

    name = "sapeig"

    def __init__(
        self,
        data: Path | None = None,
        *,
        logins: Mapping[str, str] | None = None,
        owners: frozenset[str] | None = None,
        suppliers: frozenset[str] | None = None,
    ) -> None:
        super().__init__()
        self._logins = dict(logins or {UID: PASSWORD})
        self._owners, self._suppliers = owners, suppliers
        self._intake = Intake(Shelf(data / "sapeig.sqlite" if data else None), "SP-", 80_001)
        self._operations: dict[str, Callable[[str, str, Record], tuple[Record, bool]]] = {
            "CreateBooking": self._booking,
            "UpdateBooking": self._booking,
            "CancelBooking": self._booking,
            "CreatePayment": self._payment,
            "RetrieveBooking": self._retrieve,
        }

    def routes(self) -> list[BaseRoute]:
        return [Route("/ws/xft", self._call, methods=["POST"]), Route("/", self._page)]

    def state(self) -> dict[str, Any]:
        return self._intake.everything()

    def close(self) -> None:
        self._intake.close()

    def refusal(self, operation: str) -> Response:
        return _answered(operation, "Error", "VALUE", "Contract: refused by a rule of the agency")

    def breakdown(self, operation: str) -> Response:
        return PlainTextResponse("Internal Server Error", status_code=500)

    def throttled(self, operation: str, seconds: float) -> Response:
        return _answered(operation, "Error", "BUSY", "the system is busy")

    async def _page(self, _: Request) -> Response:
        bookings = [
            {
                "id": one["id"],
                "booking": one["bookingId"],
                "revision": one["revision"],
                "status": one["status"],
                "supplier": one["supplier"],
                "sale": f"{one['price']} {one['currency']}",
                "purchase": one["cost"],
            }
            for one in self._intake.bookings()
        ]
        return arrivals("Sapeig", {"Bookings": bookings, "Payments": self._intake.payments()})

    async def _call(self, request: Request) -> Response:
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "text/xml":
            return PlainTextResponse("text/xml is required", status_code=415)
        try:
            call = in_body(await request.body())
            operation, transaction = _commanded(call, request.headers.get("soapaction", ""))
        except (NotSoap, ShapeError) as problem:
            self.calls.append({"operation": "?", "outcome": str(problem)})
            return _answered("Unknown", "Error", "SYNTAX", str(problem))
        return await self.serve(operation, lambda: self._answer(operation, transaction))

    def _answer(self, operation: str, transaction: etree._Element) -> Response:
        try:
            wish = check(transaction, TRANSACTIONS[operation], frozenset({XFT}))
            action = wish["Action"][0]
            if action["Purpose"] + action["Code"] != operation:
                raise ShapeError("Action: does not agree with the operation")
            owner = self._let_in(wish["Control"][0]["Requester"][0])
            said, repeated = self._operations[operation](operation, owner, wish)
        except ShapeError as problem:
            return _answered(operation, "Error", "SYNTAX", str(problem))
        except SapeigError as problem:
            return _answered(operation, "Error", problem.code, problem.text)
        except NotTaken as problem:
            return _answered(operation, "Error", CODES[problem.why], problem.text)
        if repeated:
            return _answered(operation, "Warning", "DUPLICATE", "this transaction came before", said)
        return _answered(operation, "Success", "", "", said)

    def _let_in(self, requester: Record) -> str:
        agency = requester["Agency"][0]["Requester"][0]
        for who in (requester, agency):
            if self._logins.get(who["Uid"]) != who["Pwd"]:
                raise SapeigError("AUTH", "unknown requester or wrong password")
        if self._owners is not None and agency["Owner"] not in self._owners:
            raise SapeigError("AUTH", "this agency is not open to the requester")
        return str(agency["Owner"])

    def _booking(self, operation: str, owner: str, wish: Record) -> tuple[Record, bool]:
        codes = _codes(wish["Contract"][0])
        for name in ("SupplierCode", "SupplierBookingID", "Revision"):
            if name not in codes:
                raise SapeigError("SYNTAX", f"Codes: {name} is required")
        if not codes["Revision"].isdigit():
            raise SapeigError("VALUE", "Codes: Revision is not a whole number")
        if self._suppliers is not None and codes["SupplierCode"] not in self._suppliers:
            raise SapeigError("UNKNOWN_SUPPLIER", f"supplier {codes['SupplierCode']} is not known")
        _check_people(wish)
        status = wish["Contract"][0]["Status"]
        if (operation == "CancelBooking") != (status == "Cancelled"):
            raise SapeigError("VALUE", f"Contract@Status: {status} does not fit {operation}")
        prices = {price["Role"]: price for price in wish["Prices"][0]["Price"]}
        sale, purchase = prices.get(SALE[operation]), prices.get("Purchase")
        if sale is None or purchase is None or sale["Value"].startswith("-") or purchase["Value"].startswith("-"):
            raise SapeigError("VALUE", f"Prices: Purchase and {SALE[operation]} from zero are required")
        content = {
            "status": status,
            "supplier": codes["SupplierCode"],
            "source": codes.get("Source", ""),
            "price": sale["Value"],
            "cost": purchase["Value"],
            "currency": sale["Currency"],
            "persons": len(wish["Travellers"][0]["Traveller"]),
            "transaction": {name: value for name, value in wish.items() if name not in ("Control", "ID")},
        }
        booking_id, revision = codes["SupplierBookingID"], int(codes["Revision"])
        known = operation != "CreateBooking"
        return self._intake.take(owner, booking_id, revision, content, idem=wish["ID"], known=known)

    def _payment(self, _: str, owner: str, wish: Record) -> tuple[Record, bool]:
        payment = wish["Payments"][0]["Payment"][0]
        booking_id = _codes(wish["Contract"][0]).get("SupplierBookingID", "")
        return self._intake.pay(owner, booking_id, payment, transaction=payment["ID"], idem=wish["ID"])

    def _retrieve(self, _: str, owner: str, wish: Record) -> tuple[Record, bool]:
        booking_id = _codes(wish["Contract"][0]).get("SupplierBookingID", "")
        held = self._intake.booking(owner, booking_id)
        if held is None:
            raise SapeigError("UNKNOWN_BOOKING", f"booking {booking_id} is not known")
        return held, False


def _commanded(call: etree._Element, action: str) -> tuple[str, etree._Element]:
    operation = name_of(call)
    if etree.QName(call).namespace != OPERATIONS or operation not in TRANSACTIONS:
        raise ShapeError(f"{operation} is not an operation of this service")
    if action.strip('"') != f"{OPERATIONS}#{operation}":
        raise ShapeError("the header SOAPAction does not name the operation")
    if len(call) != 1 or call[0].tag != f"{{{OPERATIONS}}}Command" or len(call[0]):
        raise ShapeError(f"{operation}: one Command with the transaction as text is required")
    transaction = parsed((call[0].text or "").encode())
    if transaction.tag != f"{{{XFT}}}Transaction":
        raise ShapeError("Command: not an XFT transaction")
    return operation, transaction


def _check_people(wish: Record) -> None:
    group = wish["Travellers"][0]
    people = {traveller["ID"] for traveller in group["Traveller"]}
    if len(people) != int(group["Travellers"][0]["Quantity"]):
        raise SapeigError("VALUE", "Travellers@Quantity: does not agree with the travellers")
    for segment in wish["Segments"][0]["Segment"]:
        if segment["Is"] != "Hotel":
            raise SapeigError("VALUE", f"Segment@Is: {segment['Is']} is not taken in")
        if segment["End"][0]["Value"] < segment["Begin"][0]["Value"]:
            raise SapeigError("VALUE", "End@Value: is before the begin")
        strangers = {ref["ID"] for ref in segment["TravellerRefs"][0].get("TravellerRef", [])} - people
        if strangers:
            raise SapeigError("VALUE", f"TravellerRef@ID: {min(strangers)} is not among the travellers")


def _codes(block: Record) -> dict[str, str]:
    return {code["Name"]: code["Value"] for code in block["Codes"][0]["Code"]}


def _answered(operation: str, severity: str, code: str, text: str, said: Record | None = None) -> Response:
    root = etree.Element(f"{{{XFT}}}Transaction", nsmap={None: XFT, "xsi": XSI})  # type: ignore[dict-item]
    root.set(f"{{{XSI}}}type", "TransactionResponseType")
    status = _sub(_sub(root, "Action", {}), "Status", {"Severity": severity, "Code": code})
    status.text = text
    if said is not None:
        booking = _sub(_sub(root, "Bookings", {}), "Booking", {"ID": said["id"], "Status": said.get("status", "")})
        codes = _sub(booking, "Codes", {})
        named = {"ContractID": said["code"], "SupplierBookingID": said["bookingId"], "Revision": said["revision"]}
        for name, value in {**named, "SupplierCode": said.get("supplier"), "Source": said.get("source")}.items():
            if value:
                _sub(codes, "Code", {"Name": name, "Value": value})
        if "price" in said:
            price = {"Role": "Sale", "Value": said["price"], "Currency": said["currency"]}
            _sub(_sub(booking, "Prices", {}), "Price", price)
    envelope, response = answer(OPERATIONS, f"{operation}Response")
    command = etree.SubElement(response, f"{{{OPERATIONS}}}Command")
    command.text = etree.tostring(root, encoding="unicode")
    return Response(as_bytes(envelope), media_type="text/xml")


def _sub(parent: etree._Element, name: str, values: Mapping[str, object]) -> etree._Element:
    element = etree.SubElement(parent, f"{{{XFT}}}{name}")
    for attribute, value in values.items():
        if value not in ("", None):
            element.set(attribute, str(value))
    return element
