"""What can be wrong with a layout document, each fault named by record and field (contracts: tamara 3.14)."""

from __future__ import annotations

from collections.abc import Iterator

from activities.tamara import model
from activities.tamara.grammar import LAYOUT_PATHS, RECORD_PATHS, FieldSpec, Layout, RecordSpec


def faults_of(layout: Layout) -> Iterator[str]:
    """Everything wrong with a layout: overlaps, holes, wrong lengths, unknown sources, unmarked secrets."""
    yield from _style(layout)
    codes = [record.code for record in layout.records]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield f"record {code} is described twice"
    for place in (*layout.order, *layout.answer_order):
        for pattern in [place] if isinstance(place, str) else place:
            if not layout.matching(pattern):
                yield f"order: no record matches {pattern}"
    for record in layout.records:
        if record.parent is not None and record.parent not in layout.by_code:
            yield f"record {record.code}: parent {record.parent} does not exist"
        if record.repeat not in (None, "transactions", "answers") and record.repeat not in model.roots():
            yield f"record {record.code}: repeats over unknown list {record.repeat}"
        if record.when != "always" and record.when not in model.roots():
            yield f"record {record.code}: condition {record.when} is not a root of the model"
        if layout.style == "fixed" and layout.record_length is not None:
            yield from _places(layout, record, layout.record_length)
        grouped = record.group.fields if record.group is not None else ()
        for field in (*layout.head, *record.fields, *grouped):
            yield from (f"record {record.code}, field {field.name}: {fault}" for fault in _source(layout, field))


def _style(layout: Layout) -> Iterator[str]:
    """What each style needs of its own."""
    if layout.style == "fixed" and layout.record_length is None:
        yield "style fixed needs record_length"
    if layout.style == "xml" and layout.xml is None:
        yield "style xml needs xml.root"
    if layout.style == "delimited" and layout.delimited.header and len(layout.records) > 1:
        yield "a header row fits only a layout with one kind of record"
    coded = any(each.source == "record.code" for each in layout.head)
    if layout.style != "xml" and len(layout.records) > 1 and not coded:
        yield "several kinds of records need a head field with source record.code"
    for record in layout.records:
        for each in record.fields:
            if layout.style == "xml" and each.control is not None and each.control.function == "sha256":
                yield f"record {record.code}, field {each.name}: a digest over bytes has no place in style xml"
            if layout.style != "fixed" and each.type == "X":
                yield f"record {record.code}, field {each.name}: only style fixed has fillers"


def _places(layout: Layout, record: RecordSpec, length: int) -> Iterator[str]:
    taken = [(field.name, field.pos, field.end) for field in (*layout.head, *record.fields)]
    if record.group is not None:
        taken.append(("group", record.group.pos, record.group.end))
        yield from _gaps(
            record.code,
            [(field.name, field.pos, field.end) for field in record.group.fields],
            record.group.pos,
            record.group.pos + record.group.size,
        )
    yield from _gaps(record.code, taken, 1, length + 1)


def _gaps(code: str, taken: list[tuple[str, int, int]], start: int, end: int) -> Iterator[str]:
    here, before = start, "the beginning"
    for name, pos, after in sorted(taken, key=lambda field: field[1]):
        if pos == 0 or after == pos:
            yield f"record {code}, field {name}: style fixed needs pos and len"
        elif pos < here:
            yield f"record {code}, field {name}: overlaps {before} at position {pos}"
        elif pos > here:
            yield f"record {code}, field {name}: hole from {here} to {pos - 1} after {before}"
        here, before = max(here, after), name
    if here != end:
        yield f"record {code}, field {before}: ends at {here - 1} and not at {end - 1}"


def _source(layout: Layout, field: FieldSpec) -> Iterator[str]:
    given = [field.source is not None, field.const is not None, field.control is not None]
    if field.type == "X":
        if any(given):
            yield "a filler has no source"
        return
    if sum(given) != 1:
        yield "needs exactly one of source, const and control"
    if field.source is not None and not _known(field.source):
        yield f"source {field.source} is unknown"
    if field.map is not None and field.map not in layout.value_maps:
        yield f"value map {field.map} does not exist"
    if field.type == "Z" and layout.style != "fixed":
        yield "type Z needs style fixed"
    if field.source is not None and field.source.startswith("txn.card") and field.sens != "secret":
        yield f"source {field.source} is secret and must be marked so"
    if field.control is not None and field.control.function == "sum_mod":
        code, _, name = field.control.of.partition(".")
        record = layout.by_code.get(code)
        if record is None or name not in {each.name for each in record.fields}:
            yield f"control over unknown field {field.control.of}"


def _known(path: str) -> bool:
    return path in RECORD_PATHS or path in LAYOUT_PATHS or model.knows(path)
