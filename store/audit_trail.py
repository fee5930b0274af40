"""What people did: append-only, who, when, what, on what, with which outcome and why (DESIGN 7).

It names people who work here and keys of things; never a traveller's or payer's data.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, Connection, Index, Row, String, Table, Text, func, or_, select

from store.clock import Clock
from store.database import Database
from store.tables import Instant, LongId, id_column, metadata

Outcome = Literal["done", "refused", "failed"]
LONGEST_WHY = 2_000

audit_trail = Table(
    "audit_trail",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    id_column("actor"),
    Column("way", String(20), nullable=False),
    Column("agency", String(100)),
    Column("action", String(60), nullable=False),
    Column("object", String(300), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("why", Text, nullable=False),
    Index(None, "agency", "id"),
    Index(None, "actor", "id"),
    Index(None, "object", "id"),
)


@dataclass(frozen=True, slots=True)
class Deed:
    """One line before it is written. `way` is how it came in: console, command, api; `agency` None: the installation's."""

    actor: str
    action: str
    object: str
    outcome: Outcome = "done"
    why: str = ""
    agency: str | None = None
    way: str = "console"


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line as it was written."""

    id: int
    at: datetime
    deed: Deed


class AuditTrail:
    """Lines are added and read; the database refuses every change."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def write(self, deed: Deed) -> None:
        with self._database.begin() as connection:
            self.write_in(connection, deed)

    def write_in(self, connection: Connection, deed: Deed) -> None:
        """In the transaction of what was done."""
        connection.execute(
            audit_trail.insert().values(
                at=self._clock(),
                actor=deed.actor[:200],
                way=deed.way,
                agency=deed.agency,
                action=deed.action,
                object=deed.object[:300],
                outcome=deed.outcome,
                why=deed.why[:LONGEST_WHY],
            )
        )

    def list(
        self,
        agencies: Collection[str] | None = None,
        *,
        actor: str | None = None,
        action: str | None = None,
        object_: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[AuditLine]:
        """Newest first; `before` is the id of the last line seen. With `agencies` only theirs, and the installation's own."""
        query = select(audit_trail).order_by(audit_trail.c.id.desc()).limit(limit)
        if agencies is not None:
            query = query.where(or_(audit_trail.c.agency.is_(None), audit_trail.c.agency.in_(agencies)))
        for column, wanted in (("actor", actor), ("action", action), ("object", object_)):
            if wanted:
                query = query.where(audit_trail.c[column] == wanted)
        if since is not None:
            query = query.where(audit_trail.c.at >= since)
        if before is not None:
            query = query.where(audit_trail.c.id < before)
        with self._database.read() as connection:
            return [_line(row) for row in connection.execute(query)]

    def latest(self, action: str, objects: Collection[str]) -> dict[str, AuditLine]:
        """Object → the last time that somebody did this to it; one statement."""
        own = audit_trail.c
        newest = select(func.max(own.id)).where(own.object.in_(objects), own.action == action).group_by(own.object)
        with self._database.read() as connection:
            found = [_line(row) for row in connection.execute(select(audit_trail).where(own.id.in_(newest)))]
        return {line.deed.object: line for line in found}


def _line(row: Row[Any]) -> AuditLine:
    deed = Deed(
        actor=row.actor,
        action=row.action,
        object=row.object,
        outcome=row.outcome,
        why=row.why,
        agency=row.agency,
        way=row.way,
    )
    return AuditLine(id=row.id, at=row.at, deed=deed)
