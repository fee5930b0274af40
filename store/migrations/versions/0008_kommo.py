"""Tokens of a CRM with the lease to renew them, hints that a deal changed, and one-time tokens that were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "crm_tokens",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("system", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("obtained_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("held_by", sa.String(length=200), nullable=True),
        sa.Column("held_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("agency", "system", name=op.f("pk_crm_tokens")),
    )
    op.create_table(
        "deal_hooks",
        sa.Column("id", LONG, autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("system", sa.String(length=200), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("fact", sa.String(length=200), nullable=False),
        sa.Column("old_status", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("last_modified", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("return_url", sa.String(length=300), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("handed_over_at", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_hooks")),
        sa.UniqueConstraint("agency", "system", "fact", name=op.f("uq_deal_hooks_agency_system_fact")),
    )
    waits = sa.text("handed_over_at IS NULL")
    op.create_index("ix_deal_hooks_waiting", "deal_hooks", ["id"], sqlite_where=waits, postgresql_where=waits)
    op.create_table(
        "used_tokens",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "token", name=op.f("pk_used_tokens")),
    )
