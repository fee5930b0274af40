"""What deals asked customers to pay: revisions, documents, pages, payments, refunds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "payment_requests",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("deal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "deal_id", "revision", name=op.f("pk_payment_requests")),
    )
    op.create_index(op.f("ix_payment_requests_agency_booking_id"), "payment_requests", ["agency", "booking_id"])
    op.create_table(
        "payment_request_moves",
        sa.Column("id", LONG, autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("deal_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("stage", sa.BigInteger(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_request_moves")),
    )
    op.create_index(
        op.f("ix_payment_request_moves_agency_deal_id_id"), "payment_request_moves", ["agency", "deal_id", "id"]
    )
    op.create_table(
        "deal_documents",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=45), nullable=False),
        sa.Column("deal_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=200), nullable=False),
        sa.Column("pdf", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=True),
        sa.Column("allocation_number", sa.String(length=200), nullable=True),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "key", name=op.f("pk_deal_documents")),
    )
    op.create_index(op.f("ix_deal_documents_agency_deal_id"), "deal_documents", ["agency", "deal_id"])
    op.create_table(
        "payment_links",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("deal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("orphan", sa.Integer(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "deal_id", "number", name=op.f("pk_payment_links")),
        sa.UniqueConstraint("token", name=op.f("uq_payment_links_token")),
    )
    op.create_table(
        "link_payments",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=False),
        sa.Column("deal_id", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("page_id", sa.String(length=200), nullable=False),
        sa.Column("authorisation", sa.String(length=100), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("brand", sa.String(length=50), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("handled_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("agency", "payment_id", name=op.f("pk_link_payments")),
        sa.UniqueConstraint("agency", "deal_id", "link", name=op.f("uq_link_payments_agency_deal_id_link")),
    )
    op.create_index(op.f("ix_link_payments_agency_deal_id"), "link_payments", ["agency", "deal_id"])
    op.create_table(
        "deal_refunds",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("refund_id", sa.String(length=200), nullable=False),
        sa.Column("deal_id", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "refund_id", name=op.f("pk_deal_refunds")),
    )
    op.create_index(op.f("ix_deal_refunds_agency_deal_id"), "deal_refunds", ["agency", "deal_id"])
