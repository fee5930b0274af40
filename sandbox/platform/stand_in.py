"""The platform's wire: reading the truth back, charges, and the simulation verbs (contracts: platform-events 7, 8)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.platform import reading
from sandbox.platform.amounts import Conflict, Doc, Unknown, Wrong
from sandbox.platform.events import Account
from sandbox.platform.model import Platform, utc_now
from sandbox.platform.ordering import Ordering
from sandbox.platform.sender import SCHEDULE, Sender
from sandbox.platform.signature import SECRET, Signing
from sandbox.serving import Handler, StandIn

TOKEN = "sandbox-platform-token"
"""The bearer token of the demo account."""


class PlatformStandIn(StandIn):
    """The booking platform, its payment processor and its webhook sender.

    `data` is a folder for its SQLite file (None: memory), `target` the gateway's address for events
    (`http://…/events`); it can be set later with `POST /sim/target` and is remembered. Call `close` to stop sending.
    """

    name = "platform"

    def __init__(
        self,
        data: Path | None = None,
        target: str | None = None,
        *,
        token: str = TOKEN,
        secret: str = SECRET,
        account: Account | None = None,
        schedule: tuple[float, ...] = SCHEDULE,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__()
        self.platform = Platform(data / "platform.sqlite" if data else None, account, now)
        self.ordering = Ordering(self.platform)
        self.signing = Signing((secret,))
        self._token = token
        if target is None:
            known = self.platform.storage.find("mark", "target")
            target = known["value"] if known else None
        self.sender = Sender(self.platform.storage, self.signing, target, schedule)

    def app(self) -> Starlette:
        # Servers are run without lifespan events, so the sender starts with the application.
        self.sender.start()
        return super().app()

    def close(self) -> None:
        """Stop sending and let go of the file; what is owed is sent after the next start."""
        self.sender.stop()
        self.platform.storage.close()

    def state(self) -> dict[str, Any]:
        return reading.everything(self.platform)

    def refusal(self, operation: str) -> Response:
        return problem(422, f"{operation} was refused")

    def breakdown(self, operation: str) -> Response:
        return problem(500, "internal error")

    def throttled(self, operation: str, seconds: float) -> Response:
        return problem(429, "too many requests", {"Retry-After": str(int(seconds))})

    def routes(self) -> list[BaseRoute]:
        platform = self.platform
        return [
            Route("/v1/experiences/{id}", self._call("experiences.get", lambda ask: platform.experience(ask.id))),
            Route("/v1/bookings/{id}", self._call("bookings.get", lambda ask: platform.booking(ask.id))),
            Route("/v1/bookings", self._call("bookings.list", lambda ask: reading.bookings(platform, ask.query))),
            Route("/v1/payment_plans/{id}", self._call("plans.get", lambda ask: platform.plan(ask.id))),
            Route("/v1/payments", self._call("payments.list", lambda ask: reading.payments(platform, ask.query))),
            Route("/v1/events", self._call("events.list", lambda ask: reading.event_log(platform, ask.query))),
            Route(
                "/v1/events/{id}/redeliver",
                self._call("events.redeliver", lambda ask: platform.do("redeliver", {"event_id": ask.id}), 202),
                methods=["POST"],
            ),
            Route("/v1/balances", self._call("balances.get", lambda ask: reading.balances(platform, ask.query))),
            Route(
                "/v1/charges",
                self._call("charges.create", lambda ask: platform.do("charge", ask.body)["charge"], 201),
                methods=["POST"],
            ),
            Route("/v1/charges", self._call("charges.find", lambda ask: reading.charges(platform, ask.query))),
            Route(
                "/v1/refunds",
                self._call("refunds.create", lambda ask: platform.do("order-refund", ask.body), 201),
                methods=["POST"],
            ),
            Route("/v1/refunds", self._call("refunds.find", lambda ask: reading.refund_orders(platform, ask.query))),
            Route("/sim/deliveries", self._open(lambda _: platform.storage.deliveries_summary())),
            Route("/sim/marks", self._open(lambda _: reading.marks(platform))),
            Route("/sim/target", self._open(self._point), methods=["POST"]),
            Route("/sim/signing", self._open(self._sign), methods=["POST"]),
            Route("/sim/{verb}", self._simulate, methods=["POST"]),
        ]

    def _call(self, operation: str, act: Callable[[Ask], Doc], status: int = 200) -> Handler:
        """An operation of the platform's own API: token, faults, problem+json."""

        async def handler(request: Request) -> Response:
            offered = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(offered, f"Bearer {self._token}".encode()):
                return problem(401, "the bearer token is missing or wrong", {"WWW-Authenticate": "Bearer"})
            ask = await Ask.of(request)
            if isinstance(ask, Response):
                return ask
            return await self.serve(operation, lambda: answered(act, ask, status))

        return handler

    def _open(self, act: Callable[[Ask], Doc]) -> Handler:
        """A simulation call: no token, no faults."""

        async def handler(request: Request) -> Response:
            ask = await Ask.of(request)
            return ask if isinstance(ask, Response) else answered(act, ask, 200)

        return handler

    async def _simulate(self, request: Request) -> Response:
        """A verb; what it sells of the hotel supplier is ordered there before it is answered."""
        ask = await Ask.of(request)
        if isinstance(ask, Response):
            return ask
        records: list[Doc] = []

        def act(ask: Ask) -> Doc:
            records.append(self.platform.do(ask.path["verb"], ask.body, ask.key))
            return records[0]

        answer = answered(act, ask, 200)
        for record in records:
            await self.ordering.follow(record)
        return answer

    def _point(self, ask: Ask) -> Doc:
        """{"url": address or null}."""
        url = ask.body.get("url")
        self.sender.point_at(url)
        self.platform.do("mark", {"name": "target", "value": url})
        return {"url": url}

    def _sign(self, ask: Ask) -> Doc:
        """{"secrets"?: […], "skew"?: seconds}: how deliveries are signed from now on."""
        if "secrets" in ask.body:
            self.signing.secrets = tuple(str(secret) for secret in ask.body["secrets"])
        self.signing.skew = float(ask.body.get("skew", self.signing.skew))
        return {"secrets": len(self.signing.secrets), "skew": self.signing.skew}


class Ask:
    """What a handler was asked: path, query, JSON body, idempotency key."""

    def __init__(self, request: Request, body: Doc) -> None:
        self.path: dict[str, str] = dict(request.path_params)
        self.query: dict[str, str] = dict(request.query_params)
        self.key = request.headers.get("idempotency-key")
        self.body = body

    @property
    def id(self) -> str:
        return self.path["id"]

    @staticmethod
    async def of(request: Request) -> Ask | Response:
        raw = await request.body()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            return problem(400, "the body is not JSON")
        return Ask(request, body) if isinstance(body, dict) else problem(400, "the body is not a JSON object")


def answered(act: Callable[[Ask], Doc], ask: Ask, status: int) -> Response:
    """The result as JSON, or what prevented it as problem+json."""
    try:
        return JSONResponse(act(ask), status)
    except Wrong as error:
        return problem(422, str(error))
    except Unknown as error:
        return problem(404, str(error))
    except Conflict as error:
        return problem(409, str(error))


TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    409: "Conflict",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """An RFC 9457 answer."""
    body = {"type": "about:blank", "title": TITLES[status], "status": status, "detail": detail}
    return Response(json.dumps(body), status, headers, media_type="application/problem+json")
