"""One agency's line to RateHawk: a call in, its data or one of our error classes out (contracts: midoffice 2.1 to 2.5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from activities.bounds import Bounded
from activities.ratehawk import wire
from activities.ratehawk.limits import Limits
from activities.ratehawk.wire import SYSTEM, Endpoint, ReadTimes, sorted_out
from domain.errors import BackOfficeError, ContractBroken, Transient, Unauthorised, UnknownOutcome

BASE = "/api/b2b/v3/"
PAGE = 50
"""Most orders in one page (midoffice 2.7)."""
MOST_BYTES = 16 * 1024 * 1024
"""The largest document that is taken in (midoffice 2.10)."""
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NEVER_RIGHT = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of `order/info`, raw; `found` counts all orders that fit the question."""

    orders: tuple[dict[str, Any], ...]
    number: int
    pages: int
    found: int


@dataclass(frozen=True, slots=True)
class BookingStatus:
    """How an order's booking process stands: confirmed, still running, or failed with a code."""

    state: str
    code: str = ""


class RateHawkClient:
    """Thread-safe. Follows no redirect and repeats nothing: what may be repeated is decided by those who call."""

    def __init__(
        self,
        url: str,
        key_id: int,
        api_key: str,
        *,
        times: ReadTimes = ReadTimes(),  # noqa: B008 frozen
        language: str = "en",
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._times = times
        self._language = language
        self._limits = Limits(now)
        self._http = httpx.Client(
            base_url=url.rstrip("/") + BASE,
            auth=httpx.BasicAuth(str(key_id), api_key),
            headers={"Accept": "application/json, application/pdf"},
            follow_redirects=False,
            transport=Bounded.to(url, transport),
        )

    def close(self) -> None:
        self._http.close()

    # Reads -----------------------------------------------------------------------------------------------------------

    def overview(self) -> list[dict[str, Any]]:
        """The endpoints that the key may use, with their limits."""
        return _list_of(wire.OVERVIEW, self._call(wire.OVERVIEW))

    def changed_orders(self, since: datetime, page: int) -> OrderPage:
        """Orders changed at or after `since`, the newest first.

        The newest first, because an order that changes while we turn pages then moves to a page that was read and pushes
        others onto the next one, where they are merely met twice. The other way round it would pull one past us.
        """
        return self._orders({"modified_at": {"from_date": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M}"}}, page)

    def orders(self, partner_order_ids: Sequence[str], page: int = 1) -> OrderPage:
        """Orders by our ids of them, at most a page of them. An order may appear a little after its confirmation."""
        return self._orders({"partner_order_ids": list(partner_order_ids)}, page)

    def booking_status(self, partner_order_id: str) -> BookingStatus:
        """How the booking process of an order stands; a final failure is an answer, not an error."""
        answer = self._exchange(wire.BOOKING_STATUS, {"partner_order_id": partner_order_id})
        body = _envelope(wire.BOOKING_STATUS, answer)
        state, code = str(body.get("status")), str(body.get("error") or "")
        if state in ("ok", "processing", "3ds"):
            return BookingStatus(state)
        if answer.status_code == 200 and code and code not in wire.IN_DOUBT | {"lock"}:
            return BookingStatus("failed", code)
        raise self._problem(wire.BOOKING_STATUS, answer, body)

    def order_groups(self, invoice_id: int, page: int = 1) -> Mapping[str, Any]:
        question = {
            "ordering": {"ordering_type": "desc", "ordering_by": "created_at"},
            "pagination": {"page_number": page, "page_size": PAGE},
            "search": {"invoice_id": invoice_id},
        }
        return _object(wire.GROUP_INFO, self._call(wire.GROUP_INFO, question))

    def contract(self) -> list[dict[str, Any]]:
        """The contracts of the key, each with its `agreement_number`."""
        data = _object(wire.CONTRACT, self._call(wire.CONTRACT))
        return _list_of(wire.CONTRACT, data.get("contract_datas"))

    def finance(self) -> Mapping[str, Any]:
        """Limit, debt and deposit."""
        return _object(wire.FINANCE, self._call(wire.FINANCE))

    def closing_documents(self, **question: Any) -> list[dict[str, Any]]:
        """Packages by `agreement_numbers` and `issue_date`, or by `order_ids`."""
        data = _object(wire.CLOSING_INFO, self._call(wire.CLOSING_INFO, question))
        return _list_of(wire.CLOSING_INFO, data.get("packages"))

    # Documents -------------------------------------------------------------------------------------------------------

    def voucher(self, partner_order_id: str) -> bytes:
        return self._document(wire.VOUCHER, {"partner_order_id": partner_order_id, "language": self._language})

    def info_invoice(self, partner_order_id: str) -> bytes:
        return self._document(wire.INFO_INVOICE, {"partner_order_id": partner_order_id})

    def single_act(self, partner_order_id: str) -> bytes:
        wish = {"partner_order_id": partner_order_id, "show_b2b2c_price": False, "add_commission": False, "seal": True}
        return self._document(wire.SINGLE_ACT, wish)

    def group_invoice(self, invoice_id: int) -> bytes:
        return self._document(wire.GROUP_INVOICE, {"invoice_id": invoice_id})

    # The one write ---------------------------------------------------------------------------------------------------

    def cancel(self, partner_order_id: str) -> Mapping[str, Any]:
        """Cancel a confirmed order, once; the amounts of the answer. After `UnknownOutcome` look at the order first."""
        return _object(wire.CANCEL, self._call(wire.CANCEL, {"partner_order_id": partner_order_id}))

    # ------------------------------------------------------------------------------------------------------------------

    def _orders(self, search: Mapping[str, Any], page: int) -> OrderPage:
        question = {
            "ordering": {"ordering_type": "desc", "ordering_by": "modified_at"},
            "pagination": {"page_number": page, "page_size": PAGE},
            "search": search,
            "language": self._language,
        }
        data = _object(wire.ORDER_INFO, self._call(wire.ORDER_INFO, question))
        orders, pages, found = data.get("orders"), data.get("found_pages"), data.get("found_orders")
        if not isinstance(orders, list) or not all(isinstance(order, dict) for order in orders):
            raise _broken(wire.ORDER_INFO, "data.orders is no list of orders")
        if not isinstance(pages, int) or not isinstance(found, int):
            raise _broken(wire.ORDER_INFO, "data.found_pages and data.found_orders are no numbers")
        return OrderPage(tuple(orders), page, pages, found)

    def _document(self, endpoint: Endpoint, wish: Mapping[str, Any]) -> bytes:
        answer = self._exchange(endpoint, wish)
        content = answer.content
        if answer.headers.get("content-type", "").split(";")[0].strip().lower() != "application/pdf":
            raise self._problem(endpoint, answer, _envelope(endpoint, answer))
        if answer.status_code != 200 or not content.startswith(b"%PDF-"):
            raise _broken(endpoint, "what came is called a PDF and is none")
        if len(content) > MOST_BYTES:
            raise _broken(endpoint, f"the document has more than {MOST_BYTES} bytes")
        return content

    def _call(self, endpoint: Endpoint, question: Mapping[str, Any] | None = None) -> Any:
        answer = self._exchange(endpoint, question)
        body = _envelope(endpoint, answer)
        if answer.status_code == 200 and body.get("status") == "ok" and not body.get("error"):
            return body.get("data")
        raise self._problem(endpoint, answer, body)

    def _exchange(self, endpoint: Endpoint, question: Mapping[str, Any] | None) -> httpx.Response:
        wait = self._limits.take(endpoint.name)
        if wait is not None:
            raise _failure(Transient, endpoint, "the limit of this endpoint is used up", retry_after=wait)
        sent: dict[str, Any] = {}
        if endpoint.method == "POST":
            sent = {"json": dict(question or {})}
        elif question:
            sent = {"params": {"data": json.dumps(dict(question), separators=(",", ":"))}}
        timeout = httpx.Timeout(self._times.read or endpoint.seconds, connect=self._times.connect)
        try:
            answer = self._http.request(endpoint.method, endpoint.path, timeout=timeout, **sent)
        except _NOTHING_SENT as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise _failure(Unauthorised, endpoint, "the server's certificate was not accepted") from None
            raise _failure(Transient, endpoint, f"not connected: {type(error).__name__}") from None
        except _NEVER_RIGHT as error:
            raise _failure(ContractBroken, endpoint, f"not sent: {type(error).__name__}") from None
        except httpx.HTTPError as error:
            kind = UnknownOutcome if endpoint.writes else Transient
            raise _failure(kind, endpoint, f"no answer: {type(error).__name__}") from None
        self._limits.learn(endpoint.name, answer.headers)
        return answer

    def _problem(self, endpoint: Endpoint, answer: httpx.Response, body: Mapping[str, Any]) -> BackOfficeError:
        code = str(body.get("error") or "")
        reset = None
        if answer.status_code == 429 and code != "lock":
            reset = self._limits.learn(endpoint.name, answer.headers, exhausted=True)
        debug = body.get("debug")
        request_id = debug.get("request_id") if isinstance(debug, dict) else None
        return sorted_out(endpoint, answer.status_code, code, f"request {request_id}" if request_id else "", reset)


def _envelope(endpoint: Endpoint, answer: httpx.Response) -> Mapping[str, Any]:
    """The body, whatever the HTTP status; a body that is none is sorted by the status."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    if answer.status_code == 200:
        kind = UnknownOutcome if endpoint.writes else ContractBroken
        raise _failure(kind, endpoint, "the answer is not a JSON object")
    return {}


def _object(endpoint: Endpoint, data: Any) -> Mapping[str, Any]:
    if isinstance(data, dict):
        return data
    raise _broken(endpoint, "data is no object")


def _list_of(endpoint: Endpoint, data: Any) -> list[dict[str, Any]]:
    if isinstance(data, list) and all(isinstance(item, dict) for item in data):
        return data
    raise _broken(endpoint, "data holds no list of objects")


def _broken(endpoint: Endpoint, words: str) -> BackOfficeError:
    """An answer that cannot be understood: after a write nobody knows what happened."""
    return _failure(UnknownOutcome if endpoint.writes else ContractBroken, endpoint, words)


def _failure(
    kind: type[BackOfficeError], endpoint: Endpoint, words: str, *, retry_after: float | None = None
) -> BackOfficeError:
    return kind(words, system=SYSTEM, operation=endpoint.name, retry_after=retry_after)
