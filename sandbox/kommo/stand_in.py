"""The Kommo stand-in: one account with its OAuth, deals, webhooks, widget and bot (contracts: kommo 6)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kommo.bucket import Bucket
from sandbox.kommo.crm import Crm
from sandbox.kommo.fields import Fields
from sandbox.kommo.hooks import Hooks
from sandbox.kommo.page import page
from sandbox.kommo.problems import KommoError, invalid
from sandbox.kommo.resources import Act, Resources
from sandbox.kommo.tokens import Tokens
from sandbox.serving import StandIn
from sandbox.shelf import Record, Shelf

ACCOUNT_ID = 31_000_001
SUBDOMAIN = "viajes"
CLIENT_ID = "11111111-2222-4333-8444-555555555555"
CLIENT_SECRET = "sandbox-kommo-secret-0123456789abcdef0123456789abcdef0123456789abcdef"
REDIRECT_URI = "http://127.0.0.1:8099/kommo"
TOKEN = "sandbox-kommo-long-lived-token"
PAGE_429 = "<html><head><title>429 Too Many Requests</title></head><body><h1>429 Too Many Requests</h1></body></html>"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class KommoStandIn(StandIn):
    """One account. `data` is a folder; None keeps everything in memory.

    Beside the ordinary control endpoint:

        GET  /                     deals with fields and notes, webhooks, for the browser
        POST /control/leads        {"name", "price", "status_id", "contact": {"name", "email", "phone"}}: a new deal
        POST /control/leads/{id}   {"status_id": 33} a person moves it; {"deleted": true} or {"deleted": false}
        POST /control/fields/{id}  an administrator deletes the field
        POST /control/hooks        {"lose": 1, "duplicate": 1, "reorder": true, "batch": true, "time_scale": 0.001}
        POST /control/disable      {"destination"}: Kommo disables a webhook
        POST /control/consent      a code as the consent page gives it
        POST /control/tokens       {"revoke": "access" | "refresh" | "all"} or {"life": seconds}
        POST /control/disposable   {"for": "widget" | "bot", "lead_id", "alg", "aud", "expired", "secret", "jti"}: a token
        POST /control/limits       {"per_second": 7, "blocked_seconds": 300}

    Faults strike account, leads, lead, patch_lead, pipelines, custom_fields, create_fields, notes, add_notes, tasks,
    add_tasks, contact, events, webhooks, subscribe, unsubscribe, salesbot and access_token.
    """

    name = "kommo"

    def __init__(
        self,
        data: Path | None = None,
        *,
        token: str = TOKEN,
        client_secret: str = CLIENT_SECRET,
        redirect_uri: str = REDIRECT_URI,
        per_second: float = 7.0,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        super().__init__()
        self._clock = clock
        self._token = token
        self._url = ""
        self._shelf = Shelf(data / "kommo.sqlite" if data else None)
        self._tokens = Tokens(self._shelf, clock, client_id=CLIENT_ID, secret=client_secret, redirect_uri=redirect_uri)
        self._tokens.long_lived(token)
        self._bucket = Bucket(per_second)
        self._hooks = Hooks(self._shelf, clock, self._account)
        self._fields = Fields(self._shelf)
        self._crm = Crm(self._shelf, clock, self._fields, ACCOUNT_ID, self._hooks.tell)
        self._resources = Resources(self._crm, self._fields, self._hooks, self._account)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._page),
            Route("/oauth", self._consent_page),
            Route("/oauth2/access_token", self._access_token, methods=["POST"]),
            *(self._api(*call) for call in self._resources.calls()),
            *(
                Route(f"/control/{path}", endpoint, methods=["POST"])
                for path, endpoint in (
                    ("leads", self._control(lambda wish, _: self._crm.add_lead(wish))),
                    ("leads/{id:int}", self._control(self._person)),
                    ("fields/{id:int}", self._control(lambda _, request: self._delete_field(request))),
                    ("hooks", self._control(lambda wish, _: self._switch(self._hooks.knobs, wish))),
                    ("disable", self._control(lambda wish, _: self._hooks.disable(wish["destination"]))),
                    ("consent", self._control(lambda *_: {"code": self._tokens.consent()})),
                    ("tokens", self._control(self._change_tokens)),
                    ("disposable", self._control(lambda wish, _: {"token": self.disposable(wish)})),
                    ("limits", self._control(self._change_limits)),
                )
            ),
        ]

    def state(self) -> dict[str, Any]:
        return {
            "account": self._account(),
            "leads": self._crm.leads(),
            "fields": self._fields.all(),
            "notes": list(self._shelf.all("note").values()),
            "tasks": self._crm.tasks(),
            "contacts": list(self._shelf.all("contact").values()),
            "webhooks": self._hooks.all(),
            "sent": list(self._hooks.sent),
            "continued": self._resources.continued,
            "renewals": (self._shelf.get("counter", "renewals") or {"last": 0})["last"],
            "throttled": self._bucket.refused,
        }

    def close(self) -> None:
        self._shelf.close()

    def forget(self) -> None:
        """Begin anew: an empty account."""
        self._shelf.clear()
        self._hooks.forget()
        self._bucket.forget()
        self._resources.continued.clear()
        self._tokens.life = 86_400
        self._tokens.long_lived(self._token)

    def disposable(self, wish: Mapping[str, Any]) -> str:
        return self._tokens.disposable(wish, self._account())

    def lead(self, **wish: Any) -> Record:
        """A person makes a deal."""
        return self._crm.add_lead(wish)

    def refusal(self, operation: str) -> Response:
        error = invalid("NotSupportedChoice", "0.field_id", f"{operation} refused")
        return _problem(error)

    def breakdown(self, operation: str) -> Response:
        return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", status_code=502)

    def throttled(self, operation: str, seconds: float) -> Response:
        body = {"title": "Too Many Requests", "status": 429, "detail": "limit exceeded", "retry_after": seconds}
        return JSONResponse(body, 429, media_type="application/problem+json")

    # --- the calls ---

    def _api(self, path: str, method: str, operation: str, act: Act) -> Route:
        async def endpoint(request: Request) -> Response:
            return await self._call(request, operation, act)

        return Route(f"/api/v4{path}", endpoint, methods=[method])

    def _account(self) -> Record:
        return {"id": ACCOUNT_ID, "subdomain": SUBDOMAIN, "url": self._url}

    async def _call(self, request: Request, operation: str, act: Callable[[Request, Any], Any]) -> Response:
        self._url = str(request.base_url).rstrip("/")
        raw = await request.body()

        def answer() -> Response:
            try:
                token = _bearer(request)
                self._tokens.check(token)
                match self._bucket.take(token):
                    case "throttled":
                        return self._too_many()
                    case "blocked":
                        raise KommoError(403, "The account is blocked for exceeding the limit of requests")
                told = act(request, json.loads(raw) if raw else None)
            except KommoError as error:
                return _problem(error)
            except ValueError:
                return _problem(KommoError(400, "the body is no JSON"))
            if told is None or (isinstance(told, dict) and told.get("_embedded") == {}):
                return Response(status_code=204, headers=_trace())
            return JSONResponse(told, media_type="application/hal+json", headers=_trace())

        return await self.serve(operation, answer)

    def _too_many(self) -> Response:
        """In half the cases not JSON."""
        if self._bucket.refused % 2:
            return HTMLResponse(PAGE_429, 429)
        return JSONResponse({"title": "Too Many Requests", "status": 429, "retry_after": 1}, 429)

    async def _access_token(self, request: Request) -> Response:
        raw = await request.body()

        def answer() -> Response:
            try:
                return JSONResponse(self._tokens.exchange(json.loads(raw)))
            except KommoError as error:
                return _problem(error)
            except ValueError:
                return _problem(KommoError(400, "the body is no JSON"))

        return await self.serve("access_token", answer)

    # --- what people do and see ---

    def _control(self, act: Callable[[Any, Request], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            self._url = str(request.base_url).rstrip("/")
            raw = await request.body()
            try:
                told = act(json.loads(raw) if raw else {}, request)
            except KommoError as error:
                return _problem(error)
            except (ValueError, KeyError, TypeError) as error:
                return JSONResponse({"error": f"not understood: {error}"}, 422)
            return JSONResponse(told if told is not None else {})

        return endpoint

    def _person(self, wish: Any, request: Request) -> Record:
        lead = request.path_params["id"]
        if "deleted" in wish:
            return self._crm.delete_lead(lead) if wish["deleted"] else self._crm.restore_lead(lead)
        return self._crm.move(lead, int(wish["status_id"]))

    def _delete_field(self, request: Request) -> None:
        self._fields.delete(request.path_params["id"])

    @staticmethod
    def _switch(knobs: dict[str, Any], wish: Mapping[str, Any]) -> dict[str, Any]:
        if unknown := sorted(set(wish) - set(knobs)):
            raise ValueError(f"unknown members: {', '.join(unknown)}")
        knobs |= wish
        return knobs

    def _change_tokens(self, wish: Any, _: Request) -> None:
        if "life" in wish:
            self._tokens.life = int(wish["life"])
        match wish.get("revoke"):
            case "access" | "refresh" | "all" as which:
                self._tokens.revoke(access=which != "refresh", refresh=which != "access")

    def _change_limits(self, wish: Any, _: Request) -> None:
        self._bucket.per_second = float(wish.get("per_second", self._bucket.per_second))
        self._bucket.blocked_seconds = float(wish.get("blocked_seconds", self._bucket.blocked_seconds))

    async def _consent_page(self, request: Request) -> Response:
        """The administrator agrees at once."""
        if request.query_params.get("client_id") != CLIENT_ID:
            return HTMLResponse("<h1>unknown integration</h1>", 400)
        state = request.query_params.get("state", "")
        host = request.url.netloc
        place = f"{self._tokens.redirect_uri}?code={self._tokens.consent()}&referer={host}&state={state}"
        return RedirectResponse(place, status_code=303)

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(
            page(self._crm.leads(), self._crm.notes, self._crm.tasks(), self._hooks.all(), self._hooks.sent)
        )


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind != "Bearer" or not token:
        raise KommoError(401, "Unauthorized")
    return token


def _problem(error: KommoError) -> Response:
    return JSONResponse(error.body, error.status, media_type="application/problem+json", headers=_trace())


def _trace() -> dict[str, str]:
    return {"X-Request-Id": str(uuid.uuid4())}
