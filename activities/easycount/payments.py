"""The cells that look at pages and hand money on: into the inbox as a fact of the booking that the deal names (contracts:
easycount 3; platform-events 5.6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.easycount.account import EasyCountAccount
from activities.easycount.documents import at_work
from activities.effects import beat
from activities.failures import implements
from activities.signatures import (
    EASYCOUNT_CHECK_LINKS,
    EASYCOUNT_HAND_OVER,
    EASYCOUNT_HAND_OVER_REFUND,
    EASYCOUNT_SETTLE_PAYMENT,
    EASYCOUNT_STANDING,
)
from domain.deal_steps import (
    DealMoneyStep,
    DealPayment,
    DealRefundStep,
    DealStep,
    LinksSeen,
    LinksStep,
    Standing,
)
from domain.deals import ONCE_MORE, document_key, event_id, payment_id, refund_id
from domain.errors import BackOfficeError, NeedsPerson, Refused, Transient
from domain.money import Money
from domain.notices import notice_of
from domain.platform import EventData
from domain.steps import Done
from store import Store
from store.inbox import AcceptedEvent
from store.installation import AgencySettings
from store.payment_request_records import Link, LinkPayment

SYSTEM = "easycount"
GRACE = timedelta(hours=2)
"""A look may come late; after its last one a page is looked at no more."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EasyCountPayments:
    """Every method may be repeated: a payment is kept once by its page, a fact once by its id."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, EasyCountAccount],
        agencies: Mapping[str, AgencySettings],
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._agencies = agencies
        self._now = now

    @implements(EASYCOUNT_STANDING)
    def standing(self, step: DealStep) -> Standing:
        """What is known of a deal's request; nothing is called."""
        request = self._store.payment_requests.get(step.agency, step.deal_id)
        if request is None:
            return Standing()
        seen = self._seen(step)
        said = request.asked.said
        keys = {document.key for document in request.documents}
        issued = {
            link.revision
            for link in request.links
            if not link.orphan
            and keys
            & {document_key(kind, step.agency, step.deal_id, "request", link.revision) for kind in ("pf", "in")}
        }
        return Standing(
            links=seen.links,
            payments=seen.payments,
            state=request.state,
            revision=request.asked.revision,
            amount=said.amount,
            booking_id=said.booking_id,
            refunded=request.refunded,
            stage=request.stage,
            issued=tuple(sorted(issued)),
        )

    @implements(EASYCOUNT_CHECK_LINKS)
    def check_links(self, step: LinksStep) -> LinksSeen:
        """Ask about every page that can still be paid. One that cannot be asked about holds up no other."""
        account = self._account(step.agency)
        trouble: BackOfficeError | None = None
        for link in self._open_links(step):
            beat(f"page {link.number}")
            try:
                self._look(account, link, cancelled=step.cancelled)
            except BackOfficeError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        return self._seen(step)

    def _look(self, account: EasyCountAccount, link: Link, *, cancelled: bool) -> None:
        secret = self._store.vault.open(link.agency, link.secret_name)
        paid = account.client.validate(secret)
        if paid is None:
            return
        if account.client.validate(secret) != paid:
            # Nothing in an answer names its page: money is believed when two answers tell the same.
            raise Transient(f"two answers about page {link.number} differ", system=SYSTEM, operation="validate")
        self._store.payment_requests.paid(
            link,
            payment_id(link.agency, paid.reference),
            Money.of_decimal(paid.amount, link.amount.currency),
            reference=paid.reference,
            page_id=paid.page_id,
            authorisation=paid.authorisation,
            last4=paid.last4,
            brand=paid.brand,
            cancelled=cancelled,
        )

    @implements(EASYCOUNT_HAND_OVER)
    def hand_over(self, step: DealMoneyStep) -> Done:
        """Tell the booking's mailbox of the payment, as any other captured money; `skipped` while nobody knows the booking."""
        if step.booking_id is None:
            return Done(outcome="skipped", note="the deal names no booking")
        booking = self._store.facts.booking(step.agency, step.booking_id)
        if booking is None:
            return Done(outcome="skipped", note=f"booking {step.booking_id} is not known yet")
        paid = self._store.payment_requests.payment(step.agency, step.payment_id)
        self._tell(
            step.agency,
            "payment.captured",
            paid.payment_id,
            paid.seen_at,
            {
                "aggregate": {"type": "payment", "id": paid.payment_id, "revision": 1},
                "actor": {"type": "customer"},
                "payment": {
                    "id": paid.payment_id,
                    "booking_id": booking.id,
                    "experience_id": booking.experience_id,
                    "payer_id": booking.payer.id,
                    "amount": paid.amount.model_dump(),
                    "method": "card",
                    "processor": _processor(paid),
                    "card": _card(paid),
                    "initiation": "cit",
                    "captured_at": paid.seen_at.isoformat(),
                    "confirmation": "processor",
                },
            },
        )
        return Done(ids={"payment": paid.payment_id})

    @implements(EASYCOUNT_SETTLE_PAYMENT)
    def settle_payment(self, step: DealMoneyStep) -> Done:
        """The payment is in the books, or was given back."""
        outcome = "returned" if step.what == "return" else "recorded"
        self._store.payment_requests.payment_handled(step.agency, step.payment_id, outcome)
        return Done()

    @implements(EASYCOUNT_HAND_OVER_REFUND)
    def hand_over_refund(self, step: DealRefundStep) -> Done:
        """Tell the booking's mailbox that money of a payment went back."""
        refund = refund_id(step.agency, step.payment_id, step.reference)
        kept = [
            r
            for r in self._store.payment_requests.refunds(step.agency, step.deal_id)
            if r.payment_id == step.payment_id
        ]
        this = next((r for r in kept if r.refund_id == refund), None)
        if this is None:
            raise Refused(f"{refund} was not credited yet", system=SYSTEM)
        payment = self._store.facts.payment(step.agency, step.payment_id)
        if payment is None:
            raise Transient(f"{step.payment_id} has not reached the booking yet", system=SYSTEM, retry_after=60.0)
        given = sum(r.amount.amount for r in kept if r.at <= this.at)
        self._tell(
            step.agency,
            "payment.refunded",
            refund,
            this.at,
            {
                "aggregate": {"type": "payment", "id": payment.id, "revision": 2 + kept.index(this)},
                "actor": {"type": "planner"},
                "refund": {
                    "id": refund,
                    "payment_id": payment.id,
                    "booking_id": payment.booking_id,
                    "amount": this.amount.model_dump(),
                    "cause": "goodwill",
                    "destination": "original_method",
                    "status": "succeeded",
                    "processor": {"name": SYSTEM, "refund_ref": this.reference},
                    "requested_at": this.at.isoformat(),
                    "settled_at": this.at.isoformat(),
                },
                "payment_ref": {
                    "id": payment.id,
                    "amount": payment.amount.model_dump(),
                    "refunded_total": {"amount": given, "currency": payment.amount.currency},
                },
            },
        )
        return Done(ids={"refund": refund})

    # ------------------------------------------------------------------------------------------------------------------

    def _tell(self, agency: str, kind: str, fact: str, at: datetime, members: dict[str, Any]) -> None:
        """Put a fact into our inbox, which knows it again; from there it goes the way of every other."""
        settings = self._agencies[agency]
        data = {
            "schema_version": 1,
            "environment": settings.environment,
            "planner_id": "pl_easycount",
            **members,
        }
        told = EventData.model_validate(data)
        event = event_id(fact, kind)
        source = f"urn:easycount:{agency}"
        body = {
            "specversion": "1.0",
            "id": event,
            "source": source,
            "type": f"{settings.platform.event_prefix}.{kind}.v1",
            "subject": f"payment/{told.aggregate.id}",
            "time": at.isoformat(),
            "datacontenttype": "application/json",
            "partitionkey": told.aggregate.id,
            "sequence": "0" * 20,
            "data": data,
        }
        answer = self._store.inbox.accept(
            AcceptedEvent(
                agency=agency,
                source=source,
                event_id=event,
                kind=kind,
                body=json.dumps(body, sort_keys=True).encode(),
                data=told,
                notice=notice_of(agency, event, kind, at, told),
                occurred_at=at,
                received_at=at,
                problem=None,
                sequence=None,
            )
        )
        if answer == "conflict":
            raise NeedsPerson(f"{fact} was told before in other words", system=SYSTEM)

    def _open_links(self, step: DealStep) -> list[Link]:
        now = self._now()
        paid = {payment.link for payment in self._store.payment_requests.payments(step.agency, step.deal_id)}
        return [
            link
            for link in self._store.payment_pages.of(step.agency, step.deal_id)
            if not link.orphan and link.number not in paid and now <= link.expires_at + ONCE_MORE + GRACE
        ]

    def _seen(self, step: DealStep) -> LinksSeen:
        payments = self._store.payment_requests.payments(step.agency, step.deal_id)
        paid = {payment.link for payment in payments}
        return LinksSeen(
            links=tuple(
                at_work(link, paid=link.number in paid)
                for link in self._store.payment_pages.of(step.agency, step.deal_id)
                if not link.orphan
            ),
            payments=tuple(
                DealPayment(
                    link=payment.link,
                    payment_id=payment.payment_id,
                    amount=payment.amount,
                    role=payment.role,
                    handled=bool(payment.outcome),
                )
                for payment in payments
            ),
        )

    def _account(self, agency: str) -> EasyCountAccount:
        try:
            return self._accounts[agency]
        except KeyError:
            words = f"agency {agency} has no EasyCount; add [agencies.{agency}.easycount] to the settings"
            raise Refused(words, system=SYSTEM) from None


def _processor(paid: LinkPayment) -> dict[str, str]:
    known = {"name": SYSTEM, "payment_ref": paid.reference}
    return known | ({"authorization_code": paid.authorisation} if paid.authorisation else {})


def _card(paid: LinkPayment) -> dict[str, str] | None:
    if len(paid.last4) != 4 or not paid.last4.isdigit():
        return None
    return {"brand": paid.brand.lower() or "unknown", "last4": paid.last4}
