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
from sandbox.kommo.hooks import KNOWN, Hooks
from sandbox.kommo.page import page
from sandbox.kommo.problems import KommoError, invalid
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
        self._continued: list[dict[str, Any]] = []

    def routes(self) -> list[BaseRoute]:
        def api(path: str, method: str, operation: str, act: Callable[[Request, Any], Any]) -> Route:
            async def endpoint(request: Request) -> Response:
                return await self._call(request, operation, act)

            return Route(f"/api/v4{path}", endpoint, methods=[method])

        return [
            Route("/", self._page),
            Route("/oauth", self._consent_page),
            Route("/oauth2/access_token", self._access_token, methods=["POST"]),
            api(
                "/account",
                "GET",
                "account",
                lambda *_: self._account() | {"name": "Viajes de prueba", "currency": "EUR"},
            ),
            api("/leads", "GET", "leads", lambda request, _: self._leads(request)),
            api("/leads/pipelines", "GET", "pipelines", lambda *_: _hal("pipelines", self._crm.pipelines())),
            api("/leads/custom_fields", "GET", "custom_fields", self._list_fields),
            api("/leads/custom_fields", "POST", "create_fields", self._create_fields),
            api("/leads/notes", "POST", "add_notes", lambda _, body: _hal("notes", self._crm.add_notes(body))),
            api("/leads/{id:int}", "GET", "lead", lambda request, _: self._crm.lead(request.path_params["id"])),
            api("/leads/{id:int}", "PATCH", "patch_lead", self._patch_lead),
            api("/leads/{id:int}", "DELETE", "delete_lead", lambda *_: _not_allowed()),
            api("/leads/{id:int}/notes", "GET", "notes", self._notes),
            api("/leads/{id:int}/notes", "POST", "add_notes", self._add_notes),
            api("/tasks", "GET", "tasks", self._tasks),
            api("/tasks", "POST", "add_tasks", lambda _, body: _hal("tasks", self._crm.add_tasks(body))),
            api(
                "/contacts/{id:int}", "GET", "contact", lambda request, _: self._crm.contact(request.path_params["id"])
            ),
            api("/events", "GET", "events", self._events),
            api("/webhooks", "GET", "webhooks", self._list_hooks),
            api("/webhooks", "POST", "subscribe", self._subscribe),
            api("/webhooks", "DELETE", "unsubscribe", self._unsubscribe),
            api("/salesbot/{bot:int}/continue/{step:int}", "POST", "salesbot", self._continue),
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
            "continued": self._continued,
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
        self._continued.clear()
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

    def _leads(self, request: Request) -> Any:
        asked = request.query_params
        stage = (asked.get("filter[statuses][0][pipeline_id]"), asked.get("filter[statuses][0][status_id]"))
        since = int(asked.get("filter[updated_at][from]", 0))
        found = [
            one
            for one in self._crm.leads()
            if not one["is_deleted"]
            and (stage == (None, None) or stage == (str(one["pipeline_id"]), str(one["status_id"])))
            and one["updated_at"] >= since
        ]
        return _paged(request, "leads", found)

    def _patch_lead(self, request: Request, body: Any) -> Any:
        lead = self._crm.patch_lead(request.path_params["id"], body)
        return {"id": lead["id"], "updated_at": lead["updated_at"], "_links": {"self": {"href": str(request.url)}}}

    def _list_fields(self, request: Request, _: Any) -> Any:
        return _paged(request, "custom_fields", self._fields.all(), most=50)

    def _create_fields(self, _: Request, body: Any) -> Any:
        return _hal("custom_fields", self._fields.create(body))

    def _notes(self, request: Request, _: Any) -> Any:
        lead = request.path_params["id"]
        if self._crm.lead(lead) is None:
            raise KommoError(404, "Not found")
        kind = request.query_params.get("filter[note_type]")
        found = [one for one in self._crm.notes(lead) if kind in (None, one["note_type"])]
        newest_first = request.query_params.get("order[id]") == "desc"
        return _paged(request, "notes", found[::-1] if newest_first else found)

    def _add_notes(self, request: Request, body: Any) -> Any:
        return _hal("notes", self._crm.add_notes(body, request.path_params["id"]))

    def _tasks(self, request: Request, _: Any) -> Any:
        entity = request.query_params.get("filter[entity_id]")
        found = [one for one in self._crm.tasks() if entity in (None, str(one["entity_id"]))]
        return _paged(request, "tasks", found)

    def _events(self, request: Request, _: Any) -> Any:
        since = int(request.query_params.get("filter[created_at][from]", 0))
        kind = request.query_params.get("filter[type]")
        found = [one for one in self._crm.events() if one["created_at"] >= since and kind in (None, one["type"])]
        return _paged(request, "events", found, most=100)

    def _list_hooks(self, request: Request, _: Any) -> Any:
        wanted = request.query_params.get("filter[destination]")
        return _hal("webhooks", [one for one in self._hooks.all() if wanted in (None, one["destination"])])

    def _subscribe(self, _: Request, body: Any) -> Any:
        destination, events = (body or {}).get("destination"), (body or {}).get("settings")
        if not isinstance(destination, str) or not destination.startswith(("http://", "https://")):
            raise invalid("InvalidUrl", "destination", "this value is not a valid URL")
        if not isinstance(events, list) or not events or set(events) - KNOWN:
            raise invalid("NotSupportedChoice", "settings", "the value you selected is not a valid choice")
        return self._hooks.subscribe(destination, events)

    def _unsubscribe(self, _: Request, body: Any) -> Any:
        if not self._hooks.remove(str((body or {}).get("destination"))):
            raise KommoError(404, "Not found")

    def _continue(self, request: Request, body: Any) -> Any:
        handlers = (body or {}).get("execute_handlers", [])
        if len(handlers) > 10:
            raise invalid("TooManyElements", "execute_handlers", "at most 10 handlers")
        for place, one in enumerate(handlers):
            text = str((one.get("params") or {}).get("value") or "")
            if one.get("handler") == "show" and len(text) > 80:
                raise invalid("TooLong", f"execute_handlers.{place}.params.value", "at most 80 characters")
        self._continued.append({**request.path_params, "data": (body or {}).get("data"), "handlers": handlers})
        return {"success": True}

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


def _hal(entity: str, found: list[Record]) -> Record:
    return {"_embedded": {entity: found} if found else {}}


def _paged(request: Request, entity: str, found: list[Record], most: int = 250) -> Record:
    number, limit = int(request.query_params.get("page", 1)), int(request.query_params.get("limit", 50))
    if not 1 <= limit <= 250 or number < 1:
        raise KommoError(400, "limit or page is out of bounds")
    limit = min(limit, most)
    here = found[(number - 1) * limit : number * limit]
    links = {"self": {"href": str(request.url)}}
    if len(found) > number * limit:
        links["next"] = {"href": str(request.url.include_query_params(page=number + 1))}
    return {"_page": number, "_links": links, **_hal(entity, here)}


def _problem(error: KommoError) -> Response:
    return JSONResponse(error.body, error.status, media_type="application/problem+json", headers=_trace())


def _trace() -> dict[str, str]:
    return {"X-Request-Id": str(uuid.uuid4())}


def _not_allowed() -> None:
    raise KommoError(405, "Method Not Allowed")
