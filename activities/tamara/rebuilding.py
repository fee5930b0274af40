"""From parsed records back to the canonical file or answer, along the sources of the layout (contracts: tamara 3.1, 3.11)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from activities.tamara.grammar import RecordSpec
from activities.tamara.model import AnswerFile, TamaraFile, Transaction, attribute
from domain.errors import ContractBroken


class Told(Protocol):
    """A record as read."""

    @property
    def spec(self) -> RecordSpec: ...
    @property
    def block(self) -> int: ...
    @property
    def values(self) -> dict[str, Any]: ...
    @property
    def items(self) -> list[dict[str, Any]]: ...


class Found(Protocol):
    """A finding."""

    @property
    def rule(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def text(self) -> str: ...


def refuse(findings: Sequence[Found]) -> None:
    """Raises `ContractBroken` if there are any."""
    if findings:
        first = findings[0]
        raise ContractBroken(
            f"{len(findings)} findings, first {first.rule} in line {first.line}: {first.text}",
            system="tamara",
            operation="parse",
        )


def file_in(records: Iterable[Told]) -> TamaraFile:
    """The canonical file behind records."""
    top: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for record in records:
        settle(blocks.setdefault(record.block, {}) if record.block else top, record)
    members = tuple(Transaction.model_validate(named(blocks[number])) for number in sorted(blocks))
    return TamaraFile.model_validate({**named(top), "transactions": members})


def answers_in(records: Iterable[Told]) -> AnswerFile:
    """The answer behind records."""
    top: dict[str, Any] = {}
    for record in records:
        settle(top, record)
    return AnswerFile.model_validate(named(top))


def settle(tree: dict[str, Any], record: Told) -> None:
    """Put the values of a record where its sources point to."""
    member: dict[str, Any] = {}
    for each in record.spec.fields:
        if each.source is None or record.values.get(each.name) is None:
            continue
        root, _, rest = each.source.partition(".")
        if root.endswith("[]"):
            _place(member, rest.split("."), record.values[each.name])
        elif root not in ("record", "layout"):
            _place(tree, each.source.split("."), record.values[each.name])
    if member:
        tree.setdefault(record.spec.repeat or "", []).append(member)
    if record.spec.group is not None:
        for item in record.items:
            entry: dict[str, Any] = {}
            for each in record.spec.group.fields:
                if each.source is not None and item[each.name] is not None:
                    _place(entry, each.source.split(".")[1:], item[each.name])
            tree.setdefault(record.spec.repeat or "", []).append(entry)


def _place(tree: dict[str, Any], steps: Sequence[str], value: object) -> None:
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
    last = steps[-1]
    if last not in tree or tree[last] == value:
        tree[last] = value
    elif isinstance(tree[last], list):
        tree[last].append(value)
    else:
        # A moment is written in two or three fields of the same source: date, time, offset.
        tree[last] = [tree[last], value]


def named(tree: Any) -> Any:
    """The same tree with the Python names of its steps."""
    if isinstance(tree, dict):
        return {attribute(step): named(member) for step, member in tree.items()}
    return [named(member) for member in tree] if isinstance(tree, list) else tree
