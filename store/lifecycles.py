"""How lifecycles ended: the read model of the console and of the audit (DESIGN 4)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Row, Select, String, Table, Text, func, select

from domain.steps import LifecycleOutcome
from store.clock import Clock
from store.database import Database
from store.tables import Instant, agency_column, id_column, metadata, upsert

lifecycles = Table(
    "lifecycles",
    metadata,
    agency_column(primary_key=True),
    Column("workflow_id", String(300), primary_key=True),
    id_column("kind", primary_key=True),
    Column("lifecycle", String(300), nullable=False),
    id_column("booking_id", nullable=True),
    id_column("experience_id", nullable=True),
    id_column("payment_id", nullable=True),
    Column("outcome", String(20), nullable=False),
    Column("notes", Text, nullable=False),
    Column("closed_at", Instant, nullable=False),
    Index(None, "agency", "booking_id"),
    Index(None, "agency", "experience_id"),
)


@dataclass(frozen=True, slots=True)
class ClosedLifecycle:
    """An outcome and when it was first written down."""

    outcome: LifecycleOutcome
    closed_at: datetime


class Lifecycles:
    """One row per lifecycle that ended."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def close(self, outcome: LifecycleOutcome) -> None:
        """Write the end of a lifecycle; a second report of the same one replaces the first and keeps its time."""
        values = outcome.model_dump(exclude={"notes"}) | {
            "notes": json.dumps(outcome.notes, ensure_ascii=False),
            "closed_at": self._clock(),
        }
        key = ["agency", "workflow_id", "kind"]
        with self._database.begin() as connection:
            statement = upsert(connection, lifecycles).values(values)
            changed = {name: statement.excluded[name] for name in values if name not in (*key, "closed_at")}
            connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))

    def of_booking(self, agency: str, booking_id: str) -> list[ClosedLifecycle]:
        """In the order they ended."""
        return self._all(select(lifecycles).where(lifecycles.c.agency == agency, lifecycles.c.booking_id == booking_id))

    def of_experience(self, agency: str, experience_id: str) -> list[ClosedLifecycle]:
        return self._all(
            select(lifecycles).where(lifecycles.c.agency == agency, lifecycles.c.experience_id == experience_id)
        )

    def counts(self, agency: str | None = None) -> dict[tuple[str, str], int]:
        """How many lifecycles ended, by (kind, outcome)."""
        columns = (lifecycles.c.kind, lifecycles.c.outcome)
        query = select(*columns, func.count()).group_by(*columns)
        if agency is not None:
            query = query.where(lifecycles.c.agency == agency)
        with self._database.read() as connection:
            return {(kind, outcome): number for kind, outcome, number in connection.execute(query)}

    def _all(self, query: Select[Any], *, newest_first: bool = False) -> list[ClosedLifecycle]:
        time = lifecycles.c.closed_at
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(time.desc() if newest_first else time, lifecycles.c.workflow_id))
            return [_closed(row) for row in rows]

    def list(self, agency: str | None = None, outcome: str | None = None, limit: int = 200) -> list[ClosedLifecycle]:
        """The latest ones, newest first."""
        query = select(lifecycles).limit(limit)
        if agency is not None:
            query = query.where(lifecycles.c.agency == agency)
        if outcome is not None:
            query = query.where(lifecycles.c.outcome == outcome)
        return self._all(query, newest_first=True)


def _closed(row: Row[Any]) -> ClosedLifecycle:
    values = dict(row._mapping)
    closed_at = values.pop("closed_at")
    values["notes"] = tuple(json.loads(values["notes"]))
    return ClosedLifecycle(LifecycleOutcome.model_validate(values), closed_at)
