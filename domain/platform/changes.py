"""What changed in a booking or ended it (contracts: platform-events 5.5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from domain.money import Money
from domain.platform.bookings import Line
from domain.platform.parties import Fact, Id, Percent


class Change(Fact):
    path: str
    before: Any = Field(default=None, alias="from")
    after: Any = Field(default=None, alias="to")


class PriceEffect(Fact):
    before: Money
    after: Money
    delta: Money


class Consent(Fact):
    required: bool = False
    deadline: datetime | None = None
    given_at: datetime | None = None
    answer: Literal["accepted", "terminated"] | None = None


class ServiceChange(Fact):
    id: Id
    action: Literal["added", "removed", "replaced", "repriced", "rescheduled"]
    line_before: Line | None = None
    line_after: Line | None = None
    initiated_by: Literal["customer", "planner", "supplier"]
    significant: bool = False
    consent: Consent = Consent()
    effective_at: datetime


class AppliedTier(Fact):
    from_days_before_start: int
    percent: Percent | None = None
    amount: Money | None = None


class Penalty(Fact):
    amount: Money
    treatment: Literal["none", "indemnity_not_subject", "taxable_fee", "no_show_consideration", "undecided"]


class RefundDecision(Fact):
    decided: bool
    amount: Money | None = None
    deadline: datetime


class Cancellation(Fact):
    """Cancelling does not refund: the planner decides, the refund is a later fact."""

    id: Id
    scope: Literal["full", "partial"]
    traveller_ids: tuple[Id, ...] = ()
    line_ids: tuple[Id, ...] = ()
    requested_at: datetime
    effective_at: datetime
    initiated_by: Literal["customer", "planner", "supplier"]
    cause: Literal[
        "customer_choice",
        "unavoidable_circumstances",
        "min_travellers",
        "significant_change_refused",
        "withdrawal_14d",
        "non_payment",
        "no_show",
        "error",
    ]
    policy_tier: AppliedTier | None = None
    penalty: Penalty
    refund: RefundDecision


class ExperienceCancellation(Fact):
    id: Id
    cause: Literal["min_travellers", "force_majeure", "planner"]
    decided_at: datetime
    notified_at: datetime | None = None
    affected_bookings: int = 0
