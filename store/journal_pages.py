"""The books a page at a time: entries, statements and sums per account (contracts: money-rules 2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    SmallInteger,
    func,
    literal,
    select,
    tuple_,
)

from domain.money import Money
from store.database import Database
from store.journal import AccountBalance, PostedEntry, read_entries
from store.journal_days import journal_days
from store.journal_tables import joined, journal_entries, journal_postings, signed
from store.statements import StatementLine

EntryPlace = tuple[date, int]
LinePlace = tuple[date, int, int]
"""Day, number of the entry, and line in it."""


@dataclass(frozen=True, slots=True)
class StatementPage:
    """`opening` is the balance before the first of the lines, `closing` that after the last; debit minus credit."""

    opening: Money
    lines: tuple[StatementLine, ...]
    places: tuple[LinePlace, ...]

    @property
    def closing(self) -> Money:
        return self.lines[-1].balance if self.lines else self.opening


class JournalPages:
    """Days are both inclusive, and None is open; every method asks as often for much as for little."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(
        self,
        agency: str,
        *,
        since: date | None = None,
        until: date | None = None,
        booking_id: str | None = None,
        fact: str | None = None,
        after: EntryPlace | None = None,
        limit: int = 50,
    ) -> list[PostedEntry]:
        """The latest day first."""
        own = journal_entries.c
        query = select(journal_entries).where(own.agency == agency, *_between(own.on_date, since, until))
        if booking_id is not None:
            query = query.where(own.booking_id == booking_id)
        if fact is not None:
            query = query.where(own.fact == fact)
        if after is not None:
            query = query.where(
                tuple_(own.on_date, own.id) < tuple_(literal(after[0], Date), literal(after[1], BigInteger))
            )
        with self._database.read() as connection:
            return read_entries(connection, query.order_by(own.on_date.desc(), own.id.desc()).limit(limit))

    def accounts(self, agency: str, *, since: date | None = None, until: date | None = None) -> list[AccountBalance]:
        """Debit and credit of every account, sub-accounts together; the balances add up to zero."""
        own = journal_days.c
        query = (
            select(own.account, own.currency, func.sum(own.debit).label("debit"), func.sum(own.credit).label("credit"))
            .where(own.agency == agency, *_between(own.on_date, since, until))
            .group_by(own.account, own.currency)
            .order_by(own.account, own.currency)
        )
        with self._database.read() as connection:
            return [
                AccountBalance(
                    row.account,
                    "",
                    Money(amount=int(row.debit), currency=row.currency),
                    Money(amount=int(row.credit), currency=row.currency),
                )
                for row in connection.execute(query)
            ]

    def statement(
        self,
        agency: str,
        account: str,
        sub: str | None = None,
        *,
        since: date | None = None,
        until: date | None = None,
        currency: str = "EUR",
        after: LinePlace | None = None,
        limit: int = 100,
    ) -> StatementPage:
        """Postings by day behind the place `after`; an account code covers every code that begins with it."""
        entry, posting = journal_entries.c, journal_postings.c
        wanted: list[ColumnElement[bool]] = [
            entry.agency == agency,
            posting.account.startswith(account, autoescape=True),
            posting.currency == currency,
        ]
        if sub is not None:
            wanted.append(posting.sub == sub)
        query = (
            select(
                entry.id,
                entry.key,
                entry.on_date,
                entry.booking_id,
                entry.text,
                posting.line,
                posting.account,
                posting.sub,
                posting.side,
                posting.amount,
            )
            .select_from(joined)
            .where(*wanted, *_between(entry.on_date, since, until))
            .order_by(entry.on_date, entry.id, posting.line)
            .limit(limit)
        )
        place = tuple_(entry.on_date, entry.id, posting.line)
        if after is not None:
            query = query.where(place > _place(after))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            first, before = after[0] if after is not None else since, 0
            if first is not None and sub is None:
                before += _days(connection, agency, account, currency, first)
            elif first is not None:
                before += _added(connection, *wanted, entry.on_date < first)
            if after is not None:
                before += _added(connection, *wanted, entry.on_date == after[0], place <= _place(after))
        return _page(Money(amount=before, currency=currency), rows)


def _between(day: ColumnElement[date], since: date | None, until: date | None) -> list[ColumnElement[bool]]:
    return [*([day >= since] if since else []), *([day <= until] if until else [])]


def _days(connection: Connection, agency: str, account: str, currency: str, first: date) -> int:
    """The balance of an account before a day, as it is kept for whole days."""
    own = journal_days.c
    query = select(func.sum(own.debit - own.credit)).where(
        own.agency == agency,
        own.account.startswith(account, autoescape=True),
        own.currency == currency,
        own.on_date < first,
    )
    return int(connection.scalar(query) or 0)


def _added(connection: Connection, *wanted: ColumnElement[bool]) -> int:
    """The balance of some postings."""
    return int(connection.scalar(select(func.sum(signed)).select_from(joined).where(*wanted)) or 0)


def _place(place: LinePlace) -> Any:
    return tuple_(literal(place[0], Date), literal(place[1], BigInteger), literal(place[2], SmallInteger))


def _page(opening: Money, rows: Any) -> StatementPage:
    lines, balance = list[StatementLine](), opening
    for row in rows:
        amount = Money(amount=row.amount, currency=opening.currency)
        balance = balance + amount if row.side == "debit" else balance - amount
        lines.append(
            StatementLine(
                number=row.id,
                key=row.key,
                on=row.on_date,
                booking_id=row.booking_id,
                text=row.text,
                account=row.account,
                sub=row.sub,
                side=row.side,
                amount=amount,
                balance=balance,
            )
        )
    return StatementPage(opening, tuple(lines), tuple((row.on_date, row.id, row.line) for row in rows))
