"""RateHawk's stand-in behind HTTP (contracts: midoffice 2, 2.12).

GET     /                                 orders and webhooks as a page
*       /api/b2b/v3/…                     the API, under Basic authentication
POST    /control/orders                   place a confirmed order (see `Orders.place`)
POST    /control/orders/{locator}         what ETG's staff does to it (see `Orders.change`)
POST    /control/clock                    {"seconds": 3600}: from now on it is so much later here
GET     /control/webhooks                 what was sent, with the answers
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.ratehawk.answers import CONTRACT, RateHawkError, moment, ok, refused
from sandbox.ratehawk.booking import Booking
from sandbox.ratehawk.limits import Allowances, Exceeded
from sandbox.ratehawk.listing import listed
from sandbox.ratehawk.orders import Orders
from sandbox.ratehawk.page import page
from sandbox.ratehawk.questions import Wish, locator, members, question
from sandbox.ratehawk.webhooks import Webhooks
from sandbox.serving import StandIn
from sandbox.shelf import Shelf

KEY_ID = 1001
API_KEY = "3f1c6a52-0c1b-4d8e-9a77-5b1f2f3c4d5e"
ORDERS = "hotel/order/"
LIMITS = {
    ORDERS: (30, 60),
    "ordergroup/": (30, 60),
    "search/": (30, 60),
    "general/": (100, 86_400),
    "overview/": (100, 86_400),
}
"""What a key may do before its certification (midoffice 2.3)."""
POSTED = "search/hp/ hotel/prebook/ hotel/order/booking/form/ hotel/order/booking/finish/ " \
         "hotel/order/booking/finish/status/ hotel/order/info/ hotel/order/cancel/ ordergroup/info/"  # fmt: skip
GOTTEN = "overview/ hotel/order/document/voucher/download/ hotel/order/document/info_invoice/download/ " \
         "hotel/order/document/single_act/download/ ordergroup/document/invoice/download/ " \
         "general/contract/data/info/ general/financial/info/ general/document/closing_documents/info/"  # fmt: skip
METHODS = dict.fromkeys(POSTED.split(), "POST") | dict.fromkeys(GOTTEN.split(), "GET")
LOCK_SECONDS, INFO_DELAY, STAFF_DELAY = 5, 20, 10
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


class RateHawkStandIn(StandIn):
    """`limits` replaces the allowances (empty: none), `webhook_url` is where changes are announced.

    `data` is a folder (None keeps everything in memory); `now` is the stand-in's clock.
    """

    name = "ratehawk"

    def __init__(
        self,
        data: Path | None = None,
        *,
        key_id: int = KEY_ID,
        api_key: str = API_KEY,
        webhook_url: str | None = None,
        limits: Mapping[str, tuple[int, int]] | None = None,
        webhook_pace: float = 1.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._key = (str(key_id), api_key)
        self._real_now, self._offset = now, timedelta()
        self._shelf = Shelf(data / "ratehawk.sqlite" if data else None)
        self.webhooks = Webhooks(webhook_url, api_key, self.now, pace=webhook_pace)
        self.orders = Orders(self._shelf, self.now, self._told)
        self._booking = Booking(self._shelf, self.orders, self.now)
        self._allowances = Allowances(dict(LIMITS if limits is None else limits), self.now)
        self._locked: dict[str, datetime] = {}
        self._struck: Counter[str] = Counter()
        self._effects: dict[str, Callable[[Wish], Response]] = {
            "overview/": self._overview,
            "search/hp/": lambda wish: ok(self._booking.search(wish)),
            "hotel/prebook/": lambda wish: ok(self._booking.prebook(wish)),
            "hotel/order/booking/form/": lambda wish: ok(self._booking.form(wish)),
            "hotel/order/booking/finish/": self._finish,
            "hotel/order/booking/finish/status/": self._status,
            "hotel/order/info/": lambda wish: ok(listed(self.orders.all(), self._hidden(), wish)),
            "hotel/order/cancel/": self._cancel,
            "hotel/order/document/voucher/download/": lambda wish: self._document(wish, "language"),
            "hotel/order/document/info_invoice/download/": self._document,
            "hotel/order/document/single_act/download/": lambda wish: self._document(
                wish, "show_b2b2c_price", "add_commission", "seal"
            ),
            "ordergroup/info/": lambda _: ok({"groups": [], "found_pages": 0}),
            "ordergroup/document/invoice/download/": self._group_invoice,
            "general/contract/data/info/": lambda _: ok({"contract_datas": [CONTRACT]}),
            "general/financial/info/": self._finance,
            "general/document/closing_documents/info/": lambda _: ok({"packages": []}),
        }

    def now(self) -> datetime:
        return self._real_now() + self._offset

    def later(self, seconds: float) -> None:
        """Let so much time pass here."""
        self._offset += timedelta(seconds=seconds)

    def empty(self) -> None:
        """Forget everything but the key: orders, faults, calls, limits, and how late it is."""
        self._shelf.clear()
        self.orders.forget()
        self.faults.clear()
        for held in (self.calls, self.webhooks.sent, self._locked, self._struck):
            held.clear()
        self._offset = timedelta()
        self.limit({})

    def limit(self, limits: Mapping[str, tuple[int, int]]) -> None:
        """Requests and seconds by the beginning of a path, from now on."""
        self._allowances = Allowances(dict(limits), self.now)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._page),
            Route("/control/orders", self._place, methods=["POST"]),
            Route("/control/orders/{locator}", self._change, methods=["POST"]),
            Route("/control/clock", self._clock, methods=["POST"]),
            Route("/control/webhooks", self._sent),
            Route("/api/b2b/v3/{endpoint:path}", self._call, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
        ]

    def state(self) -> dict[str, Any]:
        return {"orders": self.orders.all(), "webhooks": list(self.webhooks.sent), "now": self.now().isoformat()}

    def close(self) -> None:
        self._shelf.close()

    def refusal(self, operation: str) -> Response:
        return refused(RateHawkError("order_not_cancellable" if operation == "hotel/order/cancel/" else "not_allowed"))

    def breakdown(self, operation: str) -> Response:
        return refused(RateHawkError("unknown", http=500))

    def throttled(self, operation: str, seconds: float) -> Response:
        reset = moment(self.now() + timedelta(seconds=seconds))
        return refused(
            RateHawkError("endpoint_exceeded_limit"), {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        )

    # The API ---------------------------------------------------------------------------------------------------------

    async def _call(self, request: Request) -> Response:
        endpoint = request.path_params["endpoint"]
        try:
            self._authenticated(request)
            if endpoint not in self._effects:
                raise RateHawkError("endpoint_not_found")
            if request.method != METHODS[endpoint]:
                raise RateHawkError("unexpected_method")
            headers = self._allowances.spend(endpoint)
            wish = question(request, await request.body())
        except RateHawkError as problem:
            self.calls.append({"operation": endpoint, "outcome": problem.code, "at": time.time()})
            return refused(problem, problem.headers if isinstance(problem, Exceeded) else None)
        answer = await self.serve(endpoint, lambda: self._answer(endpoint, wish))
        answer.headers.update(headers)
        return answer

    def _answer(self, endpoint: str, wish: Wish) -> Response:
        try:
            self._trip(endpoint, wish)
            return self._effects[endpoint](wish)
        except RateHawkError as problem:
            return refused(problem, problem.headers if isinstance(problem, Exceeded) else None)

    def _trip(self, endpoint: str, wish: Wish) -> None:
        """The faults that a locator brings along (midoffice 2.12)."""
        partner = str(wish.get("partner_order_id", ""))
        if partner.endswith("x_429") and self._struck[partner] < 3:
            self._struck[partner] += 1
            reset = moment(self.now() + timedelta(seconds=60))
            problem = Exceeded({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
            raise problem
        if partner.endswith("x_lock"):
            last = self._locked.get(partner)
            self._locked[partner] = self.now()
            if last is not None and self.now() - last < timedelta(seconds=LOCK_SECONDS):
                raise RateHawkError("lock")

    def _authenticated(self, request: Request) -> None:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if not given:
            raise RateHawkError("no_auth_header")
        try:
            user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise RateHawkError("invalid_auth_header") from None
        if kind.lower() != "basic":
            raise RateHawkError("invalid_auth_header")
        if (user, password) != self._key:
            raise RateHawkError("incorrect_credentials")

    def _overview(self, _: Wish) -> Response:
        rows = []
        for endpoint in METHODS:
            limit = self._allowances.of(endpoint)
            rows.append(
                {
                    "endpoint": f"api/b2b/v3/{endpoint}",
                    "is_active": True,
                    "is_debug_mode": False,
                    "is_limited": limit is not None,
                    "requests_number": limit[0] if limit else 0,
                    "seconds_number": limit[1] if limit else 0,
                }
            )
        return ok(rows)

    def _finish(self, wish: Wish) -> Response:
        self._booking.finish(wish)
        partner = wish["partner"]["partner_order_id"]
        if partner.endswith("x_staff_update"):
            asyncio.get_running_loop().call_later(STAFF_DELAY, self.orders.change, partner, {"guest": "Changed"})
        if partner.endswith(("x_http500_once", "x_http500_form")):
            return self.breakdown("finish")
        return ok(None)

    def _status(self, wish: Wish) -> Response:
        word, data = self._booking.status(wish)
        return ok(data, status=word)

    def _cancel(self, wish: Wish) -> Response:
        partner = locator(wish)
        order = self.orders.cancel(partner)
        if partner.endswith(("x_http500_cancel", "x_http500_once")) and not self._struck[partner]:
            self._struck[partner] += 1
            return self.breakdown("cancel")
        names = ("amount_payable", "amount_refunded", "amount_sell")
        return ok({name: {**order[name], "amount_info": None} for name in names})

    def _document(self, wish: Wish, *optional: str) -> Response:
        order = self.orders.known(locator(wish, *optional))
        if order["status"] != "completed":
            raise RateHawkError("voucher_is_not_downloadable")
        return Response(PDF, media_type="application/pdf")

    def _group_invoice(self, wish: Wish) -> Response:
        """Nobody groups orders here, so no invoice is ever found."""
        members(wish, "", {"invoice_id"}, set())
        raise RateHawkError("invoice_not_found")

    def _finance(self, _: Wish) -> Response:
        contract = {"credit_limit": "0.00", "deposit": "100000.00", "overdue_debt": "0.00", "reporting_currency": "EUR"}
        return ok({"contract": contract, "contract_datas": [CONTRACT]})

    def _hidden(self) -> frozenset[str]:
        """Orders that do not show yet."""
        edge = moment(self.now() - timedelta(seconds=INFO_DELAY))
        return frozenset(
            one["partner_data"]["order_id"]
            for one in self.orders.all()
            if one["partner_data"]["order_id"].endswith("x_info_delay") and one["created_at"] > edge
        )

    def _told(self, kind: str, order: dict[str, Any]) -> None:
        self.webhooks.tell(kind, order)

    # Control ---------------------------------------------------------------------------------------------------------

    async def _place(self, request: Request) -> Response:
        return await self._staff(request, lambda wish: self.orders.place(wish))

    async def _change(self, request: Request) -> Response:
        return await self._staff(request, lambda wish: self.orders.change(request.path_params["locator"], wish))

    async def _staff(self, request: Request, act: Callable[[Wish], dict[str, Any]]) -> Response:
        try:
            return JSONResponse(act(json.loads(await request.body())))
        except RateHawkError as problem:
            return JSONResponse({"error": problem.code}, status_code=422)
        except (ValueError, KeyError, TypeError) as problem:
            return JSONResponse({"error": f"not an order: {problem}"}, status_code=422)

    async def _clock(self, request: Request) -> Response:
        try:
            self.later(float(json.loads(await request.body())["seconds"]))
        except (ValueError, KeyError, TypeError) as problem:
            return JSONResponse({"error": f"no number of seconds: {problem}"}, status_code=422)
        return JSONResponse({"now": self.now().isoformat()})

    async def _sent(self, _: Request) -> Response:
        return JSONResponse(list(self.webhooks.sent))

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(page(self.orders.all(), self.webhooks.sent))
