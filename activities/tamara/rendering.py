"""The renderer: a layout and a canonical file in, records out, one at a time (contracts: tamara 3.1, 3.2).

It knows the grammar and nothing else of TAMARA. What a layout says is worked out once per kind of record; memory holds
one transaction, whatever the length of the file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from pydantic import BaseModel

from activities.tamara.framing import block_marks, closing_of, frame_of, opening_of
from activities.tamara.grammar import Control, FieldSpec, Layout, RecordSpec, code_pattern
from activities.tamara.model import Transaction, attribute
from activities.tamara.picking import DOCUMENT, MEMBER, Picker, blank, scope_of
from activities.tamara.writing import FieldError, Write, blank_of, quick_of, whole_number, writer_of
from domain.errors import BackOfficeError

__all__ = ["FieldError", "render"]

BLOCKS = ("transactions", "answers")
"""Lists whose members open a block of records; they may be generators."""

EMPTY: tuple[()] = ()
SHAPES = 1000
"""How many shapes of blocks are remembered with their counts."""
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
        self.constants: dict[int, str] = {}
        own: list[int] = []
        self.own: list[str] = []
        self.controls: list[Control] = []
        controlled: list[int] = []
        picked: list[int] = []
        sources: list[tuple[int, tuple[str, ...]]] = []
        for index, each in enumerate(self.fields):
            constant = _constant(layout, spec, each)
            if constant is not None:
                self.constants[index] = writer_of(layout, spec.code, each)(constant)
            elif each.control is not None:
                controlled.append(index)
                self.controls.append(each.control)
            elif each.source is not None and each.source.startswith("record."):
                own.append(index)
                self.own.append(each.source.removeprefix("record."))
            else:
                picked.append(index)
                sources.append(scope_of(each, inside=inside))
        self.pick = Picker(sources, picked, [*own, *controlled])
        self.cells = [each for index, each in enumerate(self.fields) if index not in self.constants]
        self.writers: list[Write] = [writer_of(layout, spec.code, each) for each in self.cells]
        self.blanks = [None if each.req == "M" else blank_of(layout, each) for each in self.cells]
        self.frame = frame_of(layout, spec, self.fields, self.constants)
        self.quick = quick_of(layout, spec.code, self.cells) if spec.group is None else None
        numbers = [index for index, each in enumerate(self.cells) if whole_number(each) and self.blanks[index] is None]
        self.numbers: Callable[[Sequence[Any]], Sequence[Any]] = itemgetter(*numbers) if len(numbers) > 1 else tuple
        # A number that may be absent could be negative or blank: it is written with care.
        for index, each in enumerate(self.cells):
            if self.quick is not None and whole_number(each) and index not in numbers:
                self.quick[index] = self.writers[index]
        if len(numbers) < 2:
            self.quick = None
        self.counts = all(each.function == "count" and each.scope == "block" for each in self.controls)
        self.simple = self.repeat is None and not layout.children(spec.code)
        self.length = (layout.record_length or 0) if self.quick is not None else 0
        grouped = spec.group.fields if spec.group is not None else ()
        self.item_pick = Picker([scope_of(each, inside=inside) for each in grouped], range(len(grouped)))
        self.item_fields = grouped
        self.item_writers = [writer_of(layout, spec.code, each) for each in grouped]
        self.item_blanks = [None if each.req == "M" else blank_of(layout, each) for each in grouped]
        self.sums: list[tuple[str, int]] = []
        self.where: list[tuple[Condition, list[tuple[int, str]]]] = []

    def index_of(self, name: str) -> int:
        return next(index for index, each in enumerate(self.cells) if each.name == name)

    def absent(self, scopes: Sequence[Any]) -> bool:
        """Whether nothing of this kind is to be written."""
        if self.when is not None:
            return blank(getattr(scopes[self.when_scope], self.when, None))
        return self.repeat is not None and not getattr(scopes[self.repeat_scope], self.repeat, None)

    def item(self, member: object) -> list[str]:
        """The cells of one entry of the group."""
        values = self.item_pick([None, None, member])
        cells = [
            nothing if value is None else write(value)
            for write, nothing, value in zip(self.item_writers, self.item_blanks, values, strict=True)
        ]
        return self.whole(self.item_fields, cells)

    def quickly(self, values: Sequence[Any]) -> tuple[str, Sequence[str]]:
        """The whole record of style fixed with one look at all of it; an empty text where something needs a closer one.

        Texts go in as they are: were one too long the record would be, and what is printable ASCII needs no fitting.
        """
        assert self.quick is not None
        try:
            cells = [
                nothing if value is None else value if write is None else write(value)
                for write, nothing, value in zip(self.quick, self.blanks, values, strict=True)
            ]
        except (BackOfficeError, TypeError, ValueError, AttributeError):
            return "", ()
        if None in cells or "" in cells or not "".join(self.numbers(cells)).isdigit():
            return "", ()
        text = self.frame(cells, ())  # type: ignore[arg-type]
        return (text, cells) if len(text) == self.length and text.isascii() and text.isprintable() else ("", ())  # type: ignore[return-value]

    def carefully(self, values: Sequence[Any]) -> list[str]:
        """The cells, each by its own writer. Raises `FieldError` naming the field."""
        cells = [
            nothing if value is None else write(value)
            for write, nothing, value in zip(self.writers, self.blanks, values, strict=True)
        ]
        return self.whole(self.cells, cells)

    def whole(self, fields: Sequence[FieldSpec], cells: list[str | None]) -> list[str]:
        """The cells, none of them missing."""
        if None in cells:
            raise FieldError(self.code, fields[cells.index(None)].name, "is mandatory and has no value")
        return cells  # type: ignore[return-value]


def _roots(plans: Sequence[_Plan]) -> Callable[[object], tuple[Any, ...]]:
    """Of a block's member, what decides for each of `plans` whether it is written; the member itself where nothing does."""
    names = [
        plan.when if plan.when_scope == MEMBER else plan.repeat if plan.repeat_scope == MEMBER else None
        for plan in plans
    ]
    return lambda member: tuple([member if name is None else getattr(member, name) for name in names])


def _constant(layout: Layout, spec: RecordSpec, each: FieldSpec) -> str | None:
    """What stands in a field of every record of this kind."""
    if each.const is not None or each.source is None:
        return each.const
    if each.source == "record.code":
        return spec.code
    if each.source == "record.sub" and spec.sub != "running":
        return "0"
    if each.source.startswith("layout."):
        text = str(getattr(layout, each.source.removeprefix("layout.")))
        return text.upper() if each.format == "upper" else text
    return None


def render(layout: Layout, document: BaseModel, *, answer: bool = False) -> Iterator[bytes]:
    """The records of `document`, each with its line end. Raises `FieldError` naming record and field."""
    return _Renderer(layout).file(document, layout.answer_order if answer else layout.order)


class _Renderer:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._tally = _Tally()
        self._plans: dict[tuple[str, bool], _Plan] = {}
        self._counted: dict[tuple[str, tuple[str, ...]], Sequence[object]] = {}
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
        roots = _roots([plan for plan, _ in candidates])
        before, after = block_marks(self._layout)
        members: Iterable[object] = getattr(document, spec.repeat or "", ())
        for member in members:
            self._tally.blocks += 1
            scopes = [member, document, member]
            block = [_Planned(first, scopes)]
            for root, (plan, children) in zip(roots(member), candidates, strict=True):
                # Most roots are absent; whoever asks each record pays for all of them.
                if root is None or root is EMPTY:
                    continue
                if not plan.simple:
                    block += self._instances(plan, children, scopes)
                elif root is member or not blank(root):
                    block.append(_Planned(plan, scopes))
            codes = tuple([planned.plan.code for planned in block])
            if before:
                yield self._bytes(before)
            for planned in block:
                yield self._record(planned, codes, self._tally.blocks)
            if after:
                yield self._bytes(after)

    def _instances(self, plan: _Plan, children: Sequence[_Plan], scopes: list[Any]) -> Iterator[_Planned]:
        if plan.absent(scopes):
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

    def _record(self, planned: _Planned, block: tuple[str, ...], number: int) -> bytes:
        plan, tally = planned.plan, self._tally
        tally.lines += 1
        # A record counts itself (the trailer does), so counts rise before its fields are written.
        tally.codes[plan.code] += 1
        given: list[Any] = [
            tally.lines if name == "line" else number if name == "block" else planned.sub for name in plan.own
        ]
        if plan.controls:
            given += self._controls(plan, planned, block)
        values = plan.pick(planned.scopes, given)
        text, cells = plan.quickly(values) if plan.quick is not None else ("", ())
        if not text:
            cells = plan.carefully(values)
            items = [plan.item(member) for member in planned.items] if plan.item_fields else ()
            text = plan.frame(cells, items)
        for key, wanted in plan.where:
            for index, wire in wanted:
                if cells[index].strip() != wire:
                    break
            else:
                tally.where[key] += 1
        for name, index in plan.sums:
            if cells[index].strip():
                tally.sums[name] += int(cells[index])
        return self._bytes(text + self._layout.eol)

    def _bytes(self, text: str) -> bytes:
        data = text.encode("ascii") if text.isascii() else text.encode(self._layout.charset)
        if self._digested:
            self._tally.digest.update(data)
        return data

    def _controls(self, plan: _Plan, planned: _Planned, block: tuple[str, ...]) -> Sequence[object]:
        """The values of a record's controls; counts in a block depend on nothing but its shape."""
        if not plan.counts:
            return [self._control(control, planned, block) for control in plan.controls]
        counted = self._counted.get((plan.code, block))
        if counted is None:
            counted = [self._control(control, planned, block) for control in plan.controls]
            if len(self._counted) < SHAPES:
                self._counted[plan.code, block] = counted
        return counted

    def _control(self, control: Control, planned: _Planned, block: tuple[str, ...]) -> object:
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
