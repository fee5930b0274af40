"""How the characters of one field become a value: a function for each field, made once for a layout (contracts: tamara 3.1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from activities.tamara.grammar import FieldSpec, Layout

Read = Callable[[str], Any]
"""The characters of a field to its value, None when it is blank. Raises ValueError with what is wrong."""


def reader_of(layout: Layout, each: FieldSpec) -> Read:
    """The function that reads `each`."""
    fixed = layout.style == "fixed"
    shape = _SHAPES.get(each.type)
    read = _text(each) if shape is None else shape(each)
    canonical = {wire: known for known, wire in reversed(layout.value_maps.get(each.map or "", {}).items())}
    mandatory, const, length = each.req == "M", each.const, 0 if fixed else each.len

    def value(raw: str) -> Any:
        text = raw.rstrip(" ") if fixed else raw
        if not text:
            if mandatory:
                raise ValueError("is mandatory and blank")
            return None
        if const is not None and text != const:
            raise ValueError("is not its constant")
        if length and len(text) > length:
            raise ValueError(f"has {len(text)} characters, room for {length}")
        return read(text if shape is None else raw)

    if canonical:
        return lambda raw: (found := value(raw)) and canonical.get(found, found)
    if shape is None and const is None and not length:
        return _plain_text(mandatory=mandatory, fixed=fixed) if read is _same else value
    return value


def quick_of(layout: Layout, each: FieldSpec) -> Read | None:
    """A faster reader for style fixed, None for plain text; blanks never come to it, mandatory numbers are digits.

    It may fail in any way: the record is then read again with the careful readers.
    """
    if each.type in ("A", "AN", "C") and each.map is None and each.const is None:
        return None
    if must_be_digits(each):
        return int if each.type == "M" else str
    careful = reader_of(layout, each)
    if each.sens == "secret":
        return careful
    # Days, times, rates and codes are few, and the same in most records.
    return lru_cache(maxsize=1024)(careful) if each.type in ("D", "T", "R", "A", "C") else careful


def must_be_digits(each: FieldSpec) -> bool:
    """Whether `quick_of` trusts that somebody looked at the digits."""
    return each.req == "M" and each.type in ("N", "M") and each.pad is None and each.map is None and each.const is None


def _plain_text(*, mandatory: bool, fixed: bool) -> Read:
    """The commonest field, without the questions that it does not need."""

    def value(raw: str) -> Any:
        text = raw.rstrip(" ") if fixed else raw
        if mandatory and not text:
            raise ValueError("is mandatory and blank")
        return text or None

    return value


def _same(text: str) -> str:
    return text


def _text(each: FieldSpec) -> Read:
    return _same


def digits(raw: str) -> str:
    """Digits over the whole width; leading zeros stay in numbers that are identifiers, so the text is kept."""
    if not (raw.isascii() and raw.isdigit()):
        raise ValueError("is not a number")
    return raw


@lru_cache(maxsize=4096)
def _day(raw: str) -> dt.date:
    try:
        if len(raw) != 8:
            raise ValueError
        return dt.date(int(digits(raw)[:4]), int(raw[4:6]), int(raw[6:8]))
    except ValueError:
        raise ValueError("is not a date") from None


def _short_day(raw: str) -> dt.date:
    """Two-digit years are of this century."""
    return _day("20" + raw)


def _year_day(raw: str) -> dt.date:
    try:
        return dt.date(int(digits(raw)[:4]), 1, 1) + dt.timedelta(int(raw[4:7]) - 1)
    except ValueError:
        raise ValueError("is not a day of a year") from None


def _clock(raw: str) -> dt.time:
    try:
        return dt.time(int(digits(raw)[:2]), int(raw[2:4]), int(raw[4:6]))
    except ValueError:
        raise ValueError("is not a time") from None


def _signed(each: FieldSpec) -> Read:
    def value(raw: str) -> int:
        text = raw.strip()
        sign, number = (text[-1], text[:-1]) if each.format == "trailing" else (text[0], text[1:])
        if sign not in "+-":
            raise ValueError("has no sign")
        return int(digits(number)) * (-1 if sign == "-" else 1)

    return value


def _zoned(each: FieldSpec) -> Read:
    def value(raw: str) -> int:
        text = raw.strip()
        for sign, letters in ((1, "{ABCDEFGHI"), (-1, "}JKLMNOPQR")):
            if text[-1] in letters:
                return sign * int(digits(text[:-1] + str(letters.index(text[-1]))))
        raise ValueError("has no overpunched digit")

    return value


def _decimal(each: FieldSpec) -> Read:
    def value(raw: str) -> int:
        whole, mark, part = raw.strip().partition(each.format or ".")
        if bool(mark) != (each.decimals > 0) or len(part) != each.decimals:
            raise ValueError(f"does not have {each.decimals} decimals")
        return int(digits(whole + part))

    return value


def _number(each: FieldSpec) -> Read:
    return (lambda raw: digits(raw.strip(" "))) if each.pad == "blank" else digits


def _amount(each: FieldSpec) -> Read:
    def value(raw: str) -> int:
        if raw.isascii() and raw.isdigit():
            return int(raw)
        return int(digits(raw.strip(" ") if each.pad == "blank" else raw))

    return value


@lru_cache(maxsize=1024)
def _rate(raw: str) -> Decimal:
    return Decimal(int(digits(raw.strip(" ")))) / 100


_SHAPES: dict[str, Callable[[FieldSpec], Read]] = {
    "N": _number,
    "M": _amount,
    "R": lambda each: _rate,
    "D": lambda each: _day,
    "T": lambda each: _clock,
    "S": _signed,
    "Z": _zoned,
    "F": _decimal,
    "J": lambda each: _year_day,
    "Y": lambda each: _short_day,
}
