"""Tables of those who sign in, and of their sessions; a session's token is kept as a hash only."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table

from domain.people import Person, Role
from store.tables import Instant, LongId, id_column, metadata

people = Table(
    "people",
    metadata,
    id_column("name", primary_key=True),
    Column("role", String(20), nullable=False),
    Column("agencies", String(4000)),
    Column("password", String(300)),
    Column("subject", String(500), unique=True),
    Column("language", String(5)),
    Column("locked", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("paused_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("signed_in_at", Instant),
)

people_sessions = Table(
    "people_sessions",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    Column("token", String(64), nullable=False, unique=True),
    Column("name", String(200), ForeignKey("people.name"), nullable=False),
    Column("browser", String(200), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index(None, "name", "ended_at"),
)


def person_of(row: Any) -> Person:
    """A row of `people`, or one that was joined with it."""
    agencies = None if row.agencies is None else frozenset(json.loads(row.agencies))
    return Person(row.name, Role(row.role), agencies, row.language, row.locked, row.password is not None)
