"""The parser: bytes and a layout in, records out; shares no code with the renderer (contracts: tamara 3.1).

It proves a file before it is sent and reads answers. Every finding names line, record and field. A file is read as a
stream: memory holds the records of one transaction.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from activities.tamara.grammar import Control, Layout, RecordSpec, code_pattern
from activities.tamara.model import AnswerFile, TamaraFile
from activities.tamara.ordering import Order
from activities.tamara.reading import Read, must_be_digits, quick_of, reader_of
from activities.tamara.rebuilding import answers_in, file_in, refuse
from activities.tamara.scanning import Row, scan

Condition = tuple[str, tuple[tuple[str, str], ...]]
SHAPES = 1000
"""How many shapes of blocks are remembered with their counts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit: the rule of 3.9 it breaks, the line in the file (from 1), what it is."""

    rule: str
    line: int
    text: str


@dataclass(slots=True)
class Record:
    """One record read: the value of each field; `items` are the members of its group, `block` its transaction."""

    spec: RecordSpec
    line: int
    block: int
    values: dict[str, Any]
    cells: Sequence[str]
    items: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Parsed:
    """A whole file as read."""

    records: list[Record]
    findings: list[Finding]

    def of(self, code: str) -> list[Record]:
        return [record for record in self.records if record.spec.code == code]


def parse(layout: Layout, data: bytes | Iterable[bytes], *, answer: bool = False) -> Parsed:
    """Read all records and check lengths, line numbers, order, constants, mandatory fields and controls.

    Never raises for bad data: what is wrong is in `findings`, and what could not be read is not in `records`.
    """
    findings: list[Finding] = []
    return Parsed(list(read(layout, data, findings.append, answer=answer)), findings)


def read(
    layout: Layout, data: bytes | Iterable[bytes], found: Callable[[Finding], None], *, answer: bool = False
) -> Iterator[Record]:
    """The records one after another; what is wrong with them is given to `found`, the last of it at the end."""
    return _Reader(layout, found, answer=answer).records([data] if isinstance(data, bytes) else data)


def file_of(parsed: Parsed) -> TamaraFile:
    """The canonical file behind parsed records. Raises `ContractBroken` if the records had findings."""
    refuse(parsed.findings)
    return file_in(parsed.records)


def answers_of(parsed: Parsed) -> AnswerFile:
    """The answer behind parsed records 900, 910, 990. Raises `ContractBroken` if the records had findings."""
    refuse(parsed.findings)
    return answers_in(parsed.records)


class _Plan:
    """One kind of record, worked out: readers by place, and which cells are checked against what was read."""

    def __init__(self, layout: Layout, spec: RecordSpec, conditions: set[Condition], summed: set[str]) -> None:
        fields = [each for each in (*layout.head, *spec.fields) if each.type != "X"]
        self.names = [each.name for each in fields]
        self.fields = fields
        self.readers: list[Read] = [reader_of(layout, each) for each in fields]
        self.item_fields = spec.group.fields if spec.group is not None else ()
        self.item_names = [each.name for each in self.item_fields]
        self.item_readers = [reader_of(layout, each) for each in self.item_fields]
        self.quick = [quick_of(layout, each) for each in fields] if layout.style == "fixed" else None
        self.numbers = [index for index, each in enumerate(fields) if must_be_digits(each)]
        self.mandatory = _several([index for index, each in enumerate(fields) if each.req == "M"])
        self.digits = _several(self.numbers)
        own = {each.source: index for index, each in enumerate(fields) if each.source is not None}
        self.line, self.block = own.get("record.line"), own.get("record.block")
        self.controls = [(index, each.control) for index, each in enumerate(fields) if each.control is not None]
        self.where = [
            (condition, [(self.names.index(name), value) for name, value in condition[1]])
            for condition in conditions
            if code_pattern(condition[0]).fullmatch(spec.code)
        ]
        self.sums = [
            (name, self.names.index(name.partition(".")[2])) for name in summed if name.split(".")[0] == spec.code
        ]

    def quickly(self, cells: Sequence[str]) -> list[Any] | None:
        """The values with as few questions as possible; None where something needs a closer look."""
        if self.quick is None:
            return None
        numbers = "".join(self.digits(cells))
        if numbers and not (numbers.isascii() and numbers.isdigit()):
            return None
        try:
            values = [
                (text if read is None else read(cell)) if (text := cell.rstrip(" ")) else None
                for read, cell in zip(self.quick, cells, strict=True)
            ]
        except (ValueError, TypeError):
            return None
        return None if None in self.mandatory(values) else values


def _several(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Those places of a row, however many they are."""
    if len(places) > 1:
        return itemgetter(*places)
    return (lambda row: (row[places[0]],)) if places else (lambda row: ())


class _Reader:
    def __init__(self, layout: Layout, found: Callable[[Finding], None], *, answer: bool) -> None:
        self._layout, self._found, self._answer = layout, found, answer
        self._order = Order(layout, answer=answer)
        controls = [each.control for spec in layout.records for each in spec.fields if each.control is not None]
        conditions = {(c.of, tuple(sorted(c.where.items()))) for c in controls if c.function == "count" and c.where}
        summed = {c.of for c in controls if c.function == "sum_mod"}
        self._plans = {spec.code: _Plan(layout, spec, conditions, summed) for spec in layout.records}
        self._digest = hashlib.sha256() if any(c.function == "sha256" for c in controls) else None
        self._codes: Counter[str] = Counter()
        self._where: Counter[Condition] = Counter()
        self._sums: Counter[str] = Counter()
        self._counted: dict[tuple[str, tuple[str, ...]], str] = {}

    def records(self, chunks: Iterable[bytes]) -> Iterator[Record]:
        here, straight, number = self._order.start(), True, 0
        block: list[tuple[Record, Row]] = []
        for row in scan(self._layout, chunks, self._say):
            code = row.spec.code
            if straight:
                here = self._order.step(here, code)
                straight = bool(here)
                if not straight:
                    self._say("V028", row.line, f"record {code} does not follow the order of the layout")
            inside = code in self._order.inside
            if block and (not inside or code == self._order.lead):
                yield from self._checked(block)
                block = []
            number += code == self._order.lead
            record = self._record(row, number if inside else 0)
            if inside:
                block.append((record, row))
            else:
                yield from self._checked([(record, row)])
            if self._digest is not None:
                self._digest.update(row.raw)
        yield from self._checked(block)
        if straight and not self._order.complete(here):
            self._say("V028", 0, "the file ends before the order of the layout does")

    def _say(self, rule: str, line: int, text: str) -> None:
        self._found(Finding(rule, line, text))

    def _record(self, row: Row, block: int) -> Record:
        plan = self._plans[row.spec.code]
        values = plan.quickly(row.cells) or self._one_by_one(row, plan)
        record = Record(row.spec, row.line, block, dict(zip(plan.names, values, strict=True)), row.cells)
        for item in row.items:
            try:
                entry = [read(cell) for read, cell in zip(plan.item_readers, item, strict=True)]
            except ValueError as error:
                self._say("V028", row.line, f"{row.spec.code}, entry of its group: {error}")
                continue
            record.items.append(dict(zip(plan.item_names, entry, strict=True)))
        if plan.line is not None and int(values[plan.line] or 0) != row.line:
            self._say("V028", row.line, "LINE does not continue the numbering")
        if plan.block is not None and not self._answer and int(values[plan.block] or 0) != block:
            self._say("V028", row.line, "TXN is not the number of its transaction")
        self._count(row, plan)
        return record

    def _one_by_one(self, row: Row, plan: _Plan) -> list[Any]:
        values: list[Any] = []
        for each, read_cell, cell in zip(plan.fields, plan.readers, row.cells, strict=True):
            try:
                values.append(read_cell(cell))
            except ValueError as error:
                self._say("V028", row.line, f"{row.spec.code}.{each.name} {error}")
                values.append(None)
        return values

    def _count(self, row: Row, plan: _Plan) -> None:
        self._codes[row.spec.code] += 1
        for condition, wanted in plan.where:
            for index, text in wanted:
                if row.cells[index].strip() != text:
                    break
            else:
                self._where[condition] += 1
        for name, index in plan.sums:
            text = row.cells[index].strip()
            if text.isascii() and text.isdigit():
                self._sums[name] += int(text)

    def _checked(self, block: Sequence[tuple[Record, Row]]) -> Iterator[Record]:
        """Recompute the control values of a block, or of a record outside of one, and compare (V027)."""
        shape = tuple([row.spec.code for _, row in block])
        for record, row in block:
            for index, control in self._plans[row.spec.code].controls:
                wire = row.cells[index].strip()
                if wire:
                    expected = self._control(control, block, shape)
                    if (wire.lstrip("0") or "0") != (expected.lstrip("0") or "0"):
                        name = self._plans[row.spec.code].names[index]
                        self._say("V027", record.line, f"{row.spec.code}.{name} should be {expected}")
            yield record

    def _control(self, control: Control, block: Sequence[tuple[Record, Row]], codes: tuple[str, ...]) -> str:
        match control.function:
            case "count" if control.scope == "block":
                counted = self._counted.get((control.of, codes))
                if counted is None:
                    shape = code_pattern(control.of)
                    counted = str(sum(1 for code in codes if shape.fullmatch(code)))
                    if len(self._counted) < SHAPES:
                        self._counted[control.of, codes] = counted
                return counted
            case "count" if control.where:
                return str(self._where[control.of, tuple(sorted(control.where.items()))])
            case "count":
                shape = code_pattern(control.of)
                return str(sum(count for code, count in self._codes.items() if shape.fullmatch(code)))
            case "items":
                return str(sum(len(other.items) for other, _ in block if other.spec.repeat == control.of))
            case "sum_mod":
                return str(self._sums[control.of] % 10**control.digits)
            case "sha256":
                return self._digest.hexdigest() if self._digest is not None else ""
