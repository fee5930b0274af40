"""Kommo's resources as its API answers for them: filters, pages, HAL (contracts: kommo 1, 3, 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from starlette.requests import Request

from sandbox.kommo.crm import Crm
from sandbox.kommo.fields import Fields
from sandbox.kommo.hooks import KNOWN, Hooks
from sandbox.kommo.problems import KommoError, invalid
from sandbox.shelf import Record

Act = Callable[[Request, Any], Any]
Call = tuple[str, str, str, Act]
"""Path below /api/v4, method, the name by which faults strike it, and what it does."""


class Resources:
    """`continued` are the bots that were let go on; `account` tells who the account is."""

    def __init__(self, crm: Crm, fields: Fields, hooks: Hooks, account: Callable[[], Record]) -> None:
        self._crm = crm
        self._fields = fields
        self._hooks = hooks
        self._account = account
        self.continued: list[dict[str, Any]] = []

    def calls(self) -> Iterator[Call]:
        crm = self._crm
        yield "/account", "GET", "account", self._of_account
        yield "/leads", "GET", "leads", self._leads
        yield "/leads/pipelines", "GET", "pipelines", lambda *_: _hal("pipelines", crm.pipelines())
        yield "/leads/custom_fields", "GET", "custom_fields", self._list_fields
        yield "/leads/custom_fields", "POST", "create_fields", self._create_fields
        yield "/leads/notes", "POST", "add_notes", lambda _, body: _hal("notes", crm.add_notes(body))
        yield "/leads/{id:int}", "GET", "lead", lambda request, _: crm.lead(request.path_params["id"])
        yield "/leads/{id:int}", "PATCH", "patch_lead", self._patch_lead
        yield "/leads/{id:int}", "DELETE", "delete_lead", lambda *_: _not_allowed()
        yield "/leads/{id:int}/notes", "GET", "notes", self._notes
        yield "/leads/{id:int}/notes", "POST", "add_notes", self._add_notes
        yield "/tasks", "GET", "tasks", self._tasks
        yield "/tasks", "POST", "add_tasks", lambda _, body: _hal("tasks", crm.add_tasks(body))
        yield "/contacts/{id:int}", "GET", "contact", lambda request, _: crm.contact(request.path_params["id"])
        yield "/events", "GET", "events", self._events
        yield "/webhooks", "GET", "webhooks", self._list_hooks
        yield "/webhooks", "POST", "subscribe", self._subscribe
        yield "/webhooks", "DELETE", "unsubscribe", self._unsubscribe
        yield "/salesbot/{bot:int}/continue/{step:int}", "POST", "salesbot", self._continue

    def _of_account(self, *_: Any) -> Any:
        return self._account() | {"name": "Viajes de prueba", "currency": "EUR"}

    def _leads(self, request: Request, _: Any) -> Any:
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
        self.continued.append({**request.path_params, "data": (body or {}).get("data"), "handlers": handlers})
        return {"success": True}


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


def _not_allowed() -> None:
    raise KommoError(405, "Method Not Allowed")
