"""xMid's wire format, the only place that knows it: JSON bodies, German names, codes (contracts: midoffice 7.1 to 7.3)."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from activities.midoffice.booking import (
    Customer,
    MidOfficeBooking,
    MidOfficePayment,
    PaymentMedium,
    Service,
    Status,
    TaxScheme,
    Traveller,
)
from activities.midoffice.codec import (
    Accepted,
    Announce,
    AnnouncePayment,
    Fault,
    HeldBooking,
    Meaning,
    OrderContent,
    Question,
    Reply,
    Unreadable,
)
from activities.midoffice.numbering import runs
from activities.midoffice.xmid.settings import XmidSettings

LARGEST_ANSWER = 1_000_000
STATUS: dict[Status, str] = {
    "REQUESTED": "RQ",
    "CONFIRMED": "OK",
    "CANCELLED": "XX",
    "NO_SHOW": "NS",
    "REJECTED": "XX",
}
"""By canonical status (midoffice 3.4); a failed booking is never transferred."""
HELD_STATUS: dict[str, Status] = {"RQ": "REQUESTED", "OK": "CONFIRMED", "XX": "CANCELLED", "NS": "NO_SHOW"}
TAX: dict[TaxScheme, str] = {
    "STANDARD": "REGEL",
    "MARGIN_SCHEME": "MARGE25",
    "REVERSE_CHARGE": "REVERSE",
    "EXEMPT": "FREI",
}
SALUTATION = {"MR": "HERR", "MRS": "FRAU", "CHD": "KIND", "INF": "BABY"}
METHOD: dict[PaymentMedium, str] = {
    "CASH": "BAR",
    "TRANSFER": "UEBERWEISUNG",
    "DIRECT_DEBIT": "LASTSCHRIFT",
    "CARD": "KARTE",
    "AIRPLUS": "AIRPLUS",
    "DEPOSIT": "DEPOT",
    "VOUCHER": "GUTSCHEIN",
}
PAYMENT_KIND = {
    "DOWN_PAYMENT": "ANZAHLUNG",
    "FINAL": "REST",
    "REFUND": "ERSTATTUNG",
    "CHARGEBACK": "RUECKLASTSCHRIFT",
}
MEANINGS: dict[str, Meaning] = {
    "TOKEN": Meaning.UNAUTHORISED,
    "AGENTUR": Meaning.UNAUTHORISED,
    "VORGANG_UNBEKANNT": Meaning.UNKNOWN_BOOKING,
    "REVISION_VERALTET": Meaning.STALE,
    "PERIODE_GESCHLOSSEN": Meaning.CLOSED,
    "INTERN": Meaning.INTERNAL,
}
"""Codes that are more than a refusal (midoffice 7.3)."""

Json = dict[str, Any]


class XmidCodec:
    """Encodes with the choices of one agency."""

    def __init__(self, settings: XmidSettings) -> None:
        self._settings = settings

    def encode(self, question: Question) -> bytes:
        """The body of a request; empty for look-ups, whose path says it all."""
        match question:
            case Announce(record=record) if record.action == "CANCEL":
                return _bytes(_cancellation(record))
            case Announce():
                return _bytes(self._booking(question.record, question.creditor))
            case AnnouncePayment():
                return _bytes(_payment(question.payment))
            case _:
                return b""

    def decode(self, answer: bytes) -> Reply:
        """What an answer says; raises `Unreadable` if it is none of ours."""
        if len(answer) > LARGEST_ANSWER:
            raise Unreadable("the answer is too large")
        try:
            said = json.loads(answer.decode("utf-8"))
        except ValueError:
            raise Unreadable("the answer is not JSON in UTF-8") from None
        if not isinstance(said, dict):
            raise Unreadable("the answer is not an object")
        if "code" in said:
            code = str(said["code"])
            meaning = MEANINGS.get(code, Meaning.REFUSED)
            return Fault(code, str(said.get("meldung", "")), meaning, str(said.get("feld", "")))
        number = said.get("vorgangsnummer")
        if not isinstance(number, str) or not number:
            raise Unreadable("an answer without vorgangsnummer")
        return _held(said, number) if "buchungsstatus" in said else _accepted(said, number)

    def _booking(self, record: MidOfficeBooking, creditor: str) -> Json:
        price = record.price
        direct = price.selling_model == "AGENCY" and self._settings.mediation_collected_by == "supplier"
        return {
            "leistungstraeger": record.supplier_code,
            "kreditorNr": creditor,
            "buchungsnummer": record.supplier_booking_id,
            **_known(fremdReferenz=_reference(record)),
            "revision": record.revision,
            "buchungsstatus": STATUS[record.status],
            "anmelder": _customer(record.customer),
            "teilnehmer": [_traveller(one) for one in record.travellers],
            "leistungen": [_service(number, one) for number, one in enumerate(record.services, start=1)],
            "ekBrutto": amount(price.cost_gross),
            "ekMwst": amount(price.cost_vat),
            "vkBrutto": amount(price.sell_gross),
            "provision": amount(price.commission),
            "marge": amount(price.margin),
            "waehrung": record.currency,
            "inkasso": "DIREKT" if direct else "AGENTUR",
            "besteuerung": TAX[price.tax_scheme],
        }


def _bytes(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _reference(record: MidOfficeBooking) -> str | None:
    """The supplier's own number of the order, as text."""
    return str(record.supplier_order_id) if record.supplier_order_id else record.supplier_agreement


def _known(**values: object) -> Json:
    """Members that have a value; text without the control characters that no back office can show."""
    return {name: _clean(value) for name, value in values.items() if value not in (None, "")}


def _clean(value: object) -> object:
    if isinstance(value, int):
        return value
    return "".join(sign if sign.isprintable() else " " for sign in str(value)).strip() or "?"


def amount(value: Decimal) -> str:
    """At least two decimals, as xMid wants them of every currency."""
    return f"{value:.3f}" if value.as_tuple().exponent == -3 and value % Decimal("0.01") else f"{value:.2f}"


def _customer(customer: Customer) -> Json:
    address = customer.address
    street = " ".join(filter(None, (address.street, address.house_no))) if address else None
    return _known(
        kundenNr=customer.customer_ref,
        anrede=customer.salutation,
        vorname=customer.first_name,
        name=customer.last_name,
        firma=customer.company_name,
        ustId=customer.vat_id,
        strasse=street,
        plz=address and address.postal_code,
        ort=address and address.city,
        land=address and address.country,
        email=customer.email,
        telefon=customer.phone,
    )


def _traveller(one: Traveller) -> Json:
    return _known(
        nr=one.index,
        anrede=SALUTATION.get(one.salutation),
        vorname=one.first_name,
        name=one.last_name,
        alter=one.age,
        geburtsdatum=one.birth_date,
    )


def _service(number: int, service: Service) -> Json:
    return {
        "nr": number,
        "art": "HOTEL",
        "status": STATUS[service.status],
        "objekt": _clean(service.hotel.name),
        **_known(
            zimmer=service.room and service.room.name,
            verpflegung=service.board and service.board.code,
        ),
        "von": service.start_date.isoformat(),
        "bis": service.end_date.isoformat(),
        "naechte": service.nights,
        "anzahl": service.quantity,
        **_known(teilnehmerZuordnung=runs(service.traveller_refs)),
    }


def _cancellation(record: MidOfficeBooking) -> Json:
    terms = record.cancellation
    return {
        "revision": record.revision,
        "stornoDatum": (record.cancelled_at or record.modified_at).date().isoformat(),
        "stornoGebuehrEk": amount(record.price.cost_gross),
        "stornoGebuehrVk": amount(record.price.sell_gross),
        "erstattung": amount((terms and terms.refund_from_supplier) or Decimal(0)),
        "waehrung": record.currency,
    }


def _payment(payment: MidOfficePayment) -> Json:
    return {
        "betrag": amount(payment.amount),
        "waehrung": payment.currency,
        "datum": payment.value_date.isoformat(),
        "zahlart": METHOD[payment.method],
        "richtung": "EIN" if payment.direction == "IN" else "AUS",
        "art": PAYMENT_KIND[payment.kind],
        **_known(referenz=payment.reference),
    }


def _accepted(said: Json, number: str) -> Accepted:
    warnings = said.get("warnungen", [])
    if not isinstance(warnings, list):
        raise Unreadable("warnungen is not a list")
    return Accepted(number, number, tuple(str(one) for one in warnings))


def _held(said: Json, number: str) -> OrderContent:
    try:
        status = HELD_STATUS[said["buchungsstatus"]]
        price, revision = Decimal(said["vkBrutto"]), int(said["revision"])
    except (KeyError, TypeError, ValueError, InvalidOperation):
        raise Unreadable("a booking that cannot be read") from None
    return OrderContent((HeldBooking("", "", status, price=price, revision=revision, order_id=number),))
