"""Events come in once: stored, projected and handed on in one transaction (contracts: platform-events 3.1 steps 7-10, 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any, Literal

from sqlalchemy import BindParameter, Connection, Row, bindparam, func, select, update

from domain.desk import StoreReason, item_id
from domain.errors import ContractBroken
from domain.notices import EventNotice, notice_of
from domain.platform import REQUIRED
from domain.steps import Decision, DecisionTaken
from store.clock import Clock
from store.database import Database
from store.events import (
    AcceptedEvent,
    EventFilter,
    OutboxRow,
    StoredEvent,
    event_conflicts,
    event_row,
    events,
    filtered,
    outbox,
    stored,
)
from store.facts import data_of_body, plan_of
from store.forgetting import without_erased
from store.parked import ParkedItem, ParkedItems, StoreParking
from store.projection import Outcome, Told, project
from store.superseding import replaced_by
from store.tables import insert_once, upsert

__all__ = ["AcceptedEvent", "EventFilter", "Inbox", "OutboxRow", "StoredEvent"]

Acceptance = Literal["new", "duplicate", "conflict"]
Reexamine = Callable[[StoredEvent], AcceptedEvent]
"""Judges a stored event by the rules of the gateway of today."""
VERB = "inbox.accept"
"""The verb of parked items that no workflow waits for: `Inbox.decide` carries out their decisions."""

_agency: BindParameter[str] = bindparam("of_agency")
_event: BindParameter[str] = bindparam("of_event")
_CONCLUDE = (
    update(events)
    .where(events.c.agency == _agency, events.c.event_id == _event)
    .values(state=bindparam("verdict"), problem=bindparam("said"))
)
_OUTBOX_ROW = update(outbox).where(outbox.c.agency == _agency, outbox.c.event_id == _event)
_WAITING = (
    select(outbox)
    .where(outbox.c.dispatched_at.is_(None), outbox.c.agency == _agency)
    .order_by(outbox.c.position)
    .limit(bindparam("most"))
)
_DISPATCHED = _OUTBOX_ROW.values(dispatched_at=bindparam("moment"))
_FAILED = _OUTBOX_ROW.values(attempts=outbox.c.attempts + 1, last_reason=bindparam("said"))
# Built once: every event goes through them.


def _row(row: Row[Any]) -> OutboxRow:
    return OutboxRow(row.agency, row.event_id, row.notice, row.created_at, row.attempts, row.last_reason)


class Inbox:
    """The log of events and the outbox that feeds the workflows."""

    def __init__(self, database: Database, clock: Clock, parked: ParkedItems) -> None:
        self._database = database
        self._clock = clock
        self._parked = parked

    def accept(self, event: AcceptedEvent) -> Acceptance:
        """Store the event once. After return it is durable: projected and in the outbox, or on the list of parked items."""
        digest = hashlib.sha256(event.body).hexdigest()
        with self._database.begin() as connection:
            event = without_erased(connection, event, self._parked)
            if not self._insert(connection, event, digest):
                return self._known(connection, event, digest)
            outcome = _judge(connection, event)
            self._conclude(connection, event.agency, event.event_id, event.notice, outcome)
        return "new"

    def undispatched(self, limit: int, older_than: timedelta | None = None) -> list[OutboxRow]:
        """What waits for its workflow, in the order of arrival; only what has waited longer than `older_than`."""
        query = select(outbox).where(outbox.c.dispatched_at.is_(None)).order_by(outbox.c.position).limit(limit)
        if older_than is not None:
            query = query.where(outbox.c.created_at < self._clock() - older_than)
        with self._database.read() as connection:
            return [_row(row) for row in connection.execute(query)]

    def waiting(self) -> dict[str, int]:
        """How many events of each agency wait for their workflows."""
        query = (
            select(outbox.c.agency, func.count().label("waiting"))
            .where(outbox.c.dispatched_at.is_(None))
            .group_by(outbox.c.agency)
        )
        with self._database.read() as connection:
            return {row.agency: row.waiting for row in connection.execute(query)}

    def in_turns(self, first: Mapping[str, int]) -> list[OutboxRow]:
        """So many of each agency that wait, in the order of arrival, one of each in turns."""
        with self._database.read() as connection:
            found = [
                [_row(row) for row in connection.execute(_WAITING, {"of_agency": agency, "most": most})]
                for agency, most in first.items()
            ]
        return [row for turn in zip_longest(*found) for row in turn if row is not None]

    def mark_dispatched(self, agency: str, event_id: str) -> None:
        with self._database.begin() as connection:
            connection.execute(_DISPATCHED, {"of_agency": agency, "of_event": event_id, "moment": self._clock()})

    def dispatch_failed(self, agency: str, event_id: str, reason: str) -> None:
        """Remember why it still waits."""
        with self._database.begin() as connection:
            connection.execute(_FAILED, {"of_agency": agency, "of_event": event_id, "said": reason})

    def get(self, agency: str, event_id: str) -> StoredEvent | None:
        with self._database.read() as connection:
            row = event_row(connection, agency, event_id)
        return stored(row) if row else None

    def received_at(self, agency: str, event_id: str) -> datetime | None:
        """When an event was stored."""
        query = select(events.c.received_at).where(events.c.agency == agency, events.c.event_id == event_id)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def redispatch(self, wanted: EventFilter) -> int:
        """Put events that were handed on before into the outbox again; the number of events."""
        chosen = filtered(select(events.c.agency, events.c.event_id), wanted).subquery()
        with self._database.begin() as connection:
            result = connection.execute(
                update(outbox)
                .where(outbox.c.dispatched_at.is_not(None))
                .where(outbox.c.agency == chosen.c.agency, outbox.c.event_id == chosen.c.event_id)
                .values(dispatched_at=None, attempts=0, last_reason="")
            )
        return result.rowcount

    def decide(self, taken: DecisionTaken, reexamine: Reexamine | None = None) -> None:
        """Carry out a person's answer to an item that no workflow waits for: `skip` closes it, `retry` applies the event.

        `retry` trusts totals that do not add up. An event that was unusable is judged again by `reexamine`, the rules of
        the gateway. Raises `ContractBroken` when it still cannot be applied; the item then stays open.
        """
        item = self._parked.get(taken.item_id)
        if item is None or item.workflow_id:
            raise ContractBroken(f"{taken.item_id} is not an item of the store itself", system="store")
        again = self._examined_again(item, reexamine) if taken.decision == "retry" else None
        with self._database.begin() as connection:
            if self._parked.close_in(connection, taken.item_id, taken) and again is not None:
                self._release(connection, again)

    def gaps(self, agency: str) -> list[tuple[int, int]]:
        """Sequence numbers that never arrived, as inclusive ranges between the lowest and the highest known."""
        before = func.lag(events.c.sequence).over(order_by=events.c.sequence).label("before")
        steps = (
            select(events.c.sequence, before)
            .where(events.c.agency == agency, events.c.sequence.is_not(None))
            .subquery()
        )
        query = select(steps.c.before, steps.c.sequence).where(steps.c.sequence > steps.c.before + 1)
        with self._database.read() as connection:
            return [(low + 1, high - 1) for low, high in connection.execute(query.order_by(steps.c.sequence))]

    def first_sequence(self, agency: str) -> int | None:
        """The lowest sequence number known; below it nothing was ever promised to arrive."""
        with self._database.read() as connection:
            lowest: int | None = connection.scalar(select(func.min(events.c.sequence)).where(events.c.agency == agency))
        return lowest

    def counts(self, agency: str | None = None) -> dict[str, int]:
        """How many events there are by state, and `waiting` for those still in the outbox."""
        by_state = select(events.c.state, func.count()).group_by(events.c.state)
        waiting = select(func.count()).select_from(outbox).where(outbox.c.dispatched_at.is_(None))
        if agency is not None:
            by_state = by_state.where(events.c.agency == agency)
            waiting = waiting.where(outbox.c.agency == agency)
        with self._database.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(by_state)}
            return found | {"waiting": connection.scalar(waiting) or 0}

    def list(self, wanted: EventFilter | None = None, limit: int = 200) -> list[StoredEvent]:
        """Events in the order of arrival."""
        query = filtered(select(events), wanted or EventFilter()).order_by(events.c.position).limit(limit)
        with self._database.read() as connection:
            return [stored(row) for row in connection.execute(query)]

    def _insert(self, connection: Connection, event: AcceptedEvent, digest: str) -> bool:
        row = {
            "agency": event.agency,
            "event_id": event.event_id,
            "source": event.source,
            "kind": event.kind,
            "sequence": event.sequence,
            "body": event.body,
            "digest": digest,
            "state": "applied",
            "problem": event.problem or "",
            **_of_notice(event.notice),
            "occurred_at": event.occurred_at,
            "received_at": event.received_at,
        }
        return connection.execute(insert_once(connection.dialect.name, events), row).rowcount == 1

    def _known(self, connection: Connection, event: AcceptedEvent, digest: str) -> Acceptance:
        """The id was seen before: the same body is a duplicate, another one is kept beside it and parked."""
        row = event_row(connection, event.agency, event.event_id)
        if row is not None and row.digest == digest and row.source == event.source:
            return "duplicate"
        connection.execute(
            upsert(connection, event_conflicts)
            .values(
                agency=event.agency,
                source=event.source,
                event_id=event.event_id,
                digest=digest,
                body=event.body,
                received_at=event.received_at,
            )
            .on_conflict_do_nothing()
        )
        notice = event.notice
        detail = f"{event.event_id} came again with another body (SHA-256 {digest[:12]}…); the first one stands"
        self._parked.open_from_store(
            StoreParking(
                item_id=item_id(StoreReason.EVENT_CONFLICT, event.source, event.event_id, digest),
                agency=event.agency,
                reason=StoreReason.EVENT_CONFLICT,
                detail=detail,
                verb=VERB,
                decisions=("skip",),
                booking_id=notice.booking_id if notice else None,
                payment_id=notice.payment_id if notice else None,
                event_id=event.event_id,
                amount=notice.amount if notice else None,
            ),
            connection,
        )
        return "conflict"

    def _conclude(
        self, connection: Connection, agency: str, event_id: str, notice: EventNotice | None, outcome: Outcome
    ) -> None:
        """Write down what became of the event, and hand it on unless it is parked or was told before."""
        problem = f"{outcome.reason}: {outcome.detail}" if outcome.reason else ""
        verdict = {"of_agency": agency, "of_event": event_id, "verdict": outcome.verdict, "said": problem}
        connection.execute(_CONCLUDE, verdict)
        if outcome.verdict == "parked":
            self._parked.open_from_store(_parking(agency, event_id, notice, outcome), connection)
        elif outcome.verdict != "repeated":
            assert notice is not None
            row = {
                "agency": agency,
                "event_id": event_id,
                "notice": _with_plan(connection, notice).model_dump_json(),
                "created_at": self._clock(),
                "attempts": 0,
                "last_reason": "",
            }
            connection.execute(insert_once(connection.dialect.name, outbox), row)
        if outcome.verdict == "applied" and notice is not None:
            for item, why in replaced_by(connection, notice):
                by_itself = DecisionTaken(item_id=item, decision="skip", by="system", explanation=why)
                self._parked.close_in(connection, item, by_itself)

    def _examined_again(self, item: ParkedItem, reexamine: Reexamine | None) -> AcceptedEvent:
        event = self.get(item.agency, item.event_id or "")
        if event is None:
            raise ContractBroken(f"{item.item_id} is not about an event", system="store")
        if item.reason != StoreReason.TOTALS_MISMATCH:
            if reexamine is None:
                raise ContractBroken(f"{event.event_id} must be examined again before it is applied", system="store")
            return reexamine(event)
        data = data_of_body(event.body)
        return AcceptedEvent(
            agency=event.agency,
            source=event.source,
            event_id=event.event_id,
            kind=event.kind,
            body=event.body,
            data=data,
            notice=notice_of(event.agency, event.event_id, event.kind, event.occurred_at, data),
            occurred_at=event.occurred_at,
            received_at=event.received_at,
        )

    def _release(self, connection: Connection, event: AcceptedEvent) -> None:
        outcome = _judge(connection, event, trust_totals=True)
        if outcome.verdict == "parked":
            raise ContractBroken(f"{event.event_id} cannot be applied: {outcome.detail}", system="store")
        connection.execute(
            update(events)
            .where(events.c.agency == event.agency, events.c.event_id == event.event_id)
            .values(kind=event.kind, **_of_notice(event.notice))
        )
        self._conclude(connection, event.agency, event.event_id, event.notice, outcome)


def _judge(connection: Connection, event: AcceptedEvent, *, trust_totals: bool = False) -> Outcome:
    """Apply the event to the read model, or say why it cannot be applied."""
    if event.kind not in REQUIRED:
        return Outcome("parked", StoreReason.UNHANDLED_TYPE, event.problem or f"nobody here understands {event.kind}")
    if event.problem is not None or event.data is None or event.notice is None:
        return Outcome("parked", StoreReason.UNUSABLE_EVENT, event.problem or "the event carries no usable data")
    missing = [name for name in REQUIRED[event.kind] if getattr(event.data, name) is None]
    if missing:
        return Outcome("parked", StoreReason.UNUSABLE_EVENT, f"data lacks {', '.join(missing)}")
    told = Told(event.agency, event.event_id, event.kind, event.occurred_at, event.received_at, event.data)
    return project(connection, told, trust_totals=trust_totals)


def _with_plan(connection: Connection, notice: EventNotice) -> EventNotice:
    """Money without a name pays the oldest instalment: the booking's plan has to hear of it (money-rules F-P16)."""
    if notice.kind != "payment.captured" or notice.plan_id is not None or notice.booking_id is None:
        return notice
    plan = plan_of(connection, notice.agency, notice.booking_id)
    return notice if plan is None else notice.model_copy(update={"plan_id": plan})


def _of_notice(notice: EventNotice | None) -> dict[str, Any]:
    """The columns by which events are found."""
    if notice is None:
        return {}
    return {
        "notice": notice.model_dump_json(),
        "aggregate_id": notice.aggregate_id,
        "revision": notice.revision,
        "fact_id": notice.fact_id,
        "booking_id": notice.booking_id,
        "experience_id": notice.experience_id,
    }


_ANSWERS: dict[str, tuple[Decision, ...]] = {
    StoreReason.TOTALS_MISMATCH: ("retry", "skip"),
    StoreReason.UNUSABLE_EVENT: ("retry", "skip"),
    StoreReason.UNHANDLED_TYPE: ("retry", "skip"),
}
"""What may be answered; money facts that contradict another fact can only be explained, not applied."""


def _parking(agency: str, event_id: str, notice: EventNotice | None, outcome: Outcome) -> StoreParking:
    return StoreParking(
        item_id=item_id(outcome.reason, agency, event_id),
        agency=agency,
        reason=outcome.reason,
        detail=outcome.detail,
        verb=VERB,
        decisions=_ANSWERS.get(outcome.reason, ("skip",)),
        booking_id=notice.booking_id if notice else None,
        experience_id=notice.experience_id if notice else None,
        payment_id=notice.payment_id if notice else None,
        event_id=event_id,
        amount=outcome.amount,
    )
