"""The tables of the journal: entries that the database itself balances, and never lets change (contracts: money-rules 2, L1).

How an unbalanced entry is refused at commit: a trigger keeps the sum of an entry's postings in `journal_balances`, and
the entry's columns (id, zero, lines) are a deferred foreign key to (entry_id, balance, lines) there. Only a row whose
balance is zero and whose number of lines is the announced one satisfies it; a posting added later breaks it again.
Triggers refuse UPDATE and DELETE, and entries in a closed period; they are part of the migrations.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    case,
)

from store.tables import Instant, LongId, agency_column, id_column, metadata

journal_balances = Table(
    "journal_balances",
    metadata,
    Column("entry_id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("balance", BigInteger, nullable=False),
    Column("lines", SmallInteger, nullable=False),
    UniqueConstraint("entry_id", "balance", "lines"),
)

journal_entries = Table(
    "journal_entries",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    Column("key", String(300), nullable=False),
    id_column("fact"),
    Column("on_date", Date, nullable=False),
    id_column("booking_id"),
    Column("text", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("zero", BigInteger, nullable=False),
    Column("lines", SmallInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("zero = 0", name="zero"),
    UniqueConstraint("agency", "key"),
    UniqueConstraint("id", "currency"),
    Index(None, "agency", "booking_id"),
    Index(None, "agency", "on_date"),
    ForeignKeyConstraint(
        ["id", "zero", "lines"],
        ["journal_balances.entry_id", "journal_balances.balance", "journal_balances.lines"],
        name="fk_journal_entries_balanced",
        deferrable=True,
        initially="DEFERRED",
    ),
)

journal_postings = Table(
    "journal_postings",
    metadata,
    Column("entry_id", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    Column("line", SmallInteger, nullable=False),
    Column("account", String(20), nullable=False),
    id_column("sub"),
    Column("side", String(6), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    CheckConstraint("side IN ('debit', 'credit')", name="side"),
    CheckConstraint("amount > 0", name="amount"),
    PrimaryKeyConstraint("entry_id", "line"),
    ForeignKeyConstraint(["entry_id", "currency"], ["journal_entries.id", "journal_entries.currency"]),
    Index(None, "account", "sub"),
)

signed = case((journal_postings.c.side == "debit", journal_postings.c.amount), else_=-journal_postings.c.amount)
joined = journal_postings.join(journal_entries, journal_entries.c.id == journal_postings.c.entry_id)
