"""How the parameters of a POST or PUT become the fields of a record: by name, with the exceptions that a table lists."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from sandbox.giav.books import Call, as_date, as_moment
from sandbox.giav.records import Record
from sandbox.giav.schema import description

_NEVER = ("apikey",)


@cache
def _targets(operation: str, shape: str, renames: tuple[tuple[str, str], ...]) -> dict[str, tuple[str, bool]]:
    """Parameter → (field, whether a date text becomes a moment). Unknown to the shape: kept under its own name."""
    described = description()
    fields = described.shape(shape).fields
    by_lower = {each.name.lower(): each for each in fields}
    by_name = {each.name: each for each in fields}
    explicit = dict(renames)
    made: dict[str, tuple[str, bool]] = {}
    for parameter in described.operations[operation].request.fields:
        if parameter.name in _NEVER:
            continue
        name = explicit.get(parameter.name, parameter.name)
        target = by_name.get(name) or by_lower.get(name.lower())
        if target is None:
            made[parameter.name] = (name, False)
        else:
            made[parameter.name] = (target.name, target.base == "dateTime" and parameter.base == "string")
    return made


def filled(
    operation: str, shape: str, call: Call, renames: Mapping[str, str], leave_out: tuple[str, ...] = ()
) -> Record:
    """The record that a call describes: what is absent in the call is absent in the record (full replacement).

    Raises Refusal on a date that is not `yyyy-MM-dd`.
    """
    record: Record = {}
    for parameter, (name, is_date) in _targets(operation, shape, tuple(renames.items())).items():
        value = call.get(parameter)
        if value is None or parameter in leave_out:
            continue
        if is_date:
            if value == "":
                continue
            value = as_moment(as_date(value, parameter))
        record[name] = value
    return record
