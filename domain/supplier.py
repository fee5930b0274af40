"""An order at a supplier, as the back office keeps it, whoever the supplier is (contracts: midoffice 2.7, 3.1).

Money is `Money`, instants are UTC. `content_hash` says whether an order changed: what a supplier touches without changing
anything (`modified_at`) is no part of it.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.money import Money

RATEHAWK = "ratehawk"

OrderStatus = Literal["completed", "cancelled", "failed", "noshow", "rejected"]
GONE: frozenset[str] = frozenset({"cancelled", "failed", "rejected"})
"""States of an order that gives nobody a room."""

Text256 = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class OrderPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderGuest(OrderPart):
    first_name: str
    last_name: str
    child: bool = False
    age: Annotated[int, Field(ge=0, le=17)] | None = None


class OrderRoom(OrderPart):
    """A room and who sleeps in it; at most six adults and four children (midoffice 2.6)."""

    index: Annotated[int, Field(ge=1)]
    name: str
    bedding: str | None = None
    meal: str | None = None
    breakfast: bool = False
    guests: Annotated[tuple[OrderGuest, ...], Field(max_length=10)] = ()


class ChargedFrom(OrderPart):
    """From `since` (None: from the beginning) to `until` (None: for ever) a cancellation costs `fee`."""

    since: datetime | None = None
    until: datetime | None = None
    fee: Money


class HotelTax(OrderPart):
    """A tax that the guest pays at the hotel, outside all totals."""

    name: str
    amount: Money


class Upsell(OrderPart):
    """An extra of the order, such as a late check-out."""

    key: Text256
    kind: str
    status: str


class SupplierOrder(OrderPart):
    """One order. `payable` is what the agency owes now: the price, or the fee once it is cancelled."""

    schema_version: Literal[1] = 1
    order_id: Annotated[int, Field(ge=1)]
    partner_order_id: Text256
    agreement: str | None = None
    kind: Literal["hotel", "upsell"] = "hotel"
    source: str | None = None
    status: OrderStatus
    created_at: datetime
    modified_at: datetime
    cancelled_at: datetime | None = None
    checkin: date
    checkout: date
    hotel_id: Text256
    hid: int | None = None
    confirmation: str | None = None
    hotel_confirmation: str | None = None
    cancellable: bool = True
    rooms: Annotated[tuple[OrderRoom, ...], Field(max_length=9)] = ()
    payable: Money
    vat: Money | None = None
    refunded: Money | None = None
    sell: Money | None = None
    commission: Money | None = None
    hotel_taxes: tuple[HotelTax, ...] = ()
    free_until: datetime | None = None
    charges: tuple[ChargedFrom, ...] = ()
    upsells: tuple[Upsell, ...] = ()
    invoice: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.checkout < self.checkin:
            raise ValueError("checkout lies before checkin")
        amounts = [self.payable, *(charge.fee for charge in self.charges)]
        if any(amount.amount < 0 for amount in amounts):
            raise ValueError("no amount may be negative")
        if any(amount.currency != self.payable.currency for amount in amounts):
            raise ValueError("price and cancellation fees have different currencies")
        return self

    @property
    def content_hash(self) -> str:
        """SHA-256 over everything that a books' keeper would call a change."""
        return hashlib.sha256(self.model_dump_json(exclude={"modified_at"}).encode()).hexdigest()

    @property
    def guests(self) -> int:
        return sum(len(room.guests) for room in self.rooms)

    def fee_at(self, moment: datetime) -> Money:
        """What a cancellation at `moment` costs by the order's own terms; without terms the whole price."""
        if self.free_until is not None and moment < self.free_until:
            return Money.zero(self.payable.currency)
        fitting = [
            charge.fee
            for charge in self.charges
            if (charge.since is None or charge.since <= moment) and (charge.until is None or moment < charge.until)
        ]
        return max(fitting, key=lambda fee: fee.amount) if fitting else self.payable

    def dearer_at(self, moment: datetime) -> datetime | None:
        """The next moment at which a cancellation gets dearer; None when it does not any more."""
        steps = sorted(
            {
                instant
                for instant in (self.free_until, *(charge.since for charge in self.charges))
                if instant is not None
            }
        )
        now = self.fee_at(moment)
        return next((step for step in steps if step > moment and now < self.fee_at(step)), None)


def spread(amount: Money, lines: dict[str, Money]) -> dict[str, Money]:
    """One order's amount over the lines that it serves, in proportion to what was estimated for them; equal if nothing was."""
    if not lines:
        return {}
    weights = [max(line.amount, 0) for line in lines.values()]
    return dict(zip(lines, amount.split(weights if sum(weights) else [1] * len(lines)), strict=True))
