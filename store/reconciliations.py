"""Reports of the nightly reconciliation of a connector: what both sides say of each day (contracts: payment-sync 7)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, Index, Integer, String, Table, Text, select

from domain.money import Money
from store.clock import Clock
from store.database import Database
from store.tables import Instant, agency_column, id_column, metadata, upsert

reconciliations = Table(
    "reconciliations",
    metadata,
    id_column("id", primary_key=True),
    agency_column(),
    id_column("connector"),
    Column("first_day", String(10), nullable=False),
    Column("last_day", String(10), nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=True),
    Column("differing", Integer, nullable=False),
    Column("report", Text, nullable=False),
    Index(None, "agency", "connector", "begun_at"),
)
"""One row per run; `report` is the whole of `Reconciliation` as JSON."""

BOUNDARY = (
    "days are UTC days, midnight to midnight; a payment counts on the day of its capture, and so does its receipt"
)


class Pair(BaseModel):
    """One payment beside its receipt, or one of the two alone."""

    model_config = ConfigDict(frozen=True)

    verdict: Literal["agrees", "waits", "no_receipt", "reversed", "amount", "split", "no_payment", "twice"]
    day: date
    payment_id: str = ""
    booking_id: str = ""
    receipt_id: str = ""
    paid: Money | None = None
    received: Money | None = None
    state: str = ""
    words: str = ""


class Reconciliation(BaseModel):
    """Both sides of a connector over a window of UTC days. `unread` says what could not be read, and why."""

    model_config = ConfigDict(frozen=True)

    id: str
    agency: str
    connector: str
    first: date
    last: date
    boundary: str = BOUNDARY
    begun_at: datetime
    ended_at: datetime | None = None
    pairs: tuple[Pair, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def differing(self) -> int:
        return sum(each.verdict not in ("agrees", "waits") for each in self.pairs)


class Reconciliations:
    """Each method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, report_id: str, agency: str, connector: str, first: date, last: date) -> Reconciliation:
        """The report under this id, as far as it has come."""
        found = self.get(report_id)
        if found is not None:
            return found
        report = Reconciliation(
            id=report_id, agency=agency, connector=connector, first=first, last=last, begun_at=self._clock()
        )
        self._keep(report)
        return report

    def add(self, report: Reconciliation, pairs: list[Pair], unread: list[str], *, ended: bool) -> Reconciliation:
        """One more page; a page that comes twice replaces itself."""
        known = {(each.payment_id, each.receipt_id): each for each in report.pairs}
        known |= {(each.payment_id, each.receipt_id): each for each in pairs}
        after = report.model_copy(
            update={
                "pairs": tuple(known.values()),
                "unread": tuple(dict.fromkeys((*report.unread, *unread))),
                "ended_at": self._clock() if ended else None,
            }
        )
        self._keep(after)
        return after

    def get(self, report_id: str) -> Reconciliation | None:
        with self._database.read() as connection:
            text = connection.scalar(select(reconciliations.c.report).where(reconciliations.c.id == report_id))
        return None if text is None else Reconciliation.model_validate_json(text)

    def list(self, agency: str | None = None, connector: str | None = None, limit: int = 60) -> list[Reconciliation]:
        """The newest first."""
        query = select(reconciliations.c.report).order_by(reconciliations.c.begun_at.desc()).limit(limit)
        if agency is not None:
            query = query.where(reconciliations.c.agency == agency)
        if connector is not None:
            query = query.where(reconciliations.c.connector == connector)
        with self._database.read() as connection:
            return [Reconciliation.model_validate_json(text) for text in connection.scalars(query)]

    def _keep(self, report: Reconciliation) -> None:
        values = {
            "id": report.id,
            "agency": report.agency,
            "connector": report.connector,
            "first_day": report.first.isoformat(),
            "last_day": report.last.isoformat(),
            "begun_at": report.begun_at,
            "ended_at": report.ended_at,
            "differing": report.differing,
            "report": report.model_dump_json(),
        }
        with self._database.begin() as connection:
            statement = upsert(connection, reconciliations).values(values)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["id"],
                    set_={name: statement.excluded[name] for name in ("ended_at", "differing", "report")},
                )
            )
