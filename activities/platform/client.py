"""The platform's REST API and its processor: calls, pages, problems sorted into our classes (contracts: platform-events 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import BackOfficeError, ContractBroken, Refused, Transient, Unauthorised, UnknownOutcome
from domain.money import Money
from domain.platform import Failure

SYSTEM = "platform"
PAGE = 200
NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
NOT_THERE = "404"
"""Code of the `Refused` that means that there is no such thing."""

Page = tuple[list[dict[str, Any]], str | None]
"""Items, and the cursor of the next page; None after the last. A platform without the list has no items."""


class Charge(BaseModel):
    """One charge as the processor remembers it under its merchant reference. A decline is an answer, not an error."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    merchant_ref: str
    plan_id: str
    installment_id: str
    amount: Money
    status: Literal["captured", "declined", "processing"]
    payment_id: str | None = None
    failure: Failure | None = None


class RefundOrder(BaseModel):
    """One order to give money back as the processor remembers it; `refund_id` once it has, `message` why it did not."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    merchant_ref: str
    payment_id: str
    amount: Money
    status: Literal["pending", "succeeded", "failed"]
    refund_id: str | None = None
    message: str | None = None


Made = TypeVar("Made", Charge, RefundOrder)
NAMES: dict[type[BaseModel], str] = {Charge: "charge", RefundOrder: "refund"}


class PlatformClient:
    """Thread-safe; `http` carries address, token and timeouts, and every call takes its turn first."""

    def __init__(self, http: httpx.Client, take_turn: Callable[[str], None]) -> None:
        self._http = http
        self._take_turn = take_turn

    def close(self) -> None:
        self._http.close()

    def experience(self, experience_id: str) -> dict[str, Any] | None:
        """The snapshot with its `revision`; None when the platform does not know it."""
        return self._snapshot("read experience", f"/v1/experiences/{quote(experience_id, safe='')}")

    def booking(self, booking_id: str) -> dict[str, Any] | None:
        """The snapshot with its `revision`; None when the platform does not know it."""
        return self._snapshot("read booking", f"/v1/bookings/{quote(booking_id, safe='')}")

    def plan(self, plan_id: str) -> dict[str, Any] | None:
        """The snapshot with its `revision`; None when the platform does not know it."""
        return self._snapshot("read plan", f"/v1/payment_plans/{quote(plan_id, safe='')}")

    def events(self, after_sequence: int) -> Iterator[dict[str, Any]]:
        """Whole events in sequence, from the one after `after_sequence` to the end of the log, page by page.

        A platform without a log has no events.
        """
        cursor: str | None = str(after_sequence)
        while cursor is not None:
            items, cursor = self.event_page(cursor)
            yield from items

    def event_page(self, cursor: str) -> Page:
        """The events after the sequence number `cursor` (empty: from the first) and where the next page begins."""
        after = int(cursor or 0)
        query: dict[str, str | int] = {"after_sequence": f"{after:020d}", "limit": PAGE}
        answer = self._snapshot("read events", "/v1/events", query)
        if answer is None:
            return [], None
        items = _items("read events", answer)
        last = str(answer.get("last_sequence", ""))
        goes_on = len(items) == PAGE and last.isdecimal() and int(last) > after
        return items, last if goes_on else None

    def booking_page(self, cursor: str) -> Page:
        """Snapshots with their `revision`, in the platform's order."""
        return self._page("list bookings", "/v1/bookings", cursor)

    def payment_page(self, cursor: str) -> Page:
        """Payments with their `refunds` and `chargebacks`."""
        return self._page("list payments", "/v1/payments", cursor)

    def payments_of(self, booking_id: str) -> Iterator[dict[str, Any]]:
        """The payments of one booking with their `refunds` and `chargebacks`."""
        cursor: str | None = ""
        while cursor is not None:
            items, cursor = self._page("read payments", "/v1/payments", cursor, {"booking_id": booking_id})
            yield from items

    def _page(self, operation: str, path: str, cursor: str, query: Mapping[str, str] | None = None) -> Page:
        wanted: dict[str, str | int] = {**(query or {}), "limit": PAGE, **({"cursor": cursor} if cursor else {})}
        answer = self._snapshot(operation, path, wanted)
        if answer is None:
            return [], None
        following = answer.get("next_cursor")
        return _items(operation, answer), str(following) if following and str(following) != cursor else None

    def charge(self, *, plan_id: str, instalment_id: str, merchant_ref: str, amount: Money) -> Charge:
        """Charge an instalment under its mandate. The same `merchant_ref` is the same charge, however often it is sent.

        Raises Transient, UnknownOutcome (the answer was lost), Refused, Unauthorised.
        """
        wish = {
            "plan_id": plan_id,
            "installment_id": instalment_id,
            "merchant_ref": merchant_ref,
            "amount": amount.model_dump(),
        }
        return _read(Charge, self._call("charge", "POST", "/v1/charges", json=wish), merchant_ref, UnknownOutcome)

    def find_charge(self, merchant_ref: str) -> Charge | None:
        """The charge made under this reference, None if there was none."""
        items = _items("find charge", self._get("find charge", "/v1/charges", {"merchant_ref": merchant_ref}))
        return _read(Charge, items[0], merchant_ref, ContractBroken) if items else None

    def order_refund(self, *, payment_id: str, merchant_ref: str, amount: Money, reason: str) -> RefundOrder:
        """Have the processor give money of a payment back. Each call is an order of its own.

        Raises Transient, UnknownOutcome (the answer was lost), Refused, Unauthorised.
        """
        wish = {
            "payment_id": payment_id,
            "merchant_ref": merchant_ref,
            "amount": amount.model_dump(),
            "reason": reason,
        }
        return _read(
            RefundOrder, self._call("order refund", "POST", "/v1/refunds", json=wish), merchant_ref, UnknownOutcome
        )

    def refund_orders(self, merchant_ref: str) -> list[RefundOrder]:
        """The orders made under this reference, oldest first."""
        items = _items("find refund", self._get("find refund", "/v1/refunds", {"merchant_ref": merchant_ref}))
        return [_read(RefundOrder, item, merchant_ref, ContractBroken) for item in items]

    def _snapshot(
        self, operation: str, path: str, query: Mapping[str, str | int] | None = None
    ) -> dict[str, Any] | None:
        try:
            return self._get(operation, path, query)
        except Refused as error:
            if error.code == NOT_THERE:
                return None
            raise

    def _get(self, operation: str, path: str, query: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        return self._call(operation, "GET", path, query=query)

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One call; a write whose answer is missing or unreadable is `UnknownOutcome`, a read `Transient` or broken."""
        lost = UnknownOutcome if method != "GET" else Transient
        self._take_turn(operation)
        try:
            answer = self._http.request(method, path, params=query, json=json)
        except NEVER_ARRIVED as error:
            raise _failure(Transient, operation, f"not reachable ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            raise _failure(lost, operation, f"no answer ({type(error).__name__})") from None
        if not answer.is_success:
            raise _problem(operation, answer, lost)
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            broken = UnknownOutcome if method != "GET" else ContractBroken
            raise _failure(broken, operation, "the answer is not a JSON object")
        return body


def _items(operation: str, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    items = answer.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _failure(ContractBroken, operation, "the answer has no list of items")
    return items


def _read(kind: type[Made], body: Mapping[str, Any], merchant_ref: str, broken: type[BackOfficeError]) -> Made:
    """Parse and hold against what was asked: the answer about another charge or refund is no answer."""
    name = NAMES[kind]
    try:
        made = kind.model_validate(body)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise _failure(broken, name, f"the answer cannot be read at {where}") from None
    if made.merchant_ref != merchant_ref:
        raise _failure(broken, name, f"the answer belongs to another {name}")
    return made


def _problem(operation: str, answer: httpx.Response, lost: type[BackOfficeError]) -> BackOfficeError:
    """The class of an answer that is no success (RFC 9457 problems of the platform)."""
    status = answer.status_code
    if status in (401, 403):
        return _failure(Unauthorised, operation, f"HTTP {status}: the token was not accepted", code=str(status))
    if status == 429:
        value = answer.headers.get("Retry-After", "")
        return _failure(
            Transient, operation, "too many requests", retry_after=float(value) if value.isdecimal() else None
        )
    if status in (404, 409, 422):
        return _failure(Refused, operation, f"HTTP {status}: {_detail(answer)}", code=str(status))
    if status >= 500:
        return _failure(lost, operation, f"HTTP {status}", code=str(status))
    return _failure(ContractBroken, operation, f"HTTP {status}: {_detail(answer)}", code=str(status))


def _detail(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return "no reason given"
    found = (body.get("detail") or body.get("title")) if isinstance(body, dict) else None
    return str(found or "no reason given")[:300]


def _failure(
    kind: type[BackOfficeError], operation: str, text: str, *, code: str = "", retry_after: float | None = None
) -> BackOfficeError:
    return kind(text, system=SYSTEM, operation=operation, code=code, retry_after=retry_after)
