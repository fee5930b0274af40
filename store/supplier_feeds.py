"""How far each supplier was read, and the nudges that asked to read on (contracts: midoffice 2.7, 2.9)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Index, Integer, String, Table, Text, delete, func, select, update

from store.clock import Clock
from store.database import Database
from store.tables import Instant, agency_column, id_column, metadata, upsert

supplier_feeds = Table(
    "supplier_feeds",
    metadata,
    agency_column(primary_key=True),
    id_column("supplier", primary_key=True),
    Column("watermark", Instant),
    Column("swept_at", Instant),
    Column("sweeps", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
)

supplier_nudges = Table(
    "supplier_nudges",
    metadata,
    agency_column(primary_key=True),
    id_column("supplier", primary_key=True),
    Column("token", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("partner_order_id", String(256), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("outcome", Text, nullable=False),
)
Index(
    "ix_supplier_nudges_open",
    supplier_nudges.c.agency,
    supplier_nudges.c.supplier,
    supplier_nudges.c.due_at,
    sqlite_where=supplier_nudges.c.done_at.is_(None),
    postgresql_where=supplier_nudges.c.done_at.is_(None),
)

LOOK_AGAIN = (2, 5, 15, 60, 300)
"""Seconds until an order that does not show is looked for again; after the last it is missing (midoffice 2.7)."""
REMEMBERED = timedelta(days=9)
"""How long a token is kept, a little longer than a repeat may come (midoffice 2.9)."""


@dataclass(frozen=True, slots=True)
class Feed:
    """`watermark` is the newest change that a whole sweep has seen; the counts are those of all sweeps."""

    agency: str
    supplier: str
    watermark: datetime | None
    swept_at: datetime | None
    sweeps: int
    pages: int
    orders: int
    changed: int


class SupplierFeeds:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get(self, agency: str, supplier: str) -> Feed | None:
        query = select(supplier_feeds).where(supplier_feeds.c.agency == agency, supplier_feeds.c.supplier == supplier)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Feed(**row._mapping)

    def page_read(
        self, agency: str, supplier: str, *, orders: int, changed: int, swept_to: datetime | None, last: bool
    ) -> None:
        """Count a page; with the last one the sweep is over, and its newest change is where the next begins."""
        moment = self._clock()
        with self._database.begin() as connection:
            fresh = upsert(connection, supplier_feeds).values(
                agency=agency,
                supplier=supplier,
                watermark=swept_to if last else None,
                swept_at=moment if last else None,
                sweeps=int(last),
                pages=1,
                orders=orders,
                changed=changed,
            )
            kept = supplier_feeds.c
            added = {
                "pages": kept.pages + 1,
                "orders": kept.orders + orders,
                "changed": kept.changed + changed,
                "sweeps": kept.sweeps + int(last),
            }
            if last:
                added["swept_at"] = fresh.excluded.swept_at
            connection.execute(fresh.on_conflict_do_update(index_elements=["agency", "supplier"], set_=added))
            if last and swept_to is not None:
                connection.execute(
                    update(supplier_feeds)
                    .where(kept.agency == agency, kept.supplier == supplier)
                    .where((kept.watermark < swept_to) | kept.watermark.is_(None))
                    .values(watermark=swept_to)
                )

    def nudge(self, agency: str, supplier: str, token: str, kind: str, partner_order_id: str) -> bool:
        """Keep a nudge; False when this token was kept before. After return it is durable."""
        moment = self._clock()
        with self._database.begin() as connection:
            row = upsert(connection, supplier_nudges).values(
                agency=agency,
                supplier=supplier,
                token=token,
                kind=kind,
                partner_order_id=partner_order_id,
                received_at=moment,
                tries=0,
                due_at=moment,
                done_at=None,
                outcome="",
            )
            return connection.execute(row.on_conflict_do_nothing()).rowcount == 1

    def due_nudges(self, agency: str, supplier: str, limit: int) -> list[str]:
        """Our ids of the orders that are to be read now, each once."""
        query = (
            select(supplier_nudges.c.partner_order_id)
            .where(_open(agency, supplier), supplier_nudges.c.due_at <= self._clock())
            .group_by(supplier_nudges.c.partner_order_id)
            .order_by(func.min(supplier_nudges.c.due_at), supplier_nudges.c.partner_order_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def next_nudge_at(self, agency: str, supplier: str) -> datetime | None:
        """When the next open nudge is due."""
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(
                select(supplier_nudges.c.due_at)
                .where(_open(agency, supplier))
                .order_by(supplier_nudges.c.due_at)
                .limit(1)
            )
        return found

    def nudged(
        self, agency: str, supplier: str, found: Collection[str], missing: Collection[str], *, before: datetime
    ) -> None:
        """Close the nudges of orders that were read; look for the others later, and at last call them missing.

        Nudges that came after `before`, when the reading began, stay open.
        """
        moment = self._clock()
        early = _open(agency, supplier) & (supplier_nudges.c.received_at <= before)
        with self._database.begin() as connection:
            connection.execute(
                update(supplier_nudges)
                .where(early, supplier_nudges.c.partner_order_id.in_(list(found)))
                .values(done_at=moment, outcome="read")
            )
            rows = connection.execute(
                select(supplier_nudges.c.token, supplier_nudges.c.tries).where(
                    early, supplier_nudges.c.partner_order_id.in_(list(missing))
                )
            ).all()
            for token, tries in rows:
                over = tries >= len(LOOK_AGAIN)
                later = {} if over else {"due_at": moment + timedelta(seconds=LOOK_AGAIN[tries])}
                ended = {"done_at": moment, "outcome": "the order does not exist"} if over else {}
                connection.execute(
                    update(supplier_nudges)
                    .where(_open(agency, supplier), supplier_nudges.c.token == token)
                    .values(tries=tries + 1, **later, **ended)
                )
            connection.execute(
                delete(supplier_nudges).where(
                    supplier_nudges.c.agency == agency,
                    supplier_nudges.c.supplier == supplier,
                    supplier_nudges.c.done_at < moment - REMEMBERED,
                )
            )

    def open_nudges(self) -> int:
        """How many nudges of all agencies were not read yet."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).where(supplier_nudges.c.done_at.is_(None))) or 0

    def counts(self, agency: str, supplier: str) -> dict[str, int]:
        """How many nudges are `open`, `read` and `missing`."""
        names = {"": "open", "read": "read"}
        query = (
            select(supplier_nudges.c.outcome, func.count().label("number"))
            .where(supplier_nudges.c.agency == agency, supplier_nudges.c.supplier == supplier)
            .group_by(supplier_nudges.c.outcome)
        )
        with self._database.read() as connection:
            rows = [(str(row.outcome), int(row.number)) for row in connection.execute(query)]
        return {"open": 0, "read": 0, "missing": 0} | {
            names.get(outcome, "missing"): number for outcome, number in rows
        }


def _open(agency: str, supplier: str) -> Any:
    nudges = supplier_nudges.c
    return (nudges.agency == agency) & (nudges.supplier == supplier) & nudges.done_at.is_(None)
