"""Partners to whom nothing is sent until a person says so: somebody else used one of our numbers (contracts: tamara 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Select, String, Table, Text, select, update

from store.clock import Clock
from store.database import Database
from store.tables import Instant, LongId, agency_column, id_column, metadata

stops = Table(
    "tamara_stops",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    Column("partner_id", String(12), nullable=False),
    Column("mode", String(1), nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
    id_column("released_by", nullable=True),
    Column("explanation", Text),
    Column("released_at", Instant),
)


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing is sent, and since when (UTC)."""

    reason: str
    since: datetime


class TamaraStops:
    """Both kinds of files of a partner stop together. Stopping twice is one stop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def stop(self, agency: str, partner_id: str, mode: str, reason: str) -> None:
        with self._database.begin() as connection:
            if connection.execute(_open(partner_id, mode)).first() is None:
                connection.execute(
                    stops.insert().values(
                        agency=agency, partner_id=partner_id, mode=mode, reason=reason, since=self._clock()
                    )
                )

    def standing(self, partner_id: str, mode: str) -> Stop | None:
        with self._database.read() as connection:
            row = connection.execute(_open(partner_id, mode)).first()
        return Stop(row.reason, row.since) if row is not None else None

    def release(self, partner_id: str, mode: str, by: str, explanation: str) -> bool:
        """False when nothing was stopped."""
        with self._database.begin() as connection:
            changed = connection.execute(
                update(stops)
                .where(stops.c.partner_id == partner_id, stops.c.mode == mode, stops.c.released_at.is_(None))
                .values(released_by=by, explanation=explanation, released_at=self._clock())
            )
        return changed.rowcount > 0


def _open(partner_id: str, mode: str) -> Select[Any]:
    return select(stops).where(stops.c.partner_id == partner_id, stops.c.mode == mode, stops.c.released_at.is_(None))
