"""The detail parts of a transaction, one for each kind of service (contracts: tamara 3.4, records 500 to 600)."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict

DebitCredit = Literal["D", "C"]
"""D: the customer's account is charged; C: it is credited."""


class Part(BaseModel):
    """Base of every canonical part: immutable, nothing beyond what the model knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Flight(Part):
    doc_kind: Literal["T", "E", "L"]
    airline_number: str | None = None
    document_number: str | None = None
    check_digit: int | None = None
    lowcost_ref: str | None = None
    conjunction_last: str | None = None
    issue_date: dt.date
    transaction_code: str | None = None
    validating_carrier: str
    original_document: str | None = None
    refund_coupons: str | None = None
    departure_date: dt.date
    return_date: dt.date | None = None
    dom_int: Literal["D", "I"] | None = None
    routing: str | None = None
    system: str | None = None


class Segment(Part):
    from_: str
    to: str
    carrier: str
    flight: str | None = None
    date: dt.date
    time: str | None = None
    booking_class: str | None = None
    fare_basis: str | None = None
    stop: Literal["O", "X"] | None = None
    coupon: int | None = None


class Rail(Part):
    operator: str
    order_no: str
    online: Literal["Y", "N"] | None = None
    departure_date: dt.date
    departure_time: str | None = None
    from_city: str
    to_city: str
    return_date: dt.date | None = None
    service_class: str | None = None
    train: str | None = None
    fare_name: str | None = None
    country: str | None = None


class Fee(Part):
    code: str
    text: str
    quantity: int
    unit_amount: int | None = None
    related_ref: str | None = None
    related_document: str | None = None
    related_invoice: str | None = None
    channel: Literal["ON", "OF"] | None = None


class Car(Part):
    company: str
    agreement: str | None = None
    confirmation: str
    driver: str
    pickup_date: dt.date
    pickup_time: str | None = None
    pickup_place: str
    dropoff_date: dt.date
    dropoff_time: str | None = None
    dropoff_place: str
    days: int | None = None
    group: str | None = None
    country: str | None = None


class Hotel(Part):
    name: str
    city: str
    country: str
    guest: str
    checkin: dt.date
    checkout: dt.date
    nights: int
    rooms: int
    guests: int | None = None
    confirmation: str
    order_id: str | None = None
    folio: str | None = None
    nightly_rate: int | None = None
    board: str | None = None
    prepaid: Literal["Y", "N"]
    penalty: Literal["N", "C"] | None = None


class Ground(Part):
    mode: Literal["TX", "LM", "TR", "BU", "PK", "FY", "OT"]
    provider: str
    reference: str
    date: dt.date
    time: str | None = None
    from_: str
    to: str | None = None
    country: str | None = None
    persons: int | None = None
    units: int | None = None


class Event(Part):
    name: str
    organiser: str | None = None
    reference: str
    city: str
    country: str
    from_: dt.date
    to: dt.date
    participants: int | None = None


class Other(Part):
    code: str
    text: str
    supplier: str | None = None
    reference: str | None = None
    from_: dt.date
    to: dt.date | None = None
    quantity: int


class Text(Part):
    qualifier: Literal["TXT", "REF", "ORD", "CCI", "EXT"]
    text: str
