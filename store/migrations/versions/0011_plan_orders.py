"""Orders about payment plans, with who gave them and why (contracts: money-rules 1.7, P10)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import Instant, LongId

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_orders",
        sa.Column("number", LongId, autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(100), nullable=False),
        sa.Column("plan_id", sa.String(200), nullable=False),
        sa.Column("order_id", sa.String(300), nullable=False),
        sa.Column("booking_id", sa.String(200), nullable=False),
        sa.Column("instalment_id", sa.String(200), nullable=True),
        sa.Column("order", sa.String(20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("given_by", sa.String(200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("given_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_plan_orders")),
    )
    op.create_index(
        op.f("ix_plan_orders_agency_plan_id_order_id"), "plan_orders", ["agency", "plan_id", "order_id"], unique=True
    )
