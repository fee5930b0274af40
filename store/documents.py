"""Fiscal documents that exist outside, as we recorded them: the number belongs to the ERP (contracts: money-rules 1, giav 2.9)."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, Date, Index, Row, Select, String, Table, bindparam, select

from domain.errors import ContractBroken
from domain.money import Money
from store.clock import Clock
from store.database import Database
from store.tables import Instant, agency_column, id_column, insert_once, metadata, money_columns

documents = Table(
    "documents",
    metadata,
    agency_column(primary_key=True),
    id_column("system", primary_key=True),
    id_column("key", primary_key=True),
    Column("kind", String(20), nullable=False),
    id_column("number"),
    id_column("outside_id"),
    id_column("booking_id"),
    id_column("payment_id", nullable=True),
    id_column("refers_to", nullable=True),
    *money_columns(),
    Column("issued_on", Date, nullable=False),
    Column("operation_date", Date, nullable=False),
    Column("series", String(100), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "agency", "booking_id"),
    Index(None, "agency", "payment_id"),
    Index(None, "agency", "number"),
)


_OF_AGENCY = select(documents).where(documents.c.agency == bindparam("of_agency"))
_BY_KEY = _OF_AGENCY.where(documents.c.system == bindparam("of_system"), documents.c.key == bindparam("of_key"))
_IN_ORDER = _OF_AGENCY.order_by(documents.c.recorded_at, documents.c.key)
_OF_BOOKING = _IN_ORDER.where(documents.c.booking_id == bindparam("of_id"))
_OF_PAYMENT = _IN_ORDER.where(documents.c.payment_id == bindparam("of_id"))


class Document(BaseModel):
    """A document that another system issued. `key` is ours (`inv:pay_…`, `rect:cxl_…:pay_…`, `pen:cxl_…`).

    `refers_to` is the key of the document it corrects; a credit note has a negative amount.
    """

    model_config = ConfigDict(frozen=True)

    agency: str
    system: str
    kind: Literal["invoice", "credit_note", "penalty", "receipt"]
    key: str
    number: str
    outside_id: str
    booking_id: str
    payment_id: str | None = None
    refers_to: str | None = None
    amount: Money
    issued_on: date
    operation_date: date
    series: str = ""


class Documents:
    """Records documents once and lists them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def record(self, document: Document) -> None:
        """Remember a document; again is no change. Raises `ContractBroken` if the key has another number or amount."""
        values = document.model_dump(exclude={"amount"}) | {
            "amount": document.amount.amount,
            "currency": document.amount.currency,
            "recorded_at": self._clock(),
        }
        with self._database.begin() as connection:
            inserted = connection.execute(insert_once(connection.dialect.name, documents), values)
            if inserted.rowcount == 1:
                return
            row = connection.execute(_BY_KEY, _key(document.agency, document.system, document.key)).one()
        known = _document(row)
        if (known.outside_id, known.amount) != (document.outside_id, document.amount):
            raise ContractBroken(
                f"{document.key} is recorded as {known.number} ({known.outside_id}), not {document.outside_id}",
                system=document.system,
            )

    def get(self, agency: str, system: str, key: str) -> Document | None:
        with self._database.read() as connection:
            row = connection.execute(_BY_KEY, _key(agency, system, key)).one_or_none()
        return _document(row) if row else None

    def of_booking(self, agency: str, booking_id: str, system: str | None = None) -> list[Document]:
        """In the order they were recorded."""
        found = self._all(_OF_BOOKING, {"of_agency": agency, "of_id": booking_id})
        return [each for each in found if system is None or each.system == system]

    def of_payment(self, agency: str, payment_id: str) -> list[Document]:
        """The original invoice of a payment and everything that corrects it."""
        return self._all(_OF_PAYMENT, {"of_agency": agency, "of_id": payment_id})

    def _all(self, query: Select[Any], wanted: dict[str, str]) -> list[Document]:
        with self._database.read() as connection:
            return [_document(row) for row in connection.execute(query, wanted)]


def _key(agency: str, system: str, key: str) -> dict[str, str]:
    return {"of_agency": agency, "of_system": system, "of_key": key}


def _document(row: Row[Any]) -> Document:
    values = dict(row._mapping)
    del values["recorded_at"]
    values["amount"] = Money(amount=values["amount"], currency=values.pop("currency"))
    return Document.model_validate(values)
