"""Money as the platform writes it: integer minor units with a currency, halves rounded up (contracts: platform-events 5.1)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Doc = dict[str, Any]
"""A JSON object."""


class Wrong(ValueError):
    """The request cannot be carried out as it stands (422)."""


class Unknown(LookupError):
    """No such thing on the platform (404)."""


class Conflict(Exception):
    """The thing exists but is not in a state that allows this (409)."""


def money(amount: int, currency: str) -> Doc:
    """`amount` in minor units."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise Wrong(f"an amount is an integer of minor units, not {amount!r}")
    return {"amount": amount, "currency": currency}


def units(amount: Doc, currency: str) -> int:
    """The minor units of a JSON amount; refuses another currency than the booking's."""
    if amount.get("currency") != currency:
        raise Wrong(f"amount in {amount.get('currency')}, expected {currency}")
    return int(money(amount["amount"], currency)["amount"])


def total_of(amounts: Iterable[Doc]) -> int:
    return sum(int(amount["amount"]) for amount in amounts)


def percent_of(amount: int, percent: str) -> int:
    """`percent` ("35.00") of minor units, exact halves away from zero."""
    return int((Decimal(amount) * Decimal(percent) / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def effect(before: int, after: int, currency: str) -> Doc:
    """A PriceEffect: delta = after − before."""
    return {
        "before": money(before, currency),
        "after": money(after, currency),
        "delta": money(after - before, currency),
    }


def differences(before: Any, after: Any, path: str = "") -> list[Doc]:
    """The Change objects between two JSON values: one per leaf that differs, with its JSON Pointer."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = [*before, *(name for name in after if name not in before)]
        return [
            change
            for name in names
            for change in differences(before.get(name), after.get(name), f"{path}/{_escaped(name)}")
        ]
    if isinstance(before, list) and isinstance(after, list):
        longest = max(len(before), len(after))
        return [
            change
            for at in range(longest)
            for change in differences(
                before[at] if at < len(before) else None, after[at] if at < len(after) else None, f"{path}/{at}"
            )
        ]
    return [] if before == after else [{"path": path, "from": before, "to": after}]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
