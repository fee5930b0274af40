"""Whose an outside id is: another call's answer is known by it."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_effects_outside_id", "effects", ["agency", "system", "outside_id"])
