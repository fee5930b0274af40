"""What the cells that deal with a supplier take and give: keys and money only, as in `domain.steps`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.steps import BookingStep, CancellationStep, Step


class Given(BaseModel):
    model_config = ConfigDict(frozen=True)


class FeedStep(Step):
    """The next page of a sweep; `since` and `newest` are set by its first page and come along."""

    supplier: str
    page: int = 1
    since: datetime | None = None
    newest: datetime | None = None


class FeedPage(Given):
    """What a page brought. Without a next page the sweep is over, and its newest change is on record."""

    next_page: int | None = None
    since: datetime | None = None
    newest: datetime | None = None
    seen: int = 0
    changed: int = 0
    refused: int = 0
    again: datetime | None = None
    """When an order that does not show yet is to be looked for once more."""


class HandedOver(Given):
    """How many changed orders went to their bookings, and how many to the mid-office on their own.

    `left` wait for a booking that may still claim them.
    """

    to_bookings: int = 0
    on_their_own: int = 0
    left: int = 0


class SupplierStep(Step):
    """One version of one order that belongs to a booking."""

    booking_id: str
    experience_id: str
    supplier: str
    order_id: int
    revision: int


SellingModel = Literal["MERCHANT", "AGENCY"]
TaxScheme = Literal["STANDARD", "MARGIN_SCHEME", "REVERSE_CHARGE", "EXEMPT"]


class SupplierOrderStep(Step):
    """One order that no booking claims. How it was sold is the agency's to say, never guessed from the order."""

    supplier: str
    order_id: int
    supplier_code: str
    selling_model: SellingModel = "MERCHANT"
    tax_scheme: TaxScheme = "MARGIN_SCHEME"


Verdict = Literal[
    "nothing",
    "superseded",
    "confirmed",
    "cost_differs",
    "order_failed",
    "order_gone",
    "order_alive",
    "fee_without_line",
]


class OrderVerdict(Given):
    """What a changed order means for its booking; `words` for a person, `amount` the supplier's price or fee.

    A price that is not `acceptable` has no place in the books, whoever approves it.
    """

    verdict: Verdict
    words: str = ""
    amount: Money | None = None
    acceptable: bool = True


class OrderAtStake(Given):
    """An order that has to be confirmed or cancelled; from `dearer_at` on a cancellation costs more."""

    partner_order_id: str
    price: Money | None = None
    dearer_at: datetime | None = None


class SupplierPlan(Given):
    """What a snapshot asks of the supplier. `notes` name what stays a person's task."""

    confirm: tuple[OrderAtStake, ...] = ()
    cancel: tuple[OrderAtStake, ...] = ()
    notes: tuple[str, ...] = ()


class OrderStep(BookingStep):
    """One order of the booking, to be confirmed or cancelled."""

    partner_order_id: str


class OrderCancelled(Given):
    """What the supplier charges and gives back; `expected` is what its terms said before the call."""

    charged: Money | None = None
    expected: Money | None = None


class ChargeStep(CancellationStep):
    """What the supplier charged for a cancellation altogether, to be held against what the payer owes for it."""

    charged: Money


class FeedState(BaseModel):
    """What a supplier's feed starts with, and carries through continue-as-new."""

    schema_version: int = 1
    agency: str
    supplier: str
    poll_minutes: int = 15
    sweeps: int = 0
    sweep: FeedStep | None = None


class OrderState(BaseModel):
    """The one writer of an order that no booking claims."""

    schema_version: int = 1
    step: SupplierOrderStep
    partner_order_id: str = ""
