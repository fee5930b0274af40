"""The tables of what deals asked customers to pay: requests, moves, documents, pages, payments, refunds (contracts: easycount 3).

Append-only: a revision, a document, a page or a payment is written once, and a payment's outcome is set behind it; where a
request stands is the last of its moves. Personal data of deals is here and nowhere in the workflows.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from store.tables import Instant, LongId, agency_column, id_column, metadata, money_columns


def _deal_column() -> Column[int]:
    return Column("deal_id", BigInteger, primary_key=True, autoincrement=False)


payment_requests = Table(
    "payment_requests",
    metadata,
    agency_column(primary_key=True),
    _deal_column(),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    *money_columns(),
    id_column("booking_id", nullable=True),
    Column("said", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index(None, "agency", "booking_id"),
)

payment_request_moves = Table(
    "payment_request_moves",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    Column("deal_id", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("stage", BigInteger),
    Column("at", Instant, nullable=False),
    Index(None, "agency", "deal_id", "id"),
)

deal_documents = Table(
    "deal_documents",
    metadata,
    agency_column(primary_key=True),
    Column("key", String(45), primary_key=True),
    Column("deal_id", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("type", Integer, nullable=False),
    id_column("uuid"),
    id_column("number"),
    Column("pdf", Text, nullable=False),
    *money_columns(),
    id_column("payment_id", nullable=True),
    id_column("allocation_number", nullable=True),
    Column("issued_at", Instant, nullable=False),
    Index(None, "agency", "deal_id"),
)

payment_links = Table(
    "payment_links",
    metadata,
    agency_column(primary_key=True),
    _deal_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("token", String(40), nullable=False, unique=True),
    *money_columns(),
    Column("orphan", Integer, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
"""An orphan is a page that may exist and whose answer was lost: its amount is known, nobody was ever sent there."""

link_payments = Table(
    "link_payments",
    metadata,
    agency_column(primary_key=True),
    id_column("payment_id", primary_key=True),
    Column("deal_id", BigInteger, nullable=False),
    Column("link", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    *money_columns(),
    Column("role", String(20), nullable=False),
    id_column("reference"),
    id_column("page_id"),
    Column("authorisation", String(100), nullable=False),
    Column("last4", String(4), nullable=False),
    Column("brand", String(50), nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("handled_at", Instant),
    Column("outcome", String(20), nullable=False),
    UniqueConstraint("agency", "deal_id", "link"),
    Index(None, "agency", "deal_id"),
)

deal_refunds = Table(
    "deal_refunds",
    metadata,
    agency_column(primary_key=True),
    id_column("refund_id", primary_key=True),
    Column("deal_id", BigInteger, nullable=False),
    id_column("payment_id"),
    *money_columns(),
    id_column("reference"),
    id_column("by"),
    Column("at", Instant, nullable=False),
    Index(None, "agency", "deal_id"),
)
