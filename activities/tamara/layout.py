"""The layout document: the one table that renderer and parser read, loaded and checked (contracts: tamara 3.1, 3.14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from activities.tamara import model

FieldType = Literal["C", "N", "A", "AN", "D", "T", "M", "R", "X"]
Level = Literal["E", "F", "W"]
RECORD_PATHS = frozenset(("record.code", "record.sub", "record.line", "record.block"))
"""What the engine knows of a record: type, running number where it repeats, line in the file, number of its block."""
LAYOUT_PATHS = frozenset(("layout.id", "layout.charset"))


class LayoutError(Exception):
    """The layout document cannot be used; the text names record, field and reason."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Control(Section):
    """A value computed from the records themselves by a named function.

    `count`: records whose code matches `of` (`5xx`), in the block or the file, filtered by `where` (wire values);
    `items`: members of a list of the model; `sum_mod`: sum of a field, modulo 10^digits; `sha256`: over every byte before.
    """

    function: Literal["count", "items", "sum_mod", "sha256"]
    of: str = ""
    scope: Literal["block", "file"] = "file"
    where: dict[str, str] = {}
    digits: int = 15


class FieldSpec(Section):
    """One field. `pos` counts from 1; `overflow` says whether a longer value is refused or cut."""

    name: str
    pos: Annotated[int, Field(ge=1)]
    len: Annotated[int, Field(ge=1)]
    type: FieldType
    req: Literal["M", "C", "O", "P"] = "O"
    source: str | None = None
    format: str | None = None
    const: str | None = None
    map: str | None = None
    overflow: Literal["reject", "cut"] = "reject"
    sens: Literal["none", "personal", "secret"] = "none"
    control: Control | None = None

    @property
    def end(self) -> int:
        """The position after the last."""
        return self.pos + self.len


class GroupSpec(Section):
    """A part of the record that repeats `count` times every `size` characters; positions are those of the first."""

    size: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1)]
    fields: tuple[FieldSpec, ...]

    @property
    def pos(self) -> int:
        return min(field.pos for field in self.fields)

    @property
    def end(self) -> int:
        return self.pos + self.size * self.count


class RecordSpec(Section):
    """One kind of record: when it is written, how often, and its fields beyond the head."""

    code: Annotated[str, Field(pattern=r"^\d{3}$")]
    sub: Literal["00", "running"] = "00"
    repeat: str | None = None
    when: str = "always"
    parent: str | None = None
    group: GroupSpec | None = None
    fields: tuple[FieldSpec, ...]


Ordered = str | list[str]


def _route(value: object) -> object:
    """YAML reads an empty word as nothing; `none` is meant as a word."""
    return "none" if value is None else value


Route = Annotated[Literal["BSP", "MA", "none"], BeforeValidator(_route)]


class Layout(Section):
    """A checked layout document."""

    id: str
    style: Literal["fixed"]
    record_length: Annotated[int, Field(ge=20)]
    charset: Literal["ISO-8859-15", "UTF-8"]
    eol: str
    absent: Literal["blank"] = "blank"
    empty_file: Literal["send", "skip"]
    split_kinds: Literal[True] = True
    file_name: str
    order: tuple[Ordered, ...]
    answer_order: tuple[Ordered, ...] = ()
    value_maps: dict[str, dict[str, str]] = {}
    routing: dict[str, dict[Literal["merchant", "agency"], Route]]
    details: dict[str, str]
    rules: dict[str, Level]
    head: tuple[FieldSpec, ...]
    records: tuple[RecordSpec, ...]

    @cached_property
    def by_code(self) -> dict[str, RecordSpec]:
        return {record.code: record for record in self.records}

    def children(self, code: str) -> tuple[RecordSpec, ...]:
        return tuple(record for record in self.records if record.parent == code)

    def matching(self, pattern: str) -> tuple[RecordSpec, ...]:
        """Records that a place in the order stands for; those under another record come with their parent."""
        shape = code_pattern(pattern)
        return tuple(record for record in self.records if record.parent is None and shape.fullmatch(record.code))

    def wire(self, name: str, value: str) -> str:
        """Canonical value to wire value."""
        return self.value_maps.get(name, {}).get(value, value)

    def canonical(self, name: str, value: str) -> str:
        """Wire value to canonical value."""
        for known, wire in self.value_maps.get(name, {}).items():
            if wire == value:
                return known
        return value


@lru_cache(maxsize=64)
def code_pattern(pattern: str) -> re.Pattern[str]:
    """`5xx*` and the like: `x` is any digit; a quantifier at the end is not part of the code."""
    return re.compile(pattern.rstrip("*?").replace("x", r"\d"))


def load_layout(path: Path) -> Layout:
    """Read and check a layout document. Raises `LayoutError`."""
    try:
        return read_layout(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise LayoutError(f"{path}: cannot be read ({error.strerror})") from None


@lru_cache(maxsize=8)
def our_layout() -> Layout:
    """The layout `ours-fixed400/1` that comes with the program."""
    document = files("activities.tamara") / "layouts" / "ours-fixed400-1.yaml"
    return read_layout(document.read_text("utf-8"), "ours-fixed400-1.yaml")


def read_layout(text: str, name: str) -> Layout:
    """Parse and check the text of a layout document. Raises `LayoutError`, naming record and field."""
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise LayoutError(f"{name}: not valid YAML: {error}") from None
    if not isinstance(raw, dict) or set(raw) != {"layout"}:
        raise LayoutError(f"{name}: the document must have the one member `layout`")
    try:
        layout = Layout.model_validate(raw["layout"])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise LayoutError(f"{name}: {_where(raw['layout'], first['loc'])}: {first['msg']}") from None
    faults = list(faults_of(layout))
    if faults:
        raise LayoutError(f"{name}: {'; '.join(faults)}")
    return layout


def _where(raw: Any, location: tuple[int | str, ...]) -> str:
    """The place of an error with record codes and field names instead of list positions."""
    words, here = [], raw
    for step in location:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        named = here.get("code") or here.get("name") if isinstance(here, dict) else None
        words.append(str(named or step))
    return ".".join(words)


def faults_of(layout: Layout) -> Iterator[str]:
    """Everything wrong with a layout: overlaps, holes, wrong lengths, unknown sources, unmarked secrets."""
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
        yield from _places(layout, record)
        grouped = record.group.fields if record.group is not None else ()
        for field in (*layout.head, *record.fields, *grouped):
            yield from (f"record {record.code}, field {field.name}: {fault}" for fault in _source(layout, field))


def _places(layout: Layout, record: RecordSpec) -> Iterator[str]:
    taken = [(field.name, field.pos, field.end) for field in (*layout.head, *record.fields)]
    if record.group is not None:
        taken.append(("group", record.group.pos, record.group.end))
        yield from _gaps(
            record.code,
            [(field.name, field.pos, field.end) for field in record.group.fields],
            record.group.pos,
            record.group.pos + record.group.size,
        )
    yield from _gaps(record.code, taken, 1, layout.record_length + 1)


def _gaps(code: str, taken: list[tuple[str, int, int]], start: int, end: int) -> Iterator[str]:
    here, before = start, "the beginning"
    for name, pos, after in sorted(taken, key=lambda field: field[1]):
        if pos < here:
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
    if field.source is not None and field.source.startswith("txn.card") and field.sens != "secret":
        yield f"source {field.source} is secret and must be marked so"
    if field.control is not None and field.control.function == "sum_mod":
        code, _, name = field.control.of.partition(".")
        record = layout.by_code.get(code)
        if record is None or name not in {each.name for each in record.fields}:
            yield f"control over unknown field {field.control.of}"


def _known(path: str) -> bool:
    return path in RECORD_PATHS or path in LAYOUT_PATHS or model.knows(path)
