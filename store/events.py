"""Events as they are kept: raw, once, for as long as invoices are kept; and the outbox in front of the workflows.

(contracts: platform-events 3.1; `store.inbox` writes them)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    select,
)

from domain.notices import EventNotice
from domain.platform import EventData
from store.tables import Instant, LongId, agency_column, id_column, metadata

events = Table(
    "events",
    metadata,
    Column("position", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    id_column("event_id"),
    Column("source", String(500), nullable=False),
    id_column("kind"),
    Column("sequence", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("notice", Text),
    Column("state", String(20), nullable=False),
    Column("problem", Text, nullable=False),
    id_column("aggregate_id", nullable=True),
    Column("revision", Integer),
    id_column("fact_id", nullable=True),
    id_column("booking_id", nullable=True),
    id_column("experience_id", nullable=True),
    Column("occurred_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("agency", "event_id"),
    UniqueConstraint("source", "event_id"),
    Index(None, "agency", "booking_id"),
    Index(None, "agency", "sequence"),
)

event_conflicts = Table(
    "event_conflicts",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    Column("source", String(500), nullable=False),
    id_column("event_id"),
    Column("digest", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("source", "event_id", "digest"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("position", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    id_column("event_id"),
    Column("notice", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("dispatched_at", Instant),
    Column("attempts", Integer, nullable=False),
    Column("last_reason", Text, nullable=False),
    UniqueConstraint("agency", "event_id"),
    ForeignKeyConstraint(["agency", "event_id"], ["events.agency", "events.event_id"]),
)
Index(
    "ix_outbox_waiting",
    outbox.c.position,
    sqlite_where=outbox.c.dispatched_at.is_(None),
    postgresql_where=outbox.c.dispatched_at.is_(None),
)
Index(
    "ix_outbox_waiting_agency",
    outbox.c.agency,
    outbox.c.position,
    sqlite_where=outbox.c.dispatched_at.is_(None),
    postgresql_where=outbox.c.dispatched_at.is_(None),
)


@dataclass(frozen=True, slots=True)
class AcceptedEvent:
    """An event whose signature and envelope are in order. Either `data` and `notice` are there, or `problem` says why not.

    `kind` is the type without prefix and version, or the whole type when it is not one of ours.
    """

    agency: str
    source: str
    event_id: str
    kind: str
    body: bytes
    data: EventData | None
    notice: EventNotice | None
    occurred_at: datetime
    received_at: datetime
    problem: str | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A notice that waits for its workflow."""

    agency: str
    event_id: str
    notice_json: str
    created_at: datetime
    attempts: int = 0
    last_reason: str = ""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it was stored; `state` is applied, superseded, repeated or parked."""

    position: int
    agency: str
    event_id: str
    source: str
    kind: str
    sequence: int | None
    body: bytes
    digest: str
    notice_json: str | None
    state: str
    problem: str
    aggregate_id: str | None
    revision: int | None
    booking_id: str | None
    experience_id: str | None
    occurred_at: datetime
    received_at: datetime

    @property
    def data(self) -> dict[str, Any]:
        """The `data` member as it came, unchecked."""
        body: dict[str, Any] = json.loads(self.body)
        return dict(body.get("data") or {})


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are meant; what is None does not matter. Times are of receipt, `until` is exclusive."""

    agency: str | None = None
    kind: str | None = None
    state: str | None = None
    booking_id: str | None = None
    experience_id: str | None = None
    aggregate_id: str | None = None
    event_ids: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    after_position: int | None = None


def event_row(connection: Connection, agency: str, event_id: str) -> Row[Any] | None:
    return connection.execute(
        select(events).where(events.c.agency == agency, events.c.event_id == event_id)
    ).one_or_none()


def filtered(query: Select[Any], wanted: EventFilter) -> Select[Any]:
    for name in ("agency", "kind", "state", "booking_id", "experience_id", "aggregate_id"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(events.c[name] == value)
    if wanted.event_ids is not None:
        query = query.where(events.c.event_id.in_(wanted.event_ids))
    if wanted.since is not None:
        query = query.where(events.c.received_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(events.c.received_at < wanted.until)
    if wanted.after_position is not None:
        query = query.where(events.c.position > wanted.after_position)
    return query


def stored(row: Row[Any]) -> StoredEvent:
    return StoredEvent(
        position=row.position,
        agency=row.agency,
        event_id=row.event_id,
        source=row.source,
        kind=row.kind,
        sequence=row.sequence,
        body=bytes(row.body),
        digest=row.digest,
        notice_json=row.notice,
        state=row.state,
        problem=row.problem,
        aggregate_id=row.aggregate_id,
        revision=row.revision,
        booking_id=row.booking_id,
        experience_id=row.experience_id,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
    )
