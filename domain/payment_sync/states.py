"""The nineteen states of a payment on its way into the ERP, and what is known of one (contracts: payment-sync 2)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.payment_sync.verdicts import Evidence


class State(StrEnum):
    """In the order of a payment's life."""

    REQUESTED = "requested"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CAPTURED = "captured"
    SYNCING = "syncing"
    SYNC_UNKNOWN = "sync_unknown"
    RETRY_WAIT = "retry_wait"
    UNSYNCED = "unsynced"
    IN_REVIEW = "in_review"
    DUPLICATE = "duplicate"
    AWAITING_CUSTOMER = "awaiting_customer"
    CREDITING = "crediting"
    REFUND_REQUESTED = "refund_requested"
    REFUND_FAILED = "refund_failed"
    SYNCED_AUTO = "synced_auto"
    SYNCED_MANUAL = "synced_manual"
    CREDITED = "credited"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"


SYNCED = frozenset({State.SYNCED_AUTO, State.SYNCED_MANUAL})
TERMINAL = SYNCED | {State.CREDITED, State.REFUNDED, State.CHARGED_BACK}
"""Where every captured payment ends, in exactly one of them."""

WITH_MONEY = frozenset(State) - {State.REQUESTED, State.EXPIRED, State.CANCELLED}

UNSYNCHRONISED = WITH_MONEY - TERMINAL - {State.REFUND_REQUESTED, State.REFUND_FAILED}
"""What the filter "Pagado sin sincronizar" must find."""

SHOWN_AS: dict[State, str] = {
    State.REQUESTED: "Pendiente",
    State.EXPIRED: "Vencida",
    State.CANCELLED: "Cancelada",
    **dict.fromkeys(UNSYNCHRONISED, "Pagado sin sincronizar"),
    State.IN_REVIEW: "Pagado sin sincronizar (en revisión)",
    State.DUPLICATE: "Pagado sin sincronizar (duplicado)",
    State.REFUND_REQUESTED: "Devolución solicitada",
    State.REFUND_FAILED: "Devolución fallida",
    State.SYNCED_AUTO: "Pagado",
    State.SYNCED_MANUAL: "Pagado (manual)",
    State.CREDITED: "Pagado (abonado a otra cuota)",
    State.REFUNDED: "Devuelto",
    State.CHARGED_BACK: "Contracargo",
}
"""The words of the people who look at payments."""


class PaymentSync(BaseModel):
    """What is known of a payment on its way into the ERP.

    `version` grows with every move and guards against two operators at once. `posting`: a receipt was sent and nobody has
    seen yet whether it arrived. `absent_since`: when the first of a row of probes found no receipt of ours.
    """

    model_config = ConfigDict(frozen=True)

    payment_id: str
    amount: Money
    state: State = State.REQUESTED
    version: int = 0
    since: datetime
    captured_at: datetime | None = None
    returns_to: State | None = None
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    failures: int = 0
    reason: str = ""
    suggestion: str = ""
    evidence: Evidence | None = None
    posting: bool = False
    absent_since: datetime | None = None
    receipt_id: str | None = None
    explanation: str = ""
    asked_at: datetime | None = None
    case_id: str | None = None
