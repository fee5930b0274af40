"""The canonical record that every mid-office adapter takes (contracts: midoffice 3.1).

Money is `Decimal` in major units of the record's currency, always made from `Money`. A record knows its content hash,
so that the same content is never sent twice under two revisions.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from activities.midoffice.currencies import known_currency

Action = Literal["CREATE", "CHANGE", "CANCEL"]
Status = Literal["REQUESTED", "CONFIRMED", "CANCELLED", "NO_SHOW", "FAILED", "REJECTED"]
ProductKind = Literal["hotel", "flight", "transfer", "rail", "car", "insurance", "package", "event", "other"]
SellingModel = Literal["MERCHANT", "AGENCY"]
TaxScheme = Literal["STANDARD", "MARGIN_SCHEME", "REVERSE_CHARGE", "EXEMPT"]
PaymentMedium = Literal["CASH", "TRANSFER", "DIRECT_DEBIT", "CARD", "AIRPLUS", "DEPOSIT", "VOUCHER"]

Text64 = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Text256 = Annotated[str, StringConstraints(min_length=1, max_length=256)]
CurrencyCode = Annotated[str, AfterValidator(known_currency)]
Amount = Annotated[Decimal, Field(max_digits=16, decimal_places=3)]
Gross = Annotated[Decimal, Field(max_digits=16, decimal_places=3, ge=0)]
"""What somebody pays: never below zero; only a margin may be."""

NOT_CONTENT = frozenset({"action", "revision", "modified_at", "origin", "documents"})
"""What may differ between two records of the same content; `action` follows from what the target already holds."""


class Part(BaseModel):
    """Base of the record and its parts: immutable, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Address(Part):
    street: str | None = None
    house_no: str | None = None
    postal_code: str | None = None
    city: str | None = None
    country: str | None = None


class Customer(Part):
    """Who pays the agency; `customer_ref` is our id of them."""

    customer_ref: Text64
    midoffice_customer_id: str | None = None
    kind: Literal["PERSON", "COMPANY"]
    salutation: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company_name: str | None = None
    vat_id: str | None = None
    vat_kind: Literal["DOMESTIC", "REVERSE_CHARGE", "EXEMPT", "SMALL_BUSINESS"] | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    address: Address | None = None

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if not (self.company_name if self.kind == "COMPANY" else self.last_name):
            raise ValueError("a customer needs the name that belongs to its kind")
        return self


class Traveller(Part):
    """A guest; what the source does not know (birth date, salutation) is left open, not made up."""

    index: Annotated[int, Field(ge=1)]
    kind: Literal["ADULT", "CHILD", "INFANT"]
    salutation: Literal["MR", "MRS", "CHD", "INF", "UNKNOWN"] = "UNKNOWN"
    first_name: str
    last_name: str
    birth_date: date | None = None
    age: int | None = None
    gender: Literal["M", "F", "X", "U"] = "U"
    lead: bool = False


class Hotel(Part):
    name: Text256
    supplier_hotel_id: str | None = None
    hid: int | None = None
    city: str | None = None
    country: str | None = None


class Room(Part):
    name: str
    bedding: str | None = None
    index: Annotated[int, Field(ge=1)] = 1


BoardCode = Literal["RO", "BB", "HB", "FB", "AI", "OT"]


class Board(Part):
    text: str
    code: BoardCode = "OT"


class Service(Part):
    """One room of a stay; the money is on the booking, not here."""

    service_id: Text64
    kind: ProductKind
    status: Status
    hotel: Hotel
    room: Room | None = None
    board: Board | None = None
    start_date: date
    end_date: date
    nights: Annotated[int, Field(ge=0)]
    quantity: Annotated[int, Field(ge=1)] = 1
    traveller_refs: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _nights_are_the_days_between(self) -> Self:
        if (self.end_date - self.start_date).days != self.nights:
            raise ValueError("nights must be the days between start and end")
        return self


class Line(Part):
    """An upsell of the hotel order it belongs to."""

    line_id: Text64
    kind: str
    status: Status
    text: str
    cost: Amount | None = None
    sell: Amount | None = None


class Price(Part):
    """Gross amounts in the booking's currency; `margin` is sale less cost, `margin_vat` the tax included in it."""

    cost_gross: Gross
    cost_vat: Gross = Decimal("0.00")
    sell_gross: Gross
    commission: Amount = Decimal("0.00")
    margin: Amount
    selling_model: SellingModel
    tax_scheme: TaxScheme
    margin_vat_rate: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal(0)
    margin_vat: Amount = Decimal("0.00")

    @model_validator(mode="after")
    def _margin_adds_up(self) -> Self:
        if self.margin != self.sell_gross - self.cost_gross:
            raise ValueError("margin must be sell_gross less cost_gross")
        return self


class CancellationPolicy(Part):
    """From `starts_at` (UTC; None: from the beginning) until `ends_at` a cancellation costs the agency `fee`."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    fee: Gross


class CancellationTerms(Part):
    """What a cancellation would cost, and after it what it did cost: the agency (`fee_charged`) and the customer."""

    free_until: datetime | None = None
    policies: tuple[CancellationPolicy, ...] = ()

    fee_charged: Gross | None = None
    refund_from_supplier: Gross | None = None
    fee_to_customer: Gross | None = None


class MidOfficePayment(Part):
    """One movement of money; `transaction_id` is the duplicate guard in every target."""

    transaction_id: Text64
    direction: Literal["IN", "OUT"] = "IN"
    party: Literal["CUSTOMER", "SUPPLIER"] = "CUSTOMER"
    method: PaymentMedium
    card_brand: str | None = None
    amount: Annotated[Decimal, Field(max_digits=16, decimal_places=3, gt=0)]
    currency: CurrencyCode
    value_date: date
    reference: str | None = None
    kind: Literal["DOWN_PAYMENT", "FINAL", "REFUND", "CHARGEBACK"] = "DOWN_PAYMENT"


class Remark(Part):
    audience: Literal["INTERNAL", "CUSTOMER"] = "INTERNAL"
    text: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Origin(Part):
    system: str
    channel: str
    received_by: Literal["WEBHOOK", "SWEEP", "WORKFLOW"] = "WORKFLOW"


@dataclass(frozen=True, slots=True)
class BookingRef:
    """What names a booking in every mid-office; `external_ref` is its id over there, once it has one."""

    agency_id: str
    booking_key: str
    supplier_code: str
    supplier_booking_id: str
    external_ref: str = ""


class MidOfficeBooking(Part):
    """One supplier order as a mid-office should hold it.

    `supplier_order_id` is open: the platform gives the supplier's order reference as text, not its number.
    """

    schema_version: Literal[1] = 1
    action: Action = "CREATE"
    booking_key: Text64
    agency_id: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    branch_id: Annotated[str, StringConstraints(max_length=32)] | None = None
    agent_id: Annotated[str, StringConstraints(max_length=32)] | None = None
    supplier_code: Text64
    supplier_booking_id: Text256
    supplier_order_id: int | None = None
    replaces: Text256 | None = None
    supplier_agreement: str | None = None
    supplier_confirmation: str | None = None
    hotel_confirmation: str | None = None
    revision: Annotated[int, Field(ge=1)] = 1
    modified_at: datetime
    status: Status
    booked_at: datetime | None = None
    cancelled_at: datetime | None = None
    currency: CurrencyCode
    customer: Customer
    travellers: Annotated[tuple[Traveller, ...], Field(min_length=1)]
    services: Annotated[tuple[Service, ...], Field(min_length=1)]
    lines: tuple[Line, ...] = ()
    price: Price
    cancellation: CancellationTerms | None = None
    payments: tuple[MidOfficePayment, ...] = ()
    remarks: tuple[Remark, ...] = ()
    origin: Origin

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        known = {traveller.index for traveller in self.travellers}
        if len(known) != len(self.travellers):
            raise ValueError("two travellers have the same index")
        if any(set(service.traveller_refs) - known for service in self.services):
            raise ValueError("a service refers to an unknown traveller")
        return self

    @property
    def ref(self) -> BookingRef:
        """The names of this booking."""
        return BookingRef(self.agency_id, self.booking_key, self.supplier_code, self.supplier_booking_id)

    @property
    def content_hash(self) -> str:
        """SHA-256 over the content; equal hashes mean that there is nothing to send."""
        content = self.model_dump(mode="json", exclude=set(NOT_CONTENT))
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def as_message(self, action: Action, revision: int) -> MidOfficeBooking:
        """This content, to be sent as `action` under `revision`."""
        return self.model_copy(update={"action": action, "revision": revision})

    def without_people(self) -> dict[str, Any]:
        """The record as JSON without customer and travellers, for places that must not hold persons."""
        kept = self.model_dump(mode="json", exclude={"customer", "travellers", "remarks"})
        for service in kept["services"]:
            service["traveller_refs"] = []
        return kept


PLACES = {
    "Price": "price",
    "Customer": "customer",
    "Traveller": "travellers",
    "Service": "services",
    "CancellationTerms": "cancellation",
}
"""Where the parts of a record have their place in it."""


def complaint(error: ValidationError) -> str:
    """The first thing that is wrong with a record or a part of it: the path of the field and the rule, never the value."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    path = (PLACES.get(error.title), *first["loc"])
    return f"{'.'.join(str(part) for part in path if part is not None) or 'record'}: {first['msg']}"
