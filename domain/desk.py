"""Who is asked and until when: every reason to park has an owner and a patience (contracts: money-rules P10).

The table below is what an agency gets; its settings section `desk` may change single reasons.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class StoreReason(StrEnum):
    """Why the store itself parks something, before any workflow sees it or after an effect was found twice."""

    TOTALS_MISMATCH = "totals_mismatch"
    EVENT_CONFLICT = "event_conflict"
    UNUSABLE_EVENT = "unusable_event"
    UNHANDLED_TYPE = "unhandled_type"
    PAYMENT_REF_CLASH = "payment_ref_clash"
    FACT_CONTRADICTION = "fact_contradiction"
    TWINS = "twins"


class Duty(BaseModel):
    """Whose desk a reason lands on, and within how many hours it wants an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    hours: Annotated[int, Field(ge=1)] = 24


ACCOUNTING, OPERATIONS, TECHNICAL = "accounting", "operations", "technical"
SUPERVISOR = "supervisor"
"""Who is told when the owner of something has let a day pass."""

DUTIES: dict[str, Duty] = {
    StoreReason.TOTALS_MISMATCH: Duty(owner=OPERATIONS, hours=24),
    StoreReason.EVENT_CONFLICT: Duty(owner=TECHNICAL, hours=8),
    StoreReason.UNUSABLE_EVENT: Duty(owner=TECHNICAL, hours=8),
    StoreReason.UNHANDLED_TYPE: Duty(owner=TECHNICAL, hours=72),
    StoreReason.PAYMENT_REF_CLASH: Duty(owner=ACCOUNTING, hours=8),
    StoreReason.FACT_CONTRADICTION: Duty(owner=ACCOUNTING, hours=8),
    StoreReason.TWINS: Duty(owner=ACCOUNTING, hours=24),
    "Refused": Duty(owner=OPERATIONS, hours=24),
    "UnsupportedProduct": Duty(owner=OPERATIONS, hours=24),
    "ContractBroken": Duty(owner=TECHNICAL, hours=8),
    "Unauthorised": Duty(owner=TECHNICAL, hours=4),
    "NeedsPerson": Duty(owner=OPERATIONS, hours=8),
    "unacknowledged": Duty(owner=OPERATIONS, hours=24),
    "Defect": Duty(owner=TECHNICAL, hours=8),
    "chargeback_opened": Duty(owner=ACCOUNTING, hours=72),
    "chargeback_lost": Duty(owner=ACCOUNTING, hours=72),
    "debit_returned": Duty(owner=ACCOUNTING, hours=72),
    "refund_disputed": Duty(owner=ACCOUNTING, hours=24),
    "refund_while_disputed": Duty(owner=ACCOUNTING, hours=8),
    "refund_undeclared": Duty(owner=ACCOUNTING, hours=72),
    "refund_differs": Duty(owner=ACCOUNTING, hours=72),
    "refund_unconfirmed": Duty(owner=ACCOUNTING, hours=72),
    "voucher_unaccepted": Duty(owner=OPERATIONS, hours=72),
    "refund_due": Duty(owner=OPERATIONS, hours=72),
    "refund_pending": Duty(owner=OPERATIONS, hours=96),
    "refund_breach": Duty(owner=ACCOUNTING, hours=24),
    "overpaid": Duty(owner=ACCOUNTING, hours=72),
    "credit_differs": Duty(owner=ACCOUNTING, hours=24),
    "penalty_undecided": Duty(owner=OPERATIONS, hours=72),
    "refund_undecided": Duty(owner=OPERATIONS, hours=72),
    "unknown_booking": Duty(owner=OPERATIONS, hours=24),
    "unknown_payment": Duty(owner=ACCOUNTING, hours=24),
    "booking_undone": Duty(owner=OPERATIONS, hours=24),
    "refund_failed": Duty(owner=ACCOUNTING, hours=24),
    "instalment_declined": Duty(owner=OPERATIONS, hours=72),
    "instalment_late": Duty(owner=OPERATIONS, hours=24),
    "payment_overdue": Duty(owner=OPERATIONS, hours=72),
    "plan_differs": Duty(owner=OPERATIONS, hours=72),
    "message_unsent": Duty(owner=OPERATIONS, hours=24),
    "restored_unseen": Duty(owner=OPERATIONS, hours=24),
    "erased_person_told": Duty(owner=OPERATIONS, hours=72),
    "fiscal_data_missing": Duty(owner=OPERATIONS, hours=24),
    "payment_in_erp": Duty(owner=ACCOUNTING, hours=24),
    "payment_paid_otherwise": Duty(owner=ACCOUNTING, hours=24),
    "payment_inconclusive": Duty(owner=ACCOUNTING, hours=24),
    "payment_partly_open": Duty(owner=ACCOUNTING, hours=24),
    "payment_without_target": Duty(owner=ACCOUNTING, hours=24),
    "payment_mismatch": Duty(owner=ACCOUNTING, hours=24),
    "payment_duplicate": Duty(owner=ACCOUNTING, hours=240),
    "payment_unanswered": Duty(owner=ACCOUNTING, hours=72),
    "payment_remainder": Duty(owner=ACCOUNTING, hours=72),
    "erp_unreachable": Duty(owner=TECHNICAL, hours=8),
    "erp_unclear": Duty(owner=TECHNICAL, hours=8),
    "erp_contract": Duty(owner=TECHNICAL, hours=8),
    "erp_contract_changed": Duty(owner=TECHNICAL, hours=8),
    "erp_unauthorised": Duty(owner=TECHNICAL, hours=4),
    "payment_ageing": Duty(owner=SUPERVISOR, hours=24),
    "payment_late": Duty(owner=ACCOUNTING, hours=24),
    "payment_reversed": Duty(owner=ACCOUNTING, hours=8),
    "receipt_without_payment": Duty(owner=ACCOUNTING, hours=24),
    "payment_without_receipt": Duty(owner=ACCOUNTING, hours=24),
    "receipt_differs": Duty(owner=ACCOUNTING, hours=24),
    "payment_refund": Duty(owner=ACCOUNTING, hours=72),
    "payment_refund_failed": Duty(owner=ACCOUNTING, hours=24),
    "Transient": Duty(owner=TECHNICAL, hours=8),
    "UnknownOutcome": Duty(owner=ACCOUNTING, hours=8),
    "tamara_rejected": Duty(owner=OPERATIONS, hours=48),
    "tamara_lines_refused": Duty(owner=OPERATIONS, hours=48),
    "tamara_unanswered": Duty(owner=OPERATIONS, hours=24),
    "tamara_file_refused": Duty(owner=TECHNICAL, hours=8),
    "tamara_answer_unclear": Duty(owner=OPERATIONS, hours=24),
    "delivery_delayed": Duty(owner=TECHNICAL, hours=4),
    "airplus_unpaid": Duty(owner=ACCOUNTING, hours=48),
    "card_number_found": Duty(owner=TECHNICAL, hours=4),
    "supplier_cancellation": Duty(owner=OPERATIONS, hours=4),
    "supplier_charge": Duty(owner=OPERATIONS, hours=72),
    "supplier_cost": Duty(owner=OPERATIONS, hours=48),
    "supplier_fee": Duty(owner=OPERATIONS, hours=48),
    "supplier_order_alive": Duty(owner=OPERATIONS, hours=4),
    "supplier_order_failed": Duty(owner=OPERATIONS, hours=8),
    "supplier_order_gone": Duty(owner=OPERATIONS, hours=8),
    "deal_paid_twice": Duty(owner=ACCOUNTING, hours=24),
    "deal_paid_cancelled": Duty(owner=ACCOUNTING, hours=24),
    "deal_paid_late": Duty(owner=ACCOUNTING, hours=24),
    "deal_paid_partly": Duty(owner=ACCOUNTING, hours=24),
    "deal_paid_over": Duty(owner=ACCOUNTING, hours=24),
    "deal_not_shown": Duty(owner=OPERATIONS, hours=4),
    "deal_changed_after_payment": Duty(owner=OPERATIONS, hours=24),
    "kommo_needs_reauth": Duty(owner=OPERATIONS, hours=4),
    "kommo_blocked": Duty(owner=TECHNICAL, hours=8),
    "kommo_fields": Duty(owner=OPERATIONS, hours=24),
    "kommo_webhook": Duty(owner=OPERATIONS, hours=8),
    "kommo_token_ends": Duty(owner=OPERATIONS, hours=240),
    "unusable_order": Duty(owner=TECHNICAL, hours=24),
    "giav_changed_there": Duty(owner=OPERATIONS, hours=24),
    "payer_replaced": Duty(owner=ACCOUNTING, hours=24),
    "invoice_data_wrong": Duty(owner=ACCOUNTING, hours=24),
    "simplified_exchange": Duty(owner=ACCOUNTING, hours=72),
    "late_change": Duty(owner=ACCOUNTING, hours=48),
    "giav_differs": Duty(owner=ACCOUNTING, hours=24),
    "erp_reversed": Duty(owner=ACCOUNTING, hours=8),
    "invoice_late": Duty(owner=ACCOUNTING, hours=1),
    "invoice_late_company": Duty(owner=ACCOUNTING, hours=120),
}
"""Reasons that need another desk or another patience than `Desk.otherwise`; fault classes are reasons too."""


class Desk(BaseModel):
    """Settings section `desk` of an agency: other owners or hours for single reasons."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    duties: dict[str, Duty] = {}
    otherwise: Duty = Duty(owner=OPERATIONS)
    waived: tuple[Literal["refund_unconfirmed"], ...] = ()
    """Warnings that this agency does not want, because its platform never tells what they wait for."""

    def duty(self, *reasons: str) -> Duty:
        """The duty of the first of `reasons` that anybody answers for; the agency's own table counts before ours."""
        for table in (self.duties, DUTIES):
            for reason in reasons:
                if reason in table:
                    return table[reason]
        return self.otherwise

    def assign(self, since: datetime, *reasons: str) -> tuple[str, datetime]:
        """Owner and deadline (UTC instant) of something that stopped at `since`; the most specific reason first."""
        duty = self.duty(*reasons)
        return duty.owner, since + timedelta(hours=duty.hours)


def item_id(*parts: str) -> str:
    """The id of a parked item from what it is about: the same trouble is one item, however often it is reported."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return "prk_" + base64.b32encode(digest).decode()[:20].lower()
