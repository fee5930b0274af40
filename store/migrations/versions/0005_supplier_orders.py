"""Suppliers' orders with their fates, how far each supplier was read, and which orders the bookings name."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "supplier_orders",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("supplier", sa.String(length=200), nullable=False),
        sa.Column("order_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("partner_order_id", sa.String(length=256), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("handled_revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=True),
        sa.Column("confirmed_amount", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_currency", sa.String(length=3), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("modified_at", Instant(), nullable=False),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "supplier", "order_id", name=op.f("pk_supplier_orders")),
    )
    op.create_index(
        op.f("ix_supplier_orders_agency_supplier_partner_order_id"),
        "supplier_orders",
        ["agency", "supplier", "partner_order_id"],
    )
    op.create_index(op.f("ix_supplier_orders_agency_booking_id"), "supplier_orders", ["agency", "booking_id"])
    waits = sa.text("revision > handled_revision")
    op.create_index(
        "ix_supplier_orders_pending",
        "supplier_orders",
        ["agency", "supplier", "first_seen_at"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.create_table(
        "supplier_links",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("supplier", sa.String(length=200), nullable=False),
        sa.Column("partner_order_id", sa.String(length=256), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "supplier", "partner_order_id", name=op.f("pk_supplier_links")),
    )
    op.create_index(op.f("ix_supplier_links_agency_booking_id"), "supplier_links", ["agency", "booking_id"])
    op.create_table(
        "supplier_feeds",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("supplier", sa.String(length=200), nullable=False),
        sa.Column("watermark", Instant(), nullable=True),
        sa.Column("swept_at", Instant(), nullable=True),
        sa.Column("sweeps", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "supplier", name=op.f("pk_supplier_feeds")),
    )
    op.create_table(
        "supplier_nudges",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("supplier", sa.String(length=200), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("partner_order_id", sa.String(length=256), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "supplier", "token", name=op.f("pk_supplier_nudges")),
    )
    open_ = sa.text("done_at IS NULL")
    op.create_index(
        "ix_supplier_nudges_open",
        "supplier_nudges",
        ["agency", "supplier", "due_at"],
        sqlite_where=open_,
        postgresql_where=open_,
    )
    _link_known_bookings()


def _link_known_bookings() -> None:
    """The orders that the bookings of before name."""
    connection = op.get_bind()
    known = connection.execute(sa.text("SELECT agency, id, body FROM bookings ORDER BY agency, id"))
    rows = {
        (booking.agency, order["system"], order["partner_order_ref"]): (booking.id, position)
        for booking in known
        for position, order in enumerate(json.loads(booking.body).get("external_orders") or ())
    }
    if rows:
        table = sa.table(
            "supplier_links", *map(sa.column, ("agency", "supplier", "partner_order_id", "booking_id", "position"))
        )
        op.bulk_insert(
            table,
            [
                dict(
                    zip(
                        ("agency", "supplier", "partner_order_id", "booking_id", "position"),
                        (*key, *value),
                        strict=True,
                    )
                )
                for key, value in rows.items()
            ],
        )
