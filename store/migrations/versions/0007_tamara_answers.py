"""AirPlus' answers, what they said of each line, and what people corrected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "tamara_answers",
        sa.Column("id", LONG, autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("partner_id", sa.String(length=12), nullable=True),
        sa.Column("kind", sa.String(length=3), nullable=True),
        sa.Column("mode", sa.String(length=1), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("file_status", sa.String(length=1), nullable=True),
        sa.Column("file_reason", sa.String(length=4), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("settled_by", sa.String(length=200), nullable=True),
        sa.Column("settled_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tamara_answers")),
        sa.UniqueConstraint("agency", "name", "digest", name="uq_tamara_answers_name"),
    )
    op.create_table(
        "tamara_answered_lines",
        sa.Column("id", LONG, autoincrement=True, nullable=False),
        sa.Column("answer_id", LONG, nullable=False),
        sa.Column("line_id", LONG, nullable=False),
        sa.Column("status", sa.String(length=1), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=True),
        sa.Column("field", sa.String(length=30), nullable=True),
        sa.Column("text", sa.String(length=500), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tamara_answered_lines")),
    )
    op.create_index("ix_tamara_answered_lines_line", "tamara_answered_lines", ["line_id"])
    op.create_table(
        "tamara_corrections",
        sa.Column("id", LONG, autoincrement=True, nullable=False),
        sa.Column("txn_ref", sa.String(length=26), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("value", sa.JSON(), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tamara_corrections")),
    )
    op.create_index("ix_tamara_corrections_txn_ref", "tamara_corrections", ["txn_ref"])
