"""What an XML request may look like, as a table language, and the check of a request against it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lxml import etree

Check = Callable[[str], str | None]
"""Says what is wrong with a value, or None."""


class ShapeError(Exception):
    """The request has not the shape of the interface; the text says where."""


@dataclass(frozen=True)
class Block:
    """One element: its single values, which of them must be there, and its child elements.

    `loose` values may come as attribute or as child element, because the public sources do not settle which.
    """

    values: Mapping[str, Check]
    required: frozenset[str] = frozenset()
    children: Mapping[str, Child] = field(default_factory=dict)
    loose: bool = False
    text: Check | None = None


@dataclass(frozen=True)
class Child:
    block: Block
    at_least: int = 0
    at_most: int | None = None


def words(longest: int = 256) -> Check:
    def check(value: str) -> str | None:
        if len(value) > longest:
            return f"is longer than {longest} characters"
        return "has control characters" if any(ord(sign) < 32 and sign not in "\t\n\r" for sign in value) else None

    return check


def named(longest: int = 256) -> Check:
    """Like `words`, but not blank."""
    plain = words(longest)
    return lambda value: plain(value) if value.strip() else "is blank"


def pattern(expression: str, meaning: str) -> Check:
    compiled = re.compile(expression)
    return lambda value: None if compiled.fullmatch(value) else f"is not {meaning}"


def one_of(*allowed: str) -> Check:
    return lambda value: None if value in allowed else f"is not one of {', '.join(allowed)}"


def day(value: str) -> str | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return "is not a date YYYY-MM-DD"
    try:
        date.fromisoformat(value)
    except ValueError:
        return "is not a day of the calendar"
    return None


def moment(value: str) -> str | None:
    """A date, or a date with time."""
    if len(value) == 10:
        return day(value)
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "is not a date or a time YYYY-MM-DDThh:mm:ss"
    return None


MONEY = pattern(r"-?\d{1,12}(\.\d{1,3})?", "a decimal amount with a dot")
NUMBER = pattern(r"-?\d{1,12}(\.\d{1,6})?", "a decimal number with a dot")
WHOLE = pattern(r"-?\d{1,18}", "a whole number")
COUNT = pattern(r"\d{1,9}", "a whole number from 0")
FLAG = one_of("true", "false", "1", "0")
CURRENCY = pattern(r"[A-Z]{3}", "an ISO 4217 code")
ASSIGNMENT = pattern(r"\d+(-\d+)?(,\d+(-\d+)?)*", 'a person assignment such as "1-3" or "1,2"')

AMOUNTS = dict.fromkeys(("total-price", "sale-price", "deposit", "original_price", "revenue_amount"), MONEY)


def check(element: etree._Element, block: Block, namespaces: frozenset[str]) -> dict[str, Any]:
    """`element` as a dictionary: values as text, children as lists of dictionaries; raises ShapeError.

    `namespaces` are those in which its children may be.
    """
    where = name_of(element)
    found: dict[str, Any] = {}
    for attribute, value in element.attrib.items():
        _take(found, block, where, str(attribute), str(value))
    for child in element:
        if not isinstance(child.tag, str):
            continue
        _one_child(found, block, where, child, namespaces)
    _own_text(found, block, where, element)
    missing = sorted(block.required - found.keys())
    if missing:
        raise ShapeError(f"{where}: {missing[0]} is required")
    for name, rule in block.children.items():
        count = len(found.get(name, []))
        if count < rule.at_least:
            raise ShapeError(f"{where}: {name} is required")
        if rule.at_most is not None and count > rule.at_most:
            raise ShapeError(f"{where}: {name} occurs more than {rule.at_most} times")
    return found


def name_of(element: etree._Element) -> str:
    return etree.QName(element).localname


def _one_child(
    found: dict[str, Any], block: Block, where: str, child: etree._Element, namespaces: frozenset[str]
) -> None:
    name = name_of(child)
    if etree.QName(child).namespace not in namespaces:
        raise ShapeError(f"{where}: element {name} is in a wrong namespace")
    if name in block.children:
        found.setdefault(name, []).append(check(child, block.children[name].block, namespaces))
    elif block.loose and name in block.values and len(child) == 0 and not child.attrib:
        _take(found, block, where, name, child.text or "")
    else:
        raise ShapeError(f"{where}: element {name} is not known here")


def _own_text(found: dict[str, Any], block: Block, where: str, element: etree._Element) -> None:
    own = "".join([element.text or "", *(child.tail or "" for child in element)]).strip()
    if not own:
        return
    if block.text is None:
        raise ShapeError(f"{where}: text is not allowed here")
    problem = block.text(own)
    if problem:
        raise ShapeError(f"{where}: its text {problem}")
    found.setdefault("text", own)


def _take(found: dict[str, Any], block: Block, where: str, name: str, value: str) -> None:
    rule = block.values.get(name)
    if rule is None:
        raise ShapeError(f"{where}: {name} is not known here")
    if name in found:
        raise ShapeError(f"{where}: {name} is given twice")
    problem = rule(value)
    if problem:
        raise ShapeError(f"{where}: {name} {problem}")
    found[name] = value
