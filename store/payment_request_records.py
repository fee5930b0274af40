"""What the store tells of a deal's request: its newest revision, documents, pages, payments, refunds (contracts: easycount 2.7, 3, 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from domain.deals import DealSaid, RequestState, Role
from domain.money import Money


@dataclass(frozen=True, slots=True)
class Asked:
    """One revision of a request: what the deal said when it was made."""

    revision: int
    said: DealSaid
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IssuedDocument:
    """A document as EasyCount issued it; `type` is its number there."""

    deal_id: int
    revision: int
    key: str
    type: int
    uuid: str
    number: str
    pdf: str
    amount: Money
    payment_id: str | None
    allocation_number: str | None
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A page. Its secret is in the vault under `secret_name`."""

    agency: str
    deal_id: int
    number: int
    revision: int
    ordinal: int
    url: str
    token: str
    amount: Money
    orphan: bool
    made_at: datetime
    expires_at: datetime

    @property
    def secret_name(self) -> str:
        return secret_name(self.deal_id, self.number)


@dataclass(frozen=True, slots=True)
class LinkPayment:
    """A page that was paid; `outcome` is empty until it is in the books (`recorded`) or given back (`returned`)."""

    payment_id: str
    deal_id: int
    link: int
    revision: int
    amount: Money
    role: Role
    reference: str
    page_id: str
    authorisation: str
    last4: str
    brand: str
    seen_at: datetime
    handled_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class DealRefund:
    refund_id: str
    deal_id: int
    payment_id: str
    amount: Money
    reference: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A deal's request as a whole: its newest revision and everything that hangs on the deal."""

    agency: str
    deal_id: int
    state: RequestState
    stage: int | None
    since: datetime
    asked: Asked
    documents: tuple[IssuedDocument, ...]
    links: tuple[Link, ...]
    payments: tuple[LinkPayment, ...]
    refunds: tuple[DealRefund, ...]

    @property
    def paid(self) -> int:
        """What was paid and kept, in minor units."""
        return sum(p.amount.amount for p in self.payments if p.outcome != "returned" and p.role not in UNCOUNTED)

    @property
    def refunded(self) -> int:
        return sum(refund.amount.amount for refund in self.refunds)


UNCOUNTED = ("duplicate", "after_cancel")
"""Roles that count only once a person kept the money (`recorded`)."""


def secret_name(deal_id: int, number: int) -> str:
    return f"easycount/page/{deal_id}/{number}"


def _money(row: Row[Any]) -> Money:
    return Money(amount=row.amount, currency=row.currency)


def asked_of(row: Row[Any]) -> Asked:
    return Asked(row.revision, DealSaid.model_validate_json(row.said), row.created_at)


def document_of(row: Row[Any]) -> IssuedDocument:
    return IssuedDocument(
        deal_id=row.deal_id,
        revision=row.revision,
        key=row.key,
        type=row.type,
        uuid=row.uuid,
        number=row.number,
        pdf=row.pdf,
        amount=_money(row),
        payment_id=row.payment_id,
        allocation_number=row.allocation_number,
        issued_at=row.issued_at,
    )


def link_of(row: Row[Any]) -> Link:
    return Link(
        agency=row.agency,
        deal_id=row.deal_id,
        number=row.number,
        revision=row.revision,
        ordinal=row.ordinal,
        url=row.url,
        token=row.token,
        amount=_money(row),
        orphan=bool(row.orphan),
        made_at=row.made_at,
        expires_at=row.expires_at,
    )


def payment_of(row: Row[Any]) -> LinkPayment:
    return LinkPayment(
        payment_id=row.payment_id,
        deal_id=row.deal_id,
        link=row.link,
        revision=row.revision,
        amount=_money(row),
        role=row.role,
        reference=row.reference,
        page_id=row.page_id,
        authorisation=row.authorisation,
        last4=row.last4,
        brand=row.brand,
        seen_at=row.seen_at,
        handled_at=row.handled_at,
        outcome=row.outcome,
    )


def refund_of(row: Row[Any]) -> DealRefund:
    return DealRefund(
        refund_id=row.refund_id,
        deal_id=row.deal_id,
        payment_id=row.payment_id,
        amount=_money(row),
        reference=row.reference,
        by=row.by,
        at=row.at,
    )
