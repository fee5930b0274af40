"""The table of effects and what a row of it means (contracts: giav 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, Row, Select, SmallInteger, String, Table, Text, select

from domain.effects import EffectKey, EffectRecord, EffectState
from store.tables import Instant, agency_column, id_column, metadata

effects = Table(
    "effects",
    metadata,
    Column("key", String(500), primary_key=True),
    agency_column(),
    id_column("system"),
    id_column("entity"),
    Column("business_id", String(300), nullable=False),
    id_column("operation"),
    Column("sequence", Integer, nullable=False),
    Column("reference", String(40), nullable=False, unique=True),
    Column("state", String(20), nullable=False),
    id_column("outside_id", nullable=True),
    Column("request", Text),
    Column("acts", SmallInteger, nullable=False),
    Column("looks", SmallInteger, nullable=False),
    Column("adopted", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    id_column("booking_id", nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    # Counted within a booking: clocks of two workers need not agree on what came first.
    Column("position", Integer, nullable=False, server_default="0"),
    Column("breakdowns", SmallInteger, nullable=False, server_default="0"),
    Index(None, "agency", "booking_id"),
    Index("ix_effects_outside_id", "agency", "system", "outside_id"),
    Index(None, "agency", "system", "state", "updated_at"),
)
Index(
    "ix_effects_open",
    effects.c.state,
    sqlite_where=effects.c.state != EffectState.DONE.value,
    postgresql_where=effects.c.state != EffectState.DONE.value,
)

RECORD: Select[Any] = select(
    effects.c.agency,
    effects.c.system,
    effects.c.entity,
    effects.c.business_id,
    effects.c.operation,
    effects.c.sequence,
    effects.c.state,
    effects.c.outside_id,
    effects.c.acts,
    effects.c.looks,
    effects.c.reason,
    effects.c.breakdowns,
    effects.c.created_at,
)
"""What an `EffectRecord` is made of; what was sent can be large."""


@dataclass(frozen=True, slots=True)
class EffectRow:
    """An effect with what an operator wants to see of it."""

    record: EffectRecord
    reference: str
    adopted: bool
    booking_id: str | None
    created_at: datetime
    updated_at: datetime


def record_of(row: Row[Any]) -> EffectRecord:
    return EffectRecord(
        key=EffectKey(row.agency, row.system, row.entity, row.business_id, row.operation, row.sequence),
        state=EffectState(row.state),
        outside_id=row.outside_id,
        acts=row.acts,
        looks=row.looks,
        reason=row.reason,
        breakdowns=row.breakdowns,
        begun_at=row.created_at,
    )
