"""Orders about payment plans, kept with who gave them and why (contracts: money-rules P10, 1.6.3)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, Text, select

from domain.money import Money
from domain.plan_orders import PlanOrder, Standing, standing
from domain.platform import PaymentPlan
from store.clock import Clock
from store.database import Database
from store.tables import Instant, LongId, agency_column, id_column, insert_once, metadata, money_columns

plan_orders = Table(
    "plan_orders",
    metadata,
    Column("number", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    id_column("plan_id"),
    Column("order_id", String(300), nullable=False),
    id_column("booking_id"),
    id_column("instalment_id", nullable=True),
    Column("order", String(20), nullable=False),
    *money_columns(nullable=True),
    Column("given_by", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("given_at", Instant, nullable=False),
    Index(None, "agency", "plan_id", "order_id", unique=True),
)


class PlanOrders:
    """Append-only; the same order told twice is kept once."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def give(self, agency: str, plan_id: str, order_id: str, booking_id: str, order: PlanOrder) -> None:
        """Write an order down under its id, at the time of this store."""
        values = {
            "agency": agency,
            "plan_id": plan_id,
            "order_id": order_id,
            "booking_id": booking_id,
            "instalment_id": order.instalment_id,
            "order": order.order,
            "amount": order.amount.amount if order.amount else None,
            "currency": order.amount.currency if order.amount else None,
            "given_by": order.by,
            "why": order.why,
            "given_at": self._clock(),
        }
        with self._database.begin() as connection:
            connection.execute(insert_once(connection.dialect.name, plan_orders), values)

    def of(self, agency: str, plan_id: str) -> list[PlanOrder]:
        """Oldest first."""
        query = (
            select(plan_orders)
            .where(plan_orders.c.agency == agency, plan_orders.c.plan_id == plan_id)
            .order_by(plan_orders.c.number)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [order_in(row) for row in rows]

    def standing(self, agency: str, plan: PaymentPlan) -> Standing:
        """How a plan stands after its orders."""
        return standing(self.of(agency, plan.id), plan.mandate.signed_at if plan.mandate else None)


def order_in(row: Row[Any]) -> PlanOrder:
    """The order of a row."""
    return PlanOrder(
        order=row.order,
        by=row.given_by,
        why=row.why,
        instalment_id=row.instalment_id,
        amount=None if row.amount is None else Money(amount=row.amount, currency=row.currency),
        at=row.given_at,
    )
