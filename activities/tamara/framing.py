"""How the cells of a record become the text of a record: one frame for each style (contracts: tamara 3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

from activities.tamara.grammar import FieldSpec, Layout, RecordSpec


class Frame(Protocol):
    """`cells` are the texts of those of the fields that are not constant; `items` those of the group's entries."""

    def __call__(self, cells: Sequence[str], items: Sequence[Sequence[str]]) -> str: ...


def frame_of(layout: Layout, spec: RecordSpec, fields: Sequence[FieldSpec], constant: Mapping[int, str]) -> Frame:
    """The frame of one kind of record, without its line end; `constant` are texts by the field's index."""
    match layout.style:
        case "fixed":
            return _fixed(layout, spec, fields, constant)
        case "delimited":
            return _merged(_delimited(layout, spec), fields, constant)
        case "xml":
            return _merged(_xml(spec, fields), fields, constant)


def _merged(frame: Frame, fields: Sequence[FieldSpec], constant: Mapping[int, str]) -> Frame:
    """Constants put between the other cells."""
    places = [index for index in range(len(fields)) if index not in constant]
    whole = [constant.get(index, "") for index in range(len(fields))]

    def framed(cells: Sequence[str], items: Sequence[Sequence[str]]) -> str:
        row = whole.copy()
        for place, cell in zip(places, cells, strict=True):
            row[place] = cell
        return frame(row, items)

    return framed


def opening_of(layout: Layout) -> str:
    """What stands before the first record."""
    if layout.style == "xml" and layout.xml is not None:
        namespace = f" xmlns={quoteattr(layout.xml.namespace)}" if layout.xml.namespace else ""
        return (
            f'<?xml version="1.0" encoding="{layout.charset}"?>{layout.eol}<{layout.xml.root}{namespace}>{layout.eol}'
        )
    if layout.style == "delimited" and layout.delimited.header:
        [spec] = layout.records
        return _delimited(layout, spec)([each.name for each in (*layout.head, *spec.fields)], ()) + layout.eol
    return ""


def closing_of(layout: Layout) -> str:
    """What stands behind the last record."""
    return f"</{layout.xml.root}>{layout.eol}" if layout.style == "xml" and layout.xml is not None else ""


def block_marks(layout: Layout) -> tuple[str, str]:
    """What encloses the records of one transaction."""
    if layout.style != "xml" or layout.xml is None or layout.xml.block is None:
        return "", ""
    return f"<{layout.xml.block}>{layout.eol}", f"</{layout.xml.block}>{layout.eol}"


def _fixed(layout: Layout, spec: RecordSpec, fields: Sequence[FieldSpec], constant: Mapping[int, str]) -> Frame:
    """One template: constants and fillers stand in it, texts are filled up by it."""
    group = spec.group
    places = [(each.pos, each.len, constant.get(index)) for index, each in enumerate(fields)]
    if group is not None:
        places.append((group.pos, group.size * group.count, None))
    template, here = "", 1
    for pos, length, text in sorted(places):
        template += " " * (pos - here)
        template += f"%-{length}s" if text is None else text.ljust(length).replace("%", "%%")
        here = pos + length
    template += " " * ((layout.record_length or 0) + 1 - here)
    dynamic = [each.pos for index, each in enumerate(fields) if index not in constant]
    order = sorted(range(len(dynamic)), key=lambda index: dynamic[index])
    straight = order == list(range(len(order)))
    if group is None:
        if straight:
            return lambda cells, items: template % tuple(cells)
        return lambda cells, items: template % tuple(cells[index] for index in order)
    before = sum(1 for pos in dynamic if pos < group.pos)
    widths = [each.len for each in sorted(group.fields, key=lambda each: each.pos)]
    inner = sorted(range(len(widths)), key=lambda index: group.fields[index].pos)

    def framed(cells: Sequence[str], items: Sequence[Sequence[str]]) -> str:
        row = [cells[index] for index in order]
        entries = "".join(
            item[index].ljust(width) for item in items for index, width in zip(inner, widths, strict=True)
        )
        return template % (*row[:before], entries, *row[before:])

    return framed


def _delimited(layout: Layout, spec: RecordSpec) -> Frame:
    style = layout.delimited
    special = (style.separator, style.quote, *((style.escape,) if style.escape else ()))

    def quoted(cell: str) -> str:
        if not any(mark in cell for mark in special):
            return cell
        if style.escape:
            cell = cell.replace(style.escape, style.escape * 2).replace(style.quote, style.escape + style.quote)
        else:
            cell = cell.replace(style.quote, style.quote * 2)
        return f"{style.quote}{cell}{style.quote}"

    width = len(spec.group.fields) * spec.group.count if spec.group is not None else 0

    def framed(cells: Sequence[str], items: Sequence[Sequence[str]]) -> str:
        row = [*cells, *(cell for item in items for cell in item)]
        row.extend("" for _ in range(len(cells) + width - len(row)))
        return style.separator.join(map(quoted, row))

    return framed


def _xml(spec: RecordSpec, fields: Sequence[FieldSpec]) -> Frame:
    name = spec.element or spec.code
    paths = [each.element.split("/") for each in fields]
    group = spec.group
    inner = [each.element.split("/") for each in group.fields] if group is not None else []

    def framed(cells: Sequence[str], items: Sequence[Sequence[str]]) -> str:
        given = [(path, cell) for path, cell in zip(paths, cells, strict=True) if cell]
        attributes = "".join(f" {path[0][1:]}={quoteattr(cell)}" for path, cell in given if path[0].startswith("@"))
        body = _nested([(path, cell) for path, cell in given if not path[0].startswith("@")])
        for item in items:
            assert group is not None
            entry = _nested([(path, cell) for path, cell in zip(inner, item, strict=True) if cell])
            body += f"<{group.element}>{entry}</{group.element}>"
        return f"<{name}{attributes}>{body}</{name}>"

    return framed


def _nested(given: Sequence[tuple[list[str], str]]) -> str:
    """Elements by their paths; neighbours with a common beginning share it."""
    text, opened = "", list[str]()
    for path, cell in given:
        keep = 0
        while keep < len(opened) and keep < len(path) - 1 and opened[keep] == path[keep]:
            keep += 1
        text += "".join(f"</{step}>" for step in reversed(opened[keep:]))
        text += "".join(f"<{step}>" for step in path[keep:-1])
        opened = path[:-1]
        text += f"<{path[-1]}>{escape(cell)}</{path[-1]}>"
    return text + "".join(f"</{step}>" for step in reversed(opened))
