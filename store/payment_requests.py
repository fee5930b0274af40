"""What deals asked customers to pay, and what came of it (contracts: easycount 2.7, 3, 5)."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from domain.deals import DealSaid, RequestState, role_of
from domain.money import Money
from store.clock import Clock
from store.database import Database
from store.forgetting import say_of_deal
from store.parked import ParkedItems
from store.payment_pages import PaymentPages
from store.payment_request_records import (
    UNCOUNTED,
    Asked,
    DealRefund,
    IssuedDocument,
    Link,
    LinkPayment,
    Request,
    asked_of,
    document_of,
    payment_of,
    refund_of,
)
from store.payment_request_tables import (
    deal_documents,
    deal_refunds,
    link_payments,
    payment_request_moves,
    payment_requests,
)
from store.tables import upsert


class PaymentRequests:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock, pages: PaymentPages, parked: ParkedItems) -> None:
        self._database = database
        self._clock = clock
        self._pages = pages
        self._parked = parked

    # What is asked ----------------------------------------------------------------------------------------------------

    def ask(self, agency: str, deal_id: int, said: DealSaid, *, anew: bool = False) -> tuple[int, bool]:
        """The revision that asks for what the deal says, and whether it was made now; `anew` makes one in any case."""
        assert said.amount is not None
        with self._database.begin() as connection:
            newest = self._newest(connection, agency, deal_id)
            if newest is not None and not anew and newest.said.printed_alike(said):
                return newest.revision, False
            if newest is not None and not anew and say_of_deal(connection, agency, deal_id, self._parked):
                # Whoever was erased cannot be compared any more: the same money is the same request.
                same = (newest.said.amount, newest.said.booking_id) == (said.amount, said.booking_id)
                if same:
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
            return asked_of(connection.execute(query).one())

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
        return None if row is None else document_of(row)

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
            return payment_of(connection.execute(query).one())

    def payment_if_any(self, agency: str, payment_id: str) -> LinkPayment | None:
        query = select(link_payments).where(link_payments.c.agency == agency, link_payments.c.payment_id == payment_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else payment_of(row)

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
            return [refund_of(row) for row in connection.execute(query.order_by(deal_refunds.c.at))]

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
            documents=tuple(map(document_of, documents)),
            links=tuple(self._pages.of(agency, deal_id)),
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
        return None if row is None else asked_of(row)

    @staticmethod
    def _last_move(connection: Connection, agency: str, deal_id: int) -> Row[Any] | None:
        moves = payment_request_moves.c
        query = select(payment_request_moves).where(moves.agency == agency, moves.deal_id == deal_id)
        return connection.execute(query.order_by(moves.id.desc()).limit(1)).one_or_none()

    @staticmethod
    def _payments(connection: Connection, agency: str, deal_id: int) -> builtins.list[LinkPayment]:
        query = select(link_payments).where(link_payments.c.agency == agency, link_payments.c.deal_id == deal_id)
        rows = connection.execute(query.order_by(link_payments.c.seen_at, link_payments.c.link))
        return [payment_of(row) for row in rows]
