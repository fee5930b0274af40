"""The parser: bytes and a layout in, records and a canonical file out; shares no code with the renderer (contracts: tamara 3.1).

It proves a file before it is sent and reads answers. Every finding names line, record and field.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from activities.tamara.layout import Control, FieldSpec, Layout, RecordSpec, code_pattern
from activities.tamara.model import AnswerFile, TamaraFile, Transaction, attribute
from domain.errors import ContractBroken


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit: the rule of 3.9 it breaks, the line in the file (from 1), what it is."""

    rule: str
    line: int
    text: str


@dataclass(slots=True)
class Record:
    """One record read: wire text and value of each field; `items` are the members of its group."""

    spec: RecordSpec
    line: int
    block: int
    wire: dict[str, str]
    values: dict[str, Any]
    items: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Parsed:
    """A whole file as read."""

    records: list[Record]
    findings: list[Finding]

    def of(self, code: str) -> list[Record]:
        return [record for record in self.records if record.spec.code == code]


def parse(layout: Layout, data: bytes, *, answer: bool = False) -> Parsed:
    """Read all records and check lengths, line numbers, order, constants, mandatory fields and controls.

    Never raises for bad data: what is wrong is in `findings`, and what could not be read is not in `records`.
    """
    findings: list[Finding] = []
    records = list(_records(layout, data, findings))
    _check_structure(layout, records, answer, findings)
    _check_controls(layout, data, records, findings)
    return Parsed(records, findings)


def _records(layout: Layout, data: bytes, findings: list[Finding]) -> Iterator[Record]:
    eol = layout.eol.encode()
    rows = data.split(eol)
    if rows.pop() != b"":
        findings.append(Finding("V028", len(rows) + 1, "the last record has no line end"))
        return
    for number, row in enumerate(rows, start=1):
        try:
            text = row.decode(layout.charset)
        except UnicodeDecodeError:
            findings.append(Finding("V028", number, f"is not {layout.charset}"))
            continue
        if len(text) != layout.record_length:
            findings.append(Finding("V028", number, f"has {len(text)} characters, not {layout.record_length}"))
            continue
        spec = layout.by_code.get(text[:3])
        if spec is None:
            findings.append(Finding("V028", number, f"record type {text[:3]!r} is not in the layout"))
            continue
        yield _record(layout, spec, number, text, findings)


def _record(layout: Layout, spec: RecordSpec, number: int, text: str, findings: list[Finding]) -> Record:
    record = Record(spec, number, 0, {}, {})
    for each in (*layout.head, *spec.fields):
        raw = text[each.pos - 1 : each.end - 1]
        if each.type == "X":
            if raw.strip(" "):
                findings.append(Finding("V028", number, f"{spec.code}.{each.name} at {each.pos} is not blank"))
            continue
        record.wire[each.name] = raw
        record.values[each.name] = _value(layout, spec, each, raw, number, findings)
    record.block = int(record.values.get("TXN") or 0)
    if int(record.values.get("LINE") or 0) != number:
        findings.append(Finding("V028", number, "LINE does not continue the numbering"))
    if spec.group is not None:
        for place in range(spec.group.count):
            start = spec.group.pos - 1 + place * spec.group.size
            slot = text[start : start + spec.group.size]
            if not slot.strip(" "):
                continue
            item: dict[str, Any] = {}
            for each in spec.group.fields:
                inside = each.pos - spec.group.pos
                item[each.name] = _value(layout, spec, each, slot[inside : inside + each.len], number, findings)
            record.items.append(item)
    return record


def _value(layout: Layout, spec: RecordSpec, each: FieldSpec, raw: str, number: int, findings: list[Finding]) -> object:
    text = raw.rstrip(" ")
    if not text:
        if each.req == "M":
            findings.append(Finding("V028", number, f"{spec.code}.{each.name} is mandatory and blank"))
        return None
    if each.const is not None and text != each.const:
        findings.append(Finding("V028", number, f"{spec.code}.{each.name} is not its constant"))
    try:
        value = _READERS.get(each.type, str)(text if each.type in ("A", "AN", "C") else raw)
    except ValueError as error:
        findings.append(Finding("V028", number, f"{spec.code}.{each.name} {error}"))
        return None
    if each.map is not None and isinstance(value, str):
        return layout.canonical(each.map, value)
    return value


def _digits(raw: str) -> str:
    """Digits over the whole width; leading zeros stay in numbers that are identifiers, so the text is kept."""
    if not (raw.isascii() and raw.isdigit()):
        raise ValueError("is not a number")
    return raw


def _day(raw: str) -> dt.date:
    try:
        return dt.date(int(_digits(raw)[:4]), int(raw[4:6]), int(raw[6:8]))
    except ValueError:
        raise ValueError("is not a date") from None


def _clock(raw: str) -> dt.time:
    try:
        return dt.time(int(_digits(raw)[:2]), int(raw[2:4]), int(raw[4:6]))
    except ValueError:
        raise ValueError("is not a time") from None


_READERS: Mapping[str, Callable[[str], object]] = {
    "N": _digits,
    "M": lambda raw: int(_digits(raw)),
    "R": lambda raw: Decimal(int(_digits(raw))) / 100,
    "D": _day,
    "T": _clock,
}


def _check_structure(layout: Layout, records: Sequence[Record], answer: bool, findings: list[Finding]) -> None:
    codes = "".join(record.spec.code for record in records)
    shape = _shape(layout, answer)
    if not shape.fullmatch(codes):
        findings.append(Finding("V028", 0, "the records do not follow the order of the layout"))
    block = 0
    lead = next((each[0] for each in layout.order if not isinstance(each, str)), None)
    for record in records if not answer else ():
        if record.spec.code == lead:
            block += 1
        inside = any(code_pattern(each).fullmatch(record.spec.code) for each in _inside(layout))
        if record.block != (block if inside else 0):
            findings.append(Finding("V028", record.line, "TXN is not the number of its transaction"))


def _inside(layout: Layout) -> tuple[str, ...]:
    """Patterns of the records that belong to a block."""
    own = [pattern for place in layout.order if not isinstance(place, str) for pattern in place]
    return (*own, *(record.code for record in layout.records if record.parent is not None))


def _shape(layout: Layout, answer: bool) -> re.Pattern[str]:
    """The order of the layout as a regular expression over record codes."""

    def one(pattern: str) -> str:
        ways = []
        for spec in layout.matching(pattern):
            children = "".join(f"(?:{child.code})*" for child in layout.children(spec.code))
            ways.append(spec.code + children)
        quantifier = pattern[-1] if pattern[-1] in "*?" else ""
        return f"(?:{'|'.join(ways)}){quantifier}"

    order = layout.answer_order if answer else layout.order
    return _compiled(
        "".join(one(place) if isinstance(place, str) else f"(?:{''.join(map(one, place))})*" for place in order)
    )


@lru_cache(maxsize=32)
def _compiled(shape: str) -> re.Pattern[str]:
    return re.compile(shape)


def _check_controls(layout: Layout, data: bytes, records: Sequence[Record], findings: list[Finding]) -> None:
    """Recompute every control value from the bytes and compare (V027)."""
    blocks: dict[int, list[Record]] = {}
    for record in records:
        blocks.setdefault(record.block, []).append(record)
    for record in records:
        for each in record.spec.fields:
            if each.control is None or record.wire[each.name].strip() == "":
                continue
            around = records if each.control.scope == "file" else blocks[record.block]
            expected = _control(layout, data, each.control, record, around, blocks[record.block])
            if record.wire[each.name].strip() != expected.rjust(each.len, "0"):
                findings.append(Finding("V027", record.line, f"{record.spec.code}.{each.name} should be {expected}"))


def _control(
    layout: Layout,
    data: bytes,
    control: Control,
    record: Record,
    around: Sequence[Record],
    block: Sequence[Record],
) -> str:
    match control.function:
        case "count":
            shape = code_pattern(control.of)
            return str(
                sum(
                    1
                    for other in around
                    if shape.fullmatch(other.spec.code)
                    and all(other.wire.get(name, "").strip() == value for name, value in control.where.items())
                )
            )
        case "items":
            return str(sum(len(other.items) for other in block if other.spec.repeat == control.of))
        case "sum_mod":
            code, _, name = control.of.partition(".")
            total = sum(int(other.values[name] or 0) for other in around if other.spec.code == code)
            return str(total % 10**control.digits)
        case "sha256":
            rows = data.split(layout.eol.encode())[: record.line - 1]
            return hashlib.sha256(b"".join(row + layout.eol.encode() for row in rows)).hexdigest()


def file_of(parsed: Parsed) -> TamaraFile:
    """The canonical file behind parsed records. Raises `ContractBroken` if the records had findings."""
    _refuse_findings(parsed)
    top: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for record in parsed.records:
        _settle(blocks.setdefault(record.block, {}) if record.block else top, record)
    members = tuple(Transaction.model_validate(_named(blocks[number])) for number in sorted(blocks))
    return TamaraFile.model_validate({**_named(top), "transactions": members})


def answers_of(parsed: Parsed) -> AnswerFile:
    """The answer behind parsed records 900, 910, 990. Raises `ContractBroken` if the records had findings."""
    _refuse_findings(parsed)
    top: dict[str, Any] = {}
    for record in parsed.records:
        _settle(top, record)
    return AnswerFile.model_validate(_named(top))


def _refuse_findings(parsed: Parsed) -> None:
    if parsed.findings:
        first = parsed.findings[0]
        raise ContractBroken(
            f"{len(parsed.findings)} findings, first {first.rule} in line {first.line}: {first.text}",
            system="tamara",
            operation="parse",
        )


def _settle(tree: dict[str, Any], record: Record) -> None:
    """Put the values of a record where its sources point to."""
    member: dict[str, Any] = {}
    for each in record.spec.fields:
        if each.source is None or record.values.get(each.name) is None:
            continue
        root, _, rest = each.source.partition(".")
        if root.endswith("[]"):
            _place(member, rest.split("."), record.values[each.name])
        elif root not in ("record", "layout"):
            _place(tree, each.source.split("."), record.values[each.name])
    if member:
        tree.setdefault(record.spec.repeat or "", []).append(member)
    if record.spec.group is not None:
        for item in record.items:
            named: dict[str, Any] = {}
            for each in record.spec.group.fields:
                if each.source is not None and item[each.name] is not None:
                    _place(named, each.source.split(".")[1:], item[each.name])
            tree.setdefault(record.spec.repeat or "", []).append(named)


def _place(tree: dict[str, Any], steps: Sequence[str], value: object) -> None:
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
    last = steps[-1]
    if last not in tree or tree[last] == value:
        tree[last] = value
    elif isinstance(tree[last], list):
        tree[last].append(value)
    else:
        # A moment is written in two or three fields of the same source: date, time, offset.
        tree[last] = [tree[last], value]


def _named(tree: Any) -> Any:
    """The same tree with the Python names of its steps."""
    if isinstance(tree, dict):
        return {attribute(step): _named(member) for step, member in tree.items()}
    return [_named(member) for member in tree] if isinstance(tree, list) else tree
