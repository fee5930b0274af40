"""What an account holds: deals, contacts, notes, tasks; every write whole or not at all (contracts: kommo 3, 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox.kommo.fields import Fields, listed
from sandbox.kommo.problems import KommoError, invalid
from sandbox.shelf import Record, Shelf

PIPELINE, OTHER_PIPELINE = 3001, 3002
STAGES = {31: "Nuevo", 32: "Negociación", 33: "Crear factura", 34: "Esperando pago", 35: "Pagado"}
OTHER_STAGES = {41: "Nuevo", 42: "En curso"}
WON, LOST = 142, 143
USERS = (7001, 7002)
WRITABLE = {
    "name", "price", "status_id", "pipeline_id", "responsible_user_id", "loss_reason_id", "created_by", "updated_by",
    "created_at", "updated_at", "closed_at", "custom_fields_values", "_embedded", "request_id", "id",
}  # fmt: skip
NOTE_PARAMS = {
    "common": {"text"},
    "service_message": {"service", "text"},
    "extended_service_message": {"service", "text"},
    "invoice_paid": {"service", "text"},
    "bill_paid": {"service", "text"},
}


class Crm:
    """One account's records. `tell` announces changes of deals."""

    def __init__(
        self,
        shelf: Shelf,
        clock: Callable[[], datetime],
        fields: Fields,
        account_id: int,
        tell: Callable[[str, Record], None],
    ) -> None:
        self._shelf = shelf
        self._clock = clock
        self._fields = fields
        self._account_id = account_id
        self._tell = tell
        self.bill_paid_allowed = True

    # Pipelines -------------------------------------------------------------------------------------------------------

    @staticmethod
    def pipelines() -> list[Record]:
        def one(number: int, name: str, stages: Mapping[int, str], main: bool) -> Record:
            system = {WON: "Ganado", LOST: "Perdido"}
            statuses = [
                {"id": each, "name": text, "pipeline_id": number, "sort": place, "type": 0, "account_id": 0}
                for place, (each, text) in enumerate({**stages, **system}.items(), 1)
            ]
            return {"id": number, "name": name, "is_main": main, "_embedded": {"statuses": statuses}}

        return [one(PIPELINE, "Ventas", STAGES, True), one(OTHER_PIPELINE, "Grupos", OTHER_STAGES, False)]

    @staticmethod
    def _stage_exists(pipeline: int, status: int) -> bool:
        stages = {PIPELINE: STAGES, OTHER_PIPELINE: OTHER_STAGES}.get(pipeline)
        return stages is not None and (status in stages or status in (WON, LOST))

    # Leads -----------------------------------------------------------------------------------------------------------

    def leads(self) -> list[Record]:
        return list(self._shelf.all("lead").values())

    def lead(self, number: int) -> Record | None:
        held = self._shelf.get("lead", str(number))
        return None if held is None or held["is_deleted"] else held

    def add_lead(self, wish: Mapping[str, Any]) -> Record:
        """A person makes a deal, with a contact when `contact` is given."""
        contacts = []
        if isinstance(wish.get("contact"), Mapping):
            contacts.append({"id": self.add_contact(wish["contact"])["id"], "is_main": True})
        number = self._shelf.next_number("lead", 500_001)
        now = self._now()
        record: Record = {
            "id": number,
            "name": str(wish.get("name") or f"Viaje {number}"),
            "price": int(wish.get("price") or 0),
            "responsible_user_id": wish.get("responsible_user_id", USERS[0]),
            "group_id": 0,
            "status_id": wish.get("status_id", 31),
            "pipeline_id": wish.get("pipeline_id", PIPELINE),
            "loss_reason_id": None,
            "created_by": USERS[0],
            "updated_by": USERS[0],
            "created_at": now,
            "updated_at": now,
            "closed_at": None,
            "closest_task_at": None,
            "is_deleted": False,
            "custom_fields_values": None,
            "score": None,
            "account_id": self._account_id,
            "_embedded": {"tags": [], "companies": [], "contacts": contacts},
        }
        if wish.get("custom_fields_values"):
            record["custom_fields_values"] = self._fields.after(record, wish["custom_fields_values"])
        return self._shelf.put("lead", str(number), record)

    def patch_lead(self, number: int, wish: Any, path: str = "") -> Record:
        """Change a deal as a whole or not at all; only what is named changes. Raises KommoError."""
        held = self.lead(number)
        if held is None:
            raise KommoError(404, "Not found")
        if not isinstance(wish, dict):
            raise KommoError(400, "the body is no object")
        if unknown := sorted(set(wish) - WRITABLE):
            raise invalid("UnexpectedField", path + unknown[0], "this field was not expected")
        changed = dict(held)
        for name, value in wish.items():
            if name in ("request_id", "id", "_embedded", "custom_fields_values"):
                continue
            whole = isinstance(value, int) and not isinstance(value, bool)
            if name != "name" and not whole and not (name == "price" and isinstance(value, float)):
                raise invalid("InvalidType", path + name, "this value should be of type int")
            changed[name] = value
        if not self._stage_exists(changed["pipeline_id"], changed["status_id"]):
            raise invalid("NotSupportedChoice", path + "status_id", "the value you selected is not a valid choice")
        if "custom_fields_values" in wish:
            changed["custom_fields_values"] = self._fields.after(held, wish["custom_fields_values"], path)
        changed["updated_at"] = max(self._now(), held["updated_at"] + 1)
        if "updated_by" not in wish:
            changed["updated_by"] = USERS[0]
        return self._saved(held, changed)

    def move(self, number: int, status: int) -> Record:
        """A person drags the deal to another stage."""
        return self.patch_lead(number, {"status_id": status, "updated_by": USERS[1]})

    def delete_lead(self, number: int) -> Record:
        held = self.lead(number)
        if held is None:
            raise KommoError(404, "Not found")
        gone = self._shelf.put("lead", str(number), held | {"is_deleted": True, "updated_at": self._now()})
        self._tell("delete", gone)
        return gone

    def restore_lead(self, number: int) -> Record:
        held = self._shelf.get("lead", str(number))
        if held is None:
            raise KommoError(404, "Not found")
        back = self._shelf.put("lead", str(number), held | {"is_deleted": False, "updated_at": self._now()})
        self._tell("restore", back)
        return back

    def _saved(self, held: Record, changed: Record) -> Record:
        self._shelf.put("lead", str(held["id"]), changed)
        if changed["status_id"] != held["status_id"] or changed["pipeline_id"] != held["pipeline_id"]:
            self._log_move(held, changed)
            self._tell("status", changed | {"old_status_id": held["status_id"]})
        else:
            self._tell("update", changed)
        return changed

    def _log_move(self, held: Record, changed: Record) -> None:
        number = self._shelf.next_number("event", 1)

        def stage(lead: Record) -> list[Record]:
            return [{"lead_status": {"id": lead["status_id"], "pipeline_id": lead["pipeline_id"]}}]

        event = {
            "id": f"{number:026d}",
            "type": "lead_status_changed",
            "entity_id": held["id"],
            "entity_type": "lead",
            "created_at": changed["updated_at"],
            "created_by": changed["updated_by"],
            "value_before": stage(held),
            "value_after": stage(changed),
        }
        self._shelf.put("event", str(number), event)

    def events(self) -> list[Record]:
        return list(self._shelf.all("event").values())

    # Contacts, notes, tasks ------------------------------------------------------------------------------------------

    def add_contact(self, wish: Mapping[str, Any]) -> Record:
        number = self._shelf.next_number("contact", 700_001)
        fields = [
            {"field_id": place, "field_code": code, "values": [{"value": wish[name], "enum_code": "WORK"}]}
            for place, (name, code) in enumerate((("email", "EMAIL"), ("phone", "PHONE")), 1)
            if wish.get(name)
        ]
        record = {"id": number, "name": str(wish.get("name") or ""), "custom_fields_values": fields or None}
        return self._shelf.put("contact", str(number), record)

    def contact(self, number: int) -> Record | None:
        return self._shelf.get("contact", str(number))

    def notes(self, lead: int) -> list[Record]:
        return [one for one in self._shelf.all("note").values() if one["entity_id"] == lead]

    def add_notes(self, wishes: Any, lead: int | None = None) -> list[Record]:
        checked = []
        for place, wish in enumerate(listed(wishes)):
            entity = lead if lead is not None else wish.get("entity_id")
            if not isinstance(entity, int) or self.lead(entity) is None:
                raise invalid("NotSupportedChoice", f"{place}.entity_id", "the deal does not exist")
            kind = wish.get("note_type")
            if kind not in NOTE_PARAMS or (kind in ("bill_paid", "invoice_paid") and not self.bill_paid_allowed):
                raise invalid(
                    "NotSupportedChoice", f"{place}.note_type", "the value you selected is not a valid choice"
                )
            params = wish.get("params") or {}
            if missing := sorted(NOTE_PARAMS[kind] - set(params)):
                raise invalid("FieldMissing", f"{place}.params.{missing[0]}", "this field is missing")
            checked.append((entity, kind, params, wish))
        made = []
        for entity, kind, params, wish in checked:
            number = self._shelf.next_number("note", 800_001)
            record = {
                "id": number,
                "entity_id": entity,
                "note_type": kind,
                "params": params,
                "created_by": wish.get("created_by", USERS[0]),
                "created_at": self._now(),
            }
            made.append(self._shelf.put("note", str(number), record) | {"request_id": wish.get("request_id", "0")})
        return made

    def tasks(self) -> list[Record]:
        return list(self._shelf.all("task").values())

    def add_tasks(self, wishes: Any) -> list[Record]:
        made = []
        for place, wish in enumerate(listed(wishes)):
            for name in ("text", "complete_till"):
                if not wish.get(name):
                    raise invalid("NotBlank", f"{place}.{name}", "this value should not be blank")
            if wish.get("responsible_user_id", USERS[0]) not in USERS:
                raise invalid("NotSupportedChoice", f"{place}.responsible_user_id", "no such user")
            made.append(wish)
        return [self._put_task(wish) for wish in made]

    def _put_task(self, wish: Mapping[str, Any]) -> Record:
        number = self._shelf.next_number("task", 600_001)
        record = {
            "id": number,
            "text": wish["text"],
            "complete_till": wish["complete_till"],
            "entity_id": wish.get("entity_id"),
            "entity_type": wish.get("entity_type"),
            "responsible_user_id": wish.get("responsible_user_id", USERS[0]),
            "is_completed": False,
        }
        return self._shelf.put("task", str(number), record)

    def _now(self) -> int:
        return int(self._clock().timestamp())
