"""A booking with its lines, costs, discounts and totals (contracts: platform-events 5.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from domain.money import Money
from domain.platform.parties import Fact, Id, Party, Percent, Traveller


class LineCost(Fact):
    """What a line is estimated, confirmed or invoiced to cost; `total` in minor units for the whole line."""

    supplier_id: Id
    supplier_ref: str | None = None
    status: Literal["estimated", "confirmed", "invoiced"] = "estimated"
    unit: Money
    total: Money


class Line(Fact):
    """One service sold. A cancelled line stays, counts zero in the sale, and its cost is the supplier's charge."""

    id: Id
    status: Literal["active", "cancelled"] = "active"
    service_id: Id
    description: str
    quantity: Annotated[int, Field(ge=0)]
    unit_price: Money
    total: Money
    traveller_ids: tuple[Id, ...] = ()
    cost: LineCost


class Discount(Fact):
    id: Id
    code: str | None = None
    kind: Literal["amount", "percentage"]
    value: Money | Percent
    amount: Money
    scope: Literal["booking", "line"] = "booking"
    line_id: Id | None = None
    funded_by: Literal["planner", "supplier"] = "planner"
    applied_at: datetime


class Totals(Fact):
    """All in the booking's currency; `due` negative means money owed to the payer."""

    gross: Money
    discount: Money
    penalty: Money
    total: Money
    cost: Money
    margin: Money
    captured: Money
    refunded: Money
    disputed: Money
    due: Money


class ExternalOrder(Fact):
    system: Literal["ratehawk", "other"]
    order_ref: str
    partner_order_ref: str


class Booking(Fact):
    """One sale; payer, booker and travellers are three roles."""

    id: Id
    locator: str
    experience_id: Id
    status: Literal["pending", "confirmed", "cancelled", "completed"]
    payer: Party
    booker: Party
    travellers: Annotated[tuple[Traveller, ...], Field(min_length=1)]
    lines: tuple[Line, ...] = ()
    discounts: tuple[Discount, ...] = ()
    totals: Totals
    external_orders: tuple[ExternalOrder, ...] = ()
    created_at: datetime
    confirmed_at: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def currency(self) -> str:
        return self.totals.total.currency

    @property
    def active_lines(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.status == "active")
