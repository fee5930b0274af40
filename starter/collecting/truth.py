"""The platform's side of the books: its own API, or for an import the facts that came in (contracts: platform-events 7)."""

from __future__ import annotations

import functools
import ssl
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import httpx

from domain.books import Cancelled, CapturedPayment, DueLine, MoneyBack, PlatformBooks
from domain.platform import Booking, Chargeback, Party, Payment, PaymentPlan, Refund
from starter.answers import CommandError
from store import Store
from store.installation import AgencySettings

SIGNS = {"funds_withdrawn": 1, "won": -1}
"""The stages of a chargeback at which money moves: out, and back in."""


class Truth(Protocol):
    """What was sold, paid and given back, by whoever knows it first hand."""

    def bookings(self) -> list[Booking]: ...

    def payments(self, booking_id: str) -> list[Payment]: ...

    def refunds(self, booking_id: str) -> list[Refund]:
        """Those that stand."""

    def failed_refunds(self, booking_id: str) -> list[Refund]:
        """Those that were announced and then failed."""

    def plan(self, booking_id: str) -> PaymentPlan | None: ...

    def event_ids(self) -> Iterator[str]:
        """Every event of the platform's own log."""


class InboxTruth:
    """The facts that our inbox accepted; for agencies whose events were imported."""

    def __init__(self, store: Store, agency: str) -> None:
        self._facts, self._agency = store.facts, agency

    def bookings(self) -> list[Booking]:
        return self._facts.bookings(self._agency)

    def payments(self, booking_id: str) -> list[Payment]:
        return self._facts.payments_of(self._agency, booking_id)

    def refunds(self, booking_id: str) -> list[Refund]:
        return self._facts.refunds_of(self._agency, booking_id)

    def failed_refunds(self, booking_id: str) -> list[Refund]:
        return self._facts.failed_refunds_of(self._agency, booking_id)

    def plan(self, booking_id: str) -> PaymentPlan | None:
        return self._facts.plan(self._agency, booking_id)

    def event_ids(self) -> Iterator[str]:
        return iter(())


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Reading whom we believe takes longer than reading the platform."""
    return httpx.create_ssl_context()


class PlatformTruth:
    """The platform's own answers by its public API, read once."""

    def __init__(self, url: str, settings: AgencySettings, plan_ids: dict[str, str]) -> None:
        token = settings.platform.token.get_secret_value() if settings.platform.token else ""
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=30.0, verify=_authorities())
        self._plan_ids = plan_ids
        self._bookings = [Booking.model_validate(item) for item in self._pages("/v1/bookings")]
        self._payments: dict[str, list[Payment]] = defaultdict(list)
        self._refunds: dict[str, list[Refund]] = defaultdict(list)
        self._failed: dict[str, list[Refund]] = defaultdict(list)
        for item in self._pages("/v1/payments"):
            if item.get("captured_at"):
                self._payments[item["booking_id"]].append(Payment.model_validate(item))
            for refund in item["refunds"]:
                # The list calls a refund `failed` that the event announced as declared or succeeded.
                failed = refund["status"] == "failed"
                told = Refund.model_validate(refund | {"status": "declared"} if failed else refund)
                (self._failed if failed else self._refunds)[item["booking_id"]].append(told)

    def bookings(self) -> list[Booking]:
        return self._bookings

    def payments(self, booking_id: str) -> list[Payment]:
        return self._payments[booking_id]

    def refunds(self, booking_id: str) -> list[Refund]:
        return self._refunds[booking_id]

    def failed_refunds(self, booking_id: str) -> list[Refund]:
        return self._failed[booking_id]

    def plan(self, booking_id: str) -> PaymentPlan | None:
        plan_id = self._plan_ids.get(booking_id)
        return PaymentPlan.model_validate(self._get(f"/v1/payment_plans/{plan_id}", {})) if plan_id else None

    def event_ids(self) -> Iterator[str]:
        after = 0
        while items := self._get("/v1/events", {"after_sequence": str(after), "limit": "200"})["items"]:
            yield from (item["id"] for item in items)
            after = int(items[-1]["sequence"])

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        query = {"limit": "200"}
        while True:
            page = self._get(path, query)
            yield from page["items"]
            if page.get("next_cursor") is None:
                return
            query["cursor"] = page["next_cursor"]

    def _get(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        try:
            answer = self._http.get(path, params=query)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise CommandError(f"the platform does not answer {path}: {type(error).__name__}") from None
        found: dict[str, Any] = answer.json()
        return found


def platform_books(truth: Truth, store: Store, agency: str, booking: Booking, zone: ZoneInfo) -> PlatformBooks:
    """One booking as the platform tells it; chargebacks and cancellations are known from their events alone."""
    payments, refunds = truth.payments(booking.id), truth.refunds(booking.id)
    disputes = [_dispute(c) for c in store.facts.chargebacks_of(agency, booking.id) if c.stage in SIGNS]
    captured, refunded = sum(p.amount.amount for p in payments), sum(r.amount.amount for r in refunds)
    plan = truth.plan(booking.id)
    return PlatformBooks(
        experience_id=booking.experience_id,
        status=booking.status,
        payer_document=_document(booking.payer),
        sale=booking.totals.total.amount,
        cost=booking.totals.cost.amount,
        margin=booking.totals.margin.amount,
        due=booking.totals.total.amount - captured + refunded + sum(d.amount for d in disputes),
        payments=tuple(_captured(p, zone) for p in payments),
        refunds=tuple(_given_back(r) for r in refunds),
        failed_refunds=tuple(_given_back(r) for r in truth.failed_refunds(booking.id)),
        chargebacks=tuple(disputes),
        cancellations=tuple(
            Cancelled(
                id=c.id,
                scope=c.scope,
                treatment=c.penalty.treatment,
                penalty=c.penalty.amount.amount,
                effective_at=c.effective_at,
                no_show=c.cause == "no_show",
            )
            for c in store.facts.cancellations_of(agency, booking.id)
        ),
        plan=tuple(
            DueLine(id=i.id, amount=i.amount.amount, status=i.status, payment_id=i.payment_id)
            for i in (plan.installments if plan else ())
        ),
        line_costs={line.id: line.cost.total.amount for line in booking.lines},
        costs_estimated=all(line.cost.status == "estimated" for line in booking.lines),
    )


def _document(payer: Party) -> str | None:
    """The payer's document in the form in which an ERP compares it: capitals without blanks (giav 2.3)."""
    return "".join(payer.tax_id.value.split()).upper() if payer.tax_id else None


def _captured(payment: Payment, zone: ZoneInfo) -> CapturedPayment:
    return CapturedPayment(
        id=payment.id,
        amount=payment.amount.amount,
        method=payment.method,
        processor=payment.processor.name,
        day=(payment.captured_at or datetime.now(UTC)).astimezone(zone).date(),
        at=payment.captured_at,
        charged_by_us=payment.initiation == "mit",
    )


def _given_back(refund: Refund) -> MoneyBack:
    return MoneyBack(
        id=refund.id,
        payment_id=refund.payment_id,
        amount=refund.amount.amount,
        at=refund.requested_at,
        by_bank=refund.destination == "transfer",
        voucher=refund.destination == "voucher",
    )


def _dispute(chargeback: Chargeback) -> MoneyBack:
    out = chargeback.stage == "funds_withdrawn"
    return MoneyBack(
        id=chargeback.id,
        payment_id=chargeback.payment_id,
        amount=SIGNS[chargeback.stage] * chargeback.amount.amount,
        fee=chargeback.fee.amount if chargeback.fee and out else 0,
        at=chargeback.opened_at,
    )
