"""Read how each system answered lately from an index."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_effects_agency_system_state_updated_at"), "effects", ["agency", "system", "state", "updated_at"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_effects_agency_system_state_updated_at"), "effects")
