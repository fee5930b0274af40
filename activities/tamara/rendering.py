"""The renderer: a layout and a canonical file in, records out, one at a time (contracts: tamara 3.1, 3.2).

It knows the grammar and nothing else of TAMARA. Memory holds one transaction, whatever the length of the file.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from activities.tamara.card import CardNumber
from activities.tamara.characters import fitted
from activities.tamara.layout import FieldSpec, GroupSpec, Layout, RecordSpec, code_pattern
from activities.tamara.model import attribute
from domain.errors import ContractBroken

BLOCKS = ("transactions", "answers")
"""Lists whose members open a block of records; they may be generators."""


class FieldError(ContractBroken):
    """A value does not fit its field. Names record and field, never the value."""

    def __init__(self, record: str, field: str, reason: str) -> None:
        super().__init__(f"record {record}, field {field}: {reason}", system="tamara", operation="render", code=field)
        self.record = record
        self.field = field
        self.reason = reason


@dataclass(slots=True)
class _Planned:
    """A record about to be written: its place in the file and where its values come from."""

    spec: RecordSpec
    scopes: tuple[object, ...]
    sub: int = 0
    items: Sequence[object] = ()


@dataclass(slots=True)
class _Tally:
    """What the control functions need to know of the records written so far."""

    wanted_counts: list[tuple[str, tuple[tuple[str, str], ...]]]
    counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    digest: Any = field(default_factory=hashlib.sha256)
    lines: int = 0
    blocks: int = 0


def render(layout: Layout, document: BaseModel, *, answer: bool = False) -> Iterator[bytes]:
    """The records of `document`, each with its line end. Raises `FieldError` naming record and field."""
    return _Renderer(layout).file(document, layout.answer_order if answer else layout.order)


class _Renderer:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        controls = [each.control for record in layout.records for each in record.fields if each.control is not None]
        counted = {(c.of, tuple(sorted(c.where.items()))) for c in controls if c.function == "count"}
        self._tally = _Tally(sorted(counted))
        self._summed = {c.of for c in controls if c.function == "sum_mod"}

    def file(self, document: BaseModel, order: Sequence[str | list[str]]) -> Iterator[bytes]:
        for place in order:
            if not isinstance(place, str):
                yield from self._blocks(document, place[0], place[1:])
                continue
            [spec, *_] = self._layout.matching(place)
            if spec.repeat in BLOCKS:
                yield from self._blocks(document, place, [])
            else:
                for planned in self._planned(place, (document,)):
                    yield self._record(planned, [planned], 0)

    def _blocks(self, document: BaseModel, lead: str, rest: Sequence[str]) -> Iterator[bytes]:
        [spec] = self._layout.matching(lead)
        members: Iterable[object] = getattr(document, spec.repeat or "", ())
        for member in members:
            self._tally.blocks += 1
            scopes = (member, document)
            block = [_Planned(spec, scopes), *(one for place in rest for one in self._planned(place, scopes))]
            for planned in block:
                yield self._record(planned, block, self._tally.blocks)

    def _planned(self, place: str, scopes: tuple[object, ...]) -> Iterator[_Planned]:
        for spec in self._layout.matching(place):
            for planned in self._instances(spec, scopes):
                yield planned
                for child in self._layout.children(spec.code):
                    yield from self._instances(child, scopes)

    def _instances(self, spec: RecordSpec, scopes: tuple[object, ...]) -> Iterator[_Planned]:
        if spec.when != "always" and _blank(_look(scopes, [spec.when])):
            return
        if spec.repeat is None:
            yield _Planned(spec, scopes)
            return
        members = list(_look(scopes, [spec.repeat]) or ())
        size = spec.group.count if spec.group is not None else 1
        for number, start in enumerate(range(0, len(members), size), start=1):
            yield _Planned(spec, scopes, sub=number, items=members[start : start + size])

    def _record(self, planned: _Planned, block: Sequence[_Planned], number: int) -> bytes:
        layout, spec, tally = self._layout, planned.spec, self._tally
        tally.lines += 1
        own = {
            "code": spec.code,
            "sub": planned.sub if spec.sub == "running" else 0,
            "line": tally.lines,
            "block": number,
        }
        line = [" "] * layout.record_length
        wire: dict[str, str] = {}
        counted = [each for each in tally.wanted_counts if code_pattern(each[0]).fullmatch(spec.code)]
        # A record counts itself (the trailer does), so plain counts rise before its fields are written.
        tally.counts.update(each for each in counted if not each[1])
        for each in (*layout.head, *spec.fields):
            if each.type == "X":
                continue
            value = self._value(each, planned, own, block)
            text = wire[each.name] = self._text(spec.code, each, value)
            line[each.pos - 1 : each.end - 1] = text
        tally.counts.update(
            each for each in counted if each[1] and all(wire.get(k, "").strip() == v for k, v in each[1])
        )
        for name in self._summed:
            code, _, of = name.partition(".")
            if code == spec.code and wire[of].strip():
                tally.sums[name] += int(wire[of])
        if spec.group is not None:
            self._groups(line, spec, spec.group, planned.items)
        record = ("".join(line) + layout.eol).encode(layout.charset)
        tally.digest.update(record)
        return record

    def _groups(self, line: list[str], spec: RecordSpec, group: GroupSpec, items: Sequence[object]) -> None:
        for place, item in enumerate(items):
            for each in group.fields:
                value = _look((item,), _steps(each)[1:])
                start = each.pos - 1 + place * group.size
                line[start : start + each.len] = self._text(spec.code, each, value)

    def _value(self, each: FieldSpec, planned: _Planned, own: dict[str, Any], block: Sequence[_Planned]) -> object:
        if each.const is not None:
            return each.const
        if each.control is not None:
            return self._control(each, planned, block)
        steps = _steps(each)
        if steps[0] == "record":
            return own[steps[1]]
        if steps[0] == "layout":
            value = str(getattr(self._layout, steps[1]))
            return value.upper() if each.format == "upper" else value
        if "[]" in (each.source or ""):
            return _look(tuple(planned.items[:1]) or planned.scopes[:1], steps[1:])
        return _look(planned.scopes, steps)

    def _control(self, each: FieldSpec, planned: _Planned, block: Sequence[_Planned]) -> object:
        control = each.control
        assert control is not None
        match control.function:
            case "count" if control.scope == "block":
                return sum(1 for other in block if code_pattern(control.of).fullmatch(other.spec.code))
            case "count":
                return self._tally.counts[control.of, tuple(sorted(control.where.items()))]
            case "items":
                return len(_look(planned.scopes, [control.of]) or ())
            case "sum_mod":
                return self._tally.sums[control.of] % 10**control.digits
            case "sha256":
                return self._tally.digest.hexdigest()

    def _text(self, code: str, each: FieldSpec, value: object) -> str:
        """The characters of one field, exactly its length."""
        if isinstance(value, CardNumber):
            if each.sens != "secret":
                raise FieldError(code, each.name, "a card number may only stand in a field marked as secret")
            value = value.get_secret_value()
        if value is None or value == "":
            if each.req == "M":
                raise FieldError(code, each.name, "is mandatory and has no value")
            return " " * each.len
        if each.map is not None:
            value = self._layout.wire(each.map, str(value))
        if each.type in ("N", "M", "R"):
            return _digits(code, each, value)
        text = fitted(_written(code, each, value), self._layout.charset)
        if each.type == "A":
            text = text.upper()
        if len(text) > each.len:
            if each.overflow == "reject":
                raise FieldError(code, each.name, f"has {len(text)} characters, room for {each.len}")
            text = text[: each.len]
        return text.ljust(each.len)


def _digits(code: str, each: FieldSpec, value: object) -> str:
    """Right-justified digits: N as they are, M minor units, R with two implied decimals."""
    if each.type == "R":
        scaled = Decimal(str(value)) * 100
        if scaled != scaled.to_integral_value():
            raise FieldError(code, each.name, "has more than two decimals")
        value = int(scaled)
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise FieldError(code, each.name, "is not an unsigned number")
    if len(text) > each.len:
        raise FieldError(code, each.name, f"has {len(text)} digits, room for {each.len}")
    return text.zfill(each.len)


def _written(code: str, each: FieldSpec, value: object) -> str:
    if each.type == "D" and isinstance(value, dt.date):
        return value.strftime("%Y%m%d")
    if each.type == "T" and isinstance(value, dt.datetime | dt.time):
        return value.strftime("%H%M%S")
    if each.type in ("D", "T"):
        raise FieldError(code, each.name, "is not a date or time")
    if each.format is not None and isinstance(value, dt.date | dt.time):
        return value.strftime(each.format)
    return str(value)


def _steps(each: FieldSpec) -> list[str]:
    assert each.source is not None
    return each.source.replace("[]", "").split(".")


def _look(scopes: Sequence[object], steps: Sequence[str]) -> Any:
    """The value at the end of a path, None as soon as a step is absent; the innermost scope that has the root wins."""
    for scope in scopes:
        first = attribute(steps[0])
        if isinstance(scope, BaseModel) and first not in type(scope).model_fields:
            continue
        value: Any = getattr(scope, first, None)
        for step in steps[1:]:
            if value is None:
                return None
            value = value.get(step) if isinstance(value, dict) else getattr(value, attribute(step), None)
        return value
    return None


def _blank(value: object) -> bool:
    """Whether a root carries nothing: absent, an empty list, or a part whose every member is absent."""
    if isinstance(value, BaseModel):
        return all(member is None for _, member in value)
    return not value
