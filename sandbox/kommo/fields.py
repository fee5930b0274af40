"""Fields of deals: their definitions, and what each type takes (contracts: kommo 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.kommo.problems import KommoError, invalid
from sandbox.shelf import Record, Shelf

FIELD_TYPES = {
    "text", "numeric", "checkbox", "select", "multiselect", "multitext", "date", "url", "textarea", "radiobutton",
    "streetaddress", "smart_address", "birthday", "legal_entity", "date_time", "price", "monetary", "tracking_data",
}  # fmt: skip
LONGEST = 256


class Fields:
    """One account's fields."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def all(self) -> list[Record]:
        return [one for one in self._shelf.all("field").values() if not one["deleted"]]

    def create(self, wishes: Any) -> list[Record]:
        made = []
        codes = {one["code"] for one in self.all() if one["code"]}
        for place, wish in enumerate(listed(wishes)):
            if wish.get("type") not in FIELD_TYPES:
                raise invalid("InvalidType", f"{place}.type", "this type does not exist")
            if not wish.get("name"):
                raise invalid("NotBlank", f"{place}.name", "this value should not be blank")
            code = wish.get("code")
            if code in codes:
                raise invalid("FieldAlreadyExists", f"{place}.code", "a field of this code exists")
            if wish["type"] == "select" and not wish.get("enums"):
                raise invalid("NotBlank", f"{place}.enums", "a list needs values")
            if wish["type"] == "monetary" and not wish.get("currency"):
                raise invalid("NotBlank", f"{place}.currency", "this value should not be blank")
            codes.add(code)
            made.append(wish)
        return [self._put(wish) for wish in made]

    def _put(self, wish: Mapping[str, Any]) -> Record:
        number = self._shelf.next_number("field", 900_001)
        enums = [
            {
                "id": self._shelf.next_number("enum", 5001),
                "value": each["value"],
                "code": each.get("code"),
                "sort": each.get("sort", place),
            }
            for place, each in enumerate(wish.get("enums") or (), 1)
        ]
        record = {
            "id": number,
            "name": wish["name"],
            "type": wish["type"],
            "code": wish.get("code"),
            "currency": wish.get("currency"),
            "sort": 500,
            "is_api_only": bool(wish.get("is_api_only")),
            "enums": enums or None,
            "entity_type": "leads",
            "deleted": False,
        }
        return self._shelf.put("field", str(number), record)

    def delete(self, number: int) -> None:
        """An administrator takes a field away, with what the deals had in it."""
        held = self._shelf.get("field", str(number))
        if held is None:
            raise KommoError(404, "Not found")
        self._shelf.put("field", str(number), held | {"deleted": True})
        for lead in self._shelf.all("lead").values():
            values = [one for one in lead["custom_fields_values"] or () if one["field_id"] != number]
            self._shelf.put("lead", str(lead["id"]), lead | {"custom_fields_values": values or None})

    def after(self, lead: Record, wishes: Any, path: str = "") -> list[Record] | None:
        values = {one["field_id"]: one for one in lead["custom_fields_values"] or ()}
        by_id = {one["id"]: one for one in self.all()}
        by_code = {one["code"]: one for one in self.all() if one["code"]}
        for place, wish in enumerate(wishes or ()):
            here = f"{path}custom_fields_values.{place}"
            field = by_id.get(wish.get("field_id")) if "field_id" in wish else by_code.get(wish.get("field_code"))
            if field is None:
                raise invalid("NotSupportedChoice", f"{here}.field_id", "the value you selected is not a valid choice")
            if not wish.get("values"):
                values.pop(field["id"], None)
                continue
            values[field["id"]] = {
                "field_id": field["id"],
                "field_name": field["name"],
                "field_code": field["code"],
                "field_type": field["type"],
                "values": [_value(field, one, f"{here}.values.{n}") for n, one in enumerate(wish["values"])],
            }
        return list(values.values()) or None


def listed(wishes: Any) -> list[dict[str, Any]]:
    if not isinstance(wishes, list) or not wishes or not all(isinstance(each, dict) for each in wishes):
        raise KommoError(400, "the body is no list of objects")
    if len(wishes) > 250:
        raise KommoError(400, "more than 250 entities")
    return wishes


def _value(field: Mapping[str, Any], given: Any, path: str) -> Record:
    """A value as it is kept and given back: choices with id, code and text, numbers as text."""
    if not isinstance(given, dict):
        raise invalid("InvalidType", path, "this value should be of type object")
    if field["type"] in ("select", "multiselect", "radiobutton"):
        for enum in field["enums"] or ():
            if (
                given.get("enum_id") == enum["id"]
                or (given.get("enum_code") and given["enum_code"] == enum["code"])
                or (given.get("value") and given["value"] == enum["value"])
            ):
                return {"value": enum["value"], "enum_id": enum["id"], "enum_code": enum["code"]}
        raise invalid("NotSupportedChoice", path, "the value you selected is not a valid choice")
    value = given.get("value")
    if field["type"] in ("numeric", "monetary", "price"):
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise invalid("InvalidType", f"{path}.value", "this value should be a number")
        return {"value": str(value)}
    if field["type"] in ("date", "date_time", "birthday"):
        if not isinstance(value, int | str) or isinstance(value, bool):
            raise invalid("InvalidType", f"{path}.value", "this value should be a date")
        return {"value": value}
    if field["type"] == "checkbox":
        return {"value": bool(value)}
    if not isinstance(value, str):
        raise invalid("InvalidType", f"{path}.value", "this value should be of type string")
    if len(value) > LONGEST:
        raise invalid("TooLong", f"{path}.value", f"this value is longer than {LONGEST} characters")
    if field["type"] == "url" and not value.startswith(("http://", "https://")):
        raise invalid("InvalidUrl", f"{path}.value", "this value is not a valid URL")
    return {"value": value}
