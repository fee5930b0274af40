"""Values of a record by their source paths, all of a record at once: paths are resolved when a layout is loaded (contracts: tamara 3.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

from activities.tamara.grammar import FieldSpec
from activities.tamara.model import Transaction, attribute

MEMBER, DOCUMENT, ITEM = 0, 1, 2
"""Where a path begins: the member of the block, the document, or the entry of the repeated list."""


def scope_of(each: FieldSpec, *, inside: bool) -> tuple[int, tuple[str, ...]]:
    """Scope and steps of a field's source; inside a block the transaction's own roots count first."""
    assert each.source is not None
    steps = tuple(attribute(step) for step in each.source.replace("[]", "").split("."))
    if "[]" in each.source:
        return ITEM, steps[1:]
    return (MEMBER if inside and steps[0] in Transaction.model_fields else DOCUMENT), steps


class Picker:
    """Values of several paths in one go, merged with given ones; whatever hangs under something absent is None.

    `places` says where each value belongs in the result: first those of the given values, then those of the sources.
    """

    def __init__(
        self, sources: Sequence[tuple[int, tuple[str, ...]]], places: Sequence[int], given: Sequence[int] = ()
    ) -> None:
        parents: dict[tuple[int, tuple[str, ...]], list[int]] = {}
        for index, (scope, steps) in enumerate(sources):
            parents.setdefault((scope, steps[:-1]), []).append(index)
        self._groups: list[tuple[int, tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[None, ...]]] = []
        order = list(given)
        for (scope, path), indexes in parents.items():
            leaves = [sources[index][1][-1] for index in indexes]
            self._groups.append((scope, path, _together(leaves), (None,) * len(leaves)))
            order.extend(places[index] for index in indexes)
        back = [order.index(place) for place in sorted(order)]
        self._sorted: Callable[[list[Any]], Sequence[Any]] = itemgetter(*back) if len(back) > 1 else tuple

    def __call__(self, scopes: Sequence[Any], given: Sequence[Any] = ()) -> Sequence[Any]:
        """The values in the order of their places."""
        found = list(given)
        for scope, path, leaves, nothing in self._groups:
            here = scopes[scope]
            for step in path:
                if here is None:
                    break
                here = getattr(here, step)
            found += nothing if here is None else leaves(here)
        return self._sorted(found)


def _together(leaves: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """All of `leaves` of one object."""
    get = attrgetter(*leaves)
    single = len(leaves) == 1

    def picked(here: Any) -> tuple[Any, ...]:
        if type(here) is dict:
            return tuple(here.get(leaf) for leaf in leaves)
        return (get(here),) if single else get(here)

    return picked


def blank(value: object) -> bool:
    """Whether a root carries nothing: absent, an empty list, or a part whose every member is absent."""
    if value is None:
        return True
    if isinstance(value, tuple | list | dict):
        return not value
    return not any(member is not None for member in vars(value).values())
