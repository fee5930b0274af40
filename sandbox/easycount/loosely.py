"""How EasyCount reads what it is sent: any non-empty string is true, numbers may be strings (contracts: easycount 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

CENT = Decimal("0.01")


class EasyCountError(Exception):
    """A business error, answered with HTTP 200: number, words in Hebrew, and what they mean."""

    def __init__(self, number: float, words: str, meaning: str) -> None:
        super().__init__(meaning)
        self.number = number
        self.words = words
        self.meaning = meaning


def truth(value: Any) -> bool:
    """Loose cast: the string "false" is true, as there."""
    return bool(value)


def amount(body: Mapping[str, Any], name: str, *, needed: bool = True) -> Decimal | None:
    """A decimal number or a string of one. Raises EasyCountError."""
    value = body.get(name)
    if value is None or value == "":
        if needed:
            raise EasyCountError(101, f"חסר שדה {name}", f"{name} is missing")
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise EasyCountError(102, f"ערך לא תקין {name}", f"{name} is no number") from None
    if not number.is_finite() or isinstance(value, bool):
        raise EasyCountError(102, f"ערך לא תקין {name}", f"{name} is no number")
    return number


def text(body: Mapping[str, Any], name: str, *, needed: bool = False) -> str:
    value = body.get(name)
    if value is None or value == "":
        if needed:
            raise EasyCountError(101, f"חסר שדה {name}", f"{name} is missing")
        return ""
    if not isinstance(value, str | int):
        raise EasyCountError(102, f"ערך לא תקין {name}", f"{name} is no text")
    return str(value)


def day(value: str) -> str:
    """DD/MM/YYYY as YYYY-MM-DD. Raises EasyCountError."""
    found = re.fullmatch(r"(\d{2})/(\d{2})/(\d{4})", value)
    if not found:
        raise EasyCountError(103, "תאריך לא תקין", "date is not DD/MM/YYYY")
    return f"{found[3]}-{found[2]}-{found[1]}"


def cents(number: Decimal) -> Decimal:
    return number.quantize(CENT, ROUND_HALF_UP)
