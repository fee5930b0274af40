"""Suppliers' orders as they were last seen, whose they are, and what became of every change (contracts: midoffice 2.7, 3.3).

An order is the same while its content hash is the same; a change raises its revision, and stays pending until it was
handed over. So nothing is missed and nothing handed over twice, however often and in whatever order pages come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    update,
)

from domain.money import Money
from domain.platform import Booking
from domain.privacy import ERASED
from domain.supplier import SupplierOrder, with_confirmed
from store.clock import Clock
from store.database import Database
from store.forgetting import without_guests
from store.tables import Instant, agency_column, id_column, insert_for, insert_once, metadata

supplier_orders = Table(
    "supplier_orders",
    metadata,
    agency_column(primary_key=True),
    id_column("supplier", primary_key=True),
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("partner_order_id", String(256), nullable=False),
    Column("status", String(20), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("handled_revision", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    id_column("booking_id", nullable=True),
    Column("confirmed_amount", BigInteger),
    Column("confirmed_currency", String(3)),
    Column("body", Text, nullable=False),
    Column("modified_at", Instant, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "agency", "supplier", "partner_order_id"),
    Index(None, "agency", "booking_id"),
    Index(None, "agency", "modified_at", "order_id"),
)
Index(
    "ix_supplier_orders_pending",
    supplier_orders.c.agency,
    supplier_orders.c.supplier,
    supplier_orders.c.first_seen_at,
    sqlite_where=supplier_orders.c.revision > supplier_orders.c.handled_revision,
    postgresql_where=supplier_orders.c.revision > supplier_orders.c.handled_revision,
)

supplier_links = Table(
    "supplier_links",
    metadata,
    agency_column(primary_key=True),
    id_column("supplier", primary_key=True),
    Column("partner_order_id", String(256), primary_key=True),
    id_column("booking_id"),
    Column("position", Integer, nullable=False),
    Index(None, "agency", "booking_id"),
)
"""Which booking an order belongs to, as the platform's snapshots tell."""

OrderFate = Literal["new", "booking", "own", "transferred", "listed"]
KEY = ("agency", "supplier", "order_id")


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order and what became of it. `confirmed` is the cost that the books may take over."""

    agency: str
    supplier: str
    order: SupplierOrder
    revision: int
    handled_revision: int
    state: OrderFate
    reason: str
    booking_id: str | None
    confirmed: Money | None
    first_seen_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """A changed order that was not handed over yet; `booking_id` as the platform tells, None while nobody claims it."""

    order: SupplierOrder
    revision: int
    booking_id: str | None
    first_seen_at: datetime
    state: OrderFate


_HASHES = select(supplier_orders.c.order_id, supplier_orders.c.content_hash, supplier_orders.c.modified_at).where(
    supplier_orders.c.agency == bindparam("of_agency"),
    supplier_orders.c.supplier == bindparam("of_supplier"),
    supplier_orders.c.order_id.in_(bindparam("ids", expanding=True)),
)
"""Built once: every page goes through it."""


class SupplierOrders:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def record(self, agency: str, supplier: str, orders: Sequence[SupplierOrder]) -> int:
        """Keep what changed, and answer how many did; a page on which nothing changed is read and never written.

        A version older than the one that is known is left out.
        """
        hashes = {order.order_id: order.content_hash for order in orders}
        question = {"of_agency": agency, "of_supplier": supplier, "ids": list(hashes)}
        with self._database.read() as connection:
            known = {row.order_id: row for row in connection.execute(_HASHES, question)}
        changed = [order for order in orders if _is_news(order, hashes[order.order_id], known.get(order.order_id))]
        if not changed:
            return 0
        moment = self._clock()
        with self._database.begin() as connection:
            rows = [
                self._row(
                    agency, supplier, self._kept(connection, agency, supplier, order), hashes[order.order_id], moment
                )
                for order in changed
            ]
            return sum(connection.execute(_newer(connection.dialect.name), row).rowcount for row in rows)

    def pending(self, agency: str, supplier: str, limit: int = 100, after: int = 0) -> list[Pending]:
        """Changed orders above the number `after`, with the booking that claims each by now."""
        query = (
            select(supplier_orders, supplier_links.c.booking_id.label("claimed_by"))
            .outerjoin(
                supplier_links,
                (supplier_links.c.agency == supplier_orders.c.agency)
                & (supplier_links.c.supplier == supplier_orders.c.supplier)
                & (supplier_links.c.partner_order_id == supplier_orders.c.partner_order_id),
            )
            .where(_of(agency, supplier))
            .where(supplier_orders.c.revision > supplier_orders.c.handled_revision)
            .where(supplier_orders.c.order_id > after)
            .order_by(supplier_orders.c.order_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [
                Pending(
                    SupplierOrder.model_validate_json(row.body),
                    row.revision,
                    row.booking_id or row.claimed_by,
                    row.first_seen_at,
                    row.state,
                )
                for row in connection.execute(query)
            ]

    def handled(
        self,
        agency: str,
        supplier: str,
        order_id: int,
        revision: int,
        state: OrderFate,
        *,
        booking_id: str | None = None,
        reason: str = "",
    ) -> None:
        """This version was handed over; a later one stays pending."""
        values: dict[str, Any] = {"state": state, "reason": reason, "updated_at": self._clock()}
        if booking_id is not None:
            values["booking_id"] = booking_id
        with self._database.begin() as connection:
            connection.execute(
                update(supplier_orders)
                .where(_of(agency, supplier), supplier_orders.c.order_id == order_id)
                .values(handled_revision=func.max(supplier_orders.c.handled_revision, revision)
                        if connection.dialect.name == "sqlite"
                        else func.greatest(supplier_orders.c.handled_revision, revision), **values)
            )  # fmt: skip

    def fate(self, agency: str, supplier: str, order_id: int, state: OrderFate, reason: str = "") -> None:
        """What became of an order that no booking claims."""
        with self._database.begin() as connection:
            connection.execute(
                update(supplier_orders)
                .where(_of(agency, supplier), supplier_orders.c.order_id == order_id)
                .values(state=state, reason=reason, updated_at=self._clock())
            )

    def confirm(self, agency: str, supplier: str, order_id: int, amount: Money, *, booking_id: str) -> None:
        """The books of this booking may take this cost over, also while its order is still being handed over."""
        with self._database.begin() as connection:
            connection.execute(
                update(supplier_orders)
                .where(_of(agency, supplier), supplier_orders.c.order_id == order_id)
                .values(
                    confirmed_amount=amount.amount,
                    confirmed_currency=amount.currency,
                    booking_id=booking_id,
                    updated_at=self._clock(),
                )
            )

    def confirmed(self, agency: str, booking_id: str) -> dict[str, Money]:
        """The confirmed costs of a booking's orders, by our ids of the orders."""
        query = select(
            supplier_orders.c.partner_order_id,
            supplier_orders.c.confirmed_amount,
            supplier_orders.c.confirmed_currency,
        ).where(
            supplier_orders.c.agency == agency,
            supplier_orders.c.booking_id == booking_id,
            supplier_orders.c.confirmed_amount.is_not(None),
        )
        with self._database.read() as connection:
            return {row[0]: Money(amount=row[1], currency=row[2]) for row in connection.execute(query)}

    def confirmed_in(self, agency: str, booking: Booking) -> Booking:
        """The booking with its confirmed costs; as it is where there are none."""
        confirmed = self.confirmed(agency, booking.id) if booking.external_orders else {}
        return with_confirmed(booking, confirmed) if confirmed else booking

    def get(self, agency: str, supplier: str, order_id: int) -> KnownOrder | None:
        return self._one(agency, supplier, supplier_orders.c.order_id == order_id)

    def called(self, agency: str, supplier: str, partner_order_id: str) -> KnownOrder | None:
        """By our id of it; of several, the newest."""
        return self._one(agency, supplier, supplier_orders.c.partner_order_id == partner_order_id)

    def links_of(self, agency: str, supplier: str, booking_id: str) -> list[str]:
        """Our ids of all orders that the platform ever named with this booking, oldest first."""
        query = (
            select(supplier_links.c.partner_order_id)
            .where(supplier_links.c.agency == agency, supplier_links.c.supplier == supplier)
            .where(supplier_links.c.booking_id == booking_id)
            .order_by(supplier_links.c.position, supplier_links.c.partner_order_id)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def list(
        self,
        agency: str | None = None,
        supplier: str | None = None,
        *,
        state: OrderFate | None = None,
        limit: int = 500,
    ) -> list[KnownOrder]:
        """Orders, the newest change first; what is None does not matter."""
        query = select(supplier_orders).order_by(supplier_orders.c.modified_at.desc(), supplier_orders.c.order_id)
        for column, value in (("agency", agency), ("supplier", supplier), ("state", state)):
            if value is not None:
                query = query.where(supplier_orders.c[column] == value)
        with self._database.read() as connection:
            return [_known(row) for row in connection.execute(query.limit(limit))]

    def page(
        self,
        agency: str,
        *,
        state: str | None = None,
        after: tuple[datetime, int] | None = None,
        limit: int = 50,
    ) -> Sequence[KnownOrder]:
        """Orders of every supplier, the newest change first, behind the change and order number `after`."""
        own = supplier_orders.c
        query = select(supplier_orders).where(own.agency == agency)
        if state is not None:
            query = query.where(own.state == state)
        if after is not None:
            query = query.where(tuple_(own.modified_at, own.order_id) < tuple_(literal(after[0], Instant), after[1]))
        query = query.order_by(own.modified_at.desc(), own.order_id.desc()).limit(limit)
        with self._database.read() as connection:
            return [_known(row) for row in connection.execute(query)]

    def counts(self, agency: str, supplier: str) -> dict[str, int]:
        """How many orders there are by fate, and `pending` for changes that were not handed over."""
        by_state = (
            select(supplier_orders.c.state, func.count()).where(_of(agency, supplier)).group_by(supplier_orders.c.state)
        )
        pending = select(func.count()).where(
            _of(agency, supplier), supplier_orders.c.revision > supplier_orders.c.handled_revision
        )
        with self._database.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(by_state)}
            return found | {"pending": connection.scalar(pending) or 0}

    def unhandled(self, agency: str, supplier: str) -> int:
        """How many orders have a change that was not handed over."""
        query = select(func.count()).where(
            _of(agency, supplier), supplier_orders.c.revision > supplier_orders.c.handled_revision
        )
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def to_hand_over(self) -> int:
        """Changes of all agencies that were not handed over, of orders that a booking claims."""
        claimed = (
            supplier_orders.c.booking_id.is_not(None)
            | select(supplier_links.c.booking_id)
            .where(
                supplier_links.c.agency == supplier_orders.c.agency,
                supplier_links.c.supplier == supplier_orders.c.supplier,
                supplier_links.c.partner_order_id == supplier_orders.c.partner_order_id,
            )
            .exists()
        )
        query = select(func.count()).where(supplier_orders.c.revision > supplier_orders.c.handled_revision, claimed)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    @staticmethod
    def _kept(connection: Connection, agency: str, supplier: str, order: SupplierOrder) -> SupplierOrder:
        """The order without its guests, if a guest of it was erased before."""
        query = select(supplier_orders.c.body).where(
            _of(agency, supplier), supplier_orders.c.order_id == order.order_id
        )
        held = connection.scalar(query)
        return without_guests(order) if held is not None and ERASED in held else order

    def _one(self, agency: str, supplier: str, condition: Any) -> KnownOrder | None:
        query = select(supplier_orders).where(_of(agency, supplier), condition)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(supplier_orders.c.order_id.desc()).limit(1)).one_or_none()
        return None if row is None else _known(row)

    def _row(
        self, agency: str, supplier: str, order: SupplierOrder, content_hash: str, moment: datetime
    ) -> dict[str, Any]:
        return {
            "agency": agency,
            "supplier": supplier,
            "order_id": order.order_id,
            "partner_order_id": order.partner_order_id,
            "status": order.status,
            "content_hash": content_hash,
            "revision": 1,
            "handled_revision": 0,
            "state": "new",
            "reason": "",
            "booking_id": None,
            "confirmed_amount": None,
            "confirmed_currency": None,
            "body": order.model_dump_json(),
            "modified_at": order.modified_at,
            "first_seen_at": moment,
            "updated_at": moment,
        }


def link(connection: Connection, agency: str, booking: Booking) -> None:
    """Remember which orders a snapshot names, in the transaction that takes the snapshot in.

    An order that was treated as nobody's until now is handed over once more, to its booking.
    """
    for position, order in enumerate(booking.external_orders):
        row = {
            "agency": agency,
            "supplier": order.system,
            "partner_order_id": order.partner_order_ref,
            "booking_id": booking.id,
            "position": position,
        }
        if connection.execute(insert_once(connection.dialect.name, supplier_links), row).rowcount == 1:
            connection.execute(
                update(supplier_orders)
                .where(
                    _of(agency, order.system),
                    supplier_orders.c.partner_order_id == order.partner_order_ref,
                    supplier_orders.c.booking_id.is_(None),
                )
                .values(booking_id=booking.id, handled_revision=0)
            )


def _is_news(order: SupplierOrder, content_hash: str, known: Any) -> bool:
    return known is None or (known.content_hash != content_hash and order.modified_at >= known.modified_at)


@cache
def _newer(dialect: str) -> Any:
    """Insert, or replace an older version with another content; two readers of one page then count once.

    Built once, because building costs more than running.
    """
    statement = insert_for(dialect, supplier_orders)
    taken = ("partner_order_id", "status", "content_hash", "body", "modified_at", "updated_at")
    return statement.on_conflict_do_update(
        index_elements=KEY,
        set_={
            **{name: statement.excluded[name] for name in taken},
            "revision": supplier_orders.c.revision + 1,
        },
        where=(supplier_orders.c.content_hash != statement.excluded.content_hash)
        & (supplier_orders.c.modified_at <= statement.excluded.modified_at),
    )


def _of(agency: str, supplier: str) -> Any:
    return (supplier_orders.c.agency == agency) & (supplier_orders.c.supplier == supplier)


def _known(row: Row[Any]) -> KnownOrder:
    amount, currency = row.confirmed_amount, row.confirmed_currency
    return KnownOrder(
        agency=row.agency,
        supplier=row.supplier,
        order=SupplierOrder.model_validate_json(row.body),
        revision=row.revision,
        handled_revision=row.handled_revision,
        state=row.state,
        reason=row.reason,
        booking_id=row.booking_id,
        confirmed=None if amount is None else Money(amount=amount, currency=currency),
        first_seen_at=row.first_seen_at,
        updated_at=row.updated_at,
    )
