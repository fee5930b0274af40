"""What a mid-office has and what it does not have, line by line (contracts: midoffice 1.3, 2.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, Index, Row, String, Table, Text, delete, literal, select, tuple_

from store.clock import Clock
from store.database import Database
from store.tables import Instant, agency_column, id_column, insert_for, metadata

transfers = Table(
    "transfers",
    metadata,
    agency_column(primary_key=True),
    id_column("system", primary_key=True),
    id_column("booking_id", primary_key=True),
    id_column("line_id", primary_key=True),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    id_column("outside_id", nullable=True),
    Column("updated_at", Instant, nullable=False),
    Index(None, "agency", "updated_at"),
    Index(None, "agency", "state", "updated_at"),
)

KEY = ("agency", "system", "booking_id", "line_id")
TransferPlace = tuple[datetime, str, str, str]
TransferState = Literal["transferred", "queued", "not_transferred", "cancelled"]


@dataclass(frozen=True, slots=True)
class Transfer:
    """One service line and its fate in a mid-office; `reason` says why it was left out or cancelled."""

    agency: str
    system: str
    booking_id: str
    line_id: str
    state: TransferState
    reason: str
    outside_id: str | None
    updated_at: datetime

    @property
    def place(self) -> TransferPlace:
        return self.updated_at, self.booking_id, self.line_id, self.system


class Transfers:
    """The newest fate of every line."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        fresh = insert_for(database.dialect, transfers)
        # Built once: several lines of every booking go through it.
        self._record = fresh.on_conflict_do_update(
            index_elements=KEY,
            set_={column.name: fresh.excluded[column.name] for column in transfers.c if column.name not in KEY},
        )

    def record(
        self,
        agency: str,
        system: str,
        booking_id: str,
        line_id: str,
        state: TransferState,
        reason: str = "",
        outside_id: str | None = None,
    ) -> None:
        """Set the state of a line; what was known before is replaced."""
        values = {
            "agency": agency,
            "system": system,
            "booking_id": booking_id,
            "line_id": line_id,
            "state": state,
            "reason": reason,
            "outside_id": outside_id,
            "updated_at": self._clock(),
        }
        with self._database.begin() as connection:
            connection.execute(self._record, values)

    def forget(self, agency: str, system: str, booking_id: str) -> None:
        """Strike a booking off the list, because another one stands for it by now."""
        with self._database.begin() as connection:
            connection.execute(
                delete(transfers).where(
                    transfers.c.agency == agency, transfers.c.system == system, transfers.c.booking_id == booking_id
                )
            )

    def list(
        self,
        agency: str | None = None,
        system: str | None = None,
        booking_id: str | None = None,
        state: TransferState | None = None,
    ) -> list[Transfer]:
        """Lines by booking and id; what is None does not matter."""
        query = select(transfers).order_by(transfers.c.agency, transfers.c.booking_id, transfers.c.line_id)
        wanted = {"agency": agency, "system": system, "booking_id": booking_id, "state": state}
        for column, value in wanted.items():
            if value is not None:
                query = query.where(transfers.c[column] == value)
        with self._database.read() as connection:
            return [_transfer(row) for row in connection.execute(query)]

    def page(
        self,
        agency: str,
        *,
        state: str | None = None,
        booking_id: str | None = None,
        after: TransferPlace | None = None,
        limit: int = 50,
    ) -> Sequence[Transfer]:
        """Lines by their last change, the newest first, behind the place `after`."""
        own = transfers.c
        place = (own.updated_at, own.booking_id, own.line_id, own.system)
        query = select(transfers).where(own.agency == agency)
        if state is not None:
            query = query.where(own.state == state)
        if booking_id is not None:
            query = query.where(own.booking_id == booking_id)
        if after is not None:
            query = query.where(
                tuple_(*place) < tuple_(literal(after[0], Instant), *(literal(part, String) for part in after[1:]))
            )
        query = query.order_by(*(column.desc() for column in place)).limit(limit)
        with self._database.read() as connection:
            return [_transfer(row) for row in connection.execute(query)]


def _transfer(row: Row[Any]) -> Transfer:
    return Transfer(**row._mapping)
