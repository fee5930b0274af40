"""One account's line to Kommo: a call in, its records or one of our error classes out (contracts: kommo 1, 3, 4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import httpx

from activities.kommo import wire
from activities.kommo.fields import FieldDefinition
from activities.kommo.limits import Limits
from activities.kommo.settings import KommoSettings
from activities.kommo.wire import SYSTEM, Account, Contact, Lead, Pipeline, StageChange, Webhook
from domain.errors import BackOfficeError, ContractBroken, Refused, Transient, Unauthorised, UnknownOutcome

API = "/api/v4"
PAGE = 250
MOST_PAGES = 200
NOTES_LOOKED_AT = 50
HOOK_EVENTS = ("status_lead", "update_lead", "delete_lead", "restore_lead")
NOTE_SERVICE = "Booking orchestrator"
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_SALESBOT = re.compile(r"/api/v4/salesbot/\d+/continue/\d+/?")

Alarm = Callable[[str, str], None]
"""Tells people: a reason of the desk's table, and the words."""


class Tokens(Protocol):
    """Where the bearer token comes from."""

    def current(self) -> str:
        """The token to call with. Raises `Unauthorised` when there is none."""

    def after_refusal(self, refused: str) -> str | None:
        """Another token than the refused one, if there is one by now."""


class FixedToken:
    """A long-lived token: nothing comes after its refusal."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        return self._token

    def after_refusal(self, refused: str) -> str | None:
        return None


def nobody(reason: str, words: str) -> None:
    """No alarm is connected."""


class KommoClient:
    """Thread-safe. Follows no redirect and repeats no write: what may be repeated is decided by those who call."""

    def __init__(
        self,
        settings: KommoSettings,
        tokens: Tokens | None = None,
        *,
        alarm: Alarm = nobody,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if tokens is None:
            if settings.token is None:
                raise ValueError("an account with OAuth needs its tokens")
            tokens = FixedToken(settings.token.get_secret_value())
        self._tokens = tokens
        self._alarm = alarm
        self._limits = limits or Limits(settings.calls_per_second)
        self._host = settings.host
        self._http = httpx.Client(
            base_url=settings.url,
            headers={"Accept": "application/hal+json, application/problem+json"},
            timeout=httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds),
            follow_redirects=False,
            transport=transport,
        )

    def close(self) -> None:
        self._http.close()

    # Reads -----------------------------------------------------------------------------------------------------------

    def account(self) -> Account:
        body = self._read("account", "/account")
        if body is None or not isinstance(body.get("id"), int):
            raise ContractBroken("the account has no id", system=SYSTEM, operation="account")
        return Account(
            body["id"], str(body.get("subdomain") or ""), str(body.get("name") or ""), str(body.get("currency") or "")
        )

    def lead(self, lead_id: int) -> Lead | None:
        """A deal; None when it is gone (204, 404, or in the bin)."""
        body = self._read("lead", f"/leads/{lead_id}", {"with": "contacts"}, gone=True)
        lead = None if body is None else wire.lead_of(body)
        return None if lead is None or lead.is_deleted else lead

    def contact(self, contact_id: int) -> Contact | None:
        body = self._read("contact", f"/contacts/{contact_id}", gone=True)
        return None if body is None else wire.contact_of(body)

    def leads_in_stage(self, pipeline: int, stage: int, updated_since: datetime | None = None) -> Iterator[Lead]:
        """Deals that stand in a stage, a page at a time."""
        question: dict[str, str | int] = {
            "filter[statuses][0][pipeline_id]": pipeline,
            "filter[statuses][0][status_id]": stage,
            "with": "contacts",
        }
        if updated_since is not None:
            question["filter[updated_at][from]"] = int(updated_since.timestamp())
        return map(wire.lead_of, self._pages("leads", "/leads", "leads", question))

    def stage_changes(self, since: datetime) -> Iterator[StageChange]:
        """The account's log of deals that came to another stage."""
        question: dict[str, str | int] = {
            "filter[type]": "lead_status_changed",
            "filter[entity]": "lead",
            "filter[created_at][from]": int(since.timestamp()),
        }
        return map(wire.stage_change_of, self._pages("events", "/events", "events", question))

    def custom_fields(self) -> list[FieldDefinition]:
        """The fields of deals."""
        return [
            wire.field_of(raw)
            for raw in self._pages("custom_fields", "/leads/custom_fields", "custom_fields", {"limit": 50})
        ]

    def pipelines(self) -> list[Pipeline]:
        body = self._read("pipelines", "/leads/pipelines")
        return [wire.pipeline_of(raw) for raw in wire.embedded(body, "pipelines")]

    def webhooks(self, destination: str | None = None) -> list[Webhook]:
        question = {} if destination is None else {"filter[destination]": destination}
        body = self._read("webhooks", "/webhooks", question)
        return [wire.webhook_of(raw) for raw in wire.embedded(body, "webhooks")]

    # Writes ----------------------------------------------------------------------------------------------------------

    def patch_lead(self, lead_id: int, changes: Mapping[str, Any]) -> bool:
        """Write these members and no others; False when the deal is gone. Setting a state: it may be repeated."""
        try:
            self._write("patch_lead", "PATCH", f"/leads/{lead_id}", dict(changes))
        except Refused as refusal:
            if refusal.code in ("404", "410"):
                return False
            raise
        return True

    def find_note(self, lead_id: int, marker: str) -> int | None:
        """The note that carries a marker of ours, such as `[ref:…]`."""
        question: dict[str, str | int] = {"filter[note_type]": "service_message", "limit": NOTES_LOOKED_AT}
        # The newest first, so that fifty are enough where people write a lot.
        question["order[id]"] = "desc"
        body = self._read("notes", f"/leads/{lead_id}/notes", question, gone=True)
        found = (wire.note_of(raw) for raw in wire.embedded(body, "notes"))
        return next((note.id for note in found if marker in note.text), None)

    def add_note(self, lead_id: int, text: str, marker: str) -> int:
        """A note that carries the marker, unless there is one already; its id. After `UnknownOutcome` simply call again."""
        known = self.find_note(lead_id, marker)
        if known is not None:
            return known
        note = {"note_type": "service_message", "params": {"service": NOTE_SERVICE, "text": f"{text} {marker}"}}
        body = self._write("add_note", "POST", f"/leads/{lead_id}/notes", [{**note, "created_by": 0}])
        return self._made("add_note", body, "notes")

    def find_task(self, lead_id: int, marker: str) -> int | None:
        """The task of a deal that carries the marker, done or not."""
        question: dict[str, str | int] = {"filter[entity_type]": "leads", "filter[entity_id]": lead_id}
        for raw in self._pages("tasks", "/tasks", "tasks", question):
            if marker in str(raw.get("text") or "") and isinstance(raw.get("id"), int):
                return int(raw["id"])
        return None

    def add_task(self, lead_id: int, text: str, marker: str, *, responsible: int, due: datetime) -> int:
        """A task for a person, unless there is one with the marker already; its id."""
        known = self.find_task(lead_id, marker)
        if known is not None:
            return known
        task: dict[str, Any] = {
            "text": f"{text} {marker}",
            "complete_till": int(due.timestamp()),
            "entity_id": lead_id,
            "entity_type": "leads",
        }
        if responsible:
            task["responsible_user_id"] = responsible
        return self._made("add_task", self._write("add_task", "POST", "/tasks", [task]), "tasks")

    def create_fields(self, definitions: Sequence[Mapping[str, Any]]) -> list[FieldDefinition]:
        """New fields of deals. Their codes are unique there: what exists is refused."""
        body = self._write("create_fields", "POST", "/leads/custom_fields", [dict(each) for each in definitions])
        return [wire.field_of(raw) for raw in wire.embedded(body, "custom_fields")]

    def register_webhook(self, destination: str, events: Iterable[str] = HOOK_EVENTS) -> None:
        """Subscribe; the same address again replaces its events."""
        self._write("register_webhook", "POST", "/webhooks", {"destination": destination, "settings": list(events)})

    def remove_webhook(self, destination: str) -> None:
        """By address; one that is not there is no error."""
        try:
            self._write("remove_webhook", "DELETE", "/webhooks", {"destination": destination})
        except Refused as refusal:
            if refusal.code not in ("404", "410"):
                raise

    def continue_salesbot(
        self, return_url: str, data: Mapping[str, str], handlers: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Let a waiting bot go on. The address came from outside: only the account's own is called."""
        path = self._own_salesbot(return_url)
        body = {"data": dict(data), "execute_handlers": [dict(each) for each in handlers[:10]]}
        self._write("continue_salesbot", "POST", path, body)

    def _own_salesbot(self, return_url: str) -> str:
        try:
            given = httpx.URL(return_url)
        except (httpx.InvalidURL, TypeError):
            given = httpx.URL("")
        ours = (self._host.scheme, self._host.host, self._host.port)
        foreign = (given.scheme, given.host, given.port) != ours or given.userinfo or given.query or given.fragment
        if foreign or not _SALESBOT.fullmatch(given.path):
            raise Refused(
                "return_url is not this account's: nothing was sent", system=SYSTEM, operation="continue_salesbot"
            )
        return given.path.removeprefix(API)

    # ------------------------------------------------------------------------------------------------------------------

    def _pages(
        self, operation: str, path: str, entity: str, question: Mapping[str, str | int]
    ) -> Iterator[Mapping[str, Any]]:
        """All entities of a list; the next page is asked for by number, never by an address of theirs."""
        for page in range(1, MOST_PAGES + 1):
            body = self._read(operation, path, {"limit": PAGE, **question, "page": page})
            yield from wire.embedded(body, entity)
            if not wire.has_next(body):
                return
        raise ContractBroken(f"{path} does not end after {MOST_PAGES} pages", system=SYSTEM, operation=operation)

    def _read(
        self, operation: str, path: str, question: Mapping[str, str | int] | None = None, *, gone: bool = False
    ) -> Mapping[str, Any] | None:
        """A body, None for 204; with `gone` also for what does not exist."""
        try:
            return self._call(operation, "GET", path, question=question, writes=False)
        except Refused as refusal:
            if gone and refusal.code in ("404", "410"):
                return None
            raise

    def _write(self, operation: str, method: str, path: str, body: Any) -> Mapping[str, Any] | None:
        return self._call(operation, method, path, body=body, writes=True)

    def _made(self, operation: str, body: Mapping[str, Any] | None, entity: str) -> int:
        for raw in wire.embedded(body, entity):
            if isinstance(raw.get("id"), int):
                return int(raw["id"])
        raise UnknownOutcome("success without an id", system=SYSTEM, operation=operation)

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        question: Mapping[str, str | int] | None = None,
        body: Any = None,
        writes: bool,
    ) -> Mapping[str, Any] | None:
        token = self._tokens.current()
        answer = self._exchange(operation, method, path, question, body, token, writes=writes)
        if answer.status_code == 401:
            # Another worker may have refreshed the token while this call was on its way; nothing was done.
            other = self._tokens.after_refusal(token)
            if other is not None:
                answer = self._exchange(operation, method, path, question, body, other, writes=writes)
        return self._sorted(operation, answer, writes=writes)

    def _exchange(
        self,
        operation: str,
        method: str,
        path: str,
        question: Mapping[str, str | int] | None,
        body: Any,
        token: str,
        *,
        writes: bool,
    ) -> httpx.Response:
        self._limits.take(operation)
        sent: dict[str, Any] = {} if body is None else {"json": body}
        if question:
            sent["params"] = dict(question)
        try:
            return self._http.request(method, API + path, headers={"Authorization": f"Bearer {token}"}, **sent)
        except _NOTHING_SENT as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Unauthorised("the certificate was not accepted", system=SYSTEM, operation=operation) from None
            raise Transient(f"not connected: {type(error).__name__}", system=SYSTEM, operation=operation) from None
        except httpx.HTTPError as error:
            kind = UnknownOutcome if writes else Transient
            raise kind(f"no answer: {type(error).__name__}", system=SYSTEM, operation=operation) from None

    def _sorted(self, operation: str, answer: httpx.Response, *, writes: bool) -> Mapping[str, Any] | None:
        status = answer.status_code
        body = _object(answer)
        if status == 429:
            pause = self._limits.throttled(_seconds(body))
            raise Transient("too many calls", system=SYSTEM, operation=operation, code="429", retry_after=pause)
        if status == 403 and (shut := self._limits.forbidden()) is not None:
            words = f"Kommo shut the account out for too many calls; nothing is sent for {shut / 60:.0f} minutes"
            self._alarm("kommo_blocked", words)
            raise Transient(words, system=SYSTEM, operation=operation, code="403", retry_after=shut)
        if 200 <= status <= 299:
            self._limits.served()
            if status == 204 or (not answer.content and writes):
                return None
            if body is None:
                doubtful: type[BackOfficeError] = UnknownOutcome if writes else Transient
                raise doubtful("the answer is no JSON object", system=SYSTEM, operation=operation)
            return body
        request_id = answer.headers.get("x-request-id", "")[:80]
        raise wire.problem(operation, status, body or {}, request_id, writes=writes)


def _object(answer: httpx.Response) -> Mapping[str, Any] | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _seconds(body: Mapping[str, Any] | None) -> float | None:
    told = None if body is None else body.get("retry_after")
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told < 86400 else None
