"""What lists of payments are ordered and narrowed by, each with an index (contracts: payment-sync 8)."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FAILURES = {"transient", "contract", "unknown", "auth", "business", "already_paid"}
LATER = {"reversed in ERP": "reversed", "manual mark undone": "undone"}
WAITING = (
    "captured", "syncing", "sync_unknown", "retry_wait", "unsynced", "in_review", "duplicate", "awaiting_customer",
    "crediting",
)  # fmt: skip
INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "payment_syncs": (
        ("agency", "settled", "captured_at", "payment_id"),
        ("agency", "captured_at", "payment_id"),
        ("agency", "state", "captured_at", "payment_id"),
        ("agency", "cause", "settled", "captured_at", "payment_id"),
        ("agency", "connector", "settled", "captured_at", "payment_id"),
        ("agency", "claimed_by"),
        ("agency", "booking_id"),
    ),
    "payments": (("agency", "payment_ref"),),
    "bookings": (("agency", "locator"),),
    "documents": (("agency", "number"),),
}


def upgrade() -> None:
    op.add_column("payment_syncs", sa.Column("settled", sa.SmallInteger(), nullable=False, server_default="1"))
    op.add_column("payment_syncs", sa.Column("cause", sa.String(30), nullable=False, server_default=""))
    _tell()
    with op.batch_alter_table("payment_syncs") as table:
        table.alter_column("settled", server_default=None)
        table.alter_column("cause", server_default=None)
    op.drop_index(op.f("ix_payment_syncs_agency_state_captured_at"), table_name="payment_syncs")
    for table_name, indexes in INDEXES.items():
        for columns in indexes:
            op.create_index(op.f(f"ix_{table_name}_{'_'.join(columns)}"), table_name, list(columns))


def _tell() -> None:
    """Both columns follow from what is kept of a payment as a whole."""
    rows = sa.table(
        "payment_syncs",
        *(sa.column(name) for name in ("agency", "payment_id", "state", "sync", "settled", "cause")),
    )
    connection = op.get_bind()
    connection.execute(sa.update(rows).where(rows.c.state.in_(WAITING)).values(settled=0))
    for row in connection.execute(sa.select(rows.c.agency, rows.c.payment_id, rows.c.sync)).all():
        cause = _cause(json.loads(row.sync))
        if cause:
            own = (rows.c.agency == row.agency) & (rows.c.payment_id == row.payment_id)
            connection.execute(sa.update(rows).where(own).values(cause=cause))


def _cause(sync: dict[str, object]) -> str:
    reason, evidence = str(sync.get("reason") or ""), sync.get("evidence")
    if not reason or reason in FAILURES:
        return reason
    if reason in LATER:
        return LATER[reason]
    verdict = str(evidence.get("verdict", "")) if isinstance(evidence, dict) else ""
    return verdict if verdict and verdict != "unpaid" else "other"
