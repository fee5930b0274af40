"""One account's line to EasyCount: a call in, its answer or one of our error classes out (contracts: easycount 1, 2.6, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from activities.bounds import Bounded
from activities.easycount.settings import EasyCountSettings
from activities.easycount.wire import (
    EXISTS,
    Document,
    DocumentRequest,
    Paid,
    PaymentLink,
    StoredCard,
    as_number,
    document_of,
    succeeded,
)
from activities.pace import turns
from domain.errors import BackOfficeError, NeedsPerson, Refused, Transient, Unauthorised, UnknownOutcome
from domain.money import Money

SYSTEM = "easycount"
MISCONFIGURED = ("API_CLEARING", "ua_uuid", "api_key", "מפתח", "חתימה", "signature")
"""Words of refusals that no other document would meet differently."""
MOST_BYTES = 16 * 1024 * 1024
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class EasyCountClient:
    """Thread-safe. Repeats nothing by itself: what may be repeated is decided by those who call."""

    def __init__(self, settings: EasyCountSettings, *, transport: httpx.BaseTransport | None = None) -> None:
        self._account = {
            "api_key": settings.api_key.get_secret_value(),
            "developer_email": settings.developer_email,
            **({"ua_uuid": settings.ua_uuid} if settings.ua_uuid else {}),
            **(
                {"created_by_api_key": settings.distributor_key.get_secret_value()}
                if settings.distributor_key is not None
                else {}
            ),
        }
        self._take_turn = turns(settings.calls_per_second, SYSTEM)
        self._success_url = settings.success_url
        self._payments = settings.payments
        self._http = httpx.Client(
            base_url=settings.url,
            timeout=httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds),
            follow_redirects=False,
            transport=Bounded.to(settings.url, transport),
        )

    def close(self) -> None:
        self._http.close()

    def create_document(self, wanted: DocumentRequest) -> Document:
        """Issue a document, once by its `transaction_id`: after `UnknownOutcome` the same request is simply sent again.

        Raises `NeedsPerson` when it was issued before and the answer does not say which document it is.
        """
        answer = self._call("createDoc", "/api/createDoc", wanted.as_json())
        if not succeeded(answer):
            if EXISTS.search(_words(answer)):
                raise NeedsPerson(
                    f"{wanted.transaction_id} was issued before and EasyCount does not say as which document; "
                    "look it up there and adopt its doc_uuid",
                    system=SYSTEM,
                    operation="createDoc",
                )
            raise _refusal("createDoc", answer)
        document = document_of(answer)
        if document is None:
            raise UnknownOutcome("success without a document", system=SYSTEM, operation="createDoc")
        if document.key not in ("", wanted.transaction_id):
            raise UnknownOutcome("the answer is that of another document", system=SYSTEM, operation="createDoc")
        return document

    def create_link(self, amount: Money, success_url: str | None = None) -> PaymentLink:
        """A new page for the customer; each call makes another one. Afterwards the browser goes to `success_url`."""
        wish = {
            "sum": as_number(amount),
            "currency": amount.currency,
            "payments": self._payments,
            "successUrl": success_url or self._success_url,
        }
        answer = self._call("prepareSafeUrl", "/api/payment/prepareSafeUrl/clearingFormForWeb", wish)
        if not succeeded(answer):
            raise _refusal("prepareSafeUrl", answer)
        url, secret = answer.get("url"), answer.get("secretTransactionId")
        if not url or not secret:
            raise UnknownOutcome("success without a page", system=SYSTEM, operation="prepareSafeUrl")
        return PaymentLink(url=str(url), secret=str(secret))

    def validate(self, secret: str) -> Paid | None:
        """Whether a page was paid; None as long as not. A pure read.

        Raises `Unauthorised` when the account is not let in: that must not be read as a customer who has not paid.
        """
        answer = self._call("validate", f"/api/payment/validate/{secret}", {}, writes=False)
        if not succeeded(answer):
            refusal = _refusal("validate", answer)
            if isinstance(refusal, Unauthorised):
                raise refusal
            return None
        try:
            return Paid(
                page_id=str(answer["cgp_id"]),
                amount=Decimal(str(answer["cgp_payment_total"])),
                reference=str(answer["cgp_ksys_transacion_id"]),
                authorisation=str(answer.get("cgp_shva_transacion_id") or ""),
                last4=str(answer.get("cgp_customer_cc_4_digits") or "")[-4:],
                brand=str(answer.get("cgp_customer_cc_name") or ""),
                paid_on=str(answer.get("cgp_payment_date") or ""),
            )
        except (KeyError, InvalidOperation):
            raise Transient("a paid page without amount or reference", system=SYSTEM, operation="validate") from None

    def charge(self, amount: Money, card: StoredCard) -> Paid:
        """Charge a stored card. Not idempotent: after `UnknownOutcome` only a person may try again."""
        wish = {"sum": as_number(amount), **card.model_dump()}
        answer = self._call("chargeToken", "/api/payment/chargeToken", wish)
        if not succeeded(answer):
            raise _refusal("chargeToken", answer)
        return Paid(
            page_id="",
            amount=amount.decimal,
            reference=str(answer.get("cgp_ksys_transacion_id") or ""),
            authorisation=str(answer.get("cgp_shva_transacion_id") or ""),
            last4=card.cc_4_digits[-4:],
        )

    def pdf(self, url: str) -> bytes:
        """The document's PDF, which is made a moment after the document. Raises `Transient` until it is there."""
        answer = self._exchange("document", "GET", url, None, writes=False)
        if answer.status_code == 404 or answer.status_code >= 500:
            raise Transient("the PDF is not there yet", system=SYSTEM, operation="document", retry_after=5.0)
        if answer.status_code != 200 or not answer.content.startswith(b"%PDF-") or len(answer.content) > MOST_BYTES:
            raise Refused(f"no PDF (HTTP {answer.status_code})", system=SYSTEM, operation="document")
        return answer.content

    def _call(self, operation: str, path: str, wish: Mapping[str, Any], *, writes: bool = True) -> Mapping[str, Any]:
        answer = self._exchange(operation, "POST", path, {**self._account, **wish}, writes=writes)
        doubtful = UnknownOutcome if writes else Transient
        if answer.status_code == 429:
            raise Transient("too many calls", system=SYSTEM, operation=operation, retry_after=_seconds(answer))
        if answer.status_code in (401, 403):
            raise Unauthorised(f"HTTP {answer.status_code}", system=SYSTEM, operation=operation)
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise doubtful(f"HTTP {answer.status_code} without a JSON object", system=SYSTEM, operation=operation)
        if answer.status_code >= 500:
            raise doubtful(f"HTTP {answer.status_code}", system=SYSTEM, operation=operation)
        return body

    def _exchange(
        self, operation: str, method: str, url: str, body: Mapping[str, Any] | None, *, writes: bool
    ) -> httpx.Response:
        self._take_turn(operation)
        try:
            return self._http.request(method, url, json=body) if body is not None else self._http.request(method, url)
        except _NOTHING_SENT as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Unauthorised("the certificate was not accepted", system=SYSTEM, operation=operation) from None
            words = f"not connected: {type(error).__name__}"
            raise Transient(words, system=SYSTEM, operation=operation) from None
        except httpx.HTTPError as error:
            kind = UnknownOutcome if writes else Transient
            raise kind(f"no answer: {type(error).__name__}", system=SYSTEM, operation=operation) from None


def _refusal(operation: str, answer: Mapping[str, Any]) -> BackOfficeError:
    words = _words(answer)
    kind = Unauthorised if any(word in words for word in MISCONFIGURED) else Refused
    return kind(
        words or "refused without words", system=SYSTEM, operation=operation, code=str(answer.get("errNum") or "")
    )


def _words(answer: Mapping[str, Any]) -> str:
    return str(answer.get("errMsg") or answer.get("error") or answer.get("err") or "")[:300]


def _seconds(answer: httpx.Response) -> float | None:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else None
