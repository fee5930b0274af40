"""Money of each booking added up, and which instalments were paid once: lists of debts read it instead of adding up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ADD_UP = """
INSERT INTO booking_money (agency, booking_id, currency, collected, refunded, disputed)
SELECT agency, booking_id, currency, SUM(collected), SUM(refunded), SUM(disputed) FROM (
    SELECT agency, booking_id, currency, amount AS collected, 0 AS refunded, 0 AS disputed FROM payments
    UNION ALL
    SELECT agency, booking_id, currency, 0, amount, 0 FROM refunds
    WHERE NOT EXISTS (
        SELECT 1 FROM refund_failures WHERE refund_failures.agency = refunds.agency AND refund_failures.id = refunds.id
    )
    UNION ALL
    SELECT agency, booking_id, currency, 0, 0, CASE WHEN stage = 'won' THEN -amount ELSE amount END FROM chargeback_stages
    WHERE stage IN ('funds_withdrawn', 'won')
) AS moves GROUP BY agency, booking_id, currency
"""
_SETTLE = """
UPDATE plan_instalments SET settled = true WHERE status = 'paid' OR EXISTS (
    SELECT 1 FROM payments WHERE payments.agency = plan_instalments.agency
    AND payments.booking_id = plan_instalments.booking_id AND payments.instalment_id = plan_instalments.id
)
"""


def upgrade() -> None:
    op.create_table(
        "booking_money",
        sa.Column("agency", sa.String(100), nullable=False),
        sa.Column("booking_id", sa.String(200), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("collected", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("disputed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "booking_id", "currency", name=op.f("pk_booking_money")),
    )
    op.execute(_ADD_UP)
    op.add_column("plan_instalments", sa.Column("settled", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(_SETTLE)
    with op.batch_alter_table("plan_instalments") as table:
        table.alter_column("settled", server_default=None)
