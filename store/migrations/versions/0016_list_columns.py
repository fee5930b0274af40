"""What lists of bookings, instalments, TAMARA, mid-office and orders are ordered by and add up, without opening a snapshot."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

AT_A_TIME = 1000
INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "experiences": (("agency", "starts_on", "id"),),
    "bookings": (("agency", "updated_at", "id"), ("agency", "status", "updated_at", "id")),
    "payments": (("agency", "booking_id", "currency", "amount"),),
    "plan_instalments": (("agency", "due_on", "booking_id", "id"),),
    "transfers": (("agency", "updated_at"), ("agency", "state", "updated_at")),
    "supplier_orders": (("agency", "modified_at", "order_id"),),
}
NAMED: dict[str, tuple[str, tuple[str, ...]]] = {
    "ix_tamara_lines_newest": ("tamara_lines", ("agency", "id")),
    "ix_tamara_lines_by_state": ("tamara_lines", ("agency", "state", "id")),
    "ix_tamara_files_newest": ("tamara_files", ("agency", "created_at")),
    "ix_tamara_answers_newest": ("tamara_answers", ("agency", "id")),
}
COSTS = ("estimated", "confirmed", "invoiced")


def upgrade() -> None:
    for status in COSTS:
        op.add_column("bookings", sa.Column(f"cost_{status}", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("bookings", sa.Column("cancelled_at", Instant(), nullable=True))
    op.add_column("payments", sa.Column("instalment_id", sa.String(200), nullable=True))
    op.create_table(
        "plan_instalments",
        sa.Column("agency", sa.String(100), nullable=False),
        sa.Column("booking_id", sa.String(200), nullable=False),
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("plan_id", sa.String(200), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.PrimaryKeyConstraint("agency", "booking_id", "id", name=op.f("pk_plan_instalments")),
    )
    _tell_bookings()
    _tell_payments()
    _tell_plans()
    op.drop_index(op.f("ix_payments_agency_booking_id"), table_name="payments")
    for table_name, indexes in INDEXES.items():
        for columns in indexes:
            op.create_index(op.f(f"ix_{table_name}_{'_'.join(columns)}"), table_name, list(columns))
    for name, (table_name, columns) in NAMED.items():
        op.create_index(name, table_name, list(columns))


def _tell_bookings() -> None:
    money = {f"cost_{status}": sa.BigInteger() for status in COSTS}
    rows = _table("bookings", **money, cancelled_at=Instant())
    for agency, own, told in _bodies(rows):
        costs = dict.fromkeys(money, 0)
        for line in told.get("lines") or ():
            costs[f"cost_{line['cost'].get('status', 'estimated')}"] += line["cost"]["total"]["amount"]
        _set(rows, agency, own, **costs, cancelled_at=_moment(told.get("cancelled_at")))


def _tell_payments() -> None:
    rows = _table("payments", instalment_id=sa.String())
    for agency, own, told in _bodies(rows):
        if told.get("installment_id"):
            _set(rows, agency, own, instalment_id=told["installment_id"])


def _tell_plans() -> None:
    """Of several plans of one booking the one that was told last counts."""
    plans = _table("payment_plans", booking_id=sa.String(), updated_at=Instant(), revision=sa.Integer())
    instalments = sa.table(
        "plan_instalments",
        *(sa.column(name) for name in ("agency", "booking_id", "id", "plan_id", "seq", "status", "amount", "currency")),
        sa.column("due_on", sa.Date()),
    )
    connection = op.get_bind()
    order = (plans.c.agency, plans.c.booking_id, plans.c.updated_at, plans.c.revision)
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in connection.execute(sa.select(plans).order_by(*order)).all():
        newest[row.agency, row.booking_id] = json.loads(row.body)
    rows = [
        {
            "agency": agency,
            "booking_id": booking,
            "id": each["id"],
            "plan_id": told["id"],
            "seq": each["seq"],
            "due_on": _day(each["due_on"]),
            "status": each["status"],
            "amount": each["amount"]["amount"],
            "currency": each["amount"]["currency"],
        }
        for (agency, booking), told in newest.items()
        for each in told["installments"]
    ]
    for start in range(0, len(rows), AT_A_TIME):
        connection.execute(sa.insert(instalments), rows[start : start + AT_A_TIME])


def _table(name: str, **columns: Any) -> Any:
    own = {"agency": sa.String(), "id": sa.String(), "body": sa.Text(), **columns}
    return sa.table(name, *(sa.column(column, kind) for column, kind in own.items()))


def _bodies(rows: Any) -> list[tuple[str, str, dict[str, Any]]]:
    found = op.get_bind().execute(sa.select(rows.c.agency, rows.c.id, rows.c.body)).all()
    return [(row.agency, row.id, json.loads(row.body)) for row in found]


def _set(rows: Any, agency: str, own: str, **values: Any) -> None:
    op.get_bind().execute(sa.update(rows).where(rows.c.agency == agency, rows.c.id == own).values(values))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _day(text: str) -> date:
    return date.fromisoformat(text)
