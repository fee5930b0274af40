"""Backups that were restored: while one is not settled, no effect is sent unseen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import Instant, LongId

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restores",
        sa.Column("id", LongId, autoincrement=True, nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("restored_at", Instant(), nullable=False),
        sa.Column("restored_by", sa.String(200), nullable=False),
        sa.Column("source", sa.String(500), nullable=False),
        sa.Column("caught_up", sa.Integer(), nullable=False),
        sa.Column("caught_up_at", Instant(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("settled_by", sa.String(200), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restores")),
    )
