"""Breakers of connectors, the contracts that were accepted, and receivables that are being written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "connector_breakers",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("connector", sa.String(length=200), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("breaker", sa.Text(), nullable=False),
        sa.Column("kept_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "connector", name=op.f("pk_connector_breakers")),
    )
    op.create_table(
        "connector_contracts",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("connector", sa.String(length=200), nullable=False),
        sa.Column("accepted", sa.String(length=64), nullable=False),
        sa.Column("accepted_parts", sa.Text(), nullable=False),
        sa.Column("accepted_by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.Column("seen", sa.String(length=64), nullable=False),
        sa.Column("seen_parts", sa.Text(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "connector", name=op.f("pk_connector_contracts")),
    )
    op.create_table(
        "receivable_locks",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("connector", sa.String(length=200), nullable=False),
        sa.Column("receivable", sa.String(length=200), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "connector", "receivable", name=op.f("pk_receivable_locks")),
    )
    op.create_table(
        "reconciliations",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("connector", sa.String(length=200), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("last_day", sa.String(length=10), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("differing", sa.Integer(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
    )
    op.create_index(
        op.f("ix_reconciliations_agency_connector_begun_at"), "reconciliations", ["agency", "connector", "begun_at"]
    )


def downgrade() -> None:
    op.drop_table("reconciliations")
    op.drop_table("receivable_locks")
    op.drop_table("connector_contracts")
    op.drop_table("connector_breakers")
