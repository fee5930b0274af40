"""How the cells of a record become the text of a record: one frame for each style (contracts: tamara 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

from activities.tamara.grammar import FieldSpec, GroupSpec, Layout, RecordSpec


class Frame(Protocol):
    """`cells` are the texts of `fields` in their order; `items` those of the group's entries."""

    def __call__(self, cells: Sequence[str], items: Sequence[Sequence[str]]) -> str: ...


def frame_of(layout: Layout, spec: RecordSpec, fields: Sequence[FieldSpec]) -> Frame:
    """The frame of one kind of record, without its line end."""
    match layout.style:
        case "fixed":
            return _fixed(layout, spec, fields)
        case "delimited":
            return _delimited(layout, spec, fields)
        case "xml":
            return _xml(layout, spec, fields)


def opening_of(layout: Layout) -> str:
    """What stands before the first record."""
    if layout.style == "xml" and layout.xml is not None:
        namespace = f" xmlns={quoteattr(layout.xml.namespace)}" if layout.xml.namespace else ""
        return f'<?xml version="1.0" encoding="{layout.charset}"?>{layout.eol}<{layout.xml.root}{namespace}>{layout.eol}'
    if layout.style == "delimited" and layout.delimited.header:
        [spec] = layout.records
        fields = [*layout.head, *spec.fields]
        return _delimited(layout, spec, fields)([each.name for each in fields], ()) + layout.eol
    return ""


def closing_of(layout: Layout) -> str:
    """What stands behind the last record."""
    return f"</{layout.xml.root}>{layout.eol}" if layout.style == "xml" and layout.xml is not None else ""


def block_marks(layout: Layout) -> tuple[str, str]:
    """What encloses the records of one transaction."""
    if layout.style != "xml" or layout.xml is None or layout.xml.block is None:
        return "", ""
    return f"<{layout.xml.block}>{layout.eol}", f"</{layout.xml.block}>{layout.eol}"


def _fixed(layout: Layout, spec: RecordSpec, fields: Sequence[FieldSpec]) -> Frame:
    """Fields have their exact lengths already; fillers and the group's place are written around them."""
    places = [(each.pos, each.len, False) for each in fields]
    group = spec.group
    if group is not None:
        places.append((group.pos, group.size * group.count, True))
    shape, here = "", 1
    for pos, length, grouped in sorted(places):
        shape += " " * (pos - here) + ("{g}" if grouped else "{}")
        here = pos + length
    shape += " " * ((layout.record_length or 0) + 1 - here)
    order = sorted(range(len(fields)), key=lambda index: fields[index].pos)
    in_order = order == list(range(len(fields)))
    template = shape.replace("%", "%%").replace("{}", "%s").replace("{g}", "%s")
    if group is None:
        if in_order:
            return lambda cells, items: template % tuple(cells)
        return lambda cells, items: template % tuple(cells[index] for index in order)
    width = group.size * group.count
    before = sum(1 for each in fields if each.pos < group.pos)

    def framed(cells: Sequence[str], items: Sequence[Sequence[str]]) -> str:
        sorted_cells = [cells[index] for index in order]
        together = "".join("".join(item) for item in items).ljust(width)
        return template % (*sorted_cells[:before], together, *sorted_cells[before:])

    return framed


def _delimited(layout: Layout, spec: RecordSpec, fields: Sequence[FieldSpec]) -> Frame:
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


def _xml(layout: Layout, spec: RecordSpec, fields: Sequence[FieldSpec]) -> Frame:
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
