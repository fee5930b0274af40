"""Bytes of TAMARA files under keys of their own, prints of a file, partners to whom nothing is sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _number_of_a_print() -> list[sa.Column[object]]:
    return [
        sa.Column("partner_id", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=3), nullable=False),
        sa.Column("mode", sa.String(length=1), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reprint", sa.Integer(), autoincrement=False, nullable=False),
    ]


def upgrade() -> None:
    op.add_column("tamara_files", sa.Column("reprint", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("tamara_files", sa.Column("cipher_digest", sa.String(length=64)))
    op.add_column("tamara_files", sa.Column("cipher_size", sa.BigInteger()))
    for moment in ("delivered_at", "answered_at", "destroyed_at"):
        op.add_column("tamara_files", sa.Column(moment, Instant()))
    op.create_table(
        "tamara_contents",
        *_number_of_a_print(),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "partner_id", "kind", "mode", "seq", "reprint", "form", name=op.f("pk_tamara_contents")
        ),
    )
    op.create_table(
        "tamara_prints",
        *_number_of_a_print(),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("sealed_at", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("cipher_digest", sa.String(length=64), nullable=True),
        sa.Column("cipher_size", sa.BigInteger(), nullable=True),
        sa.Column("replaced_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "kind", "mode", "seq", "reprint", name=op.f("pk_tamara_prints")),
    )
    op.create_table(
        "tamara_stops",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("partner_id", sa.String(length=12), nullable=False),
        sa.Column("mode", sa.String(length=1), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("released_by", sa.String(length=200), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("released_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tamara_stops")),
    )
