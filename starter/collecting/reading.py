"""Small readings that every part of the collector needs: a stand-in's state, euros as cents, our reference in a record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from domain.money import rounded
from starter.answers import CommandError


def state_of(url: str) -> dict[str, Any]:
    """Everything that a stand-in holds. Raises `CommandError` when it does not tell."""
    try:
        answer = httpx.get(f"{url}/control/state", timeout=60.0)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise CommandError(f"{url} does not tell its state: {type(error).__name__}") from None
    state: dict[str, Any] = answer.json()
    return state


def cents(euros: float | str) -> int:
    return rounded(Decimal(str(euros)) * 100)


def reference_of(record: dict[str, Any]) -> str | None:
    """Our reference among a GIAV record's custom data."""
    values = (str(item["Value"]) for item in record.get("CustomDataValues") or ())
    return next((value for value in values if value.startswith("ORQ-")), None)
