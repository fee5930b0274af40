"""MIDOCO's wire format: what we send; with `answers` the only place that knows it (contracts: midoffice 4.1 to 4.4).

Values of message blocks are attributes, parameters of operations are elements.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from lxml import etree

from activities.midoffice.booking import Customer, MidOfficeBooking, MidOfficePayment, Part, Service, Status, Traveller
from activities.midoffice.codec import Announce, AnnouncePayment, FindBooking, Question, ReadOrder, Reply
from activities.midoffice.midoco.answers import read_answer
from activities.midoffice.midoco.settings import MidocoSettings
from activities.midoffice.numbering import runs
from activities.midoffice.soap import as_bytes, new_envelope, spoken

SYSTEM = "http://www.midoco.de/system"
BOOKING = "http://www.midoco.de/booking"

OPERATIONS: dict[type, str] = {
    Announce: "announceBookingMessage",
    AnnouncePayment: "announceExternalPayment",
    FindBooking: "searchBookingId",
    ReadOrder: "getShortOrderStatus",
}
STATUS: dict[Status, str] = {
    "REQUESTED": "RQ",
    "CONFIRMED": "OK",
    "CANCELLED": "XX",
    "NO_SHOW": "OK",
    "REJECTED": "XX",
}
"""Service status by canonical status (midoffice 3.4); a failed booking is never transferred."""
GENDER = {"M": "MALE", "F": "FEMALE", "X": "DIVERS"}
VAT_KIND = {
    "DOMESTIC": "VatLiabilityInland",
    "REVERSE_CHARGE": "ReverseCharge",
    "EXEMPT": "TaxFreeAbroad",
    "SMALL_BUSINESS": "SmallBusiness",
}
MEDIUM = {"AIRPLUS": "AIRPLUS", "VOUCHER": "VOUCHER", "DIRECT_DEBIT": "BANKCARD", "TRANSFER": "UNKNOWN"}
CARD_MEDIUM = {"visa": "VISA", "mastercard": "MASTERCARD", "amex": "AMEX", "diners": "DINERS"}

Values = Mapping[str, object]


class MidocoCodec:
    """Encodes with the credentials and the choices of one agency."""

    def __init__(self, settings: MidocoSettings) -> None:
        self._settings = settings

    def encode(self, question: Question) -> bytes:
        """The whole SOAP envelope, UTF-8."""
        envelope, header, body = new_envelope(s=SYSTEM, b=BOOKING)
        credentials = etree.SubElement(header, f"{{{SYSTEM}}}MidocoCredentials")
        for name, value in (
            ("Login", self._settings.login),
            ("Password", self._settings.password.get_secret_value()),
            ("OrganisationUnit", self._settings.organisation_unit),
            ("Locale", self._settings.locale),
        ):
            etree.SubElement(credentials, f"{{{SYSTEM}}}{name}").text = value
        operation = etree.SubElement(body, f"{{{BOOKING}}}{OPERATIONS[type(question)]}")
        match question:
            case Announce():
                self._message(operation, question)
            case AnnouncePayment():
                _element(operation, "orderId", question.booking.external_ref)
                _block(operation, "ExternalPayment", _payment(question.payment))
            case FindBooking():
                _element(operation, "bookingId", question.booking_id)
                _element(operation, "supplierId", question.creditor)
                _element(operation, "checkDates", "false")
            case ReadOrder():
                _element(operation, "orderId", question.order_id)
        return as_bytes(envelope)

    def decode(self, answer: bytes) -> Reply:
        """What an answer says; raises `Unreadable` if it is none of ours."""
        return read_answer(answer)

    def _message(self, operation: etree._Element, question: Announce) -> None:
        record, creditor, settings = question.record, question.creditor, self._settings
        message = _block(operation, "midoco-booking-message", {"message-version": 1})
        identity = {"agency_no": settings.agency_no, "subagency": record.branch_id, "agent": record.agent_id}
        _block(message, "agency-identity", identity)
        _customer(message, record.customer)
        known: dict[str, object] = {"supplier": creditor, "booking-id": record.supplier_booking_id}
        booking = _block(
            message,
            "booking",
            {
                **known,
                "position": 1,
                "booking-version": record.revision,
                "booking-date": record.booked_at and record.booked_at.date(),
                "reference-booking-id": record.replaces or record.supplier_order_id or record.supplier_agreement,
                "source-ext-system": "ORCHESTRATOR",
                "source-ext-id": record.booking_key,
                "settlement-type": settings.settlement_type,
                "is-request": record.status == "REQUESTED",
                "is-option": False,
                "selling-mode": "SINGLE_SERVICE_ACCOMODATION",
                "service-description": record.services[0].hotel.name,
                "location-description": record.services[0].hotel.city,
                "country": record.services[0].hotel.country,
            },
        )
        for traveller in record.travellers:
            _block(booking, "person", _person(traveller))
        for position, service in enumerate(record.services, start=1):
            _block(booking, "accomodation-service", _hotel(position, service, record.currency))
        for position, remark in enumerate(record.remarks, start=1):
            block = _block(booking, "remark", {"position": position, "print_allowed": remark.audience == "CUSTOMER"})
            block.text = remark.text
        price = _block(_block(message, "prices", {}), "booking-price", {"position": 1, **known, **_price(record)})
        vat_code = settings.vat_codes.get(record.price.tax_scheme)
        if vat_code:
            _block(price, "vat_division", {"vat_code": vat_code, "ratio": 1})


def _block(parent: etree._Element, name: str, values: Values) -> etree._Element:
    """An element whose values are attributes; what is None or empty is left off."""
    element = etree.SubElement(parent, f"{{{BOOKING}}}{name}")
    for attribute, value in values.items():
        if value is not None and value != "":
            element.set(attribute, _text(value))
    return element


def _element(parent: etree._Element, name: str, value: object) -> None:
    etree.SubElement(parent, f"{{{BOOKING}}}{name}").text = _text(value)


def _text(value: object) -> str:
    """Wire form of a value; control characters that XML cannot carry become blanks."""
    match value:
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case _:
            return spoken(str(value))


def _customer(message: etree._Element, customer: Customer) -> None:
    address = customer.address
    block = _block(
        message,
        "customer",
        {
            "type": "INVOICE",
            "reference-system": "ORCHESTRATOR",
            "reference-customer-id": customer.customer_ref,
            "midoco-customer-id": customer.midoffice_customer_id,
            "language": customer.language,
            **_when(address, street="street", house_no="street-no", postal_code="postal-code"),
            **_when(address, city="city", country="country"),
        },
    )
    if customer.kind == "COMPANY":
        vat_type = VAT_KIND[customer.vat_kind] if customer.vat_kind else None
        company = {"organisation-name": customer.company_name, "vat-id": customer.vat_id, "vat-type": vat_type}
        _block(block, "company-data", company)
    else:
        _block(block, "private-data", {"forename": customer.first_name, "name": customer.last_name})
    for kind, value in (("EMAIL", customer.email), ("PHONE", customer.phone)):
        if value:
            _block(block, "communication", {"type": kind, "communication-data": value})


def _when(part: Part | None, **names: str) -> dict[str, object]:
    """The fields of an optional part under their wire names."""
    return {} if part is None else {wire: getattr(part, ours) for ours, wire in names.items()}


def _person(traveller: Traveller) -> Values:
    return {
        "position": traveller.index,
        "salutation": None if traveller.salutation == "UNKNOWN" else traveller.salutation,
        "forename": traveller.first_name,
        "name": traveller.last_name,
        "birthday": traveller.birth_date,
        "gender": GENDER.get(traveller.gender),
        "age": traveller.age,
    }


def _hotel(position: int, service: Service, currency: str) -> Values:
    return {
        "position": position,
        "service-code": service.hotel.supplier_hotel_id,
        "service-description": service.hotel.name,
        **_when(service.room, name="accomodation-description"),
        **_when(service.board, code="catering", text="catering-description"),
        "location-description": service.hotel.city,
        "service-status": STATUS[service.status],
        "start-date": service.start_date,
        "end-date": service.end_date,
        "no-of-nights": service.nights,
        "no-of-services": service.quantity,
        "person-assignment": runs(service.traveller_refs),
        "currency": currency,
    }


def _price(record: MidOfficeBooking) -> Values:
    price, currency = record.price, record.currency
    merchant = price.selling_model == "MERCHANT"
    return {
        "total-price": price.sell_gross,
        "currency": currency,
        "original_price": price.cost_gross,
        "original_currency": currency,
        "payment-type": "AGENCY",
        "revenue_amount": price.margin if merchant else None,
        "commission-value": None if merchant else price.commission,
        "commission-currency": None if merchant else currency,
        "mode-revenue-calculation": "Price" if merchant else "Commission",
    }


def _payment(payment: MidOfficePayment) -> Values:
    amount = payment.amount if payment.direction == "IN" else -payment.amount
    return {
        "payment-date": payment.value_date,
        "transaction-number": payment.transaction_id,
        "amount": amount,
        "currency": payment.currency,
        "medium": medium(payment),
        "reference-number": payment.reference,
    }


def medium(payment: MidOfficePayment) -> str:
    """MIDOCO's word for how it was paid; cash and transfers have none."""
    if payment.method == "CARD":
        return CARD_MEDIUM.get((payment.card_brand or "").lower(), "BANKCARD")
    return MEDIUM.get(payment.method, "UNKNOWN")
