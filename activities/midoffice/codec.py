"""What a wire format must be able to say and to understand (contracts: midoffice 3.2, swap rule).

A codec is pure: a question in, bytes out; bytes in, a reply out. Everything known of one system's format lives in its
codec module, so that a system whose true format comes in late changes in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from activities.midoffice.booking import MidOfficeBooking, MidOfficePayment, Status


class Unreadable(Exception):
    """The bytes are not an answer of this system; the text names the rule, never the content."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Create, change or cancel a booking: the whole record again; `creditor` is the supplier's id over there."""

    record: MidOfficeBooking
    creditor: str


@dataclass(frozen=True, slots=True)
class AnnouncePayment:
    order_id: str
    payment: MidOfficePayment


@dataclass(frozen=True, slots=True)
class FindBooking:
    creditor: str
    booking_id: str


@dataclass(frozen=True, slots=True)
class ReadOrder:
    order_id: str


Question = Announce | AnnouncePayment | FindBooking | ReadOrder


@dataclass(frozen=True, slots=True)
class Accepted:
    """A write was taken; ids as far as the system names them."""

    order_id: str = ""
    order_no: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The orders that hold a booking id, oldest first."""

    orders: tuple[Accepted, ...]


@dataclass(frozen=True, slots=True)
class HeldBooking:
    """A booking as the mid-office shows it; `ours` is the source id that we gave it."""

    creditor: str
    booking_id: str
    status: Status
    price: Decimal | None = None
    persons: int | None = None
    start: date | None = None
    end: date | None = None
    ours: str = ""


@dataclass(frozen=True, slots=True)
class OrderContent:
    bookings: tuple[HeldBooking, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal in the system's own words."""

    code: str
    text: str


Reply = Accepted | Found | OrderContent | Fault


class Codec(Protocol):
    """Encode and decode of one system; `decode` raises `Unreadable`."""

    def encode(self, question: Question) -> bytes: ...

    def decode(self, answer: bytes) -> Reply: ...
