"""The books added up by account and day, kept as entries are posted: balances read it instead of every posting (money-rules 2).

Nothing here is the truth: `Journal.trial_balance` adds up the postings themselves and must say the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Date, String, Table

from domain.ledger import Entry
from store.tables import agency_column, insert_for, metadata

journal_days = Table(
    "journal_days",
    metadata,
    agency_column(primary_key=True),
    Column("account", String(20), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("on_date", Date, primary_key=True),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
)


@cache
def _more(dialect: str) -> Any:
    statement = insert_for(dialect, journal_days)
    return statement.on_conflict_do_update(
        index_elements=["agency", "account", "currency", "on_date"],
        set_={name: journal_days.c[name] + statement.excluded[name] for name in ("debit", "credit")},
    )


def count_entries(connection: Connection, agency: str, entries: Iterable[Entry]) -> None:
    """Add entries that were posted just now. In the order of keys, so that two who post at once wait, and never for each other."""
    sums: dict[tuple[str, str, date], list[int]] = {}
    for entry in entries:
        for posting in entry.postings:
            of_day = sums.setdefault((posting.account, posting.amount.currency, entry.on), [0, 0])
            of_day[posting.side == "credit"] += posting.amount.amount
    rows = [
        {"agency": agency, "account": account, "currency": currency, "on_date": on, "debit": debit, "credit": credit}
        for (account, currency, on), (debit, credit) in sorted(sums.items())
    ]
    if rows:
        connection.execute(_more(connection.dialect.name), rows)
