"""An order at a supplier, as the back office keeps it, whoever the supplier is (contracts: midoffice 2.7, 3.1).

Money is `Money`, instants are UTC. `content_hash` says whether an order changed: what a supplier touches without changing
anything (`modified_at`) is no part of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.money import Money, total
from domain.platform import Booking, ExternalOrder, Line

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
    rooms: Annotated[tuple[OrderRoom, ...], Field(max_length=99)] = ()
    """The API books at most nine; an order that the supplier's staff made for a group has more (midoffice 2.6)."""
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


def lines_of(booking: Booking, partner_order_id: str) -> tuple[Line, ...]:
    """The lines of a booking that an order serves: by the line's supplier reference, else by its own name in ours of the
    order (`{booking}-{line}`, with an attempt behind it where there was more than one)."""
    named = ((line, order_of(booking, line)) for line in booking.lines)
    return tuple(line for line, order in named if order is not None and order.partner_order_ref == partner_order_id)


def orders_of(booking: Booking, system: str = RATEHAWK) -> dict[str, tuple[Line, ...]]:
    """The supplier's orders of a booking by our id of them, each with its lines, cancelled ones too."""
    found = {order.partner_order_ref: () for order in booking.external_orders if order.system == system}
    return {partner: lines_of(booking, partner) for partner in found}


def order_of(booking: Booking, line: Line) -> ExternalOrder | None:
    """The order that serves a line; of several that were made for it, the last."""
    orders = booking.external_orders
    if line.cost.supplier_ref is not None:
        by_reference = [one for one in orders if one.order_ref == line.cost.supplier_ref]
        if len(by_reference) == 1:
            return by_reference[0]
    own = f"{booking.id}-{line.id}"
    later = [one for one in orders if one.partner_order_ref.startswith(f"{own}-")]
    if later:
        return later[-1]
    return next((one for one in orders if one.partner_order_ref == own), None)


def with_confirmed(booking: Booking, confirmed: Mapping[str, Money]) -> Booking:
    """The booking with its suppliers' confirmed costs in place of the platform's estimates; what is sold stays as it is.

    `confirmed` is by our id of the order. An amount in another currency than the booking's is left out.
    """
    costs: dict[str, Money] = {}
    for partner, amount in confirmed.items():
        if amount.currency == booking.currency:
            costs |= spread(amount, {line.id: line.cost.total for line in lines_of(booking, partner)})
    if all(line.cost.total == costs.get(line.id, line.cost.total) for line in booking.lines):
        return booking
    lines = tuple(_costing(line, costs[line.id]) if line.id in costs else line for line in booking.lines)
    cost = total((line.cost.total for line in lines), booking.currency)
    margin = booking.totals.margin + booking.totals.cost - cost
    totals = booking.totals.model_copy(update={"cost": cost, "margin": margin})
    return booking.model_copy(update={"lines": lines, "totals": totals})


def _costing(line: Line, cost: Money) -> Line:
    return line.model_copy(update={"cost": line.cost.model_copy(update={"total": cost, "status": "confirmed"})})
