"""Money and documents per booking, added up by the database (contracts: money-rules M1, M3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Connection, Table, case, exists, func, select

from domain.mailbox import MONEY_STAGES
from domain.money import Money
from domain.reporting import Moved
from store.database import Database
from store.documents import documents
from store.facts import chargeback_stages, payments, refund_failures, refunds


class Sums:
    """Sums over all bookings of an agency: four queries, however many bookings there are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def moved(self, agency: str, system: str) -> dict[str, dict[str, Moved]]:
        """Booking → currency → what moved. Payments captured, refunds that stand, chargebacks; documents of `system`."""
        found: dict[str, dict[str, Moved]] = defaultdict(dict)
        with self._database.read() as connection:
            for name, booking_id, amount in _all(connection, agency, system):
                known = found[booking_id].get(amount.currency) or Moved.nothing(amount.currency)
                found[booking_id][amount.currency] = replace(known, **{name: amount})
        return dict(found)


def _all(connection: Connection, agency: str, system: str) -> Iterator[tuple[str, str, Money]]:
    stages = chargeback_stages.c
    failed = exists().where(refund_failures.c.agency == agency, refund_failures.c.id == refunds.c.id)
    signed = case((stages.stage == "won", -stages.amount), else_=stages.amount)
    for name, table, amount, where in (
        ("collected", payments, payments.c.amount, ()),
        ("refunded", refunds, refunds.c.amount, (~failed,)),
        ("disputed", chargeback_stages, signed, (stages.stage.in_(MONEY_STAGES),)),
        ("invoiced", documents, documents.c.amount, (documents.c.system == system,)),
    ):
        yield from ((name, *row) for row in _sums(connection, table, agency, amount, *where))


def _sums(
    connection: Connection, table: Table, agency: str, amount: Column[int] | Any, *where: Any
) -> Iterator[tuple[str, Money]]:
    columns = table.c
    query = select(columns.booking_id, columns.currency, func.sum(amount)).where(columns.agency == agency, *where)
    for booking_id, currency, added in connection.execute(query.group_by(columns.booking_id, columns.currency)):
        yield booking_id, Money(amount=int(added), currency=currency)
