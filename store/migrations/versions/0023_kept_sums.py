"""What bookings owe and what accounts moved by day, kept as it happens: lists of debts and balances read it and add up nothing.

And an index for the items that were closed last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from store.tables import Instant

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

AT_A_TIME = 1000
_DAYS = """
INSERT INTO journal_days (agency, account, currency, on_date, debit, credit)
SELECT e.agency, p.account, p.currency, e.on_date, SUM(CASE p.side WHEN 'debit' THEN p.amount ELSE 0 END),
       SUM(CASE p.side WHEN 'debit' THEN 0 ELSE p.amount END)
FROM journal_postings p JOIN journal_entries e ON e.id = p.entry_id GROUP BY e.agency, p.account, p.currency, e.on_date
"""


def upgrade() -> None:
    op.create_table(
        "journal_days",
        sa.Column("agency", sa.String(100), nullable=False),
        sa.Column("account", sa.String(20), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "account", "currency", "on_date", name=op.f("pk_journal_days")),
    )
    op.execute(_DAYS)
    debts = op.create_table(
        "debts",
        sa.Column("agency", sa.String(100), nullable=False),
        sa.Column("booking_id", sa.String(200), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "booking_id", "currency", name=op.f("pk_debts")),
    )
    columns = ["agency", "pending", "currency", "booking_id"]
    op.create_index(op.f("ix_debts_agency_pending_currency_booking_id"), "debts", columns)
    parts = op.create_table(
        "debt_parts",
        sa.Column("agency", sa.String(100), nullable=False),
        sa.Column("booking_id", sa.String(200), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("departs_with", sa.String(200), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("agency", "booking_id", "currency", "number", name=op.f("pk_debt_parts")),
    )
    whole, split = list[dict[str, Any]](), list[dict[str, Any]]()
    for debt, its_parts in _debts():
        whole.append(debt)
        split += its_parts
    op.create_index(op.f("ix_parked_items_state_closed_at"), "parked_items", ["state", "closed_at"])
    for table, rows in ((debts, whole), (parts, split)):
        for start in range(0, len(rows), AT_A_TIME):
            op.get_bind().execute(table.insert(), rows[start : start + AT_A_TIME])


def _debts() -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each debt and its parts, by the rule of the time of this revision."""
    moved: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in _rows("booking_money", "agency", "booking_id", "currency", "collected", "refunded", "disputed"):
        moved[row.agency, row.booking_id][row.currency] = row.refunded + row.disputed - row.collected
    dues: dict[tuple[str, str, str], list[tuple[bool, int, date, int]]] = defaultdict(list)
    for row in _rows("plan_instalments", "agency", "booking_id", "currency", "status", "due_on", "amount", "settled"):
        if row.status not in ("waived", "cancelled"):
            due = (row.settled, -row.due_on.toordinal(), row.due_on, row.amount)
            dues[row.agency, row.booking_id, row.currency].append(due)
    columns = ("agency", "id", "experience_id", "status", "amount", "currency", "cancelled_at")
    for booking in _rows("bookings", *columns):
        money = moved[booking.agency, booking.id]
        for currency in sorted({booking.currency, *money}):
            pending = money.get(currency, 0) + (booking.amount if currency == booking.currency else 0)
            if pending:
                own = {"agency": booking.agency, "booking_id": booking.id, "currency": currency}
                ended = booking.cancelled_at if booking.status == "cancelled" else None
                known = [] if ended else sorted(dues[booking.agency, booking.id, currency])
                parts = _parts(pending, known, ended, booking.experience_id)
                yield own | {"pending": pending}, [own | {"number": at} | part for at, part in enumerate(parts)]


def _parts(
    left: int, dues: list[tuple[bool, int, date, int]], ended: datetime | None, experience: str
) -> Iterator[dict[str, Any]]:
    """What is missing is missing of the latest instalments, and of those that were paid once only after the open ones."""
    nothing: dict[str, Any] = {"due_on": None, "departs_with": None, "ended_at": None}
    for _, _, due_on, amount in dues:
        if left > 0:
            yield nothing | {"amount": min(left, amount), "due_on": due_on}
            left -= min(left, amount)
    if left > 0:
        yield nothing | {"amount": left, "ended_at": ended, "departs_with": None if ended else experience}


def _rows(name: str, *columns: str) -> list[Any]:
    kinds: dict[str, Any] = {"due_on": sa.Date(), "cancelled_at": Instant(), "settled": sa.Boolean()}
    own = sa.table(name, *(sa.column(column, kinds.get(column)) for column in columns))
    return list(op.get_bind().execute(sa.select(own)).all())
