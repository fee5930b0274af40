"""Events as people look for them: newest first, without their bodies, with how far each was handed on (docs/console.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select

from domain import naming
from store.database import Database
from store.events import events, outbox


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """One line. `handed_on_at` is when Temporal acknowledged it; `to_hand_on` says that it has to be."""

    position: int
    agency: str
    event_id: str
    kind: str
    state: str
    problem: str
    aggregate_id: str | None
    revision: int | None
    booking_id: str | None
    experience_id: str | None
    occurred_at: datetime
    received_at: datetime
    to_hand_on: bool
    handed_on_at: datetime | None
    attempts: int
    last_reason: str

    @property
    def workflow_id(self) -> str | None:
        """Whom it is handed to; None when it changes nothing."""
        if not self.to_hand_on:
            return None
        if self.kind.startswith("experience."):
            own = self.experience_id or self.aggregate_id
            return own and naming.experience_workflow(self.agency, own)
        own = self.booking_id or self.aggregate_id
        mailbox = naming.plan_workflow if self.kind.startswith("payment_plan.") else naming.booking_workflow
        return own and mailbox(self.agency, own)


class EventLists:
    """Reads `events` and `outbox`; the inbox writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        agencies: Sequence[str],
        *,
        kind: str | None = None,
        state: str | None = None,
        booking_id: str | None = None,
        waiting: bool = False,
        before: int | None = None,
        limit: int = 50,
    ) -> list[ListedEvent]:
        """Newest first; `before` is the position of the last line seen, `waiting` leaves what Temporal was not told of."""
        query = _LINES.where(events.c.agency.in_(agencies)).order_by(events.c.position.desc()).limit(limit)
        for column, wanted in (("kind", kind), ("state", state), ("booking_id", booking_id)):
            if wanted:
                query = query.where(events.c[column] == wanted)
        if waiting:
            query = query.where(outbox.c.event_id.is_not(None), outbox.c.dispatched_at.is_(None))
        if before is not None:
            query = query.where(events.c.position < before)
        with self._database.read() as connection:
            return [_line(row) for row in connection.execute(query)]

    def get(self, agency: str, event_id: str) -> ListedEvent | None:
        with self._database.read() as connection:
            row = connection.execute(
                _LINES.where(events.c.agency == agency, events.c.event_id == event_id)
            ).one_or_none()
        return None if row is None else _line(row)


_LINES: Select[Any] = select(
    events.c.position,
    events.c.agency,
    events.c.event_id,
    events.c.kind,
    events.c.state,
    events.c.problem,
    events.c.aggregate_id,
    events.c.revision,
    events.c.booking_id,
    events.c.experience_id,
    events.c.occurred_at,
    events.c.received_at,
    outbox.c.event_id.label("in_outbox"),
    outbox.c.dispatched_at,
    outbox.c.attempts,
    outbox.c.last_reason,
).outerjoin(outbox, (outbox.c.agency == events.c.agency) & (outbox.c.event_id == events.c.event_id))


def _line(row: Row[Any]) -> ListedEvent:
    return ListedEvent(
        position=row.position,
        agency=row.agency,
        event_id=row.event_id,
        kind=row.kind,
        state=row.state,
        problem=row.problem,
        aggregate_id=row.aggregate_id,
        revision=row.revision,
        booking_id=row.booking_id,
        experience_id=row.experience_id,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        to_hand_on=row.in_outbox is not None,
        handed_on_at=row.dispatched_at,
        attempts=row.attempts or 0,
        last_reason=row.last_reason or "",
    )
