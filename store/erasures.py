"""Whom a person asked us to forget, and how far that went: keys and days, no names (docs/privacy.md).

`erased_parties` is asked for every event of a booking, so that a late or repeated delivery does not bring a person back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Date, Row, String, Table, Text, select

from store.clock import Clock
from store.database import Database
from store.tables import Instant, LongId, agency_column, id_column, metadata, upsert

erasures = Table(
    "erasures",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    Column("asked_for", String(300), nullable=False),
    id_column("erased_by"),
    Column("why", Text, nullable=False),
    Column("report", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

erased_parties = Table(
    "erased_parties",
    metadata,
    agency_column(primary_key=True),
    id_column("thing", primary_key=True),
    id_column("party", primary_key=True),
    Column("scope", String(20), nullable=False),
    Column("due_on", Date),
)
"""`thing` is a booking, or `deal/…`. `scope` is all, contact (an invoice keeps its recipient) or nothing (the contract is not
fulfilled yet); on `due_on` the rest may go."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One request as it was carried out."""

    id: int
    agency: str
    asked_for: str
    erased_by: str
    why: str
    report: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class ErasedParty:
    """A party of a booking that was erased, or will be."""

    agency: str
    thing: str
    party: str
    scope: str
    due_on: date | None


class Erasures:
    """Each method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def due(self, today: date, agency: str | None = None) -> list[ErasedParty]:
        """Parties of whom something is still kept that may go by now."""
        query = select(erased_parties).where(erased_parties.c.due_on <= today)
        if agency is not None:
            query = query.where(erased_parties.c.agency == agency)
        with self._database.read() as connection:
            return [_party(row) for row in connection.execute(query.order_by(*erased_parties.primary_key))]

    def of(self, agency: str) -> list[ErasedParty]:
        with self._database.read() as connection:
            query = select(erased_parties).where(erased_parties.c.agency == agency)
            return [_party(row) for row in connection.execute(query.order_by(*erased_parties.primary_key))]

    def list(self, agency: str | None = None) -> list[Erasure]:
        query = select(erasures).order_by(erasures.c.id)
        if agency is not None:
            query = query.where(erasures.c.agency == agency)
        with self._database.read() as connection:
            return [
                Erasure(row.id, row.agency, row.asked_for, row.erased_by, row.why, json.loads(row.report), row.at)
                for row in connection.execute(query)
            ]

    def record_in(
        self, connection: Connection, agency: str, asked_for: str, by: str, why: str, report: Mapping[str, Any]
    ) -> None:
        connection.execute(
            erasures.insert().values(
                agency=agency,
                asked_for=asked_for[:300],
                erased_by=by,
                why=why,
                report=json.dumps(report, ensure_ascii=False),
                at=self._clock(),
            )
        )

    @staticmethod
    def mark_in(connection: Connection, party: ErasedParty) -> None:
        statement = upsert(connection, erased_parties).values(
            agency=party.agency, thing=party.thing, party=party.party, scope=party.scope, due_on=party.due_on
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["agency", "thing", "party"], set_={"scope": party.scope, "due_on": party.due_on}
            )
        )


def scopes_of(connection: Connection, agency: str, thing: str) -> dict[str, str]:
    """Party → how far it was erased, of one booking or deal."""
    query = select(erased_parties.c.party, erased_parties.c.scope).where(
        erased_parties.c.agency == agency, erased_parties.c.thing == thing, erased_parties.c.scope != "nothing"
    )
    return {row.party: row.scope for row in connection.execute(query)}


def _party(row: Row[Any]) -> ErasedParty:
    return ErasedParty(row.agency, row.thing, row.party, row.scope, row.due_on)
