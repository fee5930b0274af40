"""Workflow ids, task queues and search attributes: the names that operators see (DESIGN section 4)."""

from __future__ import annotations

from enum import StrEnum


def agency_of(workflow_id: str) -> str:
    """Whose workflow it is: every id names its agency behind what it is."""
    return workflow_id.split("/", 2)[1]


def experience_workflow(agency: str, experience_id: str) -> str:
    return f"experience/{agency}/{experience_id}"


def booking_workflow(agency: str, booking_id: str) -> str:
    return f"booking/{agency}/{booking_id}"


def payment_workflow(agency: str, payment_id: str) -> str:
    return f"payment/{agency}/{payment_id}"


def connector_workflow(agency: str, connector: str) -> str:
    """The one breaker of an agency's ERP."""
    return f"connector/{agency}/{connector}"


def reconciliation_schedule(agency: str) -> str:
    return f"reconcile/{agency}"


def plan_workflow(agency: str, booking_id: str) -> str:
    return f"plan/{agency}/{booking_id}"


def tamara_workflow(agency: str, kind: str, day: str) -> str:
    """`day` is ISO 8601, agency local."""
    return f"tamara/{agency}/{kind}/{day}"


def resend_workflow(agency: str, booking_id: str) -> str:
    return f"midoffice/{agency}/{booking_id}/resend"


def integration_workflow(agency: str, system: str) -> str:
    return f"integration/{agency}/{system}"


def collection_workflow(agency: str, plan_id: str) -> str:
    """The Schedule appends the due time."""
    return f"collect/{agency}/{plan_id}"


def instalment_workflow(agency: str, instalment_id: str) -> str:
    """One pursuit of one instalment at a time."""
    return f"instalment/{agency}/{instalment_id}"


def deal_workflow(agency: str, deal_id: int) -> str:
    return f"deal/{agency}/{deal_id}"


def deal_sweep(agency: str) -> str:
    return f"deals/{agency}"


def crm_watch(agency: str) -> str:
    return f"crm/{agency}/watch"


def supplier_feed(agency: str, supplier: str) -> str:
    return f"supplier/{agency}/{supplier}"


def supplier_order(agency: str, supplier: str, order_id: int) -> str:
    """The one writer of an order that no booking claims."""
    return f"supplier-order/{agency}/{supplier}/{order_id}"


def plan_schedule(agency: str, plan_id: str) -> str:
    return f"plan/{agency}/{plan_id}"


def tamara_retention(agency: str) -> str:
    return f"tamara/{agency}/retention"


def card_search(agency: str) -> str:
    return f"tamara/{agency}/card-search"


def tamara_schedule(agency: str, kind: str) -> str:
    return f"tamara/{agency}/{kind}"


def tamara_answers_schedule(agency: str) -> str:
    return f"tamara-answers/{agency}"


def tamara_trouble_workflow(agency: str, key: str) -> str:
    return f"tamara-trouble/{agency}/{key}"


def check_schedule(agency: str, what: str) -> str:
    return f"check/{agency}/{what}"


def revenue_schedule(agency: str) -> str:
    return f"revenue/{agency}"


class Queue(StrEnum):
    """Task queues: one for workflows, one for every outside system, so that a dead system stalls only itself."""

    WORKFLOWS = "workflows"
    GIAV = "giav"
    MIDOFFICE = "midoffice"
    TAMARA = "tamara"
    ACCOUNTING = "accounting"
    PLATFORM = "platform"
    OFFICE = "office"
    SUPPLIER = "supplier"
    CRM = "crm"


DEPLOYMENT = "bookings"
"""The name under which Temporal keeps the versions of this program's workers."""

SEARCH_ATTRIBUTES: dict[str, str] = {
    "Agency": "Keyword",
    "Booking": "Keyword",
    "Experience": "Keyword",
    "Lifecycle": "Keyword",
    "SyncState": "Keyword",
    "ParkReason": "Keyword",
    "Payer": "Keyword",
    "Currency": "Keyword",
    "Amount": "Int",
    "Due": "Datetime",
    "ParkedSince": "Datetime",
}
"""Typed search attributes; no personal data, at most ten keywords and three of each other type (notes: SQL visibility)."""
