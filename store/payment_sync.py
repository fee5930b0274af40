"""Where every captured payment stands on its way into the ERP, and each move that led there (contracts: payment-sync 7, 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Index, Integer, Row, SmallInteger, String, Table, Text, select

from domain.duplicates import CREDITED, HELD, Duplicates
from domain.payment_steps import TransitionLog
from domain.payment_sync import UNSYNCHRONISED, PaymentSync, Transition, cause_of
from store.database import Database
from store.tables import Instant, LongId, agency_column, id_column, metadata, money_columns, upsert

payment_syncs = Table(
    "payment_syncs",
    metadata,
    agency_column(primary_key=True),
    id_column("payment_id", primary_key=True),
    id_column("booking_id"),
    id_column("experience_id"),
    id_column("connector"),
    Column("workflow_id", String(300), nullable=False),
    Column("state", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    *money_columns(),
    id_column("claimed_by", nullable=True),
    Column("captured_at", Instant, nullable=False),
    Column("since", Instant, nullable=False),
    Column("settled", SmallInteger, nullable=False),
    Column("cause", String(30), nullable=False),
    Column("sync", Text, nullable=False),
    Index(None, "agency", "settled", "captured_at", "payment_id"),
    Index(None, "agency", "captured_at", "payment_id"),
    Index(None, "agency", "state", "captured_at", "payment_id"),
    Index(None, "agency", "cause", "settled", "captured_at", "payment_id"),
    Index(None, "agency", "connector", "settled", "captured_at", "payment_id"),
    Index(None, "agency", "amount"),
    Index(None, "agency", "claimed_by"),
    Index(None, "agency", "booking_id"),
    Index(None, "connector", "state", "since"),
)
"""One row per payment; `sync` is the whole of `PaymentSync` as JSON, the columns are what lists filter and order by.

`settled` is 0 while a payment is paid and not synchronised, else 1; `cause` is one of `CAUSES`, or empty.
"""

payment_transitions = Table(
    "payment_transitions",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    id_column("payment_id"),
    Column("version", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("before", String(20), nullable=False),
    Column("after", String(20), nullable=False),
    Column("event", String(30), nullable=False),
    Column("row", Integer, nullable=False),
    Column("actor_type", String(20), nullable=False),
    id_column("actor"),
    Column("line", Text, nullable=False),
    Index(None, "agency", "payment_id", "version", unique=True),
)
"""Append-only; `line` is the whole `Transition` as JSON, with its evidence."""


@dataclass(frozen=True, slots=True)
class SyncedPayment:
    """A payment as it stands."""

    agency: str
    booking_id: str
    experience_id: str
    connector: str
    workflow_id: str
    sync: PaymentSync


class PaymentSyncs:
    """Every method is one transaction; a report that comes twice, or late, changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def moved(self, log: TransitionLog) -> None:
        """Append the lines, and put the payment where it stands after them unless it has moved on."""
        sync = log.sync
        values = {
            "agency": log.agency,
            "payment_id": sync.payment_id,
            "booking_id": log.booking_id,
            "experience_id": log.experience_id,
            "connector": log.connector,
            "workflow_id": log.lifecycle,
            "state": sync.state.value,
            "version": sync.version,
            "reason": sync.reason,
            "amount": sync.amount.amount,
            "currency": sync.amount.currency,
            "claimed_by": sync.claimed_by,
            "captured_at": sync.captured_at or sync.since,
            "since": sync.since,
            "settled": 0 if sync.state in UNSYNCHRONISED else 1,
            "cause": cause_of(sync),
            "sync": sync.model_dump_json(),
        }
        with self._database.begin() as connection:
            for line in log.lines:
                told = {
                    "agency": log.agency,
                    "payment_id": sync.payment_id,
                    "version": line.version,
                    "at": line.at,
                    "before": line.before.value,
                    "after": line.after.value,
                    "event": line.event.value,
                    "row": line.row,
                    "actor_type": line.actor_type.value,
                    "actor": line.actor,
                    "line": line.model_dump_json(),
                }
                connection.execute(upsert(connection, payment_transitions).values(told).on_conflict_do_nothing())
            statement = upsert(connection, payment_syncs).values(values)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["agency", "payment_id"],
                    set_={name: statement.excluded[name] for name in values if name not in ("agency", "payment_id")},
                    where=payment_syncs.c.version < statement.excluded.version,
                )
            )

    def get(self, agency: str, payment_id: str) -> SyncedPayment | None:
        query = select(payment_syncs).where(payment_syncs.c.agency == agency, payment_syncs.c.payment_id == payment_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else synced_payment(row)

    def duplicates_of(self, agency: str, booking_id: str) -> Duplicates:
        """The payments of a booking that were for what was settled already."""
        query = select(payment_syncs.c.payment_id, payment_syncs.c.state).where(
            payment_syncs.c.agency == agency,
            payment_syncs.c.booking_id == booking_id,
            payment_syncs.c.state.in_([state.value for state in HELD | CREDITED]),
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return Duplicates(
            held=frozenset(row.payment_id for row in rows if row.state in HELD),
            credited=frozenset(row.payment_id for row in rows if row.state in CREDITED),
        )

    def transitions(self, agency: str, payment_id: str) -> list[Transition]:
        """In the order they happened."""
        query = (
            select(payment_transitions.c.line)
            .where(payment_transitions.c.agency == agency, payment_transitions.c.payment_id == payment_id)
            .order_by(payment_transitions.c.version)
        )
        with self._database.read() as connection:
            return [Transition.model_validate_json(line) for line in connection.scalars(query)]


def synced_payment(row: Row[Any]) -> SyncedPayment:
    return SyncedPayment(
        agency=row.agency,
        booking_id=row.booking_id,
        experience_id=row.experience_id,
        connector=row.connector,
        workflow_id=row.workflow_id,
        sync=PaymentSync.model_validate_json(row.sync),
    )
