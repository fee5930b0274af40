"""Plans with all that says what they still want, a page at a time: as many statements for a page as for one plan
(contracts: money-rules 1.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, select

from domain.allocation import open_amounts
from domain.collecting import taken_back
from domain.duplicates import CREDITED, HELD, Duplicates
from domain.money import Money
from domain.plan_orders import PlanOrder, Standing, standing
from domain.platform import Chargeback, Payment, PaymentPlan, Refund
from store.database import Database
from store.facts import bookings, chargeback_stages, payment_plans, payments, refund_failures, refunds
from store.payment_sync import payment_syncs
from store.plan_orders import order_in, plan_orders


@dataclass(slots=True)
class PlanAtHand:
    """The newest plan of a booking, the money that came for it, and what people ordered, oldest first."""

    plan: PaymentPlan
    cancelled: bool
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    chargebacks: list[Chargeback] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    credited: set[str] = field(default_factory=set)
    orders: list[PlanOrder] = field(default_factory=list)

    @property
    def open(self) -> dict[str, Money]:
        """What is wanted of each instalment; nothing of a booking that was cancelled."""
        if self.cancelled:
            return {}
        duplicates = Duplicates(held=frozenset(self.held), credited=frozenset(self.credited))
        return open_amounts(self.plan, self.payments, self.refunds, taken_back(self.chargebacks), duplicates)

    @property
    def standing(self) -> Standing:
        return standing(self.orders, self.plan.mandate.signed_at if self.plan.mandate else None)


class PlanPages:
    """Reads; a page is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, agency: str, after: str, limit: int) -> list[PlanAtHand]:
        """By booking, behind that one; empty begins."""
        told = payment_plans.c
        query = select(told.booking_id).where(told.agency == agency, told.booking_id > after)
        with self._database.read() as connection:
            own = connection.scalars(query.distinct().order_by(told.booking_id).limit(limit)).all()
            return _at_hand(connection, agency, own)

    def of(self, agency: str, booking_id: str) -> PlanAtHand | None:
        with self._database.read() as connection:
            return next(iter(_at_hand(connection, agency, [booking_id])), None)


def _at_hand(connection: Connection, agency: str, own: Sequence[str]) -> list[PlanAtHand]:
    if not own:
        return []
    told = payment_plans.c
    newest: Select[Any] = (
        select(told.booking_id, told.body, bookings.c.status)
        .outerjoin(bookings, (bookings.c.agency == told.agency) & (bookings.c.id == told.booking_id))
        .where(told.agency == agency, told.booking_id.in_(own))
        .order_by(told.booking_id, told.updated_at, told.revision)
    )
    found: dict[str, PlanAtHand] = {}
    for row in connection.execute(newest):
        found[row.booking_id] = PlanAtHand(PaymentPlan.model_validate_json(row.body), row.status == "cancelled")
    for row in _of(connection, payments, agency, own, payments.c.captured_at, payments.c.id):
        found[row.booking_id].payments.append(Payment.model_validate_json(row.body))
    failed = exists().where(refund_failures.c.agency == refunds.c.agency, refund_failures.c.id == refunds.c.id)
    for row in _of(connection, refunds, agency, own, refunds.c.updated_at, refunds.c.id, where=~failed):
        found[row.booking_id].refunds.append(Refund.model_validate_json(row.body))
    stages = chargeback_stages.c
    for row in _of(connection, chargeback_stages, agency, own, stages.chargeback_id, stages.revision):
        found[row.booking_id].chargebacks.append(Chargeback.model_validate_json(row.body))
    syncs = payment_syncs.c
    doubled: Select[Any] = select(syncs.booking_id, syncs.payment_id, syncs.state).where(
        syncs.agency == agency, syncs.booking_id.in_(own), syncs.state.in_([state.value for state in HELD | CREDITED])
    )
    for row in connection.execute(doubled):
        (found[row.booking_id].held if row.state in HELD else found[row.booking_id].credited).add(row.payment_id)
    ordered: Select[Any] = select(plan_orders).where(
        plan_orders.c.agency == agency, plan_orders.c.plan_id.in_([each.plan.id for each in found.values()])
    )
    orders: defaultdict[str, list[PlanOrder]] = defaultdict(list)
    for row in connection.execute(ordered.order_by(plan_orders.c.number)):
        orders[row.plan_id].append(order_in(row))
    for each in found.values():
        each.orders = orders[each.plan.id]
    return list(found.values())


def _of(
    connection: Connection, table: Any, agency: str, own: Sequence[str], *order: Any, where: Any = None
) -> Sequence[Row[Any]]:
    """Facts of these bookings, in the order given."""
    query = select(table.c.booking_id, table.c.body).where(table.c.agency == agency, table.c.booking_id.in_(own))
    if where is not None:
        query = query.where(where)
    return connection.execute(query.order_by(*order)).all()
