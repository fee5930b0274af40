"""Closed periods of the books, numbers of sub-accounts in accounting programs, entries added up once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations import balance_guards, period_guards
from store.tables import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journal_periods",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("closed_until", sa.Date(), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_periods")),
    )
    op.create_index(op.f("ix_journal_periods_agency_id"), "journal_periods", ["agency", "id"], unique=False)
    op.create_table(
        "journal_subaccounts",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("sub", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "account", "sub", name=op.f("pk_journal_subaccounts")),
        sa.UniqueConstraint("agency", "account", "number", name=op.f("uq_journal_subaccounts_agency_account_number")),
    )
    dialect = op.get_bind().dialect.name
    for statement in (*period_guards.STATEMENTS[dialect], *balance_guards.STATEMENTS[dialect]):
        op.execute(statement)
