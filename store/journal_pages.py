"""The books a page at a time: entries, statements and sums per account (contracts: money-rules 2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, SmallInteger, and_, case, func, literal, select, tuple_

from domain.money import Money
from store.database import Database
from store.journal import AccountBalance, PostedEntry, read_entries
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
        query = select(journal_entries).where(own.agency == agency, *_between(since, until))
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
        columns = (journal_postings.c.account, journal_postings.c.currency)
        amount = journal_postings.c.amount
        debit = func.sum(case((journal_postings.c.side == "debit", amount), else_=0)).label("debit")
        credit = func.sum(case((journal_postings.c.side == "credit", amount), else_=0)).label("credit")
        query = (
            select(*columns, debit, credit)
            .select_from(joined)
            .where(journal_entries.c.agency == agency, *_between(since, until))
            .group_by(*columns)
            .order_by(*columns)
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
            .where(*wanted, *_between(since, until))
            .order_by(entry.on_date, entry.id, posting.line)
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(entry.on_date, entry.id, posting.line) > _place(after))
        earlier = _earlier(since, after)
        with self._database.read() as connection:
            before = (
                0
                if earlier is None
                else connection.scalar(
                    select(func.coalesce(func.sum(signed), 0)).select_from(joined).where(*wanted, earlier)
                )
            )
            rows = connection.execute(query).all()
        return _page(Money(amount=int(before or 0), currency=currency), rows)


def _between(since: date | None, until: date | None) -> list[ColumnElement[bool]]:
    day = journal_entries.c.on_date
    return [*([day >= since] if since else []), *([day <= until] if until else [])]


def _earlier(since: date | None, after: LinePlace | None) -> ColumnElement[bool] | None:
    """What lies before the page: all up to its place, or before the period."""
    entry = journal_entries.c
    if after is not None:
        # The day once more by itself: an index serves it, and not the whole place.
        return and_(
            entry.on_date <= after[0], tuple_(entry.on_date, entry.id, journal_postings.c.line) <= _place(after)
        )
    return None if since is None else entry.on_date < since


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
