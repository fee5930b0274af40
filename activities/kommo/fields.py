"""Our values in a deal: their codes, how they are made there, and how each is written (contracts: kommo 3.1).

A field is found by what the settings name, or else by its code. What an agency's administrator deletes or changes is
noticed here, so that it costs that one value and not the whole write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from domain.money import Money

LINK, NUMBER, PDF = "INV_PAYMENT_LINK", "INV_NUMBER", "INV_PDF"
STATUS, AMOUNT, PAID_AT, REF = "INV_STATUS", "INV_AMOUNT", "INV_PAID_AT", "INV_REF"

InvoiceStatus = Literal[
    "creating", "awaiting_payment", "paid", "paid_unsynced", "failed", "cancelled", "refunded", "review"
]
STATUSES: dict[str, str] = {
    "creating": "Creating",
    "awaiting_payment": "Awaiting payment",
    "paid": "Paid",
    "paid_unsynced": "Paid, not yet in the books",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "review": "A person looks at it",
}
"""Code and name of every state that `INV_STATUS` shows."""
CODES: dict[str, tuple[str, str]] = {
    LINK: ("url", "Payment link"),
    NUMBER: ("text", "Invoice number"),
    PDF: ("url", "Invoice PDF"),
    STATUS: ("select", "Invoice status"),
    AMOUNT: ("monetary", "Invoiced amount"),
    PAID_AT: ("date_time", "Paid at"),
    REF: ("text", "Invoice reference"),
}
"""Type and name of every field that is ours."""
CRITICAL = frozenset({LINK, STATUS})
"""Values that are written by themselves, so that no other field can spoil them."""
LONGEST = 250
Value = str | Money | datetime | None


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """A field of deals as the account defines it; `enums` are (id, code, text)."""

    id: int
    name: str
    type: str
    code: str = ""
    enums: tuple[tuple[int, str, str], ...] = ()
    is_api_only: bool = False


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Which field of the account holds which of our values."""

    by_code: Mapping[str, FieldDefinition]

    @classmethod
    def found(cls, wanted: Mapping[str, int | str], defined: Iterable[FieldDefinition]) -> FieldMap:
        """`wanted` names fields by id or code; a value whose field does not exist is left out."""
        known = list(defined)
        by_id = {field.id: field for field in known}
        by_code = {field.code: field for field in known if field.code}
        held: dict[str, FieldDefinition] = {}
        for code in CODES:
            name = wanted.get(code, code)
            field = by_id.get(name) if isinstance(name, int) else by_code.get(name)
            if field is not None:
                held[code] = field
        return cls(held)

    @property
    def missing(self) -> tuple[str, ...]:
        """Our values that have no field there."""
        return tuple(code for code in CODES if code not in self.by_code)

    def written(self, code: str, value: Value) -> dict[str, Any]:
        """A member of `custom_fields_values`. Raises `KeyError` when the account has no field, or not this choice, for it."""
        field = self.by_code[code]
        if value is None or value == "":
            return {"field_id": field.id, "values": None}
        return {"field_id": field.id, "values": [_as_value(field, value)]}

    def read(self, values: Mapping[int, tuple[Mapping[str, Any], ...]], code: str) -> str | None:
        """What a deal's fields hold for one of our values: the state's code for a choice, else the value as text."""
        field = self.by_code.get(code)
        entries = values.get(field.id, ()) if field is not None else ()
        if field is None or not entries:
            return None
        entry = entries[0]
        if field.type in ("select", "radiobutton"):
            chosen = _choice(field, lambda each: each[0] == entry.get("enum_id") or each[2] == entry.get("value"))
            return chosen if chosen is not None else str(entry.get("enum_code") or entry.get("value") or "")
        value = entry.get("value")
        return None if value is None else str(value)

    def same(self, values: Mapping[int, tuple[Mapping[str, Any], ...]], code: str, value: Value) -> bool:
        """Whether a deal already shows this value; numbers come back as text there."""
        shown = self.read(values, code)
        if value is None or value == "":
            return shown in (None, "")
        if shown is None:
            return False
        match value:
            case Money():
                return _number(shown) == float(value.decimal)
            case datetime():
                return _number(shown) == int(value.timestamp())
        return shown == value


def _as_value(field: FieldDefinition, value: str | Money | datetime) -> dict[str, Any]:
    match value:
        case Money():
            number = float(value.decimal)
            return {"value": int(number) if number.is_integer() else number}
        case datetime():
            return {"value": int(value.timestamp())}
    if field.type in ("select", "radiobutton"):
        text = STATUSES.get(value, value)
        for enum_id, code, name in field.enums:
            if value == code or text.casefold() == name.casefold():
                return {"enum_id": enum_id}
        raise KeyError(value)
    return {"value": value[:LONGEST]}


def _choice(field: FieldDefinition, fits: Any) -> str | None:
    for each in field.enums:
        if fits(each):
            _, code, name = each
            named = next((ours for ours, text in STATUSES.items() if text.casefold() == name.casefold()), name)
            return code or named
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def definition_of(code: str, currency: str) -> dict[str, Any]:
    """The body that makes one of our fields; people may read it and not change it."""
    kind, name = CODES[code]
    body: dict[str, Any] = {"name": name, "type": kind, "code": code, "is_api_only": True}
    if kind == "monetary":
        body["currency"] = currency
    if code == STATUS:
        body["enums"] = [
            {"value": text, "code": state, "sort": place} for place, (state, text) in enumerate(STATUSES.items(), 1)
        ]
    return body
