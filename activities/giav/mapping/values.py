"""How single values look in GIAV (contracts: giav 1.6, 3.1)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from activities.giav.elements import Record
from activities.giav.settings import GiavSettings
from domain.errors import NeedsPerson
from domain.money import Money

CURRENCY = "EUR"
MADRID = ZoneInfo("Europe/Madrid")
"""GIAV's clock: it names no zone and every agency that uses it is Spanish."""
CHANNEL = "booking-orchestrator"

Request = dict[str, Any]
"""The parameters of one call by name; kept in the ledger of effects as JSON."""


class At(NamedTuple):
    """Where a record goes: whose it is, in which file, under which reference, by whose settings."""

    client: int
    expediente: int
    reference: str
    settings: GiavSettings


def euros(money: Money) -> str:
    """Two decimals. Raises `NeedsPerson` for another currency: GIAV has no currency anywhere."""
    if money.currency != CURRENCY:
        raise NeedsPerson(f"GIAV keeps euros only and this amount is in {money.currency}", system="giav")
    return f"{money.decimal:.2f}"


def money_of(value: Decimal | None) -> Money:
    """An amount read from GIAV; rounded, because the other side computes in binary floats."""
    return Money.of_decimal(value or Decimal(0), CURRENCY)


def local_day(moment: datetime) -> date:
    """The day of an instant where GIAV is."""
    return moment.astimezone(MADRID).date()


def day_of(value: str) -> date:
    """The day of a dateTime as GIAV writes it (no zone)."""
    return date.fromisoformat(value[:10])


def spanish(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def reference_field(field: int | None, reference: str) -> list[Request] | None:
    """`customDataValues` with our reference, nothing when the agency has no such field."""
    return None if field is None else [{"Key": field, "Value": reference}]


def carries(record: Record, field: int | None, reference: str) -> bool:
    """Whether a record read back has exactly our reference in our field."""
    items = record.get("CustomDataValues") or []
    return field is not None and any(item["Key"] == field and item["Value"] == reference for item in items)


def carries_another(record: Record, field: int | None, reference: str) -> bool:
    """Whether a record read back belongs to another effect of ours."""
    items = record.get("CustomDataValues") or []
    return field is not None and any(
        item["Key"] == field and item["Value"] not in (None, "", reference) for item in items
    )
