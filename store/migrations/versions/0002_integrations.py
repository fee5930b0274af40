"""Integrations that an agency activates by itself, with their history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations import integration_guards
from store.tables import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "integrations",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("system", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("catalogue", sa.Text(), nullable=False),
        sa.Column("backfill", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "system", name=op.f("pk_integrations")),
    )
    op.create_table(
        "integration_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("system", sa.String(length=200), nullable=False),
        sa.Column("step", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("done_by", sa.String(length=200), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency", "system"],
            ["integrations.agency", "integrations.system"],
            name=op.f("fk_integration_steps_agency_system"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_steps")),
    )
    op.create_index(op.f("ix_integration_steps_agency_system"), "integration_steps", ["agency", "system"], unique=False)
    for statement in integration_guards.STATEMENTS[op.get_bind().dialect.name]:
        op.execute(statement)
