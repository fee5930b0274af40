"""Instalments by the day they fall due (contracts: money-rules 1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Date, String, func, literal, select, tuple_

from domain.money import Money
from domain.plan_orders import PlanOrder, Standing, standing
from domain.platform import PaymentPlan
from store.database import Database
from store.facts import bookings, payment_plans, plan_instalments
from store.plan_orders import order_in, plan_orders

InstalmentPlace = tuple[date, str, str]


@dataclass(frozen=True, slots=True)
class DueDay:
    """What falls due on a day: instalments of one status in one currency."""

    day: date
    status: str
    instalments: int
    amount: Money


@dataclass(frozen=True, slots=True)
class DueInstalment:
    """An instalment as the platform told it, with whose it is; `held` is the order that forbids to collect it."""

    booking_id: str
    locator: str
    plan_id: str
    instalment_id: str
    seq: int
    due_on: date
    status: str
    amount: Money
    held: PlanOrder | None

    @property
    def place(self) -> InstalmentPlace:
        return self.due_on, self.booking_id, self.instalment_id


class PlanCalendar:
    """Reads; days are both inclusive."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def days(self, agency: str, since: date, until: date) -> list[DueDay]:
        """Added up by day and status, in one statement."""
        own = plan_instalments.c
        query = (
            select(
                own.due_on, own.status, own.currency, func.count().label("number"), func.sum(own.amount).label("sum")
            )
            .where(own.agency == agency, own.due_on >= since, own.due_on <= until)
            .group_by(own.due_on, own.status, own.currency)
            .order_by(own.due_on, own.status, own.currency)
        )
        with self._database.read() as connection:
            return [
                DueDay(row.due_on, row.status, row.number, Money(amount=int(row.sum), currency=row.currency))
                for row in connection.execute(query)
            ]

    def instalments(
        self,
        agency: str,
        since: date,
        until: date,
        *,
        status: str | None = None,
        after: InstalmentPlace | None = None,
        limit: int = 50,
    ) -> list[DueInstalment]:
        """By day, with what people ordered about their plans; three statements, however many there are."""
        own = plan_instalments.c
        query = (
            select(plan_instalments, bookings.c.locator)
            .outerjoin(bookings, (bookings.c.agency == own.agency) & (bookings.c.id == own.booking_id))
            .where(own.agency == agency, own.due_on >= since, own.due_on <= until)
            .order_by(own.due_on, own.booking_id, own.id)
            .limit(limit)
        )
        if status is not None:
            query = query.where(own.status == status)
        if after is not None:
            place = tuple_(literal(after[0], Date), literal(after[1], String), literal(after[2], String))
            query = query.where(tuple_(own.due_on, own.booking_id, own.id) > place)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        stands = self.standings(agency, {row.plan_id for row in rows})
        return [
            DueInstalment(
                booking_id=row.booking_id,
                locator=row.locator or "",
                plan_id=row.plan_id,
                instalment_id=row.id,
                seq=row.seq,
                due_on=row.due_on,
                status=row.status,
                amount=Money(amount=row.amount, currency=row.currency),
                held=stands.get(row.plan_id, Standing()).holds(row.id),
            )
            for row in rows
        ]

    def standings(self, agency: str, plan_ids: set[str]) -> dict[str, Standing]:
        """How those of the plans stand about which something was ordered."""
        if not plan_ids:
            return {}
        ordered, plans = plan_orders.c, payment_plans.c
        with self._database.read() as connection:
            orders: dict[str, list[PlanOrder]] = {}
            query = select(plan_orders).where(ordered.agency == agency, ordered.plan_id.in_(plan_ids))
            for row in connection.execute(query.order_by(ordered.number)):
                orders.setdefault(row.plan_id, []).append(order_in(row))
            bodies = select(plans.body).where(plans.agency == agency, plans.id.in_(orders))
            told = [PaymentPlan.model_validate_json(body) for body in connection.scalars(bodies)]
        signed = {plan.id: plan.mandate.signed_at for plan in told if plan.mandate}
        return {own: standing(found, signed.get(own)) for own, found in orders.items()}

    def paused(self, agency: str) -> dict[str, Standing]:
        """Plans that are paused, or hold an instalment, by their booking."""
        ordered = plan_orders.c
        query = select(ordered.plan_id, ordered.booking_id).where(ordered.agency == agency).distinct()
        with self._database.read() as connection:
            booking_of = {row.plan_id: row.booking_id for row in connection.execute(query)}
        stands = self.standings(agency, set(booking_of))
        return {booking_of[own]: each for own, each in stands.items() if each.paused or each.held}
