"""Money for what nobody asked for any more: when the request that it paid had been closed (contracts: payment-sync 4, rows 2 and 3).

A request is an instalment, or what was due of a booking, or a page with a term. Whoever asks is late only if the money was
captured after the closing; what was in hand before and is told afterwards is not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.payment_sync.events import Kind
from domain.platform import Booking, Instalment, Payment

GIVEN_UP = frozenset({"cancelled", "waived"})
"""Instalments that want no money any more, although nobody paid them."""


class Closing(BaseModel):
    """How and when a request ended without money; `words` are for the person who is told of the money all the same."""

    model_config = ConfigDict(frozen=True)

    kind: Literal[Kind.EXPIRED, Kind.CANCELLED]
    at: datetime
    words: str


def of_instalment(payment: Payment, instalment: Instalment, given_up_at: datetime) -> Closing | None:
    """The instalment that it names was given up before it was captured."""
    if instalment.status not in GIVEN_UP or not _later(payment, given_up_at):
        return None
    words = f"instalment {instalment.id} was {instalment.status} on {_day(given_up_at)}"
    return Closing(kind=Kind.CANCELLED, at=given_up_at, words=words)


def of_booking(payment: Payment, booking: Booking, owed: Money) -> Closing | None:
    """Its booking was cancelled before, and nothing was `owed` any more without this payment: no penalty that it could pay."""
    at = booking.cancelled_at
    if booking.status != "cancelled" or at is None or owed.amount > 0 or not _later(payment, at):
        return None
    return Closing(kind=Kind.CANCELLED, at=at, words=f"booking {booking.id} was cancelled on {_day(at)}")


def of_page(payment: Payment, expires_at: datetime) -> Closing | None:
    """The page on which it was paid had come to its term."""
    if not _later(payment, expires_at):
        return None
    return Closing(kind=Kind.EXPIRED, at=expires_at, words=f"its page had expired on {_day(expires_at)}")


def _later(payment: Payment, at: datetime) -> bool:
    return payment.captured_at is not None and payment.captured_at > at


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
