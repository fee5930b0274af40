"""Single values and shapes of GIAV's XML: how each is written and read (contracts: giav 1.6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

XSI = "http://www.w3.org/2001/XMLSchema-instance"
NIL = f"{{{XSI}}}nil"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?")

Record = dict[str, Any]
"""A complex value as read: member name → value; members that were absent or nil are None."""
Writer = Callable[[Any, str], str]
"""Turns a value into the element of the given name. Raises `WireError`."""
Reader = Callable[["etree._Element"], Any]
"""Turns an element into a value. Raises `WireError`."""


class WireError(ValueError):
    """A value does not fit the table; the text names the place, never the value."""


@dataclass(frozen=True, slots=True)
class Member:
    """One element of a request: how it is written, and what is written when there is no value (None: that is an error)."""

    name: str
    write: Writer
    absent: str | None


def text(value: str) -> str:
    """Escaped character data; characters that XML cannot carry become spaces."""
    return escape(_NOT_XML.sub(" ", value))


def element(convert: Callable[[Any], str]) -> Writer:
    """An element with one simple value."""

    def write(value: Any, name: str) -> str:
        try:
            return f"<{name}>{convert(value)}</{name}>"
        except (WireError, InvalidOperation) as error:
            raise WireError(f"{name}: {error if isinstance(error, WireError) else 'not a number'}") from None

    return write


def array(item: str, write_item: Writer) -> Writer:
    """ArrayOfX: one repeated child."""

    def write(value: Any, name: str) -> str:
        if isinstance(value, str | Mapping):
            raise WireError(f"{name}: a list is needed")
        return f"<{name}>{''.join(write_item(each, item) for each in value)}</{name}>"

    return write


def compound(members: list[Member]) -> Writer:
    """An element with members of its own."""

    def write(value: Any, name: str) -> str:
        if not isinstance(value, Mapping) or value.keys() - {member.name for member in members}:
            raise WireError(f"{name}: another shape is needed")
        parts = []
        for member in members:
            given = value.get(member.name)
            if given is None and member.absent is None:
                raise WireError(f"{name} needs {member.name}")
            parts.append(member.absent or "" if given is None else member.write(given, member.name))
        return f"<{name}>{''.join(parts)}</{name}>"

    return write


def enumeration(allowed: frozenset[str]) -> Callable[[Any], str]:
    """A value of an enumeration, spelled exactly."""

    def convert(value: Any) -> str:
        if value not in allowed:
            raise WireError("not a value of its enumeration")
        return text(value)

    return convert


def _write_string(value: Any) -> str:
    if not isinstance(value, str):
        raise WireError("not a text")
    return text(value)


def _write_int(value: Any) -> str:
    if type(value) is not int:
        raise WireError("not a whole number")
    return str(value)


def _write_double(value: Any) -> str:
    """Two decimals, from an exact value; a binary float is refused because it has already lost the cents."""
    if type(value) is bool or not isinstance(value, str | int | Decimal):
        raise WireError("not an exact number")
    number = Decimal(value)
    if not number.is_finite() or number != round(number, 2):
        raise WireError("not a number of two decimals")
    return f"{number:.2f}"


def _write_boolean(value: Any) -> str:
    if type(value) is not bool:
        raise WireError("not a flag")
    return "true" if value else "false"


def _write_date_time(value: Any) -> str:
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise WireError("not a date and time")
    return value


SIMPLE_WRITERS: dict[str, Callable[[Any], str]] = {
    "string": _write_string,
    "int": _write_int,
    "double": _write_double,
    "boolean": _write_boolean,
    "dateTime": _write_date_time,
}


def value(convert: Callable[[str], Any]) -> Reader:
    """The reader of a simple value; nil is None."""

    def read(element: etree._Element) -> Any:
        if element.get(NIL) in ("true", "1"):
            return None
        try:
            return convert(element.text or "")
        except (ValueError, InvalidOperation):
            raise WireError(f"{etree.QName(element).localname} is unreadable") from None

    return read


def items(tag: str, read_item: Reader) -> Reader:
    """The reader of a repeated child; nil items are left out."""

    def read(element: etree._Element) -> list[Any]:
        return [item for child in element.iterchildren(tag) if (item := read_item(child)) is not None]

    return read


def record(plan: Mapping[str, tuple[str, Reader]]) -> Reader:
    """The reader of a complex value; members that the plan does not name are skipped."""

    empty = dict.fromkeys(name for name, _ in plan.values())

    def read(element: etree._Element) -> Record | None:
        if element.get(NIL) in ("true", "1"):
            return None
        record: Record = dict(empty)
        for child in element:
            known = plan.get(child.tag)
            if known is not None:
                record[known[0]] = known[1](child)
        return record

    return read


def _read_double(value: str) -> Decimal:
    """As it stands; the other side computes in binary floats, so that whoever makes money of it rounds (giav 1.6)."""
    number = Decimal(value.strip())
    if not number.is_finite():
        raise ValueError("not finite")
    return number


def _read_boolean(value: str) -> bool:
    match value.strip():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise ValueError("not a flag")


SIMPLE_READERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "int": int,
    "double": _read_double,
    "boolean": _read_boolean,
    "dateTime": str.strip,
}
