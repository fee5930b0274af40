"""What waits for people, added up: how much, of what, how late, with how much money at stake (contracts: money-rules P10)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from domain.money import Money
from domain.payment_sync import UNSYNCHRONISED
from store.database import Database
from store.events import outbox
from store.parked import OPEN, parked_items
from store.payment_sync import payment_syncs
from store.tables import Instant


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open items of one reason and owner. `amount` is what is at stake in one currency, None where no money is named."""

    reason: str
    owner: str
    number: int
    late: int
    nearest: datetime
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Undispatched:
    """Events that Temporal has not been told of."""

    number: int
    oldest: datetime | None


class Attention:
    """Sums for the first page; each is one statement, however much waits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def items(self, agencies: Collection[str], now: datetime) -> list[Waiting]:
        """Open items by reason, owner and currency; the nearest deadline first."""
        table = parked_items.c
        nearest = func.min(table.deadline, type_=Instant())
        query = (
            select(
                table.reason,
                table.owner,
                table.currency,
                func.count().label("number"),
                func.sum(case((table.deadline < now, 1), else_=0)).label("late"),
                nearest.label("nearest"),
                func.sum(table.amount).label("amount"),
            )
            .where(table.state == OPEN, table.agency.in_(agencies))
            .group_by(table.reason, table.owner, table.currency)
            .order_by(nearest)
        )
        with self._database.read() as connection:
            return [
                Waiting(
                    row.reason,
                    row.owner,
                    row.number,
                    int(row.late),
                    row.nearest,
                    Money(amount=int(row.amount), currency=row.currency) if row.currency else None,
                )
                for row in connection.execute(query)
            ]

    def reasons(self, agencies: Collection[str]) -> list[str]:
        """Every reason that ever stopped something there."""
        query = select(parked_items.c.reason).where(parked_items.c.agency.in_(agencies)).distinct()
        with self._database.read() as connection:
            return sorted(connection.scalars(query))

    def unsynchronised(self, agencies: Collection[str]) -> list[tuple[int, Money]]:
        """Payments that are paid and not in the ERP: how many, and how much, by currency."""
        table = payment_syncs.c
        query = (
            select(table.currency, func.count().label("number"), func.sum(table.amount).label("amount"))
            .where(table.agency.in_(agencies), table.state.in_([state.value for state in UNSYNCHRONISED]))
            .group_by(table.currency)
            .order_by(table.currency)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [(row.number, Money(amount=int(row.amount), currency=row.currency)) for row in rows]

    def undispatched(self, agencies: Collection[str]) -> Undispatched:
        """What the outbox holds back."""
        oldest = func.min(outbox.c.created_at, type_=Instant())
        query = select(func.count().label("number"), oldest.label("oldest")).where(
            outbox.c.dispatched_at.is_(None), outbox.c.agency.in_(agencies)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one()
        return Undispatched(row.number, row.oldest)
