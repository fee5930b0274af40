"""How one value is written into one field: a function for each field, made once for a layout (contracts: tamara 3.1, 3.8)."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from activities.tamara.card import CardNumber
from activities.tamara.characters import fitted
from activities.tamara.grammar import RECORD_PATHS, FieldSpec, Layout
from activities.tamara.model import type_of
from domain.errors import ContractBroken

Write = Callable[[Any], str]
"""A value to the characters of its field; None never comes."""

OVERPUNCHED = ("{ABCDEFGHI", "}JKLMNOPQR")
"""Last digit of a zoned decimal: 0 to 9 positive, 0 to 9 negative (BSP HOT files)."""


class FieldError(ContractBroken):
    """A value does not fit its field. Names record and field, never the value."""

    def __init__(self, record: str, field: str, reason: str) -> None:
        super().__init__(f"record {record}, field {field}: {reason}", system="tamara", operation="render", code=field)
        self.record = record
        self.field = field
        self.reason = reason


def blank_of(layout: Layout, each: FieldSpec) -> str:
    """What stands in a field without a value."""
    zero = layout.absent == "zero" and each.type in ("N", "M", "R", "S", "F", "Z")
    if layout.style != "fixed":
        return ""
    return ("0" if zero else " ") * each.len


def writer_of(layout: Layout, code: str, each: FieldSpec) -> Write:
    """The function that writes `each`; it raises `FieldError`. Texts are not yet filled up to the field's length."""
    shape = _SHAPES.get(each.type)
    write = _text(layout, code, each) if shape is None else _justified(layout, code, each, shape)
    if each.map is not None:
        plain = write
        known = layout.value_maps.get(each.map, {})

        def write(value: Any) -> str:
            return plain(known.get(str(value), str(value)))

    return _revealing(write) if each.sens == "secret" else _guarded(write, code, each)


def quick_of(layout: Layout, code: str, fields: Sequence[FieldSpec]) -> list[Write | None] | None:
    """Writers for a record of style fixed that is looked at as a whole afterwards; None leaves the text as it is.

    They may fail in any way: the record is then written again with the careful ones.
    """
    if layout.style != "fixed" or layout.absent != "blank":
        return None
    return [_quick(layout, code, each) for each in fields]


def _quick(layout: Layout, code: str, each: FieldSpec) -> Write | None:
    careful = writer_of(layout, code, each)
    if each.sens == "secret" or (each.source or "").startswith("txn.card"):
        return careful
    if each.type in ("AN", "C") and each.map is None and each.format is None and each.overflow == "reject":
        return None
    if each.type == "D" and each.len == 8:
        return _day
    if whole_number(each):
        return f"%0{each.len}d".__mod__
    # Codes are few, and the same in every record.
    return lru_cache(maxsize=1024)(careful) if each.type == "A" else careful


def whole_number(each: FieldSpec) -> bool:
    """Whether `quick_of` writes the field as a number whose sign nobody looks at."""
    if each.type not in ("N", "M") or each.map is not None or each.pad not in (None, "zero"):
        return False
    if each.control is not None:
        return each.control.function != "sha256"
    return each.source is not None and (each.source in RECORD_PATHS or type_of(each.source) is int)


def _revealing(write: Write) -> Write:
    def revealed(value: Any) -> str:
        return write(value.get_secret_value() if isinstance(value, CardNumber) else value)

    return revealed


def _guarded(write: Write, code: str, each: FieldSpec) -> Write:
    """Only sources of the card can give one; other fields are spared the question."""
    if each.source is None or not each.source.startswith("txn.card"):
        return write

    def guarded(value: Any) -> str:
        if isinstance(value, CardNumber):
            raise FieldError(code, each.name, "a card number may only stand in a field marked as secret")
        return write(value)

    return guarded


def _text(layout: Layout, code: str, each: FieldSpec) -> Write:
    """Types A, AN, C, D, T, J, Y: characters, left-justified where the place is fixed."""
    charset, length, cut, upper = layout.charset, each.len, each.overflow == "cut", each.type == "A"
    longest = length or sys.maxsize
    blank, mandatory = blank_of(layout, each), each.req == "M"
    plain = _DAYS.get(each.type) or (_formatted(each.format) if each.format and each.source else str)

    def write(value: Any) -> str:
        try:
            text: str = value if type(value) is str else plain(value)
        except (TypeError, ValueError, AttributeError):
            raise FieldError(code, each.name, "is not a date or time") from None
        if not (text.isascii() and text.isprintable()):
            text = fitted(text, charset)
        if upper:
            text = text.upper()
        if length and len(text) > length:
            if not cut:
                raise FieldError(code, each.name, f"has {len(text)} characters, room for {length}")
            text = text[:length]
        if not text:
            if mandatory:
                raise FieldError(code, each.name, "is mandatory and has no value")
            return blank
        return text

    def write_day(value: Any) -> str:
        if type(value) is str:
            raise FieldError(code, each.name, "is not a date or time")
        return write(value)

    def write_plain(value: Any) -> str:
        # What nearly every text is: nothing to change in it.
        if type(value) is str and value.isascii() and value.isprintable() and 0 < len(value) <= longest:
            return value
        return write(value)

    if each.type == "D" and length == 8:
        return lambda value: _day(value) if type(value) is dt.date else write_day(value)
    if each.type in _DAYS:
        return write_day
    return write_plain if plain is str and not upper else write


def _formatted(form: str) -> Callable[[Any], str]:
    if form == "upper":
        return lambda value: str(value).upper()
    return lambda value: value.strftime(form) if isinstance(value, dt.date | dt.time) else str(value)


@lru_cache(maxsize=4096)
def _day(value: dt.date) -> str:
    return f"{value.year:04d}{value.month:02d}{value.day:02d}"


def _clock(value: dt.datetime | dt.time) -> str:
    return f"{value.hour:02d}{value.minute:02d}{value.second:02d}"


_DAYS: dict[str, Callable[[Any], str]] = {
    "D": _day,
    "T": _clock,
    "J": lambda value: f"{value.year:04d}{value.timetuple().tm_yday:03d}",
    "Y": lambda value: _day(value)[2:],
}


def _justified(layout: Layout, code: str, each: FieldSpec, shape: Callable[[FieldSpec, Any], str]) -> Write:
    """Numbers: right-justified, filled with zeros where the place is fixed or the layout says so."""
    length = each.len
    pad = each.pad or ("zero" if layout.style == "fixed" else "none")
    blank, mandatory = blank_of(layout, each), each.req == "M"

    def write(value: Any) -> str:
        if value == "":
            if mandatory:
                raise FieldError(code, each.name, "is mandatory and has no value")
            return blank
        try:
            text = shape(each, value)
        except ValueError as error:
            raise FieldError(code, each.name, str(error)) from None
        if len(text) >= length:
            if length and len(text) > length:
                raise FieldError(code, each.name, f"has {len(text)} digits, room for {length}")
            return text
        if pad == "zero":
            return text.zfill(length)
        return text.rjust(length) if pad == "blank" else text

    if shape is _unsigned and pad == "zero" and length:
        form, end = f"%0{length}d", 10**length

        def write_whole(value: Any) -> str:
            if type(value) is int and 0 <= value < end:
                return form % value
            if type(value) is str and len(value) == length and value.isascii() and value.isdigit():
                return value
            return write(value)

        return write_whole
    return lru_cache(maxsize=1024)(write) if each.type == "R" else write


def _unsigned(each: FieldSpec, value: Any) -> str:
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise ValueError("is not an unsigned number")
    return text


def _rate(each: FieldSpec, value: Any) -> str:
    return _scaled(value)


@lru_cache(maxsize=1024)
def _scaled(value: Any) -> str:
    scaled = Decimal(str(value)) * 100
    if scaled != scaled.to_integral_value():
        raise ValueError("has more than two decimals")
    if scaled < 0:
        raise ValueError("is not an unsigned number")
    return str(int(scaled))


def _signed(each: FieldSpec, value: Any) -> str:
    number = int(value)
    sign, digits = ("-" if number < 0 else "+"), str(abs(number))
    digits = digits.zfill(each.len - 1) if each.len and each.pad != "none" else digits
    return f"{digits}{sign}" if each.format == "trailing" else f"{sign}{digits}"


def _zoned(each: FieldSpec, value: Any) -> str:
    digits = str(abs(int(value)))
    return digits[:-1] + OVERPUNCHED[int(value) < 0][int(digits[-1])]


def _decimal(each: FieldSpec, value: Any) -> str:
    number = int(value)
    if number < 0:
        raise ValueError("is not an unsigned number")
    digits = str(number).zfill(each.decimals + 1)
    mark = each.format or "."
    return f"{digits[: -each.decimals]}{mark}{digits[-each.decimals :]}" if each.decimals else digits


_SHAPES: dict[str, Callable[[FieldSpec, Any], str]] = {
    "N": _unsigned,
    "M": _unsigned,
    "R": _rate,
    "S": _signed,
    "Z": _zoned,
    "F": _decimal,
}
