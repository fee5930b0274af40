"""The order of a booking's effects by number instead of by clock, and a count of breakdowns (contracts: giav 1.4, 3.3)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("effects", sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("effects", sa.Column("breakdowns", sa.SmallInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE effects SET position = numbered.place FROM ("
        "SELECT key, row_number() OVER (PARTITION BY agency, booking_id ORDER BY created_at, key) AS place FROM effects"
        ") AS numbered WHERE numbered.key = effects.key"
    )
