"""A snapshot whose totals did not add up is forgotten once a newer one is right (contracts: money-rules F-C14; platform-events 4)."""

from __future__ import annotations

from sqlalchemy import BindParameter, Connection, bindparam, select

from domain.desk import StoreReason
from domain.errors import ContractBroken
from domain.notices import EventNotice
from store.events import events
from store.facts import data_of_body, payment_plans
from store.parked import OPEN, parked_items

CANCELLED = "booking.cancelled"
_agency: BindParameter[str] = bindparam("of_agency")
_WRONG = (
    select(parked_items.c.item_id, events.c.kind, events.c.revision, events.c.body)
    .join(events, (events.c.agency == parked_items.c.agency) & (events.c.event_id == parked_items.c.event_id))
    .where(
        parked_items.c.state == OPEN,
        parked_items.c.reason == StoreReason.TOTALS_MISMATCH.value,
        parked_items.c.agency == _agency,
        events.c.aggregate_id == bindparam("of_aggregate"),
        events.c.revision < bindparam("newer_than"),
    )
)
_PLAN = select(payment_plans.c.revision).where(
    payment_plans.c.agency == _agency, payment_plans.c.id == bindparam("of_plan")
)
# Built once: every snapshot goes through the first.


def replaced_by(connection: Connection, newer: EventNotice) -> list[tuple[str, str]]:
    """Open items about older snapshots of the same thing, of which `newer` (applied just now) leaves nothing to decide:
    their ids, and why."""
    found = connection.execute(
        _WRONG, {"of_agency": newer.agency, "of_aggregate": newer.aggregate_id, "newer_than": newer.revision}
    )
    why = "revision {} was wrong in its totals; revision {} is right and takes its place"
    return [
        (row.item_id, why.format(row.revision, newer.revision))
        for row in found.all()
        if _says_no_more(connection, row.kind, row.body, newer)
    ]


def _says_no_more(connection: Connection, kind: str, body: bytes, newer: EventNotice) -> bool:
    """Whether the wrong event told nothing that was not told since: a cancellation and a payment plan are facts beside
    the snapshot, and stay on the list until somebody has them."""
    if kind == CANCELLED and newer.kind != CANCELLED:
        return False
    try:
        plan = data_of_body(body).payment_plan
    except ContractBroken:
        return False
    if plan is None:
        return True
    known = connection.scalar(_PLAN, {"of_agency": newer.agency, "of_plan": plan.id})
    return known is not None and known >= plan.revision
