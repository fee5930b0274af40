"""Plans, payments, and money that went back (contracts: platform-events 5.3, 5.6)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from domain.money import Money
from domain.platform.parties import CurrencyCode, Fact, Id, PositiveInt


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


class PaymentRef(Fact):
    id: Id
    amount: Money
    refunded_total: Money
