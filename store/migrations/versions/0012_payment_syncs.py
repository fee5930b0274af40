"""Where payments stand on their way into the ERP, and every move that led there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "payment_syncs",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("experience_id", sa.String(length=200), nullable=False),
        sa.Column("connector", sa.String(length=200), nullable=False),
        sa.Column("workflow_id", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("claimed_by", sa.String(length=200), nullable=True),
        sa.Column("captured_at", Instant(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("sync", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "payment_id", name=op.f("pk_payment_syncs")),
    )
    op.create_index(
        op.f("ix_payment_syncs_agency_state_captured_at"), "payment_syncs", ["agency", "state", "captured_at"]
    )
    op.create_index(op.f("ix_payment_syncs_connector_state_since"), "payment_syncs", ["connector", "state", "since"])
    op.create_index(op.f("ix_payment_syncs_agency_amount"), "payment_syncs", ["agency", "amount"])
    op.create_table(
        "payment_transitions",
        sa.Column("id", LONG, autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("after", sa.String(length=20), nullable=False),
        sa.Column("event", sa.String(length=30), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("actor_type", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_transitions")),
    )
    op.create_index(
        op.f("ix_payment_transitions_agency_payment_id_version"),
        "payment_transitions",
        ["agency", "payment_id", "version"],
        unique=True,
    )


def downgrade() -> None:
    op.drop_table("payment_transitions")
    op.drop_table("payment_syncs")
