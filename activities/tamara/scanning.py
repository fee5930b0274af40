"""Bytes of a file to rows of cells, one at a time: a scanner for each style (contracts: tamara 3.1, 3.2).

Shares no code with the renderer. A row that cannot be read at all is reported and left out.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from activities.tamara.grammar import FieldSpec, Layout, RecordSpec

Report = Callable[[str, int, str], None]
"""Rule, line in the file (from 1), what is wrong."""


@dataclass(slots=True)
class Row:
    """The cells of one record in the order of head and fields, fillers left out, and of each entry of its group.

    `raw` are its bytes.
    """

    spec: RecordSpec
    line: int
    cells: Sequence[str]
    items: list[Sequence[str]] = field(default_factory=list)
    raw: bytes = b""


def scan(layout: Layout, chunks: Iterable[bytes], report: Report) -> Iterator[Row]:
    """Rows of a file given in pieces. Never raises for bad data."""
    match layout.style:
        case "fixed":
            return _fixed(layout, chunks, report)
        case "delimited":
            return _delimited(layout, chunks, report)
        case "xml":
            return _Xml(layout, report).rows(chunks)


def lines(layout: Layout, chunks: Iterable[bytes], report: Report) -> Iterator[tuple[int, bytes]]:
    """Lines with their number and their line end; the last must have one too."""
    eol = layout.eol.encode()
    rest, number = b"", 0
    for chunk in chunks:
        rows = (rest + chunk).split(eol)
        rest = rows.pop()
        for row in rows:
            number += 1
            yield number, row + eol
    if rest or number == 0:
        report("V028", number + 1, "the last record has no line end")


def _texts(layout: Layout, chunks: Iterable[bytes], report: Report) -> Iterator[tuple[int, str, bytes]]:
    end = len(layout.eol.encode())
    for number, raw in lines(layout, chunks, report):
        try:
            text = raw.decode("ascii" if raw.isascii() else layout.charset)
        except UnicodeDecodeError:
            report("V028", number, f"is not {layout.charset}")
            continue
        yield number, text[:-end], raw


def _fixed(layout: Layout, chunks: Iterable[bytes], report: Report) -> Iterator[Row]:
    length = layout.record_length
    coded = next((each for each in layout.head if each.source == "record.code"), None)
    start, end = (coded.pos - 1, coded.end - 1) if coded is not None else (0, 0)
    only = layout.records[0] if coded is None else None
    places = {
        spec.code: [slice(each.pos - 1, each.end - 1) for each in (*layout.head, *spec.fields) if each.type != "X"]
        for spec in layout.records
    }
    fillers = {
        spec.code: [(each, slice(each.pos - 1, each.end - 1)) for each in spec.fields if each.type == "X"]
        for spec in layout.records
    }
    for number, text, raw in _texts(layout, chunks, report):
        if len(text) != length:
            report("V028", number, f"has {len(text)} characters, not {length}")
            continue
        code = text[start:end].strip(" ")
        spec = only or layout.by_code.get(code)
        if spec is None:
            report("V028", number, f"record type {code!r} is not in the layout")
            continue
        for each, place in fillers[spec.code]:
            if not text[place].isspace():
                report("V028", number, f"{spec.code}.{each.name} at {each.pos} is not blank")
        row = Row(spec, number, [text[place] for place in places[spec.code]], raw=raw)
        if spec.group is not None:
            row.items = list(_slots(spec, text))
        yield row


def _slots(spec: RecordSpec, text: str) -> Iterator[Sequence[str]]:
    group = spec.group
    assert group is not None
    for place in range(group.count):
        start = group.pos - 1 + place * group.size
        slot = text[start : start + group.size]
        if slot.strip(" "):
            yield [slot[each.pos - group.pos : each.end - group.pos] for each in group.fields]


def _delimited(layout: Layout, chunks: Iterable[bytes], report: Report) -> Iterator[Row]:
    style = layout.delimited
    form: dict[str, Any] = {
        "delimiter": style.separator,
        "quotechar": style.quote,
        "doublequote": style.escape is None,
        "escapechar": style.escape,
        "strict": True,
    }
    coded = next((index for index, each in enumerate(layout.head) if each.source == "record.code"), None)
    header, number = style.header, 0
    for number, text, raw in _texts(layout, chunks, report):
        try:
            cells = next(csv.reader([text], **form), [])
        except csv.Error:
            report("V028", number, "is not a row of this separator and quote")
            continue
        if header:
            header = False
            names = [each.name for each in (*layout.head, *layout.records[0].fields)]
            if cells[: len(names)] != names:
                report("V028", number, "the header row does not name the fields of the layout")
            continue
        code = cells[coded] if coded is not None and coded < len(cells) else ""
        spec = layout.records[0] if coded is None else layout.by_code.get(code)
        if spec is None:
            report("V028", number, f"record type {code!r} is not in the layout")
            continue
        plain = len(layout.head) + len(spec.fields)
        width = len(spec.group.fields) if spec.group is not None else 0
        whole = plain + width * (spec.group.count if spec.group is not None else 0)
        if len(cells) != whole:
            report("V028", number, f"has {len(cells)} columns, not {whole}")
            continue
        row = Row(spec, number - (1 if style.header else 0), cells[:plain], raw=raw)
        for start in range(plain, whole, width or 1):
            entry = cells[start : start + width]
            if any(entry):
                row.items.append(entry)
        yield row


class _Xml:
    """Elements to rows. Documents that declare entities or a document type are refused: nobody needs them here."""

    def __init__(self, layout: Layout, report: Report) -> None:
        assert layout.xml is not None
        self._layout, self._style, self._report = layout, layout.xml, report
        self._specs = {spec.element or spec.code: spec for spec in layout.records}
        self._ready: deque[Row] = deque()
        self._path: list[str] = []
        self._spec: RecordSpec | None = None
        self._depth = 0
        self._cells: dict[str, str] = {}
        self._items: list[dict[str, str]] = []
        self._text: list[str] = []
        self._line = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append

    def rows(self, chunks: Iterable[bytes]) -> Iterator[Row]:
        try:
            for chunk in chunks:
                self._parser.Parse(chunk, False)
                while self._ready:
                    yield self._ready.popleft()
            self._parser.Parse(b"", True)
        except (expat.ExpatError, ValueError) as error:
            self._report("V028", self._line + 1, f"is not well-formed XML of this layout ({error})")
        while self._ready:
            yield self._ready.popleft()

    def _doctype(self, *_: object) -> None:
        raise ValueError("it declares a document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        self._text.clear()
        self._path.append(local)
        if len(self._path) == 1:
            if local != self._style.root or (space or None) != self._style.namespace:
                raise ValueError("its root is not the layout's")
        elif self._spec is None and local != self._style.block:
            spec = self._specs.get(local)
            if spec is None:
                raise ValueError("it has an element that the layout does not name")
            self._spec, self._depth = spec, len(self._path)
            self._cells = {f"@{key}": value for key, value in attributes.items()}
            self._items = []
        elif self._spec is not None and self._inner() == [self._group_element()]:
            self._items.append({})

    def _end(self, name: str) -> None:
        text = "".join(self._text)
        self._text.clear()
        inner = self._inner()
        self._path.pop()
        if self._spec is None:
            return
        if not inner:
            self._close(self._spec)
        elif inner[0] == self._group_element():
            if len(inner) > 1 and text.strip():
                self._items[-1]["/".join(inner[1:])] = text
        elif text.strip():
            self._cells["/".join(inner)] = text

    def _inner(self) -> list[str]:
        return self._path[self._depth :]

    def _group_element(self) -> str | None:
        return self._spec.group.element if self._spec is not None and self._spec.group is not None else None

    def _close(self, spec: RecordSpec) -> None:
        self._line += 1
        fields = (*self._layout.head, *spec.fields)
        row = Row(spec, self._line, self._picked(fields, self._cells))
        grouped = spec.group.fields if spec.group is not None else ()
        row.items = [self._picked(grouped, item) for item in self._items]
        self._ready.append(row)
        self._spec = None

    def _picked(self, fields: Sequence[FieldSpec], given: dict[str, str]) -> list[str]:
        unknown = set(given) - {each.element for each in fields}
        if unknown:
            self._report("V028", self._line, f"{len(unknown)} elements are not in the layout")
        return [given.get(each.element, "") for each in fields]
