"""Z.I.E.L.'s wire format, the only place that knows it: records, names of files, acknowledgements, codes
(contracts: midoffice 8.1).

UTF-8 without a mark, CRLF, semicolons, decimal comma, quotes doubled. A leading `=`, `+`, `-` or `@` stays as it is: this is
a feed between programs, in which negative amounts are legal, and no sheet for people.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

from activities.midoffice.booking import (
    Action,
    BookingRef,
    Customer,
    MidOfficeBooking,
    MidOfficePayment,
    PaymentMedium,
    Service,
    Status,
    TaxScheme,
    Traveller,
)
from activities.midoffice.codec import Announce, AnnouncePayment, Fault, HeldBooking, Meaning, Unreadable
from activities.midoffice.numbering import runs
from activities.midoffice.ziel.settings import ZielSettings

END = "\r\n"
ACTIONS: dict[Action, str] = {"CREATE": "N", "CHANGE": "A", "CANCEL": "S"}
STATUS: dict[Status, str] = {"CONFIRMED": "OK", "NO_SHOW": "NS", "CANCELLED": "ST", "REJECTED": "ST"}
"""By canonical status (midoffice 3.4). What is only requested, or failed, has no word here."""
HELD_STATUS: dict[str, Status] = {"OK": "CONFIRMED", "NS": "NO_SHOW", "ST": "CANCELLED"}
TAX: dict[TaxScheme, str] = {"STANDARD": "R", "MARGIN_SCHEME": "M", "REVERSE_CHARGE": "C", "EXEMPT": "F"}
METHOD: dict[PaymentMedium, str] = {
    "CASH": "BAR",
    "TRANSFER": "UEBERWEISUNG",
    "DIRECT_DEBIT": "LASTSCHRIFT",
    "CARD": "KARTE",
    "AIRPLUS": "AIRPLUS",
    "DEPOSIT": "DEPOT",
    "VOUCHER": "GUTSCHEIN",
}
CODES: dict[str, Meaning] = {
    "E10": Meaning.REFUSED,
    "E11": Meaning.BUSY,
    "E20": Meaning.UNAUTHORISED,
    "E30": Meaning.REFUSED,
    "E31": Meaning.REFUSED,
    "E32": Meaning.REFUSED,
    "E40": Meaning.STALE,
    "E41": Meaning.UNKNOWN_BOOKING,
    "E50": Meaning.CLOSED,
    "E90": Meaning.BUSY,
}
"""What each code means. E11 (checksum) is our defect or a torn file: the adapter sends it again once, then it is refused."""


@dataclass(frozen=True, slots=True)
class AskStatus:
    """A status query: what do you hold of this booking?"""

    booking: BookingRef
    creditor: str
    idem: str


Message = Announce | AnnouncePayment | AskStatus


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What was said of one file; `fault` is None when it was taken."""

    idem: str
    result: Literal["OK", "DUP", "WARN", "ERR"]
    number: str
    text: str
    fault: Fault | None


class ZielCodec:
    """Encodes with the choices of one agency."""

    def __init__(self, settings: ZielSettings) -> None:
        self._settings = settings

    def name(self, message: Message, made: datetime, attempt: int) -> str:
        """The name of the file: the same message at the same attempt has the same name for ever."""
        query = "_Q" if isinstance(message, AskStatus) else ""
        made = made.astimezone(UTC)
        return f"ZIEL_{self._settings.agency_no}_{made:%Y%m%d%H%M%S}_{attempt:06d}_{message.idem[:8]}{query}.csv"

    def encode(self, message: Message, made: datetime) -> bytes:
        """The whole file; every status must have a word in `STATUS`."""
        action, records = self._records(message)
        head = ["KOPF", "1", message.idem, self._settings.agency_no, action, _instant(made), str(len(records))]
        before = "".join(_line(cells) for cells in (head, *records)).encode()
        return before + _line(["ENDE", str(len(records)), f"{zlib.crc32(before):08x}"]).encode()

    def _records(self, message: Message) -> tuple[str, list[list[str]]]:
        match message:
            case Announce(record=record, creditor=creditor):
                return ACTIONS[record.action], self._booking(record, creditor)
            case AnnouncePayment(payment=payment):
                return "Z", [_key(message.booking, message.creditor), _payment(payment)]
            case AskStatus():
                return "Q", [_key(message.booking, message.creditor)]

    def _booking(self, record: MidOfficeBooking, creditor: str) -> list[list[str]]:
        price = record.price
        direct = price.selling_model == "AGENCY" and self._settings.mediation_collected_by == "supplier"
        booked = record.booked_at or record.modified_at
        return [
            [
                "VORG",
                creditor,
                record.supplier_booking_id,
                str(record.supplier_order_id or record.supplier_agreement or ""),
                str(record.revision),
                STATUS[record.status],
                _date(booked.date()),
                record.currency,
                amount(price.cost_gross),
                amount(price.cost_vat),
                amount(price.sell_gross),
                amount(price.commission),
                "D" if direct else "A",
                TAX[price.tax_scheme],
                "",
            ],
            _customer(record.customer),
            *(_traveller(one) for one in record.travellers),
            *(_service(number, one) for number, one in enumerate(record.services, start=1)),
            *([_cancelled(record)] if record.action == "CANCEL" else []),
        ]

    def acknowledgement(self, content: bytes) -> Acknowledgement:
        """What an acknowledgement file says; that a file was taken counts more than any error beside it.

        Raises `Unreadable`, also for a file that is not whole (yet).
        """
        said = [_acknowledged(cells) for cells in _rows(content, 5)]
        return next((one for one in said if one.fault is None), said[-1])

    def status(self, content: bytes, booking: BookingRef, creditor: str) -> HeldBooking:
        """What a status file says; raises `Unreadable`."""
        ((number, status, revision, price, _),) = _rows(content, 5)[:1]
        try:
            return HeldBooking(
                creditor=creditor,
                booking_id=booking.supplier_booking_id,
                status=HELD_STATUS[status],
                price=Decimal(price.replace(",", ".")),
                revision=int(revision),
                order_id=number,
            )
        except (KeyError, ValueError, InvalidOperation):
            raise Unreadable("a status that cannot be read") from None


def _acknowledged(cells: Sequence[str]) -> Acknowledgement:
    idem, result, number, code, text = cells
    match result:
        case "OK" | "DUP" | "WARN":
            if not number:
                raise Unreadable("a file was taken and has no number")
            return Acknowledgement(idem, result, number, f"{code} {text}".strip(), None)
        case "ERR":
            field, colon, words = text.partition(": ")
            named = bool(colon) and "[" in field and " " not in field
            fault = Fault(
                code,
                words if named else text,
                CODES.get(code, Meaning.REFUSED),
                field if named else "",
            )
            return Acknowledgement(idem, result, number, text, fault)
    raise Unreadable("an acknowledgement with an unknown result")


def _rows(content: bytes, width: int) -> list[list[str]]:
    """The lines of an answer, each of `width` cells; raises `Unreadable`."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("the answer is not UTF-8") from None
    if not text.endswith("\n"):
        raise Unreadable("the answer is not whole")
    try:
        rows = list(csv.reader(text.splitlines(), delimiter=";", strict=True))
    except csv.Error:
        raise Unreadable("the answer is not CSV") from None
    if not rows or any(len(cells) != width for cells in rows):
        raise Unreadable(f"the answer has not {width} fields")
    return rows


def _line(cells: Iterable[str]) -> str:
    return ";".join(_cell(cell) for cell in cells) + END


def _cell(text: str) -> str:
    """One field: what no line can carry becomes a blank, and what separates is quoted."""
    clean = "".join(sign if sign.isprintable() else " " for sign in text)
    return '"' + clean.replace('"', '""') + '"' if any(sign in clean for sign in ';"') else clean


def amount(value: Decimal) -> str:
    """At least two decimals, decimal comma."""
    small = value.as_tuple().exponent == -3 and value % Decimal("0.01")
    return (f"{value:.3f}" if small else f"{value:.2f}").replace(".", ",")


def _date(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _key(booking: BookingRef, creditor: str) -> list[str]:
    return ["VORG", creditor, booking.supplier_booking_id, *[""] * 12]


def _customer(customer: Customer) -> list[str]:
    address = customer.address
    street = " ".join(filter(None, (address.street, address.house_no))) if address else ""
    place = (address.postal_code, address.city, address.country) if address else ("", "", "")
    values = (
        customer.customer_ref,
        customer.company_name,
        customer.salutation,
        customer.first_name,
        customer.last_name,
        street,
        *place,
        customer.vat_id,
        customer.email,
        customer.phone,
    )
    return ["KUND", *(value or "" for value in values)]


def _traveller(one: Traveller) -> list[str]:
    salutation = "" if one.salutation == "UNKNOWN" else one.salutation
    age = "" if one.age is None else str(one.age)
    return ["REIS", str(one.index), salutation, one.first_name, one.last_name, age]


def _service(number: int, service: Service) -> list[str]:
    hotel, room, board = service.hotel, service.room, service.board
    return [
        "LEIS",
        str(number),
        "H",
        STATUS[service.status],
        hotel.name,
        str(hotel.hid or hotel.supplier_hotel_id or ""),
        room.name if room else "",
        board.code if board else "",
        _date(service.start_date),
        _date(service.end_date),
        str(service.nights),
        runs(service.traveller_refs),
    ]


def _cancelled(record: MidOfficeBooking) -> list[str]:
    refund = (record.cancellation and record.cancellation.refund_from_supplier) or Decimal(0)
    fees = (record.price.cost_gross, record.price.sell_gross, refund)
    return ["STRN", "", "", "", *(amount(fee) for fee in fees)]


def _payment(payment: MidOfficePayment) -> list[str]:
    return [
        "ZAHL",
        payment.transaction_id,
        "E" if payment.direction == "IN" else "A",
        METHOD[payment.method],
        amount(payment.amount),
        payment.currency,
        _date(payment.value_date),
        payment.reference or "",
    ]
