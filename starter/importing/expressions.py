"""Reading one CSV row: columns, constants, sums, products, value maps, texts and dates (docs/import.md).

The whole language of a mapping file. There is no evaluation of text as code: a value is a table with one known key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Columns
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Discriminator, Tag, model_validator

_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
MONTHS = {form: number for number, name in enumerate(_NAMES, start=1) for form in (name, name[:3])}
"""English month names and their first three letters; numbers are read as numbers."""

# A name in braces, and for dates a form after a colon.
_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::([^{}]*))?\}")
LARGEST = Decimal(10) ** 12
"""The largest number that is read from a cell."""


class Unusable(Exception):
    """A row that cannot become a booking; the text is the reason shown to the user."""


class Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(Spec):
    """A number or a text: exactly one of `column`, `constant`, `sum`, `product`, `map`, `text`.

    `default` stands in for a missing cell. `values` belongs to `map`: cell → result.
    """

    column: str | None = None
    constant: str | int | float | None = None
    sum: tuple[ValueOf, ...] | None = None
    product: tuple[ValueOf, ...] | None = None
    map: str | None = None
    values: dict[str, str | int | float] = {}
    text: str | None = None
    default: str | int | float | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Value:
        given = [self.column, self.constant, self.sum, self.product, self.map, self.text]
        if sum(item is not None for item in given) != 1:
            raise ValueError("give exactly one of column, constant, sum, product, map, text")
        return self


def _kind_of(spec: object) -> str:
    return "name" if isinstance(spec, str) else "value"


ValueOf = Annotated[Annotated[str, Tag("name")] | Annotated[Value, Tag("value")], Discriminator(_kind_of)]
"""A value, or the name of a column or of an entry in [values]."""


class DateOf(Spec):
    """A date: from three columns, from one column with a format, or some days from another date."""

    year: str | None = None
    month: str | None = None
    day: str | None = None
    column: str | None = None
    format: str = "%Y-%m-%d"
    date: str | None = None
    plus_days: ValueOf | None = None
    minus_days: ValueOf | None = None

    @model_validator(mode="after")
    def _one_way(self) -> DateOf:
        parts = (self.year, self.month, self.day)
        ways = [all(parts), self.column is not None, self.date is not None]
        if sum(ways) != 1 or (any(parts) and not all(parts)):
            raise ValueError("give year, month and day; or column; or date")
        return self


class Condition(Spec):
    """Holds when `value` lies within the bounds (inclusive), or is one of `is_in`."""

    value: ValueOf
    at_least: float | None = None
    at_most: float | None = None
    is_in: tuple[str, ...] = ()


@dataclass(slots=True)
class Row:
    """One line of the file with the named values and dates of the mapping. `file` is the beginning of its digest."""

    file: str
    line: int
    columns: Columns[str, str]
    missing: frozenset[str]
    values: Columns[str, ValueOf]
    dates: Columns[str, DateOf]
    _days: dict[str, date] = field(default_factory=dict)

    def cell(self, name: str) -> str | None:
        """The text of a column, None when it holds one of the marks for "missing"."""
        if name not in self.columns:
            raise Unusable(f"the file has no column '{name}'")
        text = (self.columns[name] or "").strip()
        return None if text in self.missing else text

    def text(self, spec: ValueOf) -> str:
        """A value as text. Raises `Unusable`."""
        found = self._find(spec)
        if found is None:
            raise Unusable(f"{_label(spec)}: is missing")
        return found

    def number(self, spec: ValueOf) -> Decimal:
        """A value as an exact number. Raises `Unusable`."""
        text = self.text(spec)
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise Unusable(f"{_label(spec)}: '{text[:20]}' is not a number") from None
        if not number.is_finite() or abs(number) > LARGEST:
            raise Unusable(f"{_label(spec)}: '{text[:20]}' is not a number that we can use")
        return number

    def whole(self, spec: ValueOf) -> int:
        """A value as a whole number. Raises `Unusable`."""
        number = self.number(spec)
        if number != number.to_integral_value():
            raise Unusable(f"{_label(spec)}: {number} is not a whole number")
        return int(number)

    def day(self, name: str) -> date:
        """A date of [dates]. Raises `Unusable`."""
        if name not in self._days:
            if name not in self.dates:
                raise Unusable(f"the mapping has no date '{name}'")
            try:
                self._days[name] = self._read_day(self.dates[name])
            except (ValueError, OverflowError):
                raise Unusable(f"{name}: is not a date") from None
        return self._days[name]

    def fill(self, template: str) -> str:
        """A text with `{column}`, `{value}`, `{line}`, `{file}` and `{date:%Y-%m}` filled in. Raises `Unusable`."""
        return _HOLE.sub(lambda hole: self._hole(hole[1], hole[2]), template)

    def holds(self, condition: Condition) -> bool:
        if condition.is_in:
            return self._find(condition.value) in condition.is_in
        number = self.number(condition.value)
        above = condition.at_least is None or number >= Decimal(str(condition.at_least))
        return above and (condition.at_most is None or number <= Decimal(str(condition.at_most)))

    def matches(self, when: Columns[str, tuple[str, ...]]) -> bool:
        """Whether every named column or value has one of the texts given for it."""
        return all(self._find(name) in allowed for name, allowed in when.items())

    def _hole(self, name: str, form: str | None) -> str:
        if name in ("line", "file"):
            return str(self.line) if name == "line" else self.file
        if name in self.dates:
            return self.day(name).strftime(form or "%Y-%m-%d")
        return self.text(name)

    def _find(self, spec: ValueOf) -> str | None:
        if isinstance(spec, str):
            return self._find(self.values[spec]) if spec in self.values else self.cell(spec)
        found = self._compute(spec)
        return str(spec.default) if found is None and spec.default is not None else found

    def _compute(self, spec: Value) -> str | None:
        if spec.constant is not None:
            return str(spec.constant)
        if spec.text is not None:
            return self.fill(spec.text)
        if spec.sum is not None:
            return str(sum((self.number(part) for part in spec.sum), Decimal(0)))
        if spec.product is not None:
            product = Decimal(1)
            for part in spec.product:
                product *= self.number(part)
            return str(product)
        if spec.map is not None:
            cell = self._find(spec.map)
            return str(spec.values[cell]) if cell in spec.values else None
        assert spec.column is not None
        return self.cell(spec.column)

    def _read_day(self, spec: DateOf) -> date:
        if spec.date is not None:
            days = self.whole(spec.plus_days) if spec.plus_days is not None else 0
            days -= self.whole(spec.minus_days) if spec.minus_days is not None else 0
            return self.day(spec.date) + timedelta(days=days)
        if spec.column is not None:
            return datetime.strptime(self.text(spec.column), spec.format).date()  # noqa: DTZ007 a local date
        assert spec.year is not None
        assert spec.month is not None
        assert spec.day is not None
        month = self.text(spec.month)
        return date(self.whole(spec.year), MONTHS.get(month.lower()) or self.whole(spec.month), self.whole(spec.day))


def _label(spec: ValueOf) -> str:
    if isinstance(spec, str):
        return spec
    return spec.column or spec.map or "value"


Value.model_rebuild()
DateOf.model_rebuild()
