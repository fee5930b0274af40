"""The journal: entries once by key, balanced by the database itself, never changed (contracts: money-rules 2, L1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, Select, bindparam, case, func, select
from sqlalchemy.exc import IntegrityError

from domain.errors import ContractBroken, Refused, Transient
from domain.ledger import Entry, Posting, in_open_period
from domain.money import Money
from store.clock import Clock
from store.database import Database
from store.journal_days import count_entries
from store.journal_rows import entry_rows
from store.journal_tables import joined, journal_entries, journal_postings, signed
from store.periods import closed_until

_BY_KEY = select(journal_entries).where(
    journal_entries.c.agency == bindparam("of_agency"), journal_entries.c.key == bindparam("of_key")
)
_debit = case((journal_postings.c.side == "debit", journal_postings.c.amount), else_=0)
_credit = case((journal_postings.c.side == "credit", journal_postings.c.amount), else_=0)


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """An entry with its running number and the instant it was written."""

    number: int
    entry: Entry
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """Sums of one account, sub-account and currency; `balance` is debit minus credit."""

    account: str
    sub: str
    debit: Money
    credit: Money

    @property
    def balance(self) -> Money:
        return self.debit - self.credit


class Journal:
    """Appends entries and adds them up."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._rows = entry_rows(database.engine.dialect)

    def append(self, agency: str, *entries: Entry) -> list[int]:
        """Post all entries in one transaction; one that is posted already under its key stays as it is.

        A fact of a closed period is posted on the first open day. Returns their numbers. Raises `ContractBroken` when a
        key was used for another content, `Refused` when the database does not take an entry (unbalanced, no lines), and
        `Transient` when the period is closed at this very moment.
        """
        try:
            with self._database.begin() as connection:
                closed = closed_until(connection, agency)
                return self._append(connection, agency, [in_open_period(entry, closed) for entry in entries])
        except IntegrityError as error:
            keys = ", ".join(entry.key for entry in entries)
            if "period is closed" in str(error.orig):
                raise Transient(f"the period of {keys} was closed meanwhile", system="journal") from None
            raise Refused(f"the books do not take {keys}: debit and credit differ", system="journal") from None

    def find(self, agency: str, key: str) -> PostedEntry | None:
        """The entry under a key (`led:…`)."""
        with self._database.read() as connection:
            found = read_entries(connection, _BY_KEY, {"of_agency": agency, "of_key": key})
        return found[0] if found else None

    def entries_of(self, agency: str, booking_id: str) -> list[PostedEntry]:
        """The entries of a booking in the order they were written."""
        return self._entries(
            select(journal_entries).where(
                journal_entries.c.agency == agency, journal_entries.c.booking_id == booking_id
            )
        )

    def entries(self, agency: str, since: date | None = None, until: date | None = None) -> list[PostedEntry]:
        """The entries of the days from `since` to `until`, both included."""
        query = select(journal_entries).where(journal_entries.c.agency == agency)
        if since is not None:
            query = query.where(journal_entries.c.on_date >= since)
        if until is not None:
            query = query.where(journal_entries.c.on_date <= until)
        return self._entries(query)

    def balance(
        self,
        agency: str,
        account: str,
        sub: str | None = None,
        *,
        booking_id: str | None = None,
        currency: str = "EUR",
    ) -> Money:
        """Debit minus credit of an account, of one sub-account or one booking if named."""
        query = (
            select(func.coalesce(func.sum(signed), 0))
            .select_from(joined)
            .where(
                journal_entries.c.agency == agency,
                journal_postings.c.account == account,
                journal_postings.c.currency == currency,
            )
        )
        if sub is not None:
            query = query.where(journal_postings.c.sub == sub)
        if booking_id is not None:
            query = query.where(journal_entries.c.booking_id == booking_id)
        with self._database.read() as connection:
            return Money(amount=int(connection.scalar(query) or 0), currency=currency)

    def trial_balance(
        self, agency: str, *, since: date | None = None, until: date | None = None
    ) -> list[AccountBalance]:
        """Every account and sub-account with its sums of a period, by code; the balances add up to zero."""
        columns = (journal_postings.c.account, journal_postings.c.sub, journal_postings.c.currency)
        query = (
            select(*columns, func.sum(_debit).label("debit"), func.sum(_credit).label("credit"))
            .select_from(joined)
            .where(journal_entries.c.agency == agency)
            .group_by(*columns)
            .order_by(*columns)
        )
        if since is not None:
            query = query.where(journal_entries.c.on_date >= since)
        if until is not None:
            query = query.where(journal_entries.c.on_date <= until)
        with self._database.read() as connection:
            return [
                AccountBalance(
                    row.account,
                    row.sub,
                    Money(amount=int(row.debit), currency=row.currency),
                    Money(amount=int(row.credit), currency=row.currency),
                )
                for row in connection.execute(query)
            ]

    def _append(self, connection: Connection, agency: str, entries: Sequence[Entry]) -> list[int]:
        """What is posted already is compared instead."""
        new = self._rows.insert(connection, agency, entries, self._clock())
        count_entries(connection, agency, _first_of(entries, new))
        # The same key twice: the first was posted, the second is compared with it.
        return [new.pop(entry.key, 0) or self._already(connection, agency, entry) for entry in entries]

    @staticmethod
    def _already(connection: Connection, agency: str, entry: Entry) -> int:
        (posted,) = read_entries(connection, _BY_KEY, {"of_agency": agency, "of_key": entry.key})
        if (posted.entry.fact, posted.entry.postings) != (entry.fact, entry.postings):
            raise ContractBroken(f"{entry.key} is posted with other accounts or amounts", system="journal")
        return posted.number

    def _entries(self, query: Select[tuple[object, ...]]) -> list[PostedEntry]:
        with self._database.read() as connection:
            return read_entries(connection, query.order_by(journal_entries.c.id))


def read_entries(
    connection: Connection, query: Select[tuple[object, ...]], wanted: Mapping[str, object] | None = None
) -> list[PostedEntry]:
    """The entries of a query, with their postings."""
    rows = connection.execute(query, wanted).all()
    if not rows:
        return []
    postings = _postings(connection, [row.id for row in rows])
    return [_posted(row, postings[row.id]) for row in rows]


def _first_of(entries: Sequence[Entry], new: Mapping[str, int]) -> Iterator[Entry]:
    """The entries that were posted, each once, also where a key stands twice."""
    left = set(new)
    for entry in entries:
        if entry.key in left:
            left.remove(entry.key)
            yield entry


def _postings(connection: Connection, numbers: Sequence[int]) -> dict[int, list[Posting]]:
    found: dict[int, list[Posting]] = {number: [] for number in numbers}
    for chunk in _chunks(numbers):
        lines = connection.execute(
            select(journal_postings)
            .where(journal_postings.c.entry_id.in_(chunk))
            .order_by(journal_postings.c.entry_id, journal_postings.c.line)
        )
        for line in lines:
            amount = Money(amount=line.amount, currency=line.currency)
            found[line.entry_id].append(Posting(account=line.account, side=line.side, amount=amount, sub=line.sub))
    return found


def _chunks(numbers: Sequence[int], size: int = 500) -> Iterable[Sequence[int]]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def _posted(row: Row[tuple[object, ...]], postings: list[Posting]) -> PostedEntry:
    entry = Entry(
        key=row.key,
        fact=row.fact,
        on=row.on_date,
        booking_id=row.booking_id,
        text=row.text,
        postings=tuple(postings),
    )
    return PostedEntry(row.id, entry, row.created_at)
