"""The envelope and the members of its data (contracts: platform-events 3, 5.2, 5.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from domain.platform.bookings import Booking, Discount
from domain.platform.changes import Cancellation, Change, ExperienceCancellation, PriceEffect, ServiceChange
from domain.platform.experiences import Experience
from domain.platform.parties import Fact, Id, PositiveInt
from domain.platform.payments import Chargeback, Failure, Payment, PaymentPlan, PaymentRef, Refund


class Aggregate(Fact):
    type: Literal["experience", "booking", "payment", "payment_plan"]
    id: Id
    revision: PositiveInt


class Actor(Fact):
    type: Literal["customer", "planner", "platform", "processor", "supplier"]
    id: str | None = None


class Reason(Fact):
    code: str
    text: str | None = None


class EventData(Fact):
    """The members of `data` that every event has; which of the optional ones must be there is in `REQUIRED`."""

    schema_version: Literal[1]
    environment: Literal["live", "test"]
    planner_id: Id
    aggregate: Aggregate
    actor: Actor = Actor(type="platform")
    reason: Reason | None = None

    experience: Experience | None = None
    booking: Booking | None = None
    payment_plan: PaymentPlan | None = None
    payment: Payment | None = None
    refund: Refund | None = None
    chargeback: Chargeback | None = None
    failure: Failure | None = None
    payment_ref: PaymentRef | None = None
    service_change: ServiceChange | None = None
    discount: Discount | None = None
    action: Literal["applied", "revoked"] | None = None
    cancellation: Cancellation | ExperienceCancellation | None = None
    price_effect: PriceEffect | None = None
    cost_effect: PriceEffect | None = None
    changes: tuple[Change, ...] = ()
    significant: bool = False
    sca_required: bool = False


REQUIRED: dict[str, tuple[str, ...]] = {
    "experience.created": ("experience",),
    "experience.updated": ("experience",),
    "experience.cancelled": ("experience", "cancellation"),
    "booking.created": ("booking",),
    "booking.modified": ("booking", "price_effect"),
    "booking.service_changed": ("booking", "service_change", "price_effect", "cost_effect"),
    "booking.discount_applied": ("booking", "discount", "action", "price_effect"),
    "booking.cancelled": ("booking", "cancellation"),
    "payment.captured": ("payment",),
    "payment.failed": ("payment", "failure"),
    "payment.refunded": ("refund", "payment_ref"),
    "payment.refund_failed": ("refund", "failure"),
    "payment.chargeback": ("chargeback", "payment_ref"),
    "payment_plan.created": ("payment_plan",),
    "payment_plan.changed": ("payment_plan",),
}
"""Event kinds (type without prefix and version) and the `data` members each must carry (platform-events 5.4)."""


class CloudEvent(Fact):
    """The envelope, CloudEvents 1.0 in structured mode with our narrower rules (platform-events 3)."""

    specversion: Literal["1.0"]
    id: Annotated[str, StringConstraints(pattern=r"^evt_[0-9A-Za-z]{10,40}$")]
    source: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]+\.v\d+$", max_length=200)]
    subject: Annotated[
        str, StringConstraints(pattern=r"^(experience|booking|payment|payment_plan)/[a-z]{2,4}_[0-9A-Za-z]+$")
    ]
    time: datetime
    datacontenttype: Literal["application/json"]
    partitionkey: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    sequence: Annotated[str, StringConstraints(pattern=r"^\d{20}$")]
    data: dict[str, Any]

    def kind(self, prefix: str) -> str | None:
        """The event kind (`payment.captured`) if the type has our prefix and version 1, else None."""
        middle = self.type.removeprefix(prefix + ".")
        return middle.removesuffix(".v1") if middle != self.type and middle.endswith(".v1") else None
