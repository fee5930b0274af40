"""What stopped for a person, and the person's answer; the work goes on exactly there (contracts: money-rules P10)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Any

from pydantic import Field
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import BackOfficeError
from domain.money import Money
from domain.people import Role
from domain.steps import Decision, DecisionTaken
from starter.desk.acting import Acting, BackOffice, recorded
from starter.desk.payments import Shown
from starter.desk.places import place_of, place_text
from starter.desk.refusals import Away, NotFound, Refused, Unclear
from starter.events import read_envelope
from store.audit_trail import Deed
from store.inbox import AcceptedEvent, StoredEvent
from store.intake import examine
from store.parked import OPEN, ParkedItem

WORDS = 10
"""Characters of an explanation that closes an item whose workflow is gone."""


class DecidedItem(Shown):
    """A decision as it was recorded."""

    decision: Decision
    by: str
    explanation: str
    outside_id: str | None
    at: datetime


class ItemRow(Shown):
    """One parked item."""

    item_id: str
    agency: str
    booking_id: str | None
    experience_id: str | None
    payment_id: str | None
    event_id: str | None
    verb: str = Field(description="What could not be done.")
    reason: str
    detail: str = Field(description="The refusing system's words.")
    fault: str
    effect: str
    amount: Money | None
    decisions: tuple[Decision, ...] = Field(description="The answers that this item takes.")
    state: str
    since: datetime
    owner: str
    deadline: datetime
    late: bool
    closed_at: datetime | None
    workflow_id: str = Field(description="Empty when no workflow waits.")
    workflow_page: str | None
    taken: tuple[DecidedItem, ...] = Field(description="Decisions so far; filled when one item is asked for.")


class ItemsPage(Shown):
    items: tuple[ItemRow, ...]
    next: str | None = Field(description="Give it as `after` to get the next page; null on the last.")


class Decided(Shown):
    item_id: str
    decision: Decision
    answer: str = Field(description="What the work said to it.")


def list_items(
    office: BackOffice,
    acting: Acting,
    *,
    agency: str | None = None,
    state: str | None = OPEN,
    owner: str | None = None,
    reason: str | None = None,
    reasons: Collection[str] | None = None,
    booking: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> ItemsPage:
    """The nearest deadline first. Raises `NotFound` for an agency, `Unclear` for a broken `after`."""
    found = office.store.parked.list(
        None,
        state,
        booking_id=booking,
        owner=owner,
        reason=reason,
        reasons=reasons,
        agencies=acting.agencies(office, agency),
        after=None if after is None else place_of(after),
        limit=limit + 1,
    )
    shown = found[:limit]
    following = place_text(shown[-1].deadline, shown[-1].item_id) if len(found) > limit else None
    return ItemsPage(items=tuple(_row(office, item) for item in shown), next=following)


def show_item(office: BackOffice, acting: Acting, item_id: str) -> ItemRow:
    """With every decision ever taken on it. Raises `NotFound`."""
    return _row(office, _find(office, acting, item_id))


async def decide(office: BackOffice, acting: Acting, taken: DecisionTaken) -> Decided:
    """Answer an item. Raises `NotFound`, `NotAllowed`, `Refused`, `Unclear`, `Away`."""
    found = await asyncio.to_thread(_find, office, acting, taken.item_id)
    taken = taken.model_copy(update={"by": acting.person.name})

    async def work() -> Decided:
        if found.state != OPEN:
            raise Refused(f"{found.item_id} is already closed")
        if taken.decision not in found.decisions:
            raise Unclear(f"{found.item_id} may be answered with: {', '.join(found.decisions)}")
        if found.workflow_id:
            said = await _tell_workflow(office, found.workflow_id, taken)
            said = said or await asyncio.to_thread(_close_orphan, office, found.workflow_id, taken)
        else:
            said = await asyncio.to_thread(_tell_inbox, office, taken)
        return Decided(item_id=found.item_id, decision=taken.decision, answer=said)

    needs = needed_role(found.reason, taken.decision)
    deed = Deed("", f"park.{taken.decision}", found.item_id, why=taken.explanation, agency=found.agency)
    return await recorded(office, acting, deed, work, needs=needs)


def needed_role(reason: str, decision: Decision) -> Role:
    """Who may give this answer. One to a payment's item counts as a supervisor's: it may overrule what the ERP shows."""
    overrules = reason.startswith("payment_") and decision in ("skip", "adopt")
    return Role.SUPERVISOR if overrules else Role.OPERATOR


async def _tell_workflow(office: BackOffice, workflow_id: str, taken: DecisionTaken) -> str | None:
    """The workflow's answer, None when it does not run any more."""
    client = await office.temporal()
    try:
        answer: Any = await client.get_workflow_handle(workflow_id).execute_update("decide", taken, result_type=str)
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise Away(f"Temporal answers {error.status.name}: {error.message}") from None
    return str(answer)


def _close_orphan(office: BackOffice, workflow_id: str, taken: DecisionTaken) -> str:
    """The workflow is gone (terminated, or lost with Temporal's data): only an explained end may close its item."""
    if taken.decision not in ("skip", "abandon") or len(taken.explanation.strip()) < WORDS:
        raise Refused(
            f"the workflow {workflow_id} does not run any more, so nothing can go on there; send its event again with "
            "'bookings event replay', or close the item with --skip and --why"
        )
    office.store.parked.close(taken.item_id, taken)
    return f"{taken.item_id}: closed; its workflow {workflow_id} does not run any more"


def _tell_inbox(office: BackOffice, taken: DecisionTaken) -> str:
    """Items that no workflow waits for: an event that could not be applied, or a record that exists twice."""

    def reexamine(event: StoredEvent) -> AcceptedEvent:
        envelope = read_envelope(event.body)
        settings = office.installation.agencies[event.agency]
        return examine(settings.platform, settings.environment, event.agency, envelope, event.body, event.received_at)

    try:
        office.store.inbox.decide(taken, reexamine)
    except BackOfficeError as error:
        raise Refused(error.message) from None
    return f"{taken.item_id}: {taken.decision}" + ("; the gateway hands it on" if taken.decision == "retry" else "")


def _find(office: BackOffice, acting: Acting, item_id: str) -> ParkedItem:
    item = office.store.parked.get(item_id)
    if item is None or not acting.person.sees(item.agency):
        raise NotFound(f"there is no parked item {item_id}; see 'bookings park list'")
    return item


def _row(office: BackOffice, item: ParkedItem) -> ItemRow:
    return ItemRow(
        item_id=item.item_id,
        agency=item.agency,
        booking_id=item.booking_id,
        experience_id=item.experience_id,
        payment_id=item.payment_id,
        event_id=item.event_id,
        verb=item.verb,
        reason=item.reason,
        detail=item.detail,
        fault=item.fault,
        effect=item.effect,
        amount=item.amount,
        decisions=item.decisions,
        state=item.state,
        since=item.since,
        owner=item.owner,
        deadline=item.deadline,
        late=item.state == OPEN and item.deadline < office.now(),
        closed_at=item.closed_at,
        workflow_id=item.workflow_id,
        workflow_page=office.workflow_page(item.workflow_id) if item.workflow_id else None,
        taken=tuple(
            DecidedItem(
                decision=made.taken.decision,
                by=made.taken.by,
                explanation=made.taken.explanation,
                outside_id=made.taken.outside_id,
                at=made.at,
            )
            for made in item.taken
        ),
    )
