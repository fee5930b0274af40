"""From a payment and its documents to canonical transactions. Pure (contracts: tamara 3.3, 3.5; DESIGN verbs × systems)."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

from activities.tamara.details import Event, Fee, Flight, Hotel
from activities.tamara.model import (
    CURRENCIES,
    Amount,
    AmountPart,
    Authorisation,
    Customer,
    Dbi,
    Numbered,
    Original,
    ServiceCode,
    Transaction,
    Txn,
)
from activities.tamara.settings import TamaraSettings
from domain.money import Money, rounded
from domain.platform import Booking, Cancellation, Experience, Line, Payment, Refund, Traveller
from store.documents import Document

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
UNKNOWN_CURRENCY = ("999", 2)
"""Not in the ISO table of the contract; V011 keeps it out of the file."""


@dataclass(frozen=True, slots=True)
class Sale:
    """Everything that a debit line is made of. `kept` is what is still sold, `penalty` what is charged for leaving."""

    settings: TamaraSettings
    payment: Payment
    booking: Booking
    experience: Experience
    invoice: Document
    kept: Money
    penalty: Money


def reference_of(moment: dt.datetime, *key: str) -> str:
    """A ULID whose random part is the key's digest: the same line gets the same reference in every attempt."""
    entropy = hashlib.sha256("\x1f".join(key).encode()).digest()[:10]
    number = (int(moment.timestamp() * 1000) << 80) | int.from_bytes(entropy, "big")
    return "".join(CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def told_as(sale: Sale) -> tuple[str, Literal["merchant", "agency"]]:
    """Service code and who settles (contracts: tamara 3.3): a booking of one service is told as that, others as event."""
    line = _only_line(sale)
    kind = {service.id: service.kind for service in sale.experience.services}.get(line.service_id) if line else None
    if line is not None and kind == "flight":
        airline = sale.settings.airlines.get(_supplier(sale, line))
        if airline is not None:
            bsp = airline.bsp
            return ("FL" if bsp or _thirteen(line) else "LC"), ("merchant" if bsp else "agency")
    if kind == "hotel":
        return "HO", "agency"
    return ("FE" if kind == "fee" else "EV"), "agency"


def route_of(sale: Sale) -> Literal["BSP", "MA", "none"]:
    """The kind of file that the layout's routing table names for a sale."""
    service, settles = told_as(sale)
    return sale.settings.used_layout.routing[service][settles]


def sale_of(sale: Sale, ref: str) -> Transaction:
    """The debit for a payment, without card: what is kept of its invoice plus penalties. Its route is not `none`."""
    service, _ = told_as(sale)
    route = route_of(sale)
    settings, booking, payment = sale.settings, sale.booking, sale.payment
    traveller = passenger_of(booking)
    gross = sale.kept + sale.penalty
    rate = _rate(sale)
    captured = payment.captured_at or booking.created_at
    code = payment.processor.authorization_code
    return Transaction(
        txn=Txn(
            ref=ref,
            class_="BSP" if route == "BSP" else "MA",
            type="SA",
            dc="D",
            service=cast("ServiceCode", service),
            auth=Authorisation(code=code, date=_local(captured, settings)) if code and len(code) <= 6 else None,
            invoice=Numbered(number=sale.invoice.number, date=sale.invoice.issued_on),
            sale_date=sale.invoice.operation_date,
            value_date=_local(captured, settings),
            amount=amount_of(gross, rate),
            passenger=f"{traveller.last_name}/{traveller.first_name}",
            customer=Customer(name=booking.payer.name, place=booking.payer.address and booking.payer.address.city),
            dossier=_short(sale.experience.external_ref, 15),
            pnr=_short(booking.locator, 13),
        ),
        amounts=breakdown(gross, rate, penalty=sale.penalty.amount, penalty_dc="D"),
        dbi=dbi_of(traveller, settings.profile_of(booking.payer.id).name),
        hotel=_hotel(sale, traveller) if service == "HO" else None,
        flight=_flight(sale) if service in ("FL", "LC") else None,
        fee=_fee(sale) if service == "FE" else None,
        event=_event(sale) if service == "EV" else None,
    )


def credit_of(
    original: Transaction, ref: str, note: Document, amount: Money, *, penalty: int, full: bool, reason: str
) -> Transaction:
    """The credit of (a part of) a debit that AirPlus has: `penalty` (minor units) was held back from the credit note."""
    rate = original.txn.amount.vat_rate
    txn = original.txn.model_copy(
        update={
            "ref": ref,
            "type": "CX" if full else "RF",
            "dc": "C",
            "auth": None,
            "credit_note": Numbered(number=note.number, date=note.issued_on),
            "value_date": note.issued_on,
            "amount": amount_of(amount, rate),
            "original": Original(ref=original.txn.ref),
            "reason": reason,
        }
    )
    flight = original.flight
    if flight is not None and flight.document_number:
        # A refund names the ticket it gives back (contracts: tamara 3.5).
        ticket = f"{flight.airline_number}{flight.document_number}"
        flight = flight.model_copy(update={"original_document": ticket, "transaction_code": "RFND"})
    parts = breakdown(amount, rate, penalty=penalty, penalty_dc="C")
    return original.model_copy(update={"txn": txn, "amounts": parts, "flight": flight})


def penalty_of(original: Transaction, ref: str, document: Document, amount: Money) -> Transaction:
    """A debit on a penalty document of its own, for a penalty that was fixed after the credit had gone out."""
    txn = original.txn.model_copy(
        update={
            "ref": ref,
            "auth": None,
            "invoice": Numbered(number=document.number, date=document.issued_on),
            "sale_date": document.operation_date,
            "value_date": document.issued_on,
            "amount": amount_of(amount, Decimal(0)),
        }
    )
    parts = breakdown(amount, Decimal(0), penalty=amount.amount, penalty_dc="D")
    return original.model_copy(update={"txn": txn, "amounts": parts})


def amount_of(gross: Money, rate: Decimal | None) -> Amount:
    """Net and VAT inside a price; under the margin scheme the rate is 0 and VAT stays invisible (money-rules 1.2.2)."""
    number, decimals = CURRENCIES.get(gross.currency, UNKNOWN_CURRENCY)
    vat = _vat(gross.amount, rate)
    return Amount(
        currency=number, decimals=decimals, net=gross.amount - vat, vat_rate=rate, vat=vat, gross=gross.amount
    )


def breakdown(gross: Money, rate: Decimal | None, *, penalty: int, penalty_dc: str) -> tuple[AmountPart, ...]:
    """Groups that show a penalty (`CAN`) beside the rest; none without a penalty. Minor units."""
    if penalty == 0:
        return ()
    vat = _vat(gross.amount, rate)
    rest = gross.amount - vat - (penalty if penalty_dc == "D" else -penalty)
    parts = [AmountPart(type="CAN", dc="D" if penalty_dc == "D" else "C", amount=penalty)]
    if vat:
        parts.insert(0, AmountPart(type="VAT", rate=rate, dc="D", amount=vat))
    if rest:
        parts.insert(0, AmountPart(type="BAS", dc="D" if rest > 0 else "C", amount=abs(rest)))
    return tuple(parts)


def passenger_of(booking: Booking) -> Traveller:
    """The first active traveller with company fields, else the first active one, else the first."""
    active = [traveller for traveller in booking.travellers if traveller.status == "active"]
    with_fields = [traveller for traveller in active if traveller.corporate is not None]
    return (with_fields or active or list(booking.travellers))[0]


def dbi_of(traveller: Traveller, profile: str) -> Dbi | None:
    """The company fields of a traveller under AirPlus' codes (contracts: tamara 2.3)."""
    fields = traveller.corporate
    if fields is None:
        return None
    codes = {
        "PK": fields.employee_no,
        "KS": fields.cost_centre,
        "DS": fields.department,
        "PR": fields.project_no,
        "AU": fields.purchase_order,
    }
    return Dbi(**codes, profile=profile) if any(codes.values()) else None


def reason_of_cancellation(cancellation: Cancellation) -> str:
    """REASON of 3.5 for a cancellation of the platform."""
    if cancellation.cause == "no_show":
        return "NS"
    if cancellation.cause == "error":
        return "ER"
    if cancellation.cause == "non_payment":
        return "OT"
    return "CX" if cancellation.initiated_by == "customer" else "SU"


_REFUND_REASONS = {
    "cancellation": "CX",
    "service_change": "PR",
    "discount": "PR",
    "overpayment": "ER",
    "duplicate": "DB",
    "goodwill": "PR",
}


def reason_of_refund(refund: Refund) -> str:
    """REASON of 3.5 for a refund of the platform."""
    return _REFUND_REASONS[refund.cause]


def _only_line(sale: Sale) -> Line | None:
    lines = sale.booking.active_lines or sale.booking.lines
    return lines[0] if len(lines) == 1 else None


def _supplier(sale: Sale, line: Line) -> str:
    return next((each.supplier.id for each in sale.experience.services if each.id == line.service_id), "")


def _thirteen(line: Line) -> str | None:
    """The supplier's reference, if it is a ticket number."""
    digits = "".join(sign for sign in line.cost.supplier_ref or "" if sign not in " -")
    return digits if len(digits) == 13 and digits.isdigit() else None


def _flight(sale: Sale) -> Flight | None:
    line = _only_line(sale)
    if line is None:
        return None
    service, _ = told_as(sale)
    number, reference = _thirteen(line), (line.cost.supplier_ref or "").replace(" ", "")
    low_cost = service == "LC"
    return Flight(
        doc_kind="L" if low_cost else "T",
        airline_number=None if low_cost else (number or reference)[:3] or None,
        document_number=None if low_cost else (number or reference)[3:] or None,
        lowcost_ref=_short(reference, 20) if low_cost else None,
        issue_date=sale.invoice.operation_date,
        transaction_code=None if low_cost else "TKTT",
        validating_carrier=sale.settings.airlines[_supplier(sale, line)].carrier,
        departure_date=sale.experience.starts_on,
        return_date=sale.experience.ends_on,
    )


def _fee(sale: Sale) -> Fee:
    return Fee(code="FEE", text=sale.experience.title, quantity=1)


def _hotel(sale: Sale, guest: Traveller) -> Hotel | None:
    line = _only_line(sale)
    if line is None:
        return None
    service = next(each for each in sale.experience.services if each.id == line.service_id)
    order = next((each for each in sale.booking.external_orders if each.system == "ratehawk"), None)
    rooms = {each.room_ref for each in sale.booking.travellers if each.id in line.traveller_ids and each.room_ref}
    return Hotel(
        name=service.supplier.name,
        city=sale.settings.city,
        country=sale.settings.country,
        guest=f"{guest.last_name}/{guest.first_name}",
        checkin=sale.experience.starts_on,
        checkout=sale.experience.ends_on,
        nights=(sale.experience.ends_on - sale.experience.starts_on).days,
        rooms=max(1, len(rooms)),
        guests=len(line.traveller_ids) or None,
        confirmation=line.cost.supplier_ref or (order.order_ref if order else sale.booking.locator),
        order_id=order.order_ref if order else None,
        prepaid="Y",
        penalty="C" if sale.penalty and not sale.kept else None,
    )


def _event(sale: Sale) -> Event:
    return Event(
        name=sale.experience.title,
        organiser=sale.settings.name,
        reference=sale.booking.locator,
        city=sale.settings.city,
        country=sale.settings.country,
        from_=sale.experience.starts_on,
        to=sale.experience.ends_on,
        participants=sum(1 for each in sale.booking.travellers if each.status == "active") or None,
    )


def _rate(sale: Sale) -> Decimal:
    return sale.settings.vat_rate if sale.experience.tax_regime == "general" else Decimal(0)


def _vat(gross: int, rate: Decimal | None) -> int:
    return rounded(Decimal(gross) * rate / (100 + rate)) if rate else 0


def _local(moment: dt.datetime, settings: TamaraSettings) -> dt.date:
    return moment.astimezone(settings.zone).date()


def _short(text: str | None, longest: int) -> str | None:
    """An optional reference, left out where it has no room: half a reference finds nothing."""
    return text if text and len(text) <= longest else None
