"""An experience: a trip or event with its services, policy and plan template (contracts: platform-events 5.3)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import StringConstraints

from domain.money import Money
from domain.platform.parties import CurrencyCode, Fact, Id, Percent, PositiveInt


class Supplier(Fact):
    id: Id
    name: str
    tax_id: str | None = None


ServiceKind = Literal["hotel", "transport", "flight", "activity", "insurance", "guide", "fee", "other"]


class Place(Fact):
    """Where something is; the country as two letters (ISO 3166)."""

    city: str | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None


class Service(Fact):
    """`place` is no part of the platform's contract: it is taken where an installation gives it."""

    id: Id
    kind: ServiceKind
    description: str
    supplier: Supplier
    unit: Literal["traveller", "room", "group", "night"]
    price: Money
    cost_estimated: Money
    optional: bool = False
    area: Literal["ES", "EU", "NON_EU", "MIXED"] = "ES"
    place: Place | None = None


class PenaltyRule(Fact):
    percent: Percent | None = None
    amount: Money | None = None


class PolicyTier(Fact):
    from_days_before_start: int
    penalty: PenaltyRule


class CancellationPolicy(Fact):
    basis: Literal["total", "paid"] = "total"
    tiers: tuple[PolicyTier, ...] = ()


class DueRule(Fact):
    on: date | None = None
    days_before_start: int | None = None


class PlanTemplateItem(Fact):
    seq: PositiveInt
    due: DueRule
    kind: Literal["fixed", "percentage", "balance"]
    amount: Money | None = None
    percent: Percent | None = None


class Experience(Fact):
    """A trip or event; becomes one expediente."""

    id: Id
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    external_ref: str | None = None
    sales_mode: Literal["group_b2b", "seat_b2c"]
    split_payment: bool = False
    fill_deadline_days: int | None = None
    status: Literal["draft", "on_sale", "confirmed", "cancelled", "completed"]
    currency: CurrencyCode
    timezone: str = "Europe/Madrid"
    starts_on: date
    ends_on: date
    min_travellers: int | None = None
    max_travellers: int | None = None
    min_travellers_deadline: date | None = None
    package_travel: bool = True
    tax_regime: Literal["reav", "general", "mediation"] = "reav"
    services: tuple[Service, ...] = ()
    cancellation_policy: CancellationPolicy = CancellationPolicy()
    payment_plan_template: tuple[PlanTemplateItem, ...] = ()
