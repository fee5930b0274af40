"""Bytes of TAMARA files in parts, so that no file is ever whole in memory."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tamara_parts",
        sa.Column("partner_id", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=3), nullable=False),
        sa.Column("mode", sa.String(length=1), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reprint", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Boolean(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "partner_id", "kind", "mode", "seq", "reprint", "form", "part", name=op.f("pk_tamara_parts")
        ),
    )
    # What was sealed whole is the first and last part: it opens under the key and binding that it has.
    op.execute(
        "INSERT INTO tamara_parts (partner_id, kind, mode, seq, reprint, form, part, last, nonce, content, created_at) "
        "SELECT partner_id, kind, mode, seq, reprint, form, 0, true, nonce, content, created_at FROM tamara_contents"
    )
    op.drop_table("tamara_contents")
