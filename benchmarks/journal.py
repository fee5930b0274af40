"""What double entry costs: entries posted by key, balanced by the database, against plain inserts of the same rows.

Both sides post batches of entries, one transaction a batch, into the same database. The plain tables have the same columns,
keys and indexes, so that the same questions can be asked of them, and no triggers, no foreign keys and no balance.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path

from sqlalchemy import Column, Index, MetaData, Table, UniqueConstraint

from benchmarks.results import Result
from domain.ledger import Chart, Entry, Fact, Movement, entry_of
from domain.money import Money
from store import Store
from store.clock import utc_now
from store.journal_tables import journal_entries, journal_postings

LEAST = 0.65
DAY = date(2026, 11, 20)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--entries", type=int, default=100_000, metavar="N", help="in all (default: %(default)s)")
    parser.add_argument(
        "--batch", type=int, default=500, metavar="N", help="entries a transaction (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of each side (default: %(default)s)")


def run(chosen: argparse.Namespace) -> Result:
    ours: list[float] = []
    floor: list[float] = []
    each = chosen.entries // chosen.rounds
    with tempfile.TemporaryDirectory(prefix="bookings-bench-") as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'store.db'}")
        store.database.migrate()
        plain = _plain(store)
        for turn in range(chosen.rounds):
            entries = list(_entries(f"{turn}", each))
            numbers = count(1 + turn * each)
            took, plainly = 0.0, 0.0
            # In turn, batch by batch, so that both meet the same machine and a database of the same size.
            for some in _batches(entries, chosen.batch):
                took += _posted(store, some)
                plainly += _inserted(store, plain, some, numbers)
            ours.append(each / took)
            floor.append(each / plainly)
        balance = sum(row.balance.amount for row in store.journal.trial_balance("demo"))
        store.close()
    if balance:
        raise AssertionError(f"the books do not add up: {balance}")
    return Result.of("journal", "entries/s", ours, floor, entries=chosen.entries, batch=chosen.batch)


def _entries(group: str, wanted: int) -> Iterator[Entry]:
    for number in range(wanted):
        yield entry_of(
            Movement(
                fact=Fact.INVOICE,
                key=f"led:inv:pay_{group}_{number}",
                on=DAY,
                booking_id=f"bkg_{number // 3}",
                text=f"invoice pay_{group}_{number}",
                amount=Money(amount=30000, currency="EUR"),
                payer_id=f"cus_{number // 6}",
            ),
            Chart(),
        )


def _batches(entries: list[Entry], size: int) -> Iterator[list[Entry]]:
    return (entries[start : start + size] for start in range(0, len(entries), size))


def _posted(store: Store, some: list[Entry]) -> float:
    began = time.perf_counter()
    store.journal.append("demo", *some)
    return time.perf_counter() - began


def _plain(store: Store) -> tuple[Table, Table]:
    """Tables with the same columns, keys and indexes, which enforce nothing else."""
    metadata = MetaData()
    entries, postings = (_twin(table, metadata) for table in (journal_entries, journal_postings))
    metadata.create_all(store.database.engine)
    return entries, postings


def _twin(table: Table, metadata: MetaData) -> Table:
    unique = [
        UniqueConstraint(*(column.name for column in constraint.columns))
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    indexes = [Index(f"plain_{index.name}", *(column.name for column in index.columns)) for index in table.indexes]
    columns = (Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable) for c in table.columns)
    return Table(f"plain_{table.name}", metadata, *columns, *unique, *indexes)


def _inserted(store: Store, plain: tuple[Table, Table], some: list[Entry], numbers: Iterator[int]) -> float:
    """The same values; the numbers of entries are known beforehand, so nothing is read back."""
    into_entries, into_postings = (table.insert() for table in plain)
    began = time.perf_counter()
    numbered = [(next(numbers), entry) for entry in some]
    with store.database.begin() as connection:
        connection.execute(
            into_entries,
            [
                {
                    "id": number,
                    "agency": "demo",
                    "key": entry.key,
                    "fact": entry.fact,
                    "on_date": entry.on,
                    "booking_id": entry.booking_id,
                    "text": entry.text,
                    "currency": entry.currency,
                    "zero": 0,
                    "lines": len(entry.postings),
                    "created_at": utc_now(),
                }
                for number, entry in numbered
            ],
        )
        connection.execute(
            into_postings,
            [
                {
                    "entry_id": number,
                    "line": line,
                    "account": posting.account,
                    "sub": posting.sub,
                    "side": posting.side,
                    "amount": posting.amount.amount,
                    "currency": posting.amount.currency,
                }
                for number, entry in numbered
                for line, posting in enumerate(entry.postings, start=1)
            ],
        )
    return time.perf_counter() - began
