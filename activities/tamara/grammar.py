"""The grammar of layout documents: records, fields, groups, controls and the three styles (contracts: tamara 3.1)."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

FieldType = Literal["C", "N", "A", "AN", "D", "T", "M", "R", "X", "S", "Z", "F", "J", "Y"]
"""The last five are for partners' layouts: signed, zoned (overpunched), decimal text, day of year, two-digit year."""
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
    """One field. `overflow` says whether a longer value is refused or cut.

    `pos` (from 1) and `len` are places in style fixed; elsewhere `len` is the longest value, 0 without limit, and fields
    follow one another as they are listed. `path` is the element in style xml (`Amount/Gross`, `@id`), the name by default.
    `decimals` are those of type F, whose mark is in `format` (`,` or `.`); type S has `leading` or `trailing` there.
    """

    name: str
    pos: Annotated[int, Field(ge=0)] = 0
    len: Annotated[int, Field(ge=0)] = 0
    type: FieldType
    req: Literal["M", "C", "O", "P"] = "O"
    source: str | None = None
    path: str | None = None
    format: str | None = None
    decimals: Annotated[int, Field(ge=0, le=6)] = 2
    pad: Literal["zero", "blank", "none"] | None = None
    const: str | None = None
    map: str | None = None
    overflow: Literal["reject", "cut"] = "reject"
    sens: Literal["none", "personal", "secret"] = "none"
    control: Control | None = None

    @property
    def end(self) -> int:
        """The position after the last."""
        return self.pos + self.len

    @property
    def element(self) -> str:
        """The place inside a record of style xml."""
        return self.path or self.name


class GroupSpec(Section):
    """A part of the record that repeats up to `count` times.

    Style fixed: every `size` characters, positions are those of the first. Delimited: the columns `count` times at the
    end of the row. Xml: an `element` for each.
    """

    size: Annotated[int, Field(ge=0)] = 0
    count: Annotated[int, Field(ge=1)]
    element: str = "Item"
    fields: tuple[FieldSpec, ...]

    @property
    def pos(self) -> int:
        return min(field.pos for field in self.fields)

    @property
    def end(self) -> int:
        return self.pos + self.size * self.count


class RecordSpec(Section):
    """One kind of record: when it is written, how often, and its fields beyond the head."""

    code: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,12}$")]
    element: str | None = None
    sub: Literal["00", "running"] = "00"
    repeat: str | None = None
    when: str = "always"
    parent: str | None = None
    group: GroupSpec | None = None
    fields: tuple[FieldSpec, ...]


Ordered = str | list[str]


class Delimited(Section):
    """Style delimited: one row for each record. Without `escape` a quote inside quotes is doubled.

    `header`: a first row with the fields' names, for layouts with one kind of record.
    """

    separator: Annotated[str, Field(min_length=1, max_length=1)] = ";"
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    escape: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    header: bool = False


class Xml(Section):
    """Style xml: one element for each record under the root; `block` encloses the records of one transaction."""

    root: str
    namespace: str | None = None
    block: str | None = None


def _route(value: object) -> object:
    """YAML reads an empty word as nothing; `none` is meant as a word."""
    return "none" if value is None else value


Route = Annotated[Literal["BSP", "MA", "none"], BeforeValidator(_route)]


class Layout(Section):
    """A checked layout document."""

    id: str
    style: Literal["fixed", "delimited", "xml"]
    record_length: Annotated[int, Field(ge=1)] | None = None
    delimited: Delimited = Delimited()
    xml: Xml | None = None
    charset: Literal["ISO-8859-15", "UTF-8"]
    eol: str
    absent: Literal["blank", "zero", "empty"] = "blank"
    empty_file: Literal["send", "skip"]
    split_kinds: Literal[True] = True
    file_name: str
    order: tuple[Ordered, ...]
    answer_order: tuple[Ordered, ...] = ()
    value_maps: dict[str, dict[str, str]] = {}
    routing: dict[str, dict[Literal["merchant", "agency"], Route]]
    details: dict[str, str]
    rules: dict[str, Level]
    head: tuple[FieldSpec, ...] = ()
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
    """`5xx*` and the like: `x` is any digit, `all` any code; a quantifier at the end is not part of the code."""
    bare = pattern.rstrip("*?")
    return re.compile(".*" if bare == "all" else bare.replace("x", r"\d"))
