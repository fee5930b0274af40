"""Which cases there are: for every call of an act each fault, for every event its disorder, for every commit a death."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from faults.answers import WRONG_ANSWERS
from faults.days import DAYS
from faults.houses import PATIENCE_SECONDS
from faults.scenarios import SCENARIOS, answered
from sandbox.faults import Kind

Family = Literal["call", "event", "death", "clock", "day", "answer", "operator"]

CODES: dict[Kind, str] = {
    Kind.DROP_BEFORE: "F1",
    Kind.PAGE_503: "F1",
    Kind.REFUSE: "F2",
    Kind.ERROR_BEFORE: "F2",
    Kind.DROP_AFTER: "F3",
    Kind.ERROR_AFTER: "F4",
    Kind.HANG: "F5",
    Kind.SLOW: "F6",
    Kind.LATE: "F6",
    Kind.MALFORMED: "F7",
    Kind.EMPTY: "F7",
    Kind.PAGE_200: "F7",
    Kind.CROSSED: "F8",
    Kind.THROTTLE: "F9",
}
"""Which fault of the alphabet a switch of the stand-ins is."""
OF_WRITES = frozenset({Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.LATE})
"""Differ from their twins only where something is stored."""
READING = re.compile(
    r"SEARCH|GET$|^(search|get|Retrieve)|Status$|\.(get|list|find)$|^(stat|connect|lead|leads|contact|notes|tasks|account)$|/info/$|/status/$"
)
SECONDS: dict[Kind, float] = {
    Kind.SLOW: 0.8 * PATIENCE_SECONDS,
    Kind.LATE: 0.6,
    Kind.HANG: 1.3 * PATIENCE_SECONDS,
    Kind.THROTTLE: 1.0,
}
OF_FILES = (
    Kind.DROP_BEFORE,
    Kind.REFUSE,
    Kind.ERROR_BEFORE,
    Kind.DROP_AFTER,
    Kind.ERROR_AFTER,
    Kind.SLOW,
    Kind.LATE,
    Kind.MALFORMED,
)
"""What a server of files can do (F17): on `put`, error-before is a full disk and malformed a torn upload."""
DISORDERS = ("twice", "five times", "again afterwards", "swapped with the next", "last first")
ANSWERS = ("two people answer at once", "answered while it is slow")
ANSWERED = ("create", "payment-card", "cancel-paid", "refund")
"""Scenarios whose every write is refused once, for people to answer in an unlucky moment (F15)."""
SEEN_OFTEN = 3
"""A look that is repeated until something has come is disturbed so often; how often it is repeated differs."""
DATED = (
    *("create", "life", "cancel-paid", "cancel-supplied", "payment-airplus"),
    *("tamara-export", "tamara-export-ftps", "instalments"),
)
"""Scenarios in whose documents, files or dues days stand."""
WRITTEN_TOGETHER = re.compile(r"office\.log_transition: .* ([2-9]|\d\d+)$")
"""A payment's moves are kept one by one or several at once, as they come: only the first time is there in every run."""
CLOCKS = ("five minutes ahead", "five minutes behind")


@dataclass(frozen=True)
class Case:
    """One repetition of a scenario with one thing wrong. `place` names where, `fault` what."""

    scenario: str
    family: Family
    place: str
    fault: str
    code: str
    nth: int = 1

    @property
    def id(self) -> str:
        return f"{self.scenario} | {self.place} | {self.fault}"

    @property
    def varies(self) -> bool:
        """Whether its place is there in one run and not in another."""
        return self.family == "death" and WRITTEN_TOGETHER.match(self.place) is not None

    @property
    def rank(self) -> str:
        """An order that is the same every time and favours no scenario."""
        return hashlib.sha256(self.id.encode()).hexdigest()


@dataclass
class Recording:
    """What a scenario does when nothing is wrong."""

    scenario: str
    calls: list[tuple[str, str]] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    picture: dict[str, Any] = field(default_factory=dict)
    history_events: int = 0
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def enumerated(recording: Recording) -> Iterator[Case]:
    """Every case of one scenario."""
    scenario = SCENARIOS[recording.scenario]
    counts: Counter[tuple[str, str]] = Counter()
    for system, operation in recording.calls:
        counts[system, operation] += 1
        nth = counts[system, operation]
        if nth > SEEN_OFTEN and READING.search(operation):
            continue
        if scenario.name in ANSWERED and not READING.search(operation):
            for answer in ANSWERS:
                yield Case(scenario.name, "operator", f"{system} {operation} #{nth}", answer, "F15", nth)
        for kind in kinds_for(system, operation):
            yield Case(scenario.name, "call", f"{system} {operation} #{nth}", kind.value, code_of(system, kind), nth)
    for point in dict.fromkeys(recording.points):
        yield Case(scenario.name, "death", point, "killed", "F12")
    if scenario.inbound:
        for number, kind_of_event in enumerate(recording.events):
            place = f"event {number + 1} {kind_of_event}"
            for disorder in DISORDERS[:3]:
                yield Case(scenario.name, "event", place, disorder, "F10", number)
            if number + 1 < len(recording.events):
                yield Case(scenario.name, "event", place, DISORDERS[3], "F11", number)
        if len(recording.events) > 2:
            yield Case(scenario.name, "event", f"{len(recording.events)} events", DISORDERS[4], "F11", 0)
    for clock in CLOCKS:
        yield Case(scenario.name, "clock", "platform", clock, "F16")
    if scenario.name in DATED:
        for day in DAYS:
            yield Case(scenario.name, "day", "departure and dues", day, "F16")
    if answered in scenario.act:
        for wrong in WRONG_ANSWERS:
            yield Case(scenario.name, "answer", "answer of AirPlus", wrong, "F17")


def kinds_for(system: str, operation: str) -> list[Kind]:
    kinds = OF_FILES if system == "airplus" else tuple(CODES)
    reads = READING.search(operation) is not None
    return [kind for kind in kinds if not (reads and kind in OF_WRITES)]


def code_of(system: str, kind: Kind) -> str:
    return "F17" if system == "airplus" else CODES[kind]
