"""What deals asked customers to pay, and what came of it: requests, documents, pages, payments (contracts: easycount 2.7, 3, 5).

Append-only: a revision, a document, a page or a payment is written once, and a payment's outcome is set behind it; where a
request stands is the last of its moves.
Personal data of deals is here and nowhere in the workflows; the secret of a page is in the vault.
"""

from __future__ import annotations

import builtins
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    select,
    update,
)

from domain.deals import DealSaid, RequestState, Role, page_token, role_of
from domain.money import Money
from store.clock import Clock
from store.database import Database
from store.tables import Instant, LongId, agency_column, id_column, metadata, money_columns, upsert
from store.vault import Vault


def _deal_column() -> Column[int]:
    return Column("deal_id", BigInteger, primary_key=True, autoincrement=False)


payment_requests = Table(
    "payment_requests",
    metadata,
    agency_column(primary_key=True),
    _deal_column(),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    *money_columns(),
    id_column("booking_id", nullable=True),
    Column("said", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index(None, "agency", "booking_id"),
)

payment_request_moves = Table(
    "payment_request_moves",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    Column("deal_id", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("stage", BigInteger),
    Column("at", Instant, nullable=False),
    Index(None, "agency", "deal_id", "id"),
)

deal_documents = Table(
    "deal_documents",
    metadata,
    agency_column(primary_key=True),
    Column("key", String(45), primary_key=True),
    Column("deal_id", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("type", Integer, nullable=False),
    id_column("uuid"),
    id_column("number"),
    Column("pdf", Text, nullable=False),
    *money_columns(),
    id_column("payment_id", nullable=True),
    id_column("allocation_number", nullable=True),
    Column("issued_at", Instant, nullable=False),
    Index(None, "agency", "deal_id"),
)

payment_links = Table(
    "payment_links",
    metadata,
    agency_column(primary_key=True),
    _deal_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("token", String(40), nullable=False, unique=True),
    *money_columns(),
    Column("orphan", Integer, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
"""An orphan is a page that may exist and whose answer was lost: its amount is known, nobody was ever sent there."""

link_payments = Table(
    "link_payments",
    metadata,
    agency_column(primary_key=True),
    id_column("payment_id", primary_key=True),
    Column("deal_id", BigInteger, nullable=False),
    Column("link", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    *money_columns(),
    Column("role", String(20), nullable=False),
    id_column("reference"),
    id_column("page_id"),
    Column("authorisation", String(100), nullable=False),
    Column("last4", String(4), nullable=False),
    Column("brand", String(50), nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("handled_at", Instant),
    Column("outcome", String(20), nullable=False),
    UniqueConstraint("agency", "deal_id", "link"),
    Index(None, "agency", "deal_id"),
)

deal_refunds = Table(
    "deal_refunds",
    metadata,
    agency_column(primary_key=True),
    id_column("refund_id", primary_key=True),
    Column("deal_id", BigInteger, nullable=False),
    id_column("payment_id"),
    *money_columns(),
    id_column("reference"),
    id_column("by"),
    Column("at", Instant, nullable=False),
    Index(None, "agency", "deal_id"),
)


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


class PaymentRequests:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock, vault: Vault) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault

    # What is asked ----------------------------------------------------------------------------------------------------

    def ask(self, agency: str, deal_id: int, said: DealSaid, *, anew: bool = False) -> tuple[int, bool]:
        """The revision that asks for what the deal says, and whether it was made now; `anew` makes one in any case."""
        assert said.amount is not None
        with self._database.begin() as connection:
            newest = self._newest(connection, agency, deal_id)
            if newest is not None and not anew and newest.said.printed_alike(said):
                return newest.revision, False
            revision = 1 if newest is None else newest.revision + 1
            connection.execute(
                upsert(connection, payment_requests)
                .values(
                    agency=agency,
                    deal_id=deal_id,
                    revision=revision,
                    amount=said.amount.amount,
                    currency=said.amount.currency,
                    booking_id=said.booking_id,
                    said=said.model_dump_json(),
                    created_at=self._clock(),
                )
                .on_conflict_do_nothing()
            )
            return revision, True

    def asked(self, agency: str, deal_id: int, revision: int) -> Asked:
        query = select(payment_requests).where(
            payment_requests.c.agency == agency,
            payment_requests.c.deal_id == deal_id,
            payment_requests.c.revision == revision,
        )
        with self._database.read() as connection:
            return _asked(connection.execute(query).one())

    def moved(self, agency: str, deal_id: int, state: RequestState, revision: int, stage: int | None = None) -> int:
        """The request stands there from now on, and the deal in `stage`; the same again writes nothing. Names the move."""
        with self._database.begin() as connection:
            last = self._last_move(connection, agency, deal_id)
            if last is not None and (last.state, last.revision) == (state, revision):
                return int(last.id)
            row = payment_request_moves.insert().values(
                agency=agency, deal_id=deal_id, state=state, revision=revision, stage=stage, at=self._clock()
            )
            key = connection.execute(row).inserted_primary_key
            assert key is not None
            return int(key[0])

    # Documents --------------------------------------------------------------------------------------------------------

    def document_issued(self, agency: str, issued: IssuedDocument) -> None:
        """Keep a document, once by its key."""
        with self._database.begin() as connection:
            connection.execute(
                upsert(connection, deal_documents)
                .values(
                    agency=agency,
                    deal_id=issued.deal_id,
                    revision=issued.revision,
                    key=issued.key,
                    type=issued.type,
                    uuid=issued.uuid,
                    number=issued.number,
                    pdf=issued.pdf,
                    amount=issued.amount.amount,
                    currency=issued.amount.currency,
                    payment_id=issued.payment_id,
                    allocation_number=issued.allocation_number,
                    issued_at=issued.issued_at,
                )
                .on_conflict_do_nothing()
            )

    def document(self, agency: str, key: str) -> IssuedDocument | None:
        query = select(deal_documents).where(deal_documents.c.agency == agency, deal_documents.c.key == key)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _document(row)

    # Pages ------------------------------------------------------------------------------------------------------------

    def link_made(
        self,
        agency: str,
        deal_id: int,
        revision: int,
        ordinal: int,
        url: str,
        secret: str,
        amount: Money,
        expires_at: datetime,
        token: str = "",
    ) -> Link:
        """Keep a page and seal its secret; a second call for the same place gives the first page."""
        number = self._number(agency, deal_id)
        self._vault.seal(agency, secret_name(deal_id, number), secret)
        return self._insert_link(
            agency, deal_id, number, revision, ordinal, url, token, amount, expires_at, orphan=False
        )

    def link_lost(self, agency: str, deal_id: int, revision: int, ordinal: int, amount: Money) -> None:
        """A page may have been made of which we know nothing but the amount: it was never sent to anybody."""
        number = self._number(agency, deal_id)
        self._insert_link(agency, deal_id, number, revision, ordinal, "", "", amount, self._clock(), orphan=True)

    def new_token(self, agency: str, deal_id: int) -> str:
        """What the customer's browser will come back with."""
        return page_token(agency, deal_id, 0, secrets.token_hex(16))

    def link_of(self, agency: str, deal_id: int, revision: int, ordinal: int = 1) -> Link | None:
        """The page of a revision, if there is one that the customer may be sent to."""
        found = [link for link in self.links(agency, deal_id) if (link.revision, link.ordinal) == (revision, ordinal)]
        return next((link for link in found if not link.orphan), None)

    def links(self, agency: str, deal_id: int) -> Sequence[Link]:
        """All pages of a deal, lost ones too, oldest first."""
        query = select(payment_links).where(payment_links.c.agency == agency, payment_links.c.deal_id == deal_id)
        with self._database.read() as connection:
            return [_link(row) for row in connection.execute(query.order_by(payment_links.c.number))]

    def deal_of(self, token: str) -> tuple[str, int] | None:
        """Whose page a browser came back from: agency and deal."""
        query = select(payment_links.c.agency, payment_links.c.deal_id).where(payment_links.c.token == token)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.agency, row.deal_id)

    # Payments ---------------------------------------------------------------------------------------------------------

    def paid(
        self,
        link: Link,
        payment_id: str,
        amount: Money,
        *,
        reference: str,
        page_id: str,
        authorisation: str,
        last4: str,
        brand: str,
        cancelled: bool,
    ) -> None:
        """Keep a payment, once by its page. What it is to the deal is judged here, after all that came before it."""
        moment = self._clock()
        with self._database.begin() as connection:
            newest = self._newest(connection, link.agency, link.deal_id)
            assert newest is not None
            assert newest.said.amount is not None
            before = sum(
                p.amount.amount
                for p in self._payments(connection, link.agency, link.deal_id)
                if p.outcome == "recorded" or (p.outcome == "" and p.role not in UNCOUNTED)
            )
            role = role_of(amount, newest.said.amount, before, expired=moment > link.expires_at, cancelled=cancelled)
            connection.execute(
                upsert(connection, link_payments)
                .values(
                    agency=link.agency,
                    payment_id=payment_id,
                    deal_id=link.deal_id,
                    link=link.number,
                    revision=link.revision,
                    amount=amount.amount,
                    currency=amount.currency,
                    role=role,
                    reference=reference,
                    page_id=page_id,
                    authorisation=authorisation,
                    last4=last4,
                    brand=brand[:50],
                    seen_at=moment,
                    handled_at=None,
                    outcome="",
                )
                .on_conflict_do_nothing()
            )

    def payment(self, agency: str, payment_id: str) -> LinkPayment:
        query = select(link_payments).where(link_payments.c.agency == agency, link_payments.c.payment_id == payment_id)
        with self._database.read() as connection:
            return _payment(connection.execute(query).one())

    def payments(self, agency: str, deal_id: int) -> Sequence[LinkPayment]:
        with self._database.read() as connection:
            return self._payments(connection, agency, deal_id)

    def payment_handled(self, agency: str, payment_id: str, outcome: str) -> None:
        """It is in the books (`recorded`) or was given back (`returned`)."""
        with self._database.begin() as connection:
            connection.execute(
                update(link_payments)
                .where(link_payments.c.agency == agency, link_payments.c.payment_id == payment_id)
                .values(handled_at=self._clock(), outcome=outcome)
            )

    def refund(self, agency: str, refund: DealRefund) -> None:
        """Keep that money went back, once by its id."""
        with self._database.begin() as connection:
            connection.execute(
                upsert(connection, deal_refunds)
                .values(
                    agency=agency,
                    refund_id=refund.refund_id,
                    deal_id=refund.deal_id,
                    payment_id=refund.payment_id,
                    amount=refund.amount.amount,
                    currency=refund.amount.currency,
                    reference=refund.reference,
                    by=refund.by,
                    at=refund.at,
                )
                .on_conflict_do_nothing()
            )

    def refunds(self, agency: str, deal_id: int) -> Sequence[DealRefund]:
        query = select(deal_refunds).where(deal_refunds.c.agency == agency, deal_refunds.c.deal_id == deal_id)
        with self._database.read() as connection:
            return [_refund(row) for row in connection.execute(query.order_by(deal_refunds.c.at))]

    # Reading ----------------------------------------------------------------------------------------------------------

    def get(self, agency: str, deal_id: int) -> Request | None:
        """A deal's request with everything that hangs on it; None as long as nothing was ever asked for."""
        with self._database.read() as connection:
            newest = self._newest(connection, agency, deal_id)
            if newest is None:
                return None
            last = self._last_move(connection, agency, deal_id)
            documents = connection.execute(
                select(deal_documents)
                .where(deal_documents.c.agency == agency, deal_documents.c.deal_id == deal_id)
                .order_by(deal_documents.c.issued_at, deal_documents.c.key)
            ).all()
            payments = self._payments(connection, agency, deal_id)
        return Request(
            agency=agency,
            deal_id=deal_id,
            state=last.state if last is not None else "none",
            stage=last.stage if last is not None else None,
            since=last.at if last is not None else newest.created_at,
            asked=newest,
            documents=tuple(map(_document, documents)),
            links=tuple(self.links(agency, deal_id)),
            payments=tuple(payments),
            refunds=tuple(self.refunds(agency, deal_id)),
        )

    def list(self, agency: str | None = None, limit: int = 200) -> builtins.list[Request]:
        """Requests, the newest deal first."""
        kept = payment_requests.c
        query = select(kept.agency, kept.deal_id).group_by(kept.agency, kept.deal_id)
        if agency is not None:
            query = query.where(kept.agency == agency)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(func.max(kept.created_at).desc()).limit(limit)).all()
        found = (self.get(row.agency, row.deal_id) for row in rows)
        return [request for request in found if request is not None]

    # ------------------------------------------------------------------------------------------------------------------

    def _newest(self, connection: Connection, agency: str, deal_id: int) -> Asked | None:
        query = select(payment_requests).where(
            payment_requests.c.agency == agency, payment_requests.c.deal_id == deal_id
        )
        row = connection.execute(query.order_by(payment_requests.c.revision.desc()).limit(1)).one_or_none()
        return None if row is None else _asked(row)

    @staticmethod
    def _last_move(connection: Connection, agency: str, deal_id: int) -> Row[Any] | None:
        moves = payment_request_moves.c
        query = select(payment_request_moves).where(moves.agency == agency, moves.deal_id == deal_id)
        return connection.execute(query.order_by(moves.id.desc()).limit(1)).one_or_none()

    @staticmethod
    def _payments(connection: Connection, agency: str, deal_id: int) -> builtins.list[LinkPayment]:
        query = select(link_payments).where(link_payments.c.agency == agency, link_payments.c.deal_id == deal_id)
        rows = connection.execute(query.order_by(link_payments.c.seen_at, link_payments.c.link))
        return [_payment(row) for row in rows]

    def _number(self, agency: str, deal_id: int) -> int:
        query = select(func.max(payment_links.c.number)).where(
            payment_links.c.agency == agency, payment_links.c.deal_id == deal_id
        )
        with self._database.read() as connection:
            return (connection.scalar(query) or 0) + 1

    def _insert_link(
        self,
        agency: str,
        deal_id: int,
        number: int,
        revision: int,
        ordinal: int,
        url: str,
        token: str,
        amount: Money,
        expires_at: datetime,
        *,
        orphan: bool,
    ) -> Link:
        moment = self._clock()
        link = Link(
            agency=agency,
            deal_id=deal_id,
            number=number,
            revision=revision,
            ordinal=ordinal,
            url=url,
            token=token or self.new_token(agency, deal_id),
            amount=amount,
            orphan=orphan,
            made_at=moment,
            expires_at=expires_at,
        )
        with self._database.begin() as connection:
            connection.execute(
                payment_links.insert().values(
                    agency=agency,
                    deal_id=deal_id,
                    number=number,
                    revision=revision,
                    ordinal=ordinal,
                    url=url,
                    token=link.token,
                    amount=amount.amount,
                    currency=amount.currency,
                    orphan=int(orphan),
                    made_at=moment,
                    expires_at=expires_at,
                )
            )
        return link


def _money(row: Row[Any]) -> Money:
    return Money(amount=row.amount, currency=row.currency)


def _asked(row: Row[Any]) -> Asked:
    return Asked(row.revision, DealSaid.model_validate_json(row.said), row.created_at)


def _document(row: Row[Any]) -> IssuedDocument:
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


def _link(row: Row[Any]) -> Link:
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


def _payment(row: Row[Any]) -> LinkPayment:
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


def _refund(row: Row[Any]) -> DealRefund:
    return DealRefund(
        refund_id=row.refund_id,
        deal_id=row.deal_id,
        payment_id=row.payment_id,
        amount=_money(row),
        reference=row.reference,
        by=row.by,
        at=row.at,
    )
