"""The renderer: a layout and a canonical file in, records out, one at a time (contracts: tamara 3.1, 3.2).

It knows the grammar and nothing else of TAMARA. What a layout says is worked out once per kind of record; memory holds
one transaction, whatever the length of the file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from activities.tamara.framing import block_marks, closing_of, frame_of, opening_of
from activities.tamara.grammar import Control, FieldSpec, Layout, RecordSpec, code_pattern
from activities.tamara.model import Transaction, attribute
from activities.tamara.picking import DOCUMENT, MEMBER, Picker, blank, scope_of
from activities.tamara.writing import FieldError, Write, blank_of, writer_of

__all__ = ["FieldError", "render"]

BLOCKS = ("transactions", "answers")
"""Lists whose members open a block of records; they may be generators."""

MEMBER_ROOTS = frozenset(Transaction.model_fields)
Condition = tuple[str, tuple[tuple[str, str], ...]]
"""A pattern of record codes, with the wire values that certain fields must have."""


@dataclass(slots=True)
class _Tally:
    """What the control functions need to know of the records written so far."""

    codes: Counter[str] = field(default_factory=Counter)
    where: Counter[Condition] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    digest: Any = field(default_factory=hashlib.sha256)
    lines: int = 0
    blocks: int = 0


@dataclass(slots=True)
class _Planned:
    """A record about to be written: its place in the file and where its values come from."""

    plan: _Plan
    scopes: list[Any]
    sub: int = 0
    items: Sequence[Any] = ()


class _Plan:
    """One kind of record, worked out: which values, how they are written, how they stand together."""

    def __init__(self, layout: Layout, spec: RecordSpec, *, inside: bool) -> None:
        self.spec, self.code = spec, spec.code
        self.fields = [each for each in (*layout.head, *spec.fields) if each.type != "X"]
        self.when = None if spec.when == "always" else attribute(spec.when)
        self.when_scope = MEMBER if inside and spec.when in MEMBER_ROOTS else DOCUMENT
        self.repeat = spec.repeat if spec.repeat not in (None, *BLOCKS) else None
        self.repeat_scope = MEMBER if inside and spec.repeat in MEMBER_ROOTS else DOCUMENT
        self.size = spec.group.count if spec.group is not None else 1
        self.writers: list[Write] = [writer_of(layout, spec.code, each) for each in self.fields]
        self.blanks = [blank_of(layout, each) for each in self.fields]
        self.mandatory = [index for index, each in enumerate(self.fields) if each.req == "M"]
        self.frame = frame_of(layout, spec, self.fields)
        self.constants: list[tuple[int, str]] = []
        self.own: list[tuple[int, str]] = []
        self.controls: list[tuple[int, Control]] = []
        picked: list[int] = []
        sources: list[tuple[int, tuple[str, ...]]] = []
        for index, each in enumerate(self.fields):
            if each.const is not None:
                self.constants.append((index, each.const))
            elif each.control is not None:
                self.controls.append((index, each.control))
            elif each.source == "record.code":
                self.constants.append((index, spec.code))
            elif each.source is not None and each.source.startswith("layout."):
                text = str(getattr(layout, each.source.removeprefix("layout.")))
                self.constants.append((index, text.upper() if each.format == "upper" else text))
            elif each.source is not None and each.source.startswith("record."):
                self.own.append((index, each.source.removeprefix("record.")))
            else:
                picked.append(index)
                sources.append(scope_of(each, inside=inside))
        self.picked = picked
        self.pick = Picker(sources)
        grouped = spec.group.fields if spec.group is not None else ()
        self.item_pick = Picker([scope_of(each, inside=inside) for each in grouped])
        self.item_fields = grouped
        self.item_writers = [writer_of(layout, spec.code, each) for each in grouped]
        self.item_blanks = [blank_of(layout, each) for each in grouped]
        self.sums: list[tuple[str, int]] = []
        self.where: list[tuple[Condition, list[tuple[int, str]]]] = []

    def index_of(self, name: str) -> int:
        return next(index for index, each in enumerate(self.fields) if each.name == name)

    def item(self, member: object) -> list[str]:
        """The cells of one entry of the group."""
        values = self.item_pick([None, None, member])
        cells = []
        for each, write, nothing, value in zip(
            self.item_fields, self.item_writers, self.item_blanks, values, strict=True
        ):
            if value is None and each.req == "M":
                raise FieldError(self.code, each.name, "is mandatory and has no value")
            cells.append(nothing if value is None else write(value))
        return cells


def render(layout: Layout, document: BaseModel, *, answer: bool = False) -> Iterator[bytes]:
    """The records of `document`, each with its line end. Raises `FieldError` naming record and field."""
    return _Renderer(layout).file(document, layout.answer_order if answer else layout.order)


class _Renderer:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._tally = _Tally()
        self._plans: dict[tuple[str, bool], _Plan] = {}
        controls = [each.control for record in layout.records for each in record.fields if each.control is not None]
        self._conditions: set[Condition] = {
            (c.of, tuple(sorted(c.where.items()))) for c in controls if c.function == "count" and c.where
        }
        self._summed = {c.of for c in controls if c.function == "sum_mod"}
        self._digested = any(c.function == "sha256" for c in controls)

    def file(self, document: BaseModel, order: Sequence[str | list[str]]) -> Iterator[bytes]:
        opening, closing = opening_of(self._layout), closing_of(self._layout)
        if opening:
            yield self._bytes(opening)
        for place in order:
            if not isinstance(place, str):
                yield from self._blocks(document, place[0], place[1:])
                continue
            [spec, *_] = self._layout.matching(place)
            if spec.repeat in BLOCKS:
                yield from self._blocks(document, place, [])
            else:
                scopes = [None, document, None]
                for plan, children in self._candidates([place], inside=False):
                    for planned in self._instances(plan, children, scopes):
                        yield self._record(planned, (planned.plan.code,), 0)
        if closing:
            yield self._bytes(closing)

    def _plan(self, spec: RecordSpec, *, inside: bool) -> _Plan:
        plan = self._plans.get((spec.code, inside))
        if plan is None:
            plan = self._plans[spec.code, inside] = _Plan(self._layout, spec, inside=inside)
            for pattern, where in self._conditions:
                if code_pattern(pattern).fullmatch(spec.code):
                    plan.where.append(((pattern, where), [(plan.index_of(name), value) for name, value in where]))
            for name in self._summed:
                code, _, of = name.partition(".")
                if code == spec.code:
                    plan.sums.append((name, plan.index_of(of)))
        return plan

    def _candidates(self, places: Sequence[str], *, inside: bool) -> list[tuple[_Plan, list[_Plan]]]:
        """Every kind of record that may stand at `places`, with the kinds under it."""
        return [
            (self._plan(spec, inside=inside), [self._plan(child, inside=inside) for child in self._children(spec)])
            for place in places
            for spec in self._layout.matching(place)
        ]

    def _children(self, spec: RecordSpec) -> tuple[RecordSpec, ...]:
        return self._layout.children(spec.code)

    def _blocks(self, document: BaseModel, lead: str, rest: Sequence[str]) -> Iterator[bytes]:
        [spec] = self._layout.matching(lead)
        first = self._plan(spec, inside=True)
        candidates = self._candidates(rest, inside=True)
        before, after = block_marks(self._layout)
        members: Iterable[object] = getattr(document, spec.repeat or "", ())
        for member in members:
            self._tally.blocks += 1
            scopes = [member, document, member]
            block = [_Planned(first, scopes)]
            for plan, children in candidates:
                block.extend(self._instances(plan, children, scopes))
            codes = [planned.plan.code for planned in block]
            if before:
                yield self._bytes(before)
            for planned in block:
                yield self._record(planned, codes, self._tally.blocks)
            if after:
                yield self._bytes(after)

    def _instances(self, plan: _Plan, children: Sequence[_Plan], scopes: list[Any]) -> Iterator[_Planned]:
        if plan.when is not None and blank(getattr(scopes[plan.when_scope], plan.when, None)):
            return
        if plan.repeat is None:
            yield _Planned(plan, scopes)
            for child in children:
                yield from self._instances(child, (), scopes)
            return
        members = getattr(scopes[plan.repeat_scope], plan.repeat, None) or ()
        for number, start in enumerate(range(0, len(members), plan.size), start=1):
            entries = members[start : start + plan.size]
            yield _Planned(plan, [scopes[MEMBER], scopes[DOCUMENT], entries[0]], sub=number, items=entries)

    def _record(self, planned: _Planned, block: Sequence[str], number: int) -> bytes:
        plan, tally = planned.plan, self._tally
        tally.lines += 1
        # A record counts itself (the trailer does), so counts rise before its fields are written.
        tally.codes[plan.code] += 1
        values: list[Any] = [None] * len(plan.fields)
        for index, text in plan.constants:
            values[index] = text
        for index, name in plan.own:
            values[index] = tally.lines if name == "line" else number if name == "block" else _sub(planned)
        for index, control in plan.controls:
            values[index] = self._control(control, planned, block)
        for index, value in zip(plan.picked, plan.pick(planned.scopes), strict=True):
            values[index] = value
        for index in plan.mandatory:
            if values[index] is None:
                raise FieldError(plan.code, plan.fields[index].name, "is mandatory and has no value")
        cells = [
            nothing if value is None else write(value)
            for write, nothing, value in zip(plan.writers, plan.blanks, values, strict=True)
        ]
        for key, wanted in plan.where:
            if all(cells[index].strip() == text for index, text in wanted):
                tally.where[key] += 1
        for name, index in plan.sums:
            if cells[index].strip():
                tally.sums[name] += int(cells[index])
        items = [plan.item(member) for member in planned.items] if plan.item_fields else ()
        return self._bytes(plan.frame(cells, items) + self._layout.eol)

    def _bytes(self, text: str) -> bytes:
        data = text.encode("ascii") if text.isascii() else text.encode(self._layout.charset)
        if self._digested:
            self._tally.digest.update(data)
        return data

    def _control(self, control: Control, planned: _Planned, block: Sequence[str]) -> object:
        tally = self._tally
        match control.function:
            case "count" if control.scope == "block":
                shape = code_pattern(control.of)
                return sum(1 for code in block if shape.fullmatch(code))
            case "count" if control.where:
                return tally.where[control.of, tuple(sorted(control.where.items()))]
            case "count":
                shape = code_pattern(control.of)
                return sum(count for code, count in tally.codes.items() if shape.fullmatch(code))
            case "items":
                members = getattr(planned.scopes[MEMBER] or planned.scopes[DOCUMENT], control.of, None)
                return len(members or ())
            case "sum_mod":
                return tally.sums[control.of] % 10**control.digits
            case "sha256":
                return tally.digest.hexdigest()


def _sub(planned: _Planned) -> int:
    return planned.sub if planned.plan.spec.sub == "running" else 0
