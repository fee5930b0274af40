"""Account statements: what an account opened with, each posting of a period, and what it closes with (money-rules 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from sqlalchemy import ColumnElement, func, select

from domain.ledger import Side
from domain.money import Money
from store.database import Database
from store.journal_tables import joined, journal_entries, journal_postings, signed


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting; `balance` is that of the account after it, debit minus credit."""

    number: int
    key: str
    on: date
    booking_id: str
    text: str
    account: str
    sub: str
    side: Side
    amount: Money
    balance: Money


@dataclass(frozen=True, slots=True)
class Statement:
    """A period of an account: opening balance, postings by day, closing balance; debit minus credit."""

    opening: Money
    lines: tuple[StatementLine, ...]
    closing: Money


class Statements:
    """Reads accounts; an account code covers every code that begins with it, as accountants read the chart."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def statement(
        self,
        agency: str,
        account: str,
        sub: str | None = None,
        *,
        since: date | None = None,
        until: date | None = None,
        currency: str = "EUR",
    ) -> Statement:
        """The account between two days, both included; `sub` narrows it to one sub-account."""
        conditions = [
            journal_entries.c.agency == agency,
            journal_postings.c.account.startswith(account, autoescape=True),
            journal_postings.c.currency == currency,
        ]
        if sub is not None:
            conditions.append(journal_postings.c.sub == sub)
        opening = Money(amount=self._before(conditions, since), currency=currency) if since else Money.zero(currency)
        lines = tuple(self._lines(conditions, since, until, opening))
        return Statement(opening, lines, lines[-1].balance if lines else opening)

    def _before(self, conditions: list[ColumnElement[bool]], since: date) -> int:
        query = (
            select(func.coalesce(func.sum(signed), 0))
            .select_from(joined)
            .where(*conditions, journal_entries.c.on_date <= since - timedelta(days=1))
        )
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def _lines(
        self, conditions: list[ColumnElement[bool]], since: date | None, until: date | None, opening: Money
    ) -> Iterator[StatementLine]:
        entry, posting = journal_entries.c, journal_postings.c
        query = (
            select(
                entry.id,
                entry.key,
                entry.on_date,
                entry.booking_id,
                entry.text,
                posting.account,
                posting.sub,
                posting.side,
                posting.amount,
                signed.label("signed"),
            )
            .select_from(joined)
            .where(*conditions)
            .order_by(entry.on_date, entry.id, posting.line)
        )
        if since is not None:
            query = query.where(entry.on_date >= since)
        if until is not None:
            query = query.where(entry.on_date <= until)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        balances = accumulate((int(row.signed) for row in rows), initial=opening.amount)
        next(balances)
        for row, balance in zip(rows, balances, strict=True):
            yield StatementLine(
                number=row.id,
                key=row.key,
                on=row.on_date,
                booking_id=row.booking_id,
                text=row.text,
                account=row.account,
                sub=row.sub,
                side=row.side,
                amount=Money(amount=row.amount, currency=opening.currency),
                balance=Money(amount=balance, currency=opening.currency),
            )
