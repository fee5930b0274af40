"""The client's operations table against the service description that the stand-in publishes (contracts: giav 2.1, giav-operations).

The client writes and reads by its own table, the stand-in by its own schema. Nothing but this test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
import yaml

from activities.giav.elements import SIMPLE_READERS
from activities.giav.wire import NAMESPACE
from sandbox.giav.schema import Field, Operation, description

Spec = dict[str, Any]


@cache
def table() -> Spec:
    """The table as it is written, before the client compiles it."""
    text = files("activities.giav").joinpath("operations.yaml").read_bytes()
    read: Spec = yaml.load(text, Loader=yaml.CSafeLoader)
    return read


def described(operation: str) -> Operation:
    return description().operations[operation]


def request_members(operation: str) -> list[tuple[Spec, Field]]:
    """Every element that the table sends, also those inside other elements, beside the one of the same name."""
    fields = described(operation).request.lookup()
    own = [(spec, fields[spec["name"]]) for spec in table()["operations"][operation]["request"]]
    return [*own, *(pair for spec, field in own for pair in inside(spec, field))]


def result_members(operation: str) -> list[tuple[Spec, Field]]:
    """The result and every member that the table reads of it; nothing when the answer is empty."""
    result, field = table()["operations"][operation]["result"], described(operation).result
    return [] if result is None or field is None else [(result, field), *inside(result, field)]


def inside(spec: Spec, field: Field) -> Iterator[tuple[Spec, Field]]:
    """The members below an element, to any depth. Raises KeyError on a member that the description lacks."""
    for member in table()["types"].get(spec["type"], ()):
        assert field.shape is not None, f"{spec['name']} has no members"
        found = field.shape.lookup()[member["name"]]
        yield member, found
        yield from inside(member, found)


def kind_of(spec: Spec) -> object:
    """What a table entry holds: a simple type, the values of an enumeration in order, or the name of a shape."""
    kind = spec["type"]
    if kind in table()["enums"]:
        return tuple(table()["enums"][kind])
    return kind if kind in SIMPLE_READERS else kind.partition("@")[0]


def kind_described(field: Field) -> object:
    return field.shape.name if field.shape is not None else field.values or field.base


def all_members() -> list[tuple[Spec, Field]]:
    return [pair for name in OPERATIONS for pair in (*request_members(name), *result_members(name))]


OPERATIONS: list[str] = list(table()["operations"])


def test_every_operation_of_the_client_is_one_of_the_service() -> None:
    assert set(OPERATIONS) - set(description().operations) == set()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_has_the_elements_of_the_service_in_its_order_and_leaves_out_optional_ones_only(
    operation: str,
) -> None:
    named = [spec["name"] for spec in table()["operations"][operation]["request"]]
    fields = described(operation).request.fields
    assert named == [field.name for field in fields if field.required or field.name in named]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_elements_of_a_request_are_required_nillable_and_repeated_as_the_service_says(operation: str) -> None:
    pairs = request_members(operation)
    ours = [(spec["name"], bool(spec.get("req")), bool(spec.get("nil")), bool(spec.get("many"))) for spec, _ in pairs]
    assert ours == [(field.name, field.required, field.nillable, field.many) for _, field in pairs]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_elements_of_a_request_hold_the_types_and_the_enumeration_values_of_the_service(operation: str) -> None:
    pairs = request_members(operation)
    ours = [(spec["name"], NAMESPACE, kind_of(spec)) for spec, _ in pairs]
    assert ours == [(field.name, field.namespace, kind_described(field)) for _, field in pairs]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_read_of_an_answer_is_what_the_service_writes(operation: str) -> None:
    assert (table()["operations"][operation]["result"] is None) == (described(operation).result is None)
    pairs = result_members(operation)
    ours = [(spec["name"], bool(spec.get("nil")), bool(spec.get("many")), kind_of(spec)) for spec, _ in pairs]
    assert ours == [(field.name, field.nillable, field.many, kind_described(field)) for _, field in pairs]


def test_members_are_read_from_the_namespace_in_which_the_service_writes_them() -> None:
    wrong = []
    for kind, members in table()["types"].items():
        home = f"{NAMESPACE}.{kind.partition('@')[2]}" if "@" in kind else NAMESPACE
        named = {spec["name"]: spec.get("ns", home) for spec in members}
        holders = [field for spec, field in all_members() if spec["type"] == kind and field.shape is not None]
        written = {
            each.name: each.namespace for field in holders for each in (field.shape.fields if field.shape else ())
        }
        wrong += [f"{kind}.{name}" for name, space in named.items() if written.get(name) != space]
    assert wrong == []


def test_nothing_in_the_table_is_left_uncompared() -> None:
    reached = {spec["type"] for spec, _ in all_members()}
    assert (set(table()["types"]) | set(table()["enums"])) - reached == set()
