"""The order of records as an automaton that reads one code at a time, however long the file (contracts: tamara 3.1, 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from activities.tamara.grammar import Layout, RecordSpec

START = -1
States = frozenset[int]


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the order: which positions may come first and last, and whether it may be left out."""

    first: frozenset[int]
    last: frozenset[int]
    empty: bool


class Order:
    """Whether codes follow one another as a layout says; `lead` opens a block, `inside` are the codes within one."""

    def __init__(self, layout: Layout, *, answer: bool = False) -> None:
        order = layout.answer_order if answer else layout.order
        self._codes: list[str] = []
        self._follow: list[set[int]] = []
        self._steps: dict[tuple[States, str], States] = {}
        parts = [
            self._place(layout, place)
            if isinstance(place, str)
            else self._many(self._sequence([self._place(layout, each) for each in place]))
            for place in order
        ]
        whole = self._sequence(parts)
        self._first, self._last, self._empty = whole.first, whole.last, whole.empty
        blocks = [place for place in order if not isinstance(place, str)]
        self.lead = blocks[0][0] if blocks else None
        self.inside = frozenset(
            code
            for place in blocks
            for pattern in place
            for spec in layout.matching(pattern)
            for code in (spec.code, *(child.code for child in layout.children(spec.code)))
        )

    def start(self) -> States:
        return frozenset((START,))

    def step(self, here: States, code: str) -> States:
        """Where the automaton is after `code`; empty when the code has no place there."""
        known = self._steps.get((here, code))
        if known is None:
            ways = {way for state in here for way in (self._first if state == START else self._follow[state])}
            known = self._steps[here, code] = frozenset(way for way in ways if self._codes[way] == code)
        return known

    def complete(self, here: States) -> bool:
        """Whether the file may end here."""
        return bool(here & self._last) or (START in here and self._empty)

    def _place(self, layout: Layout, pattern: str) -> _Part:
        ways = [self._record(layout, spec) for spec in layout.matching(pattern)]
        part = _Part(
            frozenset().union(*(way.first for way in ways)), frozenset().union(*(way.last for way in ways)), False
        )
        if pattern.endswith("*"):
            return self._many(part)
        return _Part(part.first, part.last, pattern.endswith("?"))

    def _record(self, layout: Layout, spec: RecordSpec) -> _Part:
        children = [self._many(self._symbol(child.code)) for child in layout.children(spec.code)]
        return self._sequence([self._symbol(spec.code), *children])

    def _symbol(self, code: str) -> _Part:
        self._codes.append(code)
        self._follow.append(set())
        place = frozenset((len(self._codes) - 1,))
        return _Part(place, place, False)

    def _many(self, part: _Part) -> _Part:
        for last in part.last:
            self._follow[last] |= part.first
        return _Part(part.first, part.last, True)

    def _sequence(self, parts: Sequence[_Part]) -> _Part:
        first: frozenset[int] = frozenset()
        last: frozenset[int] = frozenset()
        empty = True
        for part in parts:
            for state in last:
                self._follow[state] |= part.first
            if empty:
                first |= part.first
            last = part.last | last if part.empty else part.last
            empty = empty and part.empty
        return _Part(first, last, empty)
