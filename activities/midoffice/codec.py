"""What a wire format must be able to say and to understand (contracts: midoffice 3.2, swap rule).

A codec is pure: a question in, bytes out; bytes in, a reply out. Everything known of one system's format lives in its
codec module, so that a system whose true format comes in late changes in one place. Codes are data: each codec has a
table from the system's codes to `Meaning`, and `faults` turns a meaning into one of our error classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Protocol

from activities.midoffice.booking import BookingRef, MidOfficeBooking, MidOfficePayment, Status


class Unreadable(Exception):
    """The bytes are not an answer of this system; the text names the rule, never the content."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Create, change or cancel a booking: the whole record again.

    `creditor` is the supplier's id over there, `idem` the idempotency key (midoffice 3.3).
    """

    record: MidOfficeBooking
    creditor: str
    idem: str = ""


@dataclass(frozen=True, slots=True)
class AnnouncePayment:
    booking: BookingRef
    creditor: str
    payment: MidOfficePayment
    idem: str = ""


@dataclass(frozen=True, slots=True)
class FindBooking:
    """What is held under (creditor, booking id)?"""

    creditor: str
    booking_id: str


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """For systems whose search only names the order."""

    order_id: str


Question = Announce | AnnouncePayment | FindBooking | ReadOrder


@dataclass(frozen=True, slots=True)
class Accepted:
    """A write was taken; ids as far as the system names them. `duplicate`: it had been taken before."""

    order_id: str = ""
    order_no: str = ""
    warnings: tuple[str, ...] = ()
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The orders that hold a booking id, oldest first."""

    orders: tuple[Accepted, ...]


@dataclass(frozen=True, slots=True)
class HeldBooking:
    """A booking as the mid-office shows it, as far as it shows it; `ours` is the source id that we gave it."""

    creditor: str
    booking_id: str
    status: Status
    price: Decimal | None = None
    persons: int | None = None
    start: date | None = None
    end: date | None = None
    revision: int | None = None
    ours: str = ""
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class OrderContent:
    """What is held, oldest first; empty if nothing is."""

    bookings: tuple[HeldBooking, ...]


class Meaning(Enum):
    """What a code of theirs says about what may be done next (midoffice 3.5)."""

    REFUSED = "understood, and no"
    CLOSED = "the booking is invoiced or its period closed; a person has to act there"
    UNAUTHORISED = "we are not let in"
    STALE = "they hold a newer revision"
    UNKNOWN_BOOKING = "a change or cancellation of a booking that they do not hold"
    BUSY = "nothing happened, come back"
    INTERNAL = "it broke on their side; a write may have happened"


@dataclass(frozen=True, slots=True)
class Fault:
    """A no in the system's own words; `field` is the place that they complain of, in their words."""

    code: str
    text: str
    meaning: Meaning = Meaning.REFUSED
    field: str = ""


Reply = Accepted | Found | OrderContent | Fault


class Codec(Protocol):
    """Encode and decode of one system; `decode` raises `Unreadable`."""

    def encode(self, question: Question) -> bytes: ...

    def decode(self, answer: bytes) -> Reply: ...
