"""What a workflow is told of an event: keys, revision and money, never people (DESIGN section 4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain import naming
from domain.money import Money
from domain.platform import Cancellation, EventData

Mailbox = Literal["experience", "booking", "plan"]


class EventNotice(BaseModel):
    """A signal: where to read the event, and as much of it as decides order and amount.

    `fact_id` is the id of the thing that happened (`pay_…`, `ref_…`, `cbk_…:stage`, `cxl_…`, `chg_…`, `dsc_…`) and the
    identity under which it is applied once; state events without one use their aggregate and revision. `stage` is where a
    chargeback or an experience stands.
    """

    model_config = ConfigDict(frozen=True)

    agency: str
    event_id: str
    kind: str
    aggregate_id: str
    revision: int
    fact_id: str
    occurred_at: datetime
    experience_id: str | None = None
    booking_id: str | None = None
    payment_id: str | None = None
    plan_id: str | None = None
    instalment_id: str | None = None
    cancellation_id: str | None = None
    amount: Money | None = None
    method: str | None = None
    stage: str | None = None
    ends_on: date | None = None
    scope: str | None = None
    effective_at: datetime | None = None
    refund_by: datetime | None = None
    refund_status: str | None = None
    destination: str | None = None
    refund_cause: str | None = None
    undeclared: bool = False
    dispute_kind: str | None = None
    answer_by: datetime | None = None

    @property
    def mailbox(self) -> Mailbox:
        """Which workflow receives it (platform-events 6)."""
        if self.kind.startswith("experience."):
            return "experience"
        return "plan" if self.kind.startswith("payment_plan.") else "booking"

    @property
    def workflow_id(self) -> str:
        match self.mailbox:
            case "experience":
                return naming.experience_workflow(self.agency, self.experience_id or self.aggregate_id)
            case "plan":
                return naming.plan_workflow(self.agency, self.booking_id or self.aggregate_id)
            case _:
                return naming.booking_workflow(self.agency, self.booking_id or self.aggregate_id)


def notice_of(agency: str, event_id: str, kind: str, occurred_at: datetime, data: EventData) -> EventNotice:
    """Reduce a validated event to its notice."""
    fields: dict[str, object] = {}
    fact_id = f"{data.aggregate.id}@{data.aggregate.revision}"
    if data.experience is not None:
        fields |= {
            "experience_id": data.experience.id,
            "ends_on": data.experience.ends_on,
            "stage": data.experience.status,
        }
    if data.booking is not None:
        fields |= {
            "booking_id": data.booking.id,
            "experience_id": data.booking.experience_id,
            "amount": data.booking.totals.total,
        }
    if data.payment_plan is not None and kind.startswith("payment_plan."):
        fields |= {
            "plan_id": data.payment_plan.id,
            "booking_id": data.payment_plan.booking_id,
            "amount": data.payment_plan.total,
        }
    if data.payment is not None:
        fact_id = data.payment.id if kind == "payment.captured" else f"{data.payment.id}@{data.aggregate.revision}"
        fields |= {
            "booking_id": data.payment.booking_id,
            "experience_id": data.payment.experience_id,
            "payment_id": data.payment.id,
            "plan_id": data.payment.plan_id,
            "instalment_id": data.payment.installment_id,
            "amount": data.payment.amount,
            "method": data.payment.method,
        }
    if data.refund is not None:
        fact_id = data.refund.id if kind == "payment.refunded" else f"{data.refund.id}:failed"
        fields |= {
            "booking_id": data.refund.booking_id,
            "payment_id": data.refund.payment_id,
            "cancellation_id": data.refund.cancellation_id,
            "amount": data.refund.amount,
            "refund_status": data.refund.status,
            "destination": data.refund.destination,
            "refund_cause": data.refund.cause,
            "undeclared": kind == "payment.refunded" and _is_undeclared(data),
        }
    if data.chargeback is not None:
        fact_id = f"{data.chargeback.id}:{data.chargeback.stage}"
        fields |= {
            "booking_id": data.chargeback.booking_id,
            "payment_id": data.chargeback.payment_id,
            "amount": data.chargeback.amount,
            "stage": data.chargeback.stage,
            "dispute_kind": data.chargeback.kind,
            "answer_by": data.chargeback.evidence_due_by,
        }
    if isinstance(data.cancellation, Cancellation):
        fields |= {
            "cancellation_id": data.cancellation.id,
            "scope": data.cancellation.scope,
            "effective_at": data.cancellation.effective_at,
            "refund_by": data.cancellation.refund.deadline,
        }
    return EventNotice.model_validate(
        {
            "agency": agency,
            "event_id": event_id,
            "kind": kind,
            "aggregate_id": data.aggregate.id,
            "revision": data.aggregate.revision,
            "fact_id": fact_id,
            "occurred_at": occurred_at,
            **fields,
        }
    )


def _is_undeclared(data: EventData) -> bool:
    """A refund that the processor shows and no planner registered: it names no cancellation and no register (F-R6)."""
    refund = data.refund
    if refund is None or data.actor.type != "processor":
        return False
    return refund.cancellation_id is None and refund.category is None
