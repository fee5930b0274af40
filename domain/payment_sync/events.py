"""What can happen to a payment on its way into the ERP (contracts: payment-sync 4)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.payment_sync.verdicts import Evidence


class Kind(StrEnum):
    """Every event that the table knows."""

    CAPTURED = "captured"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    START = "start"
    HELD = "held"
    PROBED = "probed"
    ACKNOWLEDGED = "erp_ack"
    FAILED = "failed"
    PROBES_EXHAUSTED = "probes_exhausted"
    CLAIM = "claim"
    RELEASE = "release"
    SYNC_NOW = "sync_now"
    SYNC_MANUALLY = "sync_manually"
    DECLARE_DUPLICATE = "declare_duplicate"
    ASK_CUSTOMER = "ask_customer"
    CHOOSE_CREDIT = "choose_credit"
    CHOOSE_REFUND = "choose_refund"
    UNANSWERED = "unanswered"
    REFUND_DONE = "refund_done"
    REFUND_REFUSED = "refund_refused"
    RETRY_REFUND = "retry_refund"
    REVERSED = "erp_reversed"
    UNDO_MANUAL = "undo_manual"
    CHARGEBACK = "chargeback"
    SPLIT_DETECTED = "split_detected"


class Role(StrEnum):
    """Who acts: the system, the gateway, the customer, an operator, a supervisor."""

    SYSTEM = "system"
    GATEWAY = "gateway"
    CUSTOMER = "customer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"


class Failing(StrEnum):
    """Why a synchronisation failed (contracts: payment-sync 3)."""

    TRANSIENT = "transient"
    CONTRACT = "contract"
    UNKNOWN = "unknown"
    AUTH = "auth"
    BUSINESS = "business"
    ALREADY_PAID = "already_paid"


class Event(BaseModel):
    """One thing that happened. A command of a person carries the `version` of the payment that the person saw.

    `permitted` says that what only the workflow can know holds: the breaker is closed and no other synchronisation of this
    receivable runs (`START`, `SYNC_NOW`; a payment that may not start is `HELD`), instalments are open for a credit
    (`CHOOSE_CREDIT`), the gateway's refund window is open (`CHOOSE_REFUND`), the customer can be reached (`ASK_CUSTOMER`),
    the period is open (`UNDO_MANUAL`), no link of the request was paid (`EXPIRED`, `CANCELLED`), gateway and amount confirm
    it (`CAPTURED`, `REFUND_DONE`). `because` says why not.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    role: Role = Role.SYSTEM
    actor: str = ""
    at: datetime
    version: int | None = None
    evidence: Evidence | None = None
    failing: Failing | None = None
    permitted: bool = True
    because: str = ""
    explanation: str = ""
    override: str = ""
    text: str = ""
    receipt_id: str | None = None
    case_id: str | None = None
    amount: Money | None = None
    day: Literal[0, 1, 3, 7, 10] = 0
