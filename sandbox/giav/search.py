"""Every SEARCH: filters as a table, pages of at most 100 counted from 0, empty lists in three shapes (contracts: giav 1.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.giav.books import Books, Call, as_date, euros
from sandbox.giav.records import CUSTOM, Record
from sandbox.giav.refusals import Refusal

PAGE_CAP = 100
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?)?")
Predicate = Callable[[Record], bool]


@dataclass(frozen=True)
class Filter:
    """How one parameter narrows a list. `field`: the index that gives candidates for its values, if there is one."""

    predicate: Callable[[Books, Call, Any], Predicate]
    field: str | None = None


Filters = Mapping[str, Filter]


def search(books: Books, entity: str, filters: Filters, call: Call, modifiers: Collection[str] = ()) -> list[Record]:
    """One page of the records that pass every given filter (ANDed), by id.

    `modifiers` are parameters that change how another one works. A filter that the stand-in lacks is refused, never ignored.
    """
    given = {
        name: value
        for name, value in call.items()
        if name not in modifiers and name not in _PAGING and not _is_neutral(value)
    }
    unknown = [name for name in given if name not in filters]
    if unknown:
        raise Refusal(f"Filtro no disponible: {', '.join(unknown)}")
    predicates = [filters[name].predicate(books, call, value) for name, value in given.items()]
    return page(
        call, [each for each in _candidates(books, entity, filters, given) if all(test(each) for test in predicates)]
    )


def page(call: Call, records: list[Record]) -> list[Record]:
    """The asked page; refuses a size above the cap."""
    size, index = call["pageSize"], call["pageIndex"]
    if not 1 <= size <= PAGE_CAP:
        raise Refusal(f"El tamaño de página debe estar entre 1 y {PAGE_CAP}")
    if index < 0:
        raise Refusal("El índice de página no puede ser negativo")
    return records[index * size : (index + 1) * size]


_PAGING = ("apikey", "pageSize", "pageIndex")


def _is_neutral(value: Any) -> bool:
    return value is None or value is False or value in ("", "NoAplicar") or value == []


def _candidates(books: Books, entity: str, filters: Filters, given: Mapping[str, Any]) -> list[Record]:
    records = books.records
    for name, value in given.items():
        field = filters[name].field
        if field == "Id":
            return [found for id_ in sorted(set(value)) if (found := records.get(entity, id_))]
        if field == CUSTOM:
            first = value[0]
            return records.having(entity, CUSTOM, (first["Key"], first.get("Value", "")))
        if field is not None and records.is_indexed(entity, field):
            return records.having(entity, field, *(value if isinstance(value, list) else [value]))
    return sorted(records.all(entity), key=lambda record: int(record["Id"]))


# Kinds of filter -----------------------------------------------------------------------------------------------------


def one_of(field: str) -> Filter:
    """The field is one of the values of a list (or the single value)."""

    def predicate(_: Books, __: Call, value: Any) -> Predicate:
        wanted = set(value) if isinstance(value, list) else {value}
        return lambda record: record.get(field) in wanted

    return Filter(predicate, field)


def contains(*fields: str) -> Filter:
    """One of the fields contains the text, whatever the case."""

    def predicate(_: Books, __: Call, value: str) -> Predicate:
        wanted = value.casefold()
        return lambda record: any(wanted in str(record.get(field, "")).casefold() for field in fields)

    return Filter(predicate)


def custom_data() -> Filter:
    """Every given (key, value) is on the record, exactly."""

    def predicate(_: Books, __: Call, value: list[Record]) -> Predicate:
        wanted = {(item["Key"], item.get("Value", "")) for item in value}
        return lambda record: wanted <= {(item["Key"], item.get("Value", "")) for item in record.get(CUSTOM) or ()}

    return Filter(predicate, CUSTOM)


def moment_from(field: str, *, date_only: bool = False) -> Filter:
    """The field is at or after the moment; `date_only` filters fault on a time part."""

    def predicate(_: Books, __: Call, value: str) -> Predicate:
        start = _moment(value, date_only)
        return lambda record: str(record.get(field) or "") >= start

    return Filter(predicate)


def moment_to(field: str, *, date_only: bool = False) -> Filter:
    """The field is at or before the moment; a date includes its whole day."""

    def predicate(_: Books, __: Call, value: str) -> Predicate:
        end = _moment(value, date_only)
        return lambda record: bool(record.get(field)) and str(record[field])[: len(end)] <= end

    return Filter(predicate)


def _moment(value: str, date_only: bool) -> str:
    if date_only:
        return as_date(value, "fecha")
    if not _MOMENT.fullmatch(value):
        raise Refusal(f"La cadena '{value}' no se reconoció como fecha válida")
    return value


def amount_from(measure: Callable[[Books, Record], float]) -> Filter:
    return Filter(lambda books, _, value: lambda record: euros(measure(books, record)) >= value)


def amount_to(measure: Callable[[Books, Record], float]) -> Filter:
    return Filter(lambda books, _, value: lambda record: euros(measure(books, record)) <= value)


def yes_no(test: Callable[[Books, Record], bool]) -> Filter:
    """`FiltroBoleanoOpcional`, or a flag that keeps only what passes."""
    return Filter(lambda books, _, value: lambda record: test(books, record) is (value in ("Si", True)))


def passing(test: Callable[[Books, Record, Any], bool]) -> Filter:
    """A test of the record against the value."""
    return Filter(lambda books, _, value: lambda record: test(books, record, value))
