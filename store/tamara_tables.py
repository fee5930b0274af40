"""The tables of TAMARA and their rows as values (contracts: tamara 3.6, 3.12, 4.5).

A line never holds a card number, only the vault's reference. Amounts are unsigned minor units with `dc` as direction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from store.tables import Instant, LongId, agency_column, id_column, metadata

LineState = Literal[
    "STAGED",
    "REFUSED",
    "SEALED",
    "SENT",
    "ACCEPTED",
    "MATCHED",
    "HELD",
    "EXPIRED",
    "REJECTED",
    "CORRECTED",
    "ABANDONED",
    "WITHDRAWN",
]
"""States of a transaction; REFUSED is a staged row that a rule of 3.9 keeps out of the file."""
FileState = Literal[
    "SEALED",
    "RENDERED",
    "UPLOADING",
    "DELIVERED",
    "DELIVERY_UNKNOWN",
    "ACKED",
    "PARTIAL",
    "REFUSED",
    "UNCONFIRMED",
    "CLOSED",
    "VOID",
]
ARRIVED: tuple[FileState, ...] = ("DELIVERED", "ACKED", "PARTIAL", "REFUSED", "UNCONFIRMED", "CLOSED")
"""AirPlus has the file, whatever it thinks of it."""
OPEN: tuple[LineState, ...] = ("STAGED", "REFUSED")
"""Nothing of it has left the house: it may still be replaced or withdrawn."""
CARRIED: tuple[LineState, ...] = ("STAGED", "REFUSED", "SEALED", "SENT", "ACCEPTED", "MATCHED", "HELD", "EXPIRED")
"""Counts towards what AirPlus has been or will be told."""
DELIVERED: tuple[LineState, ...] = ("SENT", "ACCEPTED", "MATCHED", "HELD", "EXPIRED")

lines = Table(
    "tamara_lines",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    id_column("booking_id"),
    id_column("payment_id"),
    Column("purpose", String(200), nullable=False),
    Column("version", Integer, nullable=False, default=0),
    Column("txn_ref", String(26), nullable=False),
    Column("mode", String(1), nullable=False),
    Column("kind", String(3), nullable=False),
    Column("state", String(20), nullable=False),
    Column("service", String(2), nullable=False),
    Column("type", String(2), nullable=False),
    Column("dc", String(1), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("net", BigInteger, nullable=False),
    Column("vat", BigInteger, nullable=False),
    Column("gross", BigInteger, nullable=False),
    Column("invoice_number", String(100)),
    Column("invoice_date", Date),
    Column("credit_note_number", String(100)),
    Column("credit_note_date", Date),
    Column("value_date", Date, nullable=False),
    Column("original_ref", String(26)),
    Column("card_ref", String(200)),
    Column("content", JSON, nullable=False),
    Column("notes", JSON, nullable=False, default=list),
    Column("refused_rule", String(10)),
    Column("refused_field", String(60)),
    Column("refused_text", String(500)),
    Column("partner_id", String(12)),
    Column("seq", Integer),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("agency", "booking_id", "payment_id", "purpose", "version", name="uq_tamara_lines_purpose"),
    UniqueConstraint("txn_ref", "version", name="uq_tamara_lines_txn_ref"),
    ForeignKeyConstraint(
        ["partner_id", "kind", "mode", "seq"],
        ["tamara_files.partner_id", "tamara_files.kind", "tamara_files.mode", "tamara_files.seq"],
        name="fk_tamara_lines_file",
    ),
    Index("ix_tamara_lines_waiting", "agency", "kind", "mode", "state"),
    Index("ix_tamara_lines_file", "partner_id", "kind", "mode", "seq"),
    Index("ix_tamara_lines_newest", "agency", "id"),
    Index("ix_tamara_lines_by_state", "agency", "state", "id"),
)

files = Table(
    "tamara_files",
    metadata,
    Column("partner_id", String(12), primary_key=True),
    Column("kind", String(3), primary_key=True),
    Column("mode", String(1), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    agency_column(),
    Column("day", Date, nullable=False),
    Column("name", String(64), nullable=False, unique=True),
    Column("state", String(20), nullable=False),
    Column("layout_id", String(60), nullable=False),
    Column("sealed_at", String(40), nullable=False),
    Column("period_from", Date, nullable=False),
    Column("period_to", Date, nullable=False),
    Column("head", JSON, nullable=False),
    Column("sums", JSON, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("digest", String(64)),
    Column("size", BigInteger),
    Column("rename_sent", Boolean, nullable=False, default=False),
    Column("reprint", Integer, nullable=False, default=0),
    Column("cipher_digest", String(64)),
    Column("cipher_size", BigInteger),
    Column("delivered_at", Instant),
    Column("answered_at", Instant),
    Column("destroyed_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("agency", "kind", "mode", "day", name="uq_tamara_files_day"),
    Index("ix_tamara_files_newest", "agency", "created_at"),
)

counters = Table(
    "tamara_counters",
    metadata,
    Column("partner_id", String(12), primary_key=True),
    Column("kind", String(3), primary_key=True),
    Column("mode", String(1), primary_key=True),
    Column("last", Integer, nullable=False),
)


class Stored(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class LineContent(Stored):
    """What of a line may change while it is open. `content` is the canonical transaction without its card."""

    state: LineState = "STAGED"
    kind: Literal["BSP", "MA"]
    service: str
    type: Literal["SA", "RF", "CX"]
    dc: Literal["D", "C"]
    currency: str
    net: int
    vat: int
    gross: int
    invoice_number: str | None = None
    invoice_date: dt.date | None = None
    credit_note_number: str | None = None
    credit_note_date: dt.date | None = None
    value_date: dt.date
    original_ref: str | None = None
    card_ref: str | None = None
    content: dict[str, Any]
    notes: tuple[str, ...] = ()
    refused_rule: str | None = None
    refused_field: str | None = None
    refused_text: str | None = None


class NewLine(LineContent):
    """A line with its key: one for each (booking, payment, purpose) for ever."""

    agency: str
    booking_id: str
    payment_id: str
    purpose: str
    version: int = 0
    txn_ref: str
    mode: Literal["T", "P"]


class Line(NewLine):
    """A line as stored; `seq` is set once it is sealed."""

    id: int
    partner_id: str | None = None
    seq: int | None = None
    updated_at: dt.datetime

    @property
    def signed(self) -> int:
        """Gross in minor units, negative when it credits the customer."""
        return self.gross if self.dc == "D" else -self.gross


class Sum(Stored):
    """Debits or credits of one currency in a file."""

    currency: str
    dc: Literal["D", "C"]
    count: int
    gross: int


class FileKey(Stored):
    """Identity of a file; each (partner, kind, mode) counts from 1."""

    partner_id: str
    kind: Literal["BSP", "MA"]
    mode: Literal["T", "P"]
    seq: int


class File(FileKey):
    """A sealed file. `sealed_at` is ISO 8601 in the agency's zone; `head` is the frozen agency block.

    `cipher_digest` and `cipher_size` are those of the OpenPGP form, if the file left in one; `destroyed_at` is when its
    forms with card numbers were destroyed.
    """

    agency: str
    day: dt.date
    name: str
    state: FileState
    layout_id: str
    sealed_at: dt.datetime
    period_from: dt.date
    period_to: dt.date
    head: dict[str, Any]
    sums: list[Sum]
    lines: int
    digest: str | None = None
    size: int | None = None
    rename_sent: bool = False
    reprint: int = 0
    cipher_digest: str | None = None
    cipher_size: int | None = None
    delivered_at: dt.datetime | None = None
    answered_at: dt.datetime | None = None
    destroyed_at: dt.datetime | None = None

    @property
    def key(self) -> FileKey:
        return FileKey(partner_id=self.partner_id, kind=self.kind, mode=self.mode, seq=self.seq)


class Sealing(Stored):
    """A wish to seal: which lines, under which names; the number is taken while sealing."""

    agency: str
    partner_id: str
    kind: Literal["BSP", "MA"]
    mode: Literal["T", "P"]
    day: dt.date
    layout_id: str
    sealed_at: dt.datetime
    head: dict[str, Any]
    line_ids: list[int]
    name: Callable[[int], str]
