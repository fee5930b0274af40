"""Whom a person asked us to forget, and the parties of bookings that a late event must not bring back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import Instant, LongId

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", LongId, autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(100), nullable=False),
        sa.Column("asked_for", sa.String(300), nullable=False),
        sa.Column("erased_by", sa.String(200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_table(
        "erased_parties",
        sa.Column("agency", sa.String(100), nullable=False),
        sa.Column("thing", sa.String(200), nullable=False),
        sa.Column("party", sa.String(200), nullable=False),
        sa.Column("scope", sa.String(20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("agency", "thing", "party", name=op.f("pk_erased_parties")),
    )
