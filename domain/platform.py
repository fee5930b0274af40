"""What the booking platform tells: snapshots and facts (contracts: platform-events 5).

Unknown members are kept, wrong ones are refused with their path. Money is always `Money` in minor units.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.money import Money

Id = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}_[0-9A-Za-z]{1,40}$")]
"""Platform identifiers: a prefix that names the kind, an underscore, letters and digits."""
Percent = Annotated[str, StringConstraints(pattern=r"^\d{1,3}(\.\d{1,4})?$")]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
PositiveInt = Annotated[int, Field(ge=1)]


class Fact(BaseModel):
    """Base of everything the platform sends: immutable, unknown members kept."""

    model_config = ConfigDict(frozen=True, extra="allow")


class TaxId(Fact):
    type: Literal["NIF", "NIE", "VAT", "PASSPORT", "OTHER"]
    value: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    country: str


class Address(Fact):
    line1: str
    line2: str | None = None
    postcode: str
    city: str
    region: str | None = None
    country: str


class Party(Fact):
    """A payer or booker; `fiscal_complete` says that a full invoice can be issued to them."""

    id: Id
    kind: Literal["person", "company"]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    first_name: str | None = None
    last_name: str | None = None
    tax_id: TaxId | None = None
    address: Address | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    fiscal_complete: bool = False


class Corporate(Fact):
    """Fields that a company wants on its AirPlus invoice."""

    employee_no: str | None = None
    cost_centre: str | None = None
    project_no: str | None = None
    department: str | None = None
    purchase_order: str | None = None


class Traveller(Fact):
    id: Id
    first_name: str
    last_name: str
    kind: Literal["adult", "child", "infant"]
    status: Literal["active", "cancelled"] = "active"
    is_payer: bool = False
    room_ref: str | None = None
    corporate: Corporate | None = None


class Supplier(Fact):
    id: Id
    name: str
    tax_id: str | None = None


ServiceKind = Literal["hotel", "transport", "flight", "activity", "insurance", "guide", "fee", "other"]


class Service(Fact):
    id: Id
    kind: ServiceKind
    description: str
    supplier: Supplier
    unit: Literal["traveller", "room", "group", "night"]
    price: Money
    cost_estimated: Money
    optional: bool = False
    area: Literal["ES", "EU", "NON_EU", "MIXED"] = "ES"


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


class Mandate(Fact):
    id: Id
    reference: str
    scheme: Literal["card_mit", "sepa_core", "sepa_b2b"]
    signed_at: datetime
    sca_performed: bool = False
    schedule_disclosed: bool = False
    max_amount: Money | None = None
    expires_on: date | None = None
    status: Literal["active", "revoked", "expired"] = "active"


PaymentMethod = Literal["card", "sepa_dd", "transfer", "bizum", "airplus", "cash", "other"]


class Instalment(Fact):
    id: Id
    seq: PositiveInt
    due_on: date
    kind: Literal["fixed", "percentage", "balance"]
    amount: Money
    status: Literal["scheduled", "processing", "paid", "failed", "waived", "cancelled"]
    payment_id: Id | None = None
    attempts: int = 0


class PaymentPlan(Fact):
    """The payment schedule of one booking; open instalments add up to its total."""

    id: Id
    booking_id: Id
    revision: PositiveInt
    currency: CurrencyCode
    total: Money
    collection: Literal["automatic", "on_notice"]
    method: PaymentMethod
    mandate: Mandate | None = None
    installments: Annotated[tuple[Instalment, ...], Field(min_length=1)]


class Processor(Fact):
    """(`name`, `payment_ref`) is unique for ever."""

    name: str
    payment_ref: str
    authorization_code: str | None = None
    merchant_ref: str | None = None
    network_transaction_id: str | None = None


class Card(Fact):
    """Never a full number: the last four digits, and for AirPlus an opaque token."""

    brand: str
    last4: Annotated[str, StringConstraints(pattern=r"^\d{4}$")]
    airplus_account_token: str | None = None


class Sca(Fact):
    performed: bool
    exemption: str | None = None
    mandate_id: Id | None = None


class Payment(Fact):
    """Captured (or attempted) money; `amount` is what the payer was charged for the trip."""

    id: Id
    booking_id: Id
    experience_id: Id
    payer_id: Id
    amount: Money
    fee: Money | None = None
    net: Money | None = None
    method: PaymentMethod
    processor: Processor
    card: Card | None = None
    initiation: Literal["cit", "mit", "manual"]
    sca: Sca | None = None
    plan_id: Id | None = None
    installment_id: Id | None = None
    captured_at: datetime | None = None
    value_date: date | None = None
    confirmation: Literal["processor", "declared"] = "processor"


class Failure(Fact):
    attempt: Id
    attempt_no: PositiveInt
    category: Literal["hard", "soft", "authentication_required", "technical", "unknown_outcome"]
    network_code: str | None = None
    advice_code: str | None = None
    message: str
    retry_allowed: bool
    next_attempt_at: datetime | None = None


class RefundProcessor(Fact):
    name: str
    refund_ref: str | None = None


class Refund(Fact):
    """Money given back; on the platform often a declaration after the fact ("Devolución TPV")."""

    id: Id
    payment_id: Id
    booking_id: Id
    amount: Money
    cause: Literal["cancellation", "service_change", "discount", "overpayment", "duplicate", "goodwill"]
    cancellation_id: Id | None = None
    destination: Literal["original_method", "transfer", "voucher"] = "original_method"
    status: Literal["succeeded", "declared"]
    processor: RefundProcessor
    requested_at: datetime
    settled_at: datetime | None = None
    category: str | None = None


class Chargeback(Fact):
    """One event per stage; money moves only at `funds_withdrawn` (out) and `won` (back in)."""

    id: Id
    payment_id: Id
    booking_id: Id
    amount: Money
    kind: Literal["card_dispute", "sepa_return", "sepa_refund"]
    stage: Literal["inquiry", "opened", "funds_withdrawn", "under_review", "won", "lost", "accepted"]
    reason_code: str
    fee: Money | None = None
    opened_at: datetime
    evidence_due_by: datetime | None = None
    closed_at: datetime | None = None


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


class PaymentRef(Fact):
    id: Id
    amount: Money
    refunded_total: Money


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
