"""TINA's wire format and the only place that knows it: pairs of RQ and RS with `Errors` or `Success` (contracts: midoffice 5).

The vendor's own import format is not public. This is its habit: the names, the code pattern and the frame of its SOAP
service. When the true format comes in, this module and its golden files change, and the stand-in's reading of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

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
from activities.midoffice.soap import as_bytes, children, first_in_body, local, new_envelope, spoken
from activities.midoffice.tina.settings import TinaSettings

NAMESPACE = "http://tina.dcsplus.net/ws/2010"
VERSION = "1.0"
STATUS: dict[Status, str] = {
    "REQUESTED": "RQ",
    "CONFIRMED": "OK",
    "CANCELLED": "XX",
    "NO_SHOW": "OK",
    "REJECTED": "XX",
}
"""Reservation status by canonical status (midoffice 3.4)."""
HELD_STATUS: dict[str, Status] = {"RQ": "REQUESTED", "OK": "CONFIRMED", "AM": "CONFIRMED", "XX": "CANCELLED"}
CODES: dict[str, Meaning] = {
    "E1P0001": Meaning.REFUSED,
    "E1U0401": Meaning.UNAUTHORISED,
    "E1U0403": Meaning.UNAUTHORISED,
    "E2P0404": Meaning.UNKNOWN_BOOKING,
    "E2P0409": Meaning.STALE,
    "E2P0422": Meaning.REFUSED,
    "E2P0423": Meaning.CLOSED,
    "E3H0503": Meaning.BUSY,
}
"""What each code means (midoffice 5.2); another code of level 3 is TINA's own trouble, of any other level a no."""
DUPLICATE = "W1P0001"

Values = Mapping[str, object]


def operation_of(question: Question) -> str:
    """The name of the operation that answers a question."""
    match question:
        case Announce(record=record):
            return "BookingCancel" if record.action == "CANCEL" else "BookingImport"
        case AnnouncePayment():
            return "PaymentImport"
        case FindBooking() | ReadOrder():
            return "ReservationDetails"


class TinaCodec:
    """Encodes with the credentials of one agency."""

    def __init__(self, settings: TinaSettings) -> None:
        self._settings = settings

    def encode(self, question: Question) -> bytes:
        """The whole SOAP envelope, UTF-8."""
        envelope, _, body = new_envelope(t=NAMESPACE)
        message = _block(body, f"TINA_{operation_of(question)}RQ", {"Version": VERSION})
        self._auth(message)
        match question:
            case Announce(record=record) if record.action == "CANCEL":
                _stamp(message, question.idem, record.modified_at)
                _cancellation(message, record)
            case Announce(record=record):
                message.set("Action", "Modify" if record.action == "CHANGE" else "New")
                _stamp(message, question.idem, record.modified_at)
                _reservation(message, record, question.creditor)
            case AnnouncePayment(booking=booking, payment=payment):
                _stamp(message, question.idem, None)
                _block(message, "Reservation", {"ExternalID": booking.supplier_booking_id})
                _block(message, "Payment", _payment(payment))
            case FindBooking(booking_id=booking_id):
                _block(message, "Reservation", {"ExternalID": booking_id})
            case ReadOrder(order_id=order_id):
                _block(message, "Reservation", {"ID": order_id})
        return as_bytes(envelope)

    def decode(self, answer: bytes) -> Reply:
        """What an answer says; raises `Unreadable` if it is none of ours."""
        first = first_in_body(answer)
        if local(first) == "Fault":
            return Fault("", "a SOAP fault", Meaning.INTERNAL)
        parts = {local(child): child for child in children(first)}
        if not local(first).endswith("RS") or etree.QName(first).namespace != NAMESPACE:
            raise Unreadable("an answer to another operation")
        if "Errors" in parts:
            return _fault(parts["Errors"])
        if "Success" not in parts or "Reservation" not in parts:
            raise Unreadable("neither an error nor a success with a reservation")
        if local(first) == "TINA_ReservationDetailsRS":
            return OrderContent((_held(parts["Reservation"]),))
        return _accepted(parts["Reservation"], parts.get("Warnings"))

    def _auth(self, message: etree._Element) -> None:
        header = _block(message, "AuthHeader", {"Lang": self._settings.lang})
        _text_element(header, "Username", self._settings.username)
        _text_element(header, "Password", self._settings.password.get_secret_value())
        _text_element(header, "ResellerCode", self._settings.reseller_code)
        _block(header, "System", {"Name": "booking-orchestrator"})


# --- what we send ---


def _reservation(message: etree._Element, record: MidOfficeBooking, creditor: str) -> None:
    paid = sum((one.amount for one in record.payments), Decimal(0)) >= record.price.sell_gross
    values = {
        "ExternalID": record.supplier_booking_id,
        "Revision": record.revision,
        "Status": STATUS[record.status],
        "PaymentStatus": "OK" if paid else "PR",
    }
    block = _block(message, "Reservation", values)
    _block(block, "Supplier", {"Code": creditor})
    _customer(block, record.customer)
    travellers = _block(block, "Travellers", {})
    for traveller in record.travellers:
        _traveller(travellers, traveller)
    component = _block(block, "AccommodationComponent", {})
    for position, service in enumerate(record.services, start=1):
        _stay(component, position, service, record)
    _price(block, record)
    terms = record.cancellation
    if terms is not None and terms.policies:
        penalties = _block(block, "CancelPenalties", {})
        for policy in terms.policies:
            start = {"Start": policy.starts_at, "Amount": policy.fee, "CurrencyCode": record.currency}
            _block(penalties, "CancelPenalty", start)
    _remarks(block, record)


def _customer(parent: etree._Element, customer: Customer) -> None:
    block = _block(parent, "Customer", {"ExternalID": customer.customer_ref})
    if customer.kind == "COMPANY":
        _text_element(block, "Company", customer.company_name or "", {"VatID": customer.vat_id})
    else:
        _person(block, customer.salutation, customer.first_name, customer.last_name)
    if customer.address is not None:
        address = _block(block, "Address", {})
        street = " ".join(filter(None, (customer.address.street, customer.address.house_no)))
        for name, value in (
            ("StreetNmbr", street),
            ("CityName", customer.address.city),
            ("PostalCode", customer.address.postal_code),
            ("CountryCode", customer.address.country),
        ):
            if value:
                _text_element(address, name, value)
    for name, value in (("Email", customer.email), ("Phone", customer.phone)):
        if value:
            _text_element(block, name, value)


def _person(parent: etree._Element, prefix: str | None, first: str | None, last: str | None) -> None:
    name = _block(parent, "PersonName", {"NamePrefix": prefix})
    if first:
        _text_element(name, "FirstName", first)
    _text_element(name, "LastName", last or "")


def _traveller(parent: etree._Element, traveller: Traveller) -> None:
    block = _block(parent, "Traveller", {"RPH": traveller.index, "Age": traveller.age})
    prefix = None if traveller.salutation == "UNKNOWN" else traveller.salutation
    _person(block, prefix, traveller.first_name, traveller.last_name)


def _stay(parent: etree._Element, position: int, service: Service, record: MidOfficeBooking) -> None:
    ecn = record.hotel_confirmation or record.supplier_confirmation or record.supplier_agreement
    block = _block(parent, "ResService", {"RPH": position, "Status": STATUS[service.status], "ECN": ecn})
    _block(block, "DateRange", {"Start": service.start_date, "End": service.end_date})
    hotel = service.hotel
    names = {"Code": hotel.supplier_hotel_id or hotel.hid, "Name": hotel.name, "City": hotel.city}
    _block(block, "Hotel", {**names, "CountryCode": hotel.country})
    if service.room is not None:
        _text_element(block, "Room", service.room.name, {"Quantity": service.quantity})
    if service.board is not None:
        _text_element(block, "Board", service.board.text, {"Code": service.board.code})
    for traveller in service.traveller_refs:
        _text_element(block, "TravellerRPH", str(traveller))


def _price(parent: etree._Element, record: MidOfficeBooking) -> None:
    price, currency = record.price, record.currency
    block = _block(parent, "Price", {"Amount": price.sell_gross, "CurrencyCode": currency})
    _block(block, "SupplierPrice", {"Amount": price.cost_gross, "CurrencyCode": currency})
    _block(block, "Commission", {"Amount": price.commission, "CurrencyCode": currency})
    _block(block, "Tax", {"Scheme": price.tax_scheme, "Amount": price.margin_vat, "CurrencyCode": currency})


def _cancellation(message: etree._Element, record: MidOfficeBooking) -> None:
    """The fee is the price of what was cancelled: to the customer, and inside it to us."""
    _block(message, "Reservation", {"ExternalID": record.supplier_booking_id, "Revision": record.revision})
    _text_element(message, "CancelType", "Cancel")
    price, currency = record.price, record.currency
    fee = _block(message, "Fee", {"Amount": price.sell_gross, "CurrencyCode": currency})
    _block(fee, "SupplierPrice", {"Amount": price.cost_gross, "CurrencyCode": currency})
    refund = record.cancellation.refund_from_supplier if record.cancellation else None
    if refund is not None:
        _block(message, "Refund", {"Amount": refund, "CurrencyCode": currency})
    _remarks(message, record)


def _remarks(parent: etree._Element, record: MidOfficeBooking) -> None:
    if record.remarks:
        remarks = _block(parent, "Remarks", {})
        for remark in record.remarks:
            _text_element(remarks, "Remark", remark.text, {"Internal": remark.audience == "INTERNAL"})


def _payment(payment: MidOfficePayment) -> Values:
    return {
        "TransactionID": payment.transaction_id,
        "Direction": payment.direction,
        "Method": payment.method,
        "Amount": payment.amount,
        "CurrencyCode": payment.currency,
        "Date": payment.value_date,
        "Reference": payment.reference,
    }


def _stamp(message: etree._Element, idem: str, moment: datetime | None) -> None:
    message.set("TransactionIdentifier", idem)
    if moment is not None:
        message.set("TimeStamp", moment.isoformat())


def _block(parent: etree._Element, name: str, values: Values) -> etree._Element:
    """An element whose values are attributes; what is None or empty is left off."""
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    for attribute, value in values.items():
        if value is not None and value != "":
            element.set(attribute, _written(value))
    return element


def _text_element(parent: etree._Element, name: str, text: str, values: Values | None = None) -> None:
    _block(parent, name, values or {}).text = spoken(text)


def _written(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case _:
            return spoken(str(value))


# --- what we get back ---


def _fault(errors: etree._Element) -> Fault:
    """The first error counts: it is what stopped them."""
    for error in children(errors):
        code = str(error.get("Code") or "")
        message = " ".join("".join(str(text) for text in error.itertext()).split())
        meaning = CODES.get(code, Meaning.INTERNAL if code.startswith("E3") else Meaning.REFUSED)
        return Fault(code or "?", message, meaning)
    raise Unreadable("errors without an error")


def _accepted(reservation: etree._Element, warnings: etree._Element | None) -> Accepted:
    order_id = str(reservation.get("ID") or "")
    if not order_id:
        raise Unreadable("a reservation without ID")
    codes = tuple(str(child.get("Code") or "") for child in children(warnings)) if warnings is not None else ()
    return Accepted(order_id, str(reservation.get("Code") or ""), codes, DUPLICATE in codes)


def _held(reservation: etree._Element) -> HeldBooking:
    price = next((child for child in children(reservation) if local(child) == "Price"), None)
    try:
        return HeldBooking(
            creditor="",
            booking_id=str(reservation.attrib["ExternalID"]),
            status=HELD_STATUS[str(reservation.attrib["Status"])],
            price=None if price is None else Decimal(str(price.attrib["Amount"])),
            revision=int(str(reservation.attrib["Revision"])),
            order_id=str(reservation.attrib["ID"]),
        )
    except (KeyError, ValueError, InvalidOperation):
        raise Unreadable("a reservation that cannot be read") from None
