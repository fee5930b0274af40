"""Kommo's records as we know them, and its failures in our classes (contracts: kommo 1, 3)."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from activities.kommo.fields import FieldDefinition
from domain.errors import BackOfficeError, ContractBroken, Refused, Transient, Unauthorised, UnknownOutcome

T = TypeVar("T")

SYSTEM = "kommo"
WON, LOST = 142, 143
"""Stages of every pipeline."""
NOT_A_CHOICE = "NotSupportedChoice"
_FIELD_PATH = re.compile(r"custom_fields_values\.(\d+)(?:\.|$)")

FieldValues = Mapping[int, tuple[Mapping[str, Any], ...]]


@dataclass(frozen=True, slots=True)
class Lead:
    """A deal, with what we need of it. `price` is in the account's currency; `values` are the custom fields by their id."""

    id: int
    name: str = field(repr=False)
    price: Decimal
    status_id: int
    pipeline_id: int
    responsible_user_id: int
    created_at: datetime
    updated_at: datetime
    is_deleted: bool
    account_id: int
    values: FieldValues = field(repr=False)
    contact_ids: tuple[int, ...] = ()
    """The main contact first."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer of the agency; e-mails and phones in the account's order."""

    id: int
    name: str = field(repr=False)
    emails: tuple[str, ...] = field(default=(), repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)
    values: FieldValues = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    subdomain: str
    name: str
    currency: str


@dataclass(frozen=True, slots=True)
class Stage:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    id: int
    name: str
    stages: tuple[Stage, ...]
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    type: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StageChange:
    """An event of the account's log: a deal came to a stage."""

    lead_id: int
    at: datetime
    pipeline_id: int | None
    status_id: int | None


@dataclass(frozen=True, slots=True)
class Webhook:
    destination: str
    settings: tuple[str, ...]
    disabled: bool


class NotSaved(Refused):
    """The whole write was refused because of the values at `places` (indices in `custom_fields_values`); never leaves the package."""

    def __init__(self, message: str, *, operation: str, code: str, places: frozenset[int]) -> None:
        super().__init__(message, system=SYSTEM, operation=operation, code=code)
        self.places = places


def _sorted(read: Callable[[Mapping[str, Any]], T]) -> Callable[[Mapping[str, Any]], T]:
    """What is of another shape than the contract says is `ContractBroken`, whatever is wrong with it."""

    @functools.wraps(read)
    def reading(raw: Mapping[str, Any]) -> T:
        try:
            return read(raw)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError, OSError) as error:
            words = f"an entity of another shape ({type(error).__name__})"
            raise ContractBroken(words, system=SYSTEM, operation="read") from None

    return reading


@_sorted
def lead_of(raw: Mapping[str, Any]) -> Lead:
    contacts = [each for each in _inside(raw, "contacts") if isinstance(each.get("id"), int)]
    contacts.sort(key=lambda each: not each.get("is_main"))
    return Lead(
        id=_whole(raw, "id"),
        name=str(raw.get("name") or ""),
        price=_price(raw),
        status_id=_whole(raw, "status_id"),
        pipeline_id=_whole(raw, "pipeline_id"),
        responsible_user_id=int(raw.get("responsible_user_id") or 0),
        created_at=moment(raw.get("created_at")),
        updated_at=moment(raw.get("updated_at")),
        is_deleted=bool(raw.get("is_deleted")),
        account_id=int(raw.get("account_id") or 0),
        values=values_of(raw),
        contact_ids=tuple(each["id"] for each in contacts),
    )


@_sorted
def contact_of(raw: Mapping[str, Any]) -> Contact:
    def coded(code: str) -> tuple[str, ...]:
        fields = raw.get("custom_fields_values") or ()
        found = (value for each in fields if each.get("field_code") == code for value in each.get("values") or ())
        return tuple(str(value["value"]) for value in found if value.get("value"))

    return Contact(
        id=_whole(raw, "id"),
        name=str(raw.get("name") or ""),
        emails=coded("EMAIL"),
        phones=coded("PHONE"),
        values=values_of(raw),
    )


@_sorted
def field_of(raw: Mapping[str, Any]) -> FieldDefinition:
    return FieldDefinition(
        id=_whole(raw, "id"),
        name=str(raw.get("name") or ""),
        type=str(raw.get("type") or ""),
        code=str(raw.get("code") or ""),
        enums=tuple(
            (int(each["id"]), str(each.get("code") or ""), str(each.get("value") or ""))
            for each in raw.get("enums") or ()
            if isinstance(each, Mapping) and isinstance(each.get("id"), int)
        ),
        is_api_only=bool(raw.get("is_api_only")),
    )


@_sorted
def pipeline_of(raw: Mapping[str, Any]) -> Pipeline:
    stages = (Stage(_whole(each, "id"), str(each.get("name") or "")) for each in _inside(raw, "statuses"))
    return Pipeline(_whole(raw, "id"), str(raw.get("name") or ""), tuple(stages), bool(raw.get("is_main")))


@_sorted
def note_of(raw: Mapping[str, Any]) -> Note:
    params = raw.get("params")
    text = params.get("text") if isinstance(params, Mapping) else None
    return Note(_whole(raw, "id"), str(raw.get("note_type") or ""), str(text or ""))


@_sorted
def stage_change_of(raw: Mapping[str, Any]) -> StageChange:
    after = raw.get("value_after")
    inside = after[0].get("lead_status") if isinstance(after, list) and after else None
    stage: Mapping[str, Any] = inside if isinstance(inside, Mapping) else {}
    return StageChange(
        _whole(raw, "entity_id"), moment(raw.get("created_at")), stage.get("pipeline_id"), stage.get("id")
    )


@_sorted
def webhook_of(raw: Mapping[str, Any]) -> Webhook:
    return Webhook(
        str(raw.get("destination") or ""), tuple(map(str, raw.get("settings") or ())), bool(raw.get("disabled"))
    )


def values_of(raw: Mapping[str, Any]) -> FieldValues:
    """`custom_fields_values`, which is null where there are none."""
    fields = raw.get("custom_fields_values") or ()
    return {
        each["field_id"]: tuple(each.get("values") or ()) for each in fields if isinstance(each.get("field_id"), int)
    }


def moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds or 0), UTC)


def _price(raw: Mapping[str, Any]) -> Decimal:
    """The newer member has the cents that `price` lacks."""
    for name in ("price_with_minor_units", "price"):
        if raw.get(name) is not None:
            try:
                return Decimal(str(raw[name]))
            except InvalidOperation:
                break
    return Decimal(0)


def _whole(raw: Mapping[str, Any], name: str) -> int:
    value = raw.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ContractBroken(f"{name} is no number", system=SYSTEM, operation="read")
    return value


def _inside(raw: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    embedded = raw.get("_embedded")
    held = embedded.get(name) if isinstance(embedded, Mapping) else None
    return [each for each in held if isinstance(each, Mapping)] if isinstance(held, list) else []


def embedded(body: Mapping[str, Any] | None, name: str) -> Sequence[Mapping[str, Any]]:
    """The entities of a list; an empty list is 204 without a body."""
    return [] if body is None else _inside(body, name)


def has_next(body: Mapping[str, Any] | None) -> bool:
    links = body.get("_links") if body is not None else None
    return isinstance(links, Mapping) and "next" in links


def problem(operation: str, status: int, body: Mapping[str, Any], request_id: str, *, writes: bool) -> BackOfficeError:
    """The error of an answer that is neither 2xx nor one of the account's limits."""
    words = f"{body.get('detail') or body.get('title') or f'HTTP {status}'}"[:300]
    words += f" (request {request_id})" if request_id else ""
    code, places = _validation(body)
    if status >= 500:
        kind = UnknownOutcome if writes else Transient
        return kind(f"HTTP {status}", system=SYSTEM, operation=operation)
    if status in (401, 402, 403):
        what = {401: "the token is not accepted", 402: "the account is not paid for", 403: "no right"}[status]
        return Unauthorised(f"{what}: {words}", system=SYSTEM, operation=operation, code=str(status))
    if status == 400 and code:
        told = f"{code} at {_first_path(body)}"
        return NotSaved(told, operation=operation, code=code, places=places)
    if status in (404, 410):
        return Refused(f"does not exist: {words}", system=SYSTEM, operation=operation, code=str(status))
    if status in (400, 405, 415, 422):
        kind_of = ContractBroken if status in (405, 415) else Refused
        return kind_of(words, system=SYSTEM, operation=operation, code=str(status))
    return ContractBroken(f"HTTP {status}", system=SYSTEM, operation=operation, code=str(status))


def _errors(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    groups = body.get("validation-errors")
    found = (
        [each for group in groups if isinstance(group, Mapping) for each in group.get("errors") or ()]
        if isinstance(groups, list)
        else []
    )
    return [each for each in found if isinstance(each, Mapping)]


def _validation(body: Mapping[str, Any]) -> tuple[str, frozenset[int]]:
    found = _errors(body)
    places = (_FIELD_PATH.search(str(each.get("path"))) for each in found if each.get("code") == NOT_A_CHOICE)
    return (str(found[0].get("code") or "") if found else ""), frozenset(int(each[1]) for each in places if each)


def _first_path(body: Mapping[str, Any]) -> str:
    return str(_errors(body)[0].get("path") or "?")
