"""How entries come into their tables, however many at once (contracts: money-rules 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from sqlalchemy import Connection, Dialect, Insert, Table

from domain.ledger import Entry
from store.journal_tables import journal_entries, journal_postings
from store.tables import insert_for


class EntryRows(Protocol):
    """Inserts what is not posted yet."""

    def insert(self, connection: Connection, agency: str, entries: Sequence[Entry], at: datetime) -> dict[str, int]:
        """The numbers of the entries that are new, by key. Only within a writing transaction of `Database.begin`."""


def entry_rows(dialect: Dialect) -> EntryRows:
    """What a database takes entries by; built once, because every payment, invoice and refund goes through it."""
    return _Alone(dialect) if dialect.name == "sqlite" else _AmongOthers(dialect)


class _Alone:
    """SQLite has one writer at a time. What it inserts is numbered on without a gap, so that no number has to be returned, and
    rows go to the driver by statements that were compiled once: SQLAlchemy's work on each row costs as much as the row."""

    def __init__(self, dialect: Dialect) -> None:
        once = insert_for(dialect.name, journal_entries).on_conflict_do_nothing(index_elements=["agency", "key"])
        self._entries = _AtOnce.of(once, journal_entries, dialect, without=("id",))
        self._postings = _AtOnce.of(journal_postings.insert(), journal_postings, dialect)

    def insert(self, connection: Connection, agency: str, entries: Sequence[Entry], at: datetime) -> dict[str, int]:
        last = self._last(connection)
        inserted = self._entries.execute(connection, (_row(agency, entry, at) for entry in entries))
        if inserted == len(entries):
            new = {entry.key: number for number, entry in enumerate(entries, start=last + 1)}
        else:
            found = connection.exec_driver_sql("SELECT key, id FROM journal_entries WHERE id > ?", (last,))
            new = {str(row.key): int(row.id) for row in found}
        if new:
            self._postings.execute(connection, _lines(entries, new))
        return new

    @staticmethod
    def _last(connection: Connection) -> int:
        driver = connection.connection.driver_connection
        assert driver is not None
        return int(driver.execute("SELECT coalesce(max(id), 0) FROM journal_entries").fetchone()[0])


class _AmongOthers:
    """PostgreSQL has other writers beside us and says which numbers it gave."""

    def __init__(self, dialect: Dialect) -> None:
        self._entries = (
            insert_for(dialect.name, journal_entries)
            .on_conflict_do_nothing(index_elements=["agency", "key"])
            .returning(journal_entries.c.id, journal_entries.c.key)
        )
        self._postings = journal_postings.insert()

    def insert(self, connection: Connection, agency: str, entries: Sequence[Entry], at: datetime) -> dict[str, int]:
        rows = connection.execute(self._entries, [_row(agency, entry, at) for entry in entries])
        new: dict[str, int] = {row.key: row.id for row in rows}
        if new:
            connection.execute(self._postings, list(_lines(entries, new)))
        return new


@dataclass(frozen=True, slots=True)
class _AtOnce:
    """An INSERT as the driver takes it, with what turns a value into the driver's."""

    sql: str
    columns: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, statement: Insert, table: Table, dialect: Dialect, without: tuple[str, ...] = ()) -> Self:
        names = [column.name for column in table.columns if column.name not in without]
        compiled = statement.compile(dialect=dialect, column_keys=names)
        order: list[str] = getattr(compiled, "positiontup", None) or names
        turned = {c.name: c.type.dialect_impl(dialect).bind_processor(dialect) for c in table.columns}
        return cls(str(compiled), tuple((name, turned[name]) for name in order))

    def execute(self, connection: Connection, rows: Iterable[Mapping[str, object]]) -> int:
        """How many rows were inserted."""
        given = [tuple(row[name] if turn is None else turn(row[name]) for name, turn in self.columns) for row in rows]
        return connection.exec_driver_sql(self.sql, given).rowcount


def _row(agency: str, entry: Entry, at: datetime) -> dict[str, object]:
    return {
        "agency": agency,
        "key": entry.key,
        "fact": entry.fact,
        "on_date": entry.on,
        "booking_id": entry.booking_id,
        "text": entry.text,
        "currency": entry.currency,
        "zero": 0,
        "lines": len(entry.postings),
        "created_at": at,
    }


def _lines(entries: Iterable[Entry], new: Mapping[str, int]) -> Iterator[dict[str, object]]:
    """The postings of the new ones, the first last: with it an entry is complete (`store.migrations.balance_guards`)."""
    left = dict(new)
    for entry in entries:
        number = left.pop(entry.key, None)
        if number is None:
            continue
        for line, posting in reversed(list(enumerate(entry.postings, start=1))):
            yield {
                "entry_id": number,
                "line": line,
                "account": posting.account,
                "sub": posting.sub,
                "side": posting.side,
                "amount": posting.amount.amount,
                "currency": posting.amount.currency,
            }
