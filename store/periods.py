"""Closed periods of the books: what day they are closed until, by whom and why; the database refuses entries in them.

Every closing and re-opening is a row that stays; the newest says what holds. A fact that comes late is posted on the
first open day (`domain.ledger.in_open_period`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Column, Connection, Date, Index, String, Table, Text, bindparam, select, text

from domain.errors import Refused
from store.clock import Clock
from store.database import Database
from store.tables import Instant, LongId, agency_column, metadata

journal_periods = Table(
    "journal_periods",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    Column("closed_until", Date, nullable=True),
    Column("by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "agency", "id"),
)

_CLOSED_UNTIL = (
    select(journal_periods.c.closed_until)
    .where(journal_periods.c.agency == bindparam("of_agency"))
    .order_by(journal_periods.c.id.desc())
    .limit(1)
)


def closed_until(connection: Connection, agency: str) -> date | None:
    """The last closed day, None when every day is open."""
    return connection.scalar(_CLOSED_UNTIL, {"of_agency": agency})


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """A closing or re-opening; `closed_until` None: every day is open again."""

    closed_until: date | None
    by: str
    reason: str
    at: datetime


class Periods:
    """Closes and re-opens the books of an agency."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def closed_until(self, agency: str) -> date | None:
        """The last closed day, None when every day is open."""
        with self._database.read() as connection:
            return closed_until(connection, agency)

    def close(self, agency: str, until: date, *, by: str, reason: str = "") -> None:
        """Close every day up to and including `until`. Raises `Refused` when they are closed already."""
        with self._database.begin() as connection:
            self._keep_entries_out(connection)
            closed = closed_until(connection, agency)
            if closed is not None and until <= closed:
                raise Refused(f"the books of {agency} are closed until {closed} already", system="journal")
            self._change(connection, agency, until, by, reason)

    def reopen(self, agency: str, until: date | None, *, by: str, reason: str) -> None:
        """Take a closing back to `until`, None for every day. Raises `Refused` when that day is open already."""
        with self._database.begin() as connection:
            closed = closed_until(connection, agency)
            if closed is None:
                raise Refused(f"the books of {agency} are not closed", system="journal")
            if until is not None and until >= closed:
                raise Refused(f"the books of {agency} are closed until {closed}, nothing to re-open", system="journal")
            self._change(connection, agency, until, by, reason)

    def history(self, agency: str) -> list[PeriodChange]:
        """Every closing and re-opening, the oldest first."""
        query = select(journal_periods).where(journal_periods.c.agency == agency).order_by(journal_periods.c.id)
        with self._database.read() as connection:
            return [PeriodChange(row.closed_until, row.by, row.reason, row.at) for row in connection.execute(query)]

    def _change(self, connection: Connection, agency: str, until: date | None, by: str, reason: str) -> None:
        connection.execute(
            journal_periods.insert().values(agency=agency, closed_until=until, by=by, reason=reason, at=self._clock())
        )

    def _keep_entries_out(self, connection: Connection) -> None:
        """Wait for entries that are being written and let no other begin; SQLite has one writer anyway."""
        if self._database.dialect == "postgresql":
            connection.execute(text("LOCK TABLE journal_entries IN SHARE MODE"))
