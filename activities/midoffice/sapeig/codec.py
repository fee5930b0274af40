"""Sapeig's wire format and the only place that knows it: an XFT transaction as text in a SOAP element (contracts: midoffice 6).

Its own import format is not public. XFT is what it speaks with an insurer; the pairs of purpose and code beyond
Create/Booking are ours. When the true format comes in, this module and its golden files change, and the stand-in's reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from lxml import etree

from activities.midoffice.booking import Customer, MidOfficeBooking, MidOfficePayment, Service, Status, Traveller
from activities.midoffice.codec import (
    Accepted,
    Announce,
    AnnouncePayment,
    Fault,
    FindBooking,
    HeldBooking,
    Meaning,
    OrderContent,
    Question,
    ReadOrder,
    Reply,
    Unreadable,
)
from activities.midoffice.sapeig.settings import SapeigSettings
from activities.midoffice.soap import as_bytes, children, first_in_body, local, new_envelope, parsed, spoken

OPERATIONS = "urn:sapeig:import"
XFT = "http://www.exchangefortravel.org/xml/current"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
VERSION = "WS3.1_O5a"
STATUS: dict[Status, str] = {
    "REQUESTED": "Request",
    "CONFIRMED": "Confirmed",
    "CANCELLED": "Cancelled",
    "NO_SHOW": "Confirmed",
    "REJECTED": "Cancelled",
}
"""Contract and segment status by canonical status (midoffice 3.4)."""
HELD_STATUS: dict[str, Status] = {"Request": "REQUESTED", "Confirmed": "CONFIRMED", "Cancelled": "CANCELLED"}
CODES: dict[str, Meaning] = {
    "AUTH": Meaning.UNAUTHORISED,
    "SYNTAX": Meaning.REFUSED,
    "VALUE": Meaning.REFUSED,
    "UNKNOWN_SUPPLIER": Meaning.REFUSED,
    "UNKNOWN_CUSTOMER": Meaning.REFUSED,
    "UNKNOWN_BOOKING": Meaning.UNKNOWN_BOOKING,
    "OLD_REVISION": Meaning.STALE,
    "CLOSED": Meaning.CLOSED,
    "BUSY": Meaning.BUSY,
    "INTERNAL": Meaning.INTERNAL,
}
"""What each code means (midoffice 6.2); another code is a no."""
DUPLICATE = "DUPLICATE"
BOARD = {"RO": "Room only", "BB": "Bed and breakfast", "HB": "Half board", "FB": "Full board", "AI": "All inclusive"}
TRAVELLER_TYPE = {"ADULT": "Adult", "CHILD": "Child", "INFANT": "Infant"}

Values = Mapping[str, object]


class Deed(NamedTuple):
    """What a transaction is for."""

    purpose: str
    code: str

    @property
    def operation(self) -> str:
        return f"{self.purpose}{self.code}"


def deed_of(question: Question) -> Deed:
    """Purpose and code of a question; together they name the SOAP operation."""
    match question:
        case Announce(record=record):
            purpose = {"CREATE": "Create", "CHANGE": "Update", "CANCEL": "Cancel"}[record.action]
            return Deed(purpose, "Booking")
        case AnnouncePayment():
            return Deed("Create", "Payment")
        case FindBooking() | ReadOrder():
            return Deed("Retrieve", "Booking")


class SapeigCodec:
    """Encodes with the credentials of one agency."""

    def __init__(self, settings: SapeigSettings) -> None:
        self._settings = settings

    def encode(self, question: Question) -> bytes:
        """The whole SOAP envelope, UTF-8, with the transaction as escaped text."""
        deed = deed_of(question)
        envelope, _, body = new_envelope(s=OPERATIONS)
        operation = etree.SubElement(body, f"{{{OPERATIONS}}}{deed.operation}")
        command = etree.SubElement(operation, f"{{{OPERATIONS}}}Command")
        command.text = etree.tostring(self.transaction(question), encoding="unicode")
        return as_bytes(envelope)

    def transaction(self, question: Question) -> etree._Element:
        """The XFT document."""
        deed = deed_of(question)
        root = etree.Element(f"{{{XFT}}}Transaction", nsmap={None: XFT, "xsi": XSI})  # type: ignore[dict-item]  # lxml-stubs know no default
        root.set(f"{{{XSI}}}type", "TransactionRequestType")
        root.set("Version", VERSION)
        if isinstance(question, Announce | AnnouncePayment):
            root.set("ID", question.idem)
        self._control(root)
        _block(root, "Action", {"Purpose": deed.purpose, "Code": deed.code})
        match question:
            case Announce(record=record):
                root.set("TimeStamp", record.modified_at.isoformat())
                _booking(root, record, question.creditor)
            case AnnouncePayment(booking=booking, payment=payment):
                _codes(_block(root, "Contract", {}), {"SupplierBookingID": booking.supplier_booking_id})
                _block(_block(root, "Payments", {}), "Payment", _payment(payment))
            case FindBooking(booking_id=booking_id):
                _codes(_block(root, "Contract", {}), {"SupplierBookingID": booking_id})
            case ReadOrder(order_id=order_id):
                _codes(_block(root, "Contract", {}), {"ContractID": order_id})
        return root

    def decode(self, answer: bytes) -> Reply:
        """What an answer says; raises `Unreadable` if it is none of ours."""
        first = first_in_body(answer)
        if local(first) == "Fault":
            return Fault("", "a SOAP fault", Meaning.INTERNAL)
        command = next((child for child in children(first) if local(child) == "Command"), None)
        if command is None or not local(first).endswith("Response"):
            raise Unreadable("an answer without a command")
        root = parsed((command.text or "").encode())
        if root.tag != f"{{{XFT}}}Transaction":
            raise Unreadable("the command is not a transaction")
        status = root.find(f"{{{XFT}}}Action/{{{XFT}}}Status")
        if status is None:
            raise Unreadable("a transaction without a status")
        severity, code = status.get("Severity"), str(status.get("Code") or "")
        if severity == "Error":
            return Fault(code or "?", " ".join((status.text or "").split()), CODES.get(code, Meaning.REFUSED))
        if severity not in ("Success", "Warning"):
            raise Unreadable("a status of unknown severity")
        bookings = root.findall(f"{{{XFT}}}Bookings/{{{XFT}}}Booking")
        if local(first) == "RetrieveBookingResponse":
            return OrderContent(tuple(_held(booking) for booking in bookings))
        return _accepted(bookings, code if severity == "Warning" else "")

    def _control(self, root: etree._Element) -> None:
        who = {"Pwd": self._settings.password.get_secret_value(), "Uid": self._settings.uid}
        control = _block(root, "Control", {})
        requester = _block(control, "Requester", {**who, "Code": self._settings.requester_code, "Channel": "Extranet"})
        agency = _block(requester, "Agency", {})
        _block(agency, "Requester", {"Owner": self._settings.owner, **who, "Code": "SAPEIG"})


# --- what we send ---


def _booking(root: etree._Element, record: MidOfficeBooking, creditor: str) -> None:
    contract = _block(root, "Contract", {"Status": STATUS[record.status]})
    _codes(
        contract,
        {
            "SupplierCode": creditor,
            "SupplierBookingID": record.supplier_booking_id,
            "OrderID": record.supplier_order_id or record.supplier_agreement,
            "Revision": record.revision,
            "SupplierConfirmation": record.supplier_confirmation,
            "Source": record.booking_key,
        },
    )
    if record.remarks:
        _descriptions(contract, [("Comment", remark.text) for remark in record.remarks])
    _customer(root, record.customer)
    travellers = _block(root, "Travellers", {})
    _block(travellers, "Travellers", {"Type": "Person", "Quantity": len(record.travellers)})
    for traveller in record.travellers:
        _block(travellers, "Traveller", _traveller(traveller))
    segments = _block(root, "Segments", {"What": "List"})
    for service in record.services:
        _segment(segments, service)
    _prices(root, record)


def _customer(root: etree._Element, customer: Customer) -> None:
    company = customer.kind == "COMPANY"
    name = customer.company_name if company else slashed(customer.last_name or "", customer.first_name or "")
    values = {"ID": customer.customer_ref, "Type": "Company" if company else "Person", "Name": name}
    block = _block(root, "Customer", {**values, "VatNumber": customer.vat_id})
    if customer.address is not None:
        address = customer.address
        street = " ".join(filter(None, (address.street, address.house_no)))
        place = _block(block, "Address", {"Street": street, "Zip": address.postal_code, "City": address.city})
        if address.country:
            _block(_block(place, "Country", {}), "Code", {"Owner": "ISO_3166-1-Alpha2", "Value": address.country})
    for kind, value in (("Telephone", customer.phone), ("Email", customer.email)):
        if value:
            _block(block, kind, {"Value": value})


def slashed(last: str, first: str) -> str:
    """A name as XFT writes it: LAST/FIRST in capitals, accents kept."""
    return "/".join(" ".join(part.replace("/", " ").split()).upper() for part in (last, first))


def _traveller(traveller: Traveller) -> Values:
    return {
        "ID": f"T{traveller.index - 1}",
        "Type": TRAVELLER_TYPE[traveller.kind],
        "BirthDate": traveller.birth_date,
        "Age": traveller.age,
        "Name": slashed(traveller.last_name, traveller.first_name),
    }


def _segment(segments: etree._Element, service: Service) -> None:
    block = _block(segments, "Segment", {"Is": "Hotel", "Status": STATUS[service.status]})
    block.set(f"{{{XSI}}}type", "SegmentProductType")
    hotel = service.hotel
    code = hotel.supplier_hotel_id or hotel.hid
    if code:
        _codes(block, {"HotelID": code})
    _block(block, "Begin", {"Value": service.start_date})
    _block(block, "End", {"Value": service.end_date})
    texts = [("Hotel", hotel.name)]
    texts += [("Room", service.room.name)] if service.room else []
    texts += [("Board", BOARD.get(service.board.code, service.board.text))] if service.board else []
    _descriptions(block, texts)
    if hotel.city or hotel.country:
        place = _block(block, "Place", {"City": hotel.city})
        if hotel.country:
            _block(_block(place, "Country", {}), "Code", {"Owner": "ISO_3166-1-Alpha2", "Value": hotel.country})
    refs = _block(block, "TravellerRefs", {})
    for index in service.traveller_refs:
        _block(refs, "TravellerRef", {"ID": f"T{index - 1}"})


def _prices(root: etree._Element, record: MidOfficeBooking) -> None:
    """On a cancellation the sale is the fee to the customer and the purchase the fee to us."""
    price, cancel = record.price, record.action == "CANCEL"
    roles: dict[str, Decimal | None] = {
        "Purchase": price.cost_gross,
        "Sale": price.sell_gross,
        "Commission": price.commission,
        "Margin": price.margin,
        "Tax": price.margin_vat,
    }
    if cancel:
        terms = record.cancellation
        refund = terms.refund_from_supplier if terms else None
        roles = {"Purchase": price.cost_gross, "CancelFee": price.sell_gross, "Refund": refund}
    prices = _block(root, "Prices", {})
    for role, value in roles.items():
        if value is None:
            continue
        scheme = price.tax_scheme if role in ("Sale", "Tax", "CancelFee") else None
        _block(prices, "Price", {"Role": role, "Value": value, "Currency": record.currency, "TaxScheme": scheme})


def _payment(payment: MidOfficePayment) -> Values:
    return {
        "ID": payment.transaction_id,
        "Direction": payment.direction,
        "Method": payment.method,
        "Date": payment.value_date,
        "Value": payment.amount,
        "Currency": payment.currency,
        "Reference": payment.reference,
    }


def _codes(parent: etree._Element, named: Values) -> None:
    codes = _block(parent, "Codes", {})
    for name, value in named.items():
        if value is not None and value != "":
            _block(codes, "Code", {"Name": name, "Value": value})


def _descriptions(parent: etree._Element, texts: list[tuple[str, str]]) -> None:
    block = _block(parent, "Descriptions", {})
    for role, text in texts:
        _block(block, "Description", {"Role": role}).text = spoken(text)


def _block(parent: etree._Element, name: str, values: Values) -> etree._Element:
    """An element whose values are attributes; what is None or empty is left off."""
    element = etree.SubElement(parent, f"{{{XFT}}}{name}")
    for attribute, value in values.items():
        if value is not None and value != "":
            element.set(attribute, value.isoformat() if isinstance(value, date | datetime) else spoken(str(value)))
    return element


# --- what we get back ---


def _accepted(bookings: list[etree._Element], warning: str) -> Accepted:
    if len(bookings) != 1 or not bookings[0].get("ID"):
        raise Unreadable("a success without its booking")
    warnings = (warning,) if warning else ()
    return Accepted(str(bookings[0].get("ID")), _code(bookings[0], "ContractID"), warnings, warning == DUPLICATE)


def _held(booking: etree._Element) -> HeldBooking:
    sale = booking.find(f"{{{XFT}}}Prices/{{{XFT}}}Price[@Role='Sale']")
    try:
        return HeldBooking(
            creditor=_code(booking, "SupplierCode"),
            booking_id=_code(booking, "SupplierBookingID"),
            status=HELD_STATUS[str(booking.attrib["Status"])],
            price=None if sale is None else Decimal(str(sale.attrib["Value"])),
            revision=int(_code(booking, "Revision")),
            ours=_code(booking, "Source"),
            order_id=str(booking.attrib["ID"]),
        )
    except (KeyError, ValueError, InvalidOperation):
        raise Unreadable("a booking that cannot be read") from None


def _code(booking: etree._Element, name: str) -> str:
    for code in booking.iterfind(f"{{{XFT}}}Codes/{{{XFT}}}Code"):
        if code.get("Name") == name:
            return str(code.get("Value") or "")
    return ""
