"""What is asked of a Kommo account and written there (contracts: kommo 1, 3, 4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from activities.kommo import wire
from activities.kommo.fields import FieldDefinition
from activities.kommo.limits import Limits
from activities.kommo.line import API, Alarm, KommoLine, Tokens, nobody
from activities.kommo.settings import KommoSettings
from activities.kommo.wire import SYSTEM, Account, Contact, Lead, Pipeline, StageChange, Webhook
from domain.errors import ContractBroken, Refused, Transient, UnknownOutcome

NOTES_LOOKED_AT = 50
HOOK_EVENTS = ("status_lead", "update_lead", "delete_lead", "restore_lead")
NOTE_SERVICE = "Booking orchestrator"
_SALESBOT = re.compile(r"/api/v4/salesbot/\d+/continue/\d+/?")


class KommoClient:
    """Thread-safe. Repeats no write: what may be repeated is decided by those who call."""

    def __init__(
        self,
        settings: KommoSettings,
        tokens: Tokens | None = None,
        *,
        alarm: Alarm = nobody,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._line = KommoLine(settings, tokens, alarm=alarm, limits=limits, transport=transport)

    def close(self) -> None:
        self._line.close()

    # Reads -----------------------------------------------------------------------------------------------------------

    def account(self) -> Account:
        body = self._line.read("account", "/account")
        if body is None or not isinstance(body.get("id"), int):
            raise ContractBroken("the account has no id", system=SYSTEM, operation="account")
        return Account(
            body["id"], str(body.get("subdomain") or ""), str(body.get("name") or ""), str(body.get("currency") or "")
        )

    def lead(self, lead_id: int) -> Lead | None:
        """A deal; None when it is gone (204, 404, or in the bin)."""
        body = self._line.read("lead", f"/leads/{lead_id}", {"with": "contacts"}, gone=True)
        lead = None if body is None else wire.lead_of(body)
        if lead is not None and lead.id != lead_id:
            raise Transient("the answer is that of another deal", system=SYSTEM, operation="lead")
        return None if lead is None or lead.is_deleted else lead

    def contact(self, contact_id: int) -> Contact | None:
        body = self._line.read("contact", f"/contacts/{contact_id}", gone=True)
        contact = None if body is None else wire.contact_of(body)
        if contact is not None and contact.id != contact_id:
            raise Transient("the answer is that of another contact", system=SYSTEM, operation="contact")
        return contact

    def leads_in_stage(self, pipeline: int, stage: int, updated_since: datetime | None = None) -> Iterator[Lead]:
        """Deals that stand in a stage, a page at a time."""
        question: dict[str, str | int] = {
            "filter[statuses][0][pipeline_id]": pipeline,
            "filter[statuses][0][status_id]": stage,
            "with": "contacts",
        }
        if updated_since is not None:
            question["filter[updated_at][from]"] = int(updated_since.timestamp())
        return map(wire.lead_of, self._line.pages("leads", "/leads", "leads", question))

    def stage_changes(self, since: datetime) -> Iterator[StageChange]:
        """The account's log of deals that came to another stage."""
        question: dict[str, str | int] = {
            "filter[type]": "lead_status_changed",
            "filter[entity]": "lead",
            "filter[created_at][from]": int(since.timestamp()),
        }
        return map(wire.stage_change_of, self._line.pages("events", "/events", "events", question))

    def custom_fields(self) -> list[FieldDefinition]:
        """The fields of deals."""
        return [
            wire.field_of(raw)
            for raw in self._line.pages("custom_fields", "/leads/custom_fields", "custom_fields", {"limit": 50})
        ]

    def pipelines(self) -> list[Pipeline]:
        body = self._line.read("pipelines", "/leads/pipelines")
        return [wire.pipeline_of(raw) for raw in wire.embedded(body, "pipelines")]

    def webhooks(self, destination: str | None = None) -> list[Webhook]:
        question = {} if destination is None else {"filter[destination]": destination}
        body = self._line.read("webhooks", "/webhooks", question)
        return [wire.webhook_of(raw) for raw in wire.embedded(body, "webhooks")]

    # Writes ----------------------------------------------------------------------------------------------------------

    def patch_lead(self, lead_id: int, changes: Mapping[str, Any]) -> bool:
        """Write these members and no others; False when the deal is gone. Setting a state: it may be repeated."""
        try:
            answer = self._line.write("patch_lead", "PATCH", f"/leads/{lead_id}", dict(changes))
        except Refused as refusal:
            if refusal.code in ("404", "410"):
                return False
            raise
        if answer is not None and answer.get("id", lead_id) != lead_id:
            raise UnknownOutcome("the answer is that of another deal", system=SYSTEM, operation="patch_lead")
        return True

    def find_note(self, lead_id: int, marker: str) -> int | None:
        """The note that carries a marker of ours, such as `[ref:…]`."""
        question: dict[str, str | int] = {"filter[note_type]": "service_message", "limit": NOTES_LOOKED_AT}
        # The newest first, so that fifty are enough where people write a lot.
        question["order[id]"] = "desc"
        body = self._line.read("notes", f"/leads/{lead_id}/notes", question, gone=True)
        found = (wire.note_of(raw) for raw in wire.embedded(body, "notes"))
        return next((note.id for note in found if marker in note.text), None)

    def add_note(self, lead_id: int, text: str, marker: str) -> int:
        """A note that carries the marker, unless there is one already; its id. After `UnknownOutcome` simply call again."""
        known = self.find_note(lead_id, marker)
        if known is not None:
            return known
        note = {"note_type": "service_message", "params": {"service": NOTE_SERVICE, "text": f"{text} {marker}"}}
        body = self._line.write("add_note", "POST", f"/leads/{lead_id}/notes", [{**note, "created_by": 0}])
        return _made("add_note", body, "notes")

    def find_task(self, lead_id: int, marker: str) -> int | None:
        """The task of a deal that carries the marker, done or not."""
        question: dict[str, str | int] = {"filter[entity_type]": "leads", "filter[entity_id]": lead_id}
        for raw in self._line.pages("tasks", "/tasks", "tasks", question):
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
        return _made("add_task", self._line.write("add_task", "POST", "/tasks", [task]), "tasks")

    def create_fields(self, definitions: Sequence[Mapping[str, Any]]) -> list[FieldDefinition]:
        """New fields of deals. Their codes are unique there: what exists is refused."""
        body = self._line.write("create_fields", "POST", "/leads/custom_fields", [dict(each) for each in definitions])
        return [wire.field_of(raw) for raw in wire.embedded(body, "custom_fields")]

    def register_webhook(self, destination: str, events: Iterable[str] = HOOK_EVENTS) -> None:
        """Subscribe; the same address again replaces its events."""
        self._line.write(
            "register_webhook", "POST", "/webhooks", {"destination": destination, "settings": list(events)}
        )

    def remove_webhook(self, destination: str) -> None:
        """By address; one that is not there is no error."""
        try:
            self._line.write("remove_webhook", "DELETE", "/webhooks", {"destination": destination})
        except Refused as refusal:
            if refusal.code not in ("404", "410"):
                raise

    def continue_salesbot(
        self, return_url: str, data: Mapping[str, str], handlers: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Let a waiting bot go on. The address came from outside: only the account's own is called."""
        path = self._own_salesbot(return_url)
        body = {"data": dict(data), "execute_handlers": [dict(each) for each in handlers[:10]]}
        self._line.write("continue_salesbot", "POST", path, body)

    def _own_salesbot(self, return_url: str) -> str:
        try:
            given = httpx.URL(return_url)
        except (httpx.InvalidURL, TypeError):
            given = httpx.URL("")
        ours = (self._line.host.scheme, self._line.host.host, self._line.host.port)
        foreign = (given.scheme, given.host, given.port) != ours or given.userinfo or given.query or given.fragment
        if foreign or not _SALESBOT.fullmatch(given.path):
            raise Refused(
                "return_url is not this account's: nothing was sent", system=SYSTEM, operation="continue_salesbot"
            )
        return given.path.removeprefix(API)


def _made(operation: str, body: Mapping[str, Any] | None, entity: str) -> int:
    for raw in wire.embedded(body, entity):
        if isinstance(raw.get("id"), int):
            return int(raw["id"])
    raise UnknownOutcome("success without an id", system=SYSTEM, operation=operation)
