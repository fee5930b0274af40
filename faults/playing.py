"""Plays one case to its end and judges it: did the fault strike, is everything as without it, was the right person asked?"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from faults import answers, picture
from faults.answers import UNCLEAR
from faults.cases import SECONDS, Case, Recording
from faults.days import wrong_days
from faults.picture import Picture
from faults.scenarios import EXPERIENCE, SCENARIOS, Scenario
from faults.stage import Moving, Stage, Stuck
from sandbox.faults import Fault, Kind
from store.parked import ParkedItem

ENOUGH_ANSWERS = 5
PERSON_LOOKS_AFTER = 8
"""So many looks after rest a person reads the list: what has gone by itself until then asks nobody."""
SETTLES_WITHIN = 25.0
"""Seconds without any movement in which a case that rests may still become as its twin: a late effect, a look that comes last."""
AT_MOST = 120.0
"""Seconds for the same where something moves for ever, as feeds do."""
ASKS = frozenset({Kind.REFUSE, Kind.CROSSED, Kind.EMPTY, Kind.PAGE_200, Kind.MALFORMED})
"""Faults after which a person may be asked: a refusal says no, a wrong or garbled answer cannot be sorted by a machine."""
BEYOND = frozenset({Kind.CROSSED})
"""Faults after which `retry` alone need not help: what was told belongs to another record, and a person has to look."""


@dataclass
class Outcome:
    """`result`: "same" as the twin, "parked" for a person with everything else in order, "unreached" where the place of
    the fault varies and did not come this time, or "violation"."""

    id: str
    scenario: str
    family: str
    place: str
    fault: str
    code: str
    result: str
    parked: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    fired: int = 0
    seconds: float = 0.0
    resolved: float = 0.0
    """Seconds from the strike until everything stood as without it; 0.0 where a person was asked, or it never did."""

    def plain(self) -> dict[str, Any]:
        return asdict(self)


async def play_before(stage: Stage, scenario: Scenario) -> None:
    for act in scenario.before:
        await act(stage)
    await stage.rest()


async def record(stage: Stage, name: str) -> Recording:
    """Play a scenario undisturbed."""
    scenario, began = SCENARIOS[name], time.monotonic()
    await play_before(stage, scenario)
    before = stage.house.count_of_calls()
    deaths = stage.office.cemetery.of(stage.agency)
    deaths.begin()
    told = len(stage.told)
    for act in scenario.act:
        await act(stage)
    await stage.rest()
    await asyncio.sleep(1.0)
    await stage.rest()
    # Before the books are read: that calls the platform, too.
    calls = list((stage.house.count_of_calls() - before).elements())
    taken = await asyncio.to_thread(picture.take, stage)
    items = [item.reason for item in stage.items()]
    broken = [each for each in taken.broken if not each.startswith(scenario.still_open)]
    if broken or sorted(items) != sorted(scenario.answers):
        raise AssertionError(f"{name} is not in order without any fault: {broken}, {items}")
    events = [each.kind for each in stage.told[told:]]
    return Recording(name, calls, list(deaths.passed), events, asdict(taken), seconds=time.monotonic() - began)


async def play(stage: Stage, case: Case, recording: Recording) -> Outcome:
    """One case; never raises for what the product does."""
    began = time.monotonic()
    outcome = Outcome(case.id, case.scenario, case.family, case.place, case.fault, case.code, "violation")
    try:
        await _played(stage, case, recording, outcome)
    except Stuck as stuck:
        outcome.found.append(f"stuck: {stuck}")
    except Exception as error:  # noqa: BLE001 whatever happens is the case's outcome, and the others go on
        outcome.found.append(f"the case itself failed: {type(error).__name__}: {error}")
    struck, outcome.resolved = outcome.resolved, 0.0
    if struck and outcome.result == "same":
        outcome.resolved = round(time.monotonic() - struck, 2)
    outcome.seconds = round(time.monotonic() - began, 2)
    return outcome


async def _played(stage: Stage, case: Case, recording: Recording, outcome: Outcome) -> None:
    scenario, twin = SCENARIOS[case.scenario], Picture(**recording.picture)
    if case.family == "event":
        await _disordered(stage, case, scenario)
        outcome.fired = 1
        await _judge(stage, case, twin, outcome, scenario)
        return
    if case.family == "answer":
        await _answered_wrongly(stage, case, scenario, outcome)
        await _judge(stage, case, twin, outcome, scenario)
        return
    if case.family == "day":
        stage.day, outcome.fired = case.fault, 1
    await play_before(stage, scenario)
    fault = _armed(stage, case)
    answering: asyncio.Task[None] | None = None
    if case.family == "operator":
        answering = asyncio.create_task(_answered_unluckily(stage, case, scenario, outcome))
    if case.family == "clock":
        stage.skew = 290.0 if "ahead" in case.fault else -290.0
        outcome.fired = 1
    watching = asyncio.create_task(_always(stage, case, fault, outcome))
    try:
        for act in scenario.act:
            await act(stage)
            if len(scenario.act) > 1 and case.family != "operator":
                # It goes on only when the act before is through.
                await _answer_all(stage, scenario, outcome)
        if answering is not None:
            await answering
        await _judge(stage, case, twin, outcome, scenario)
        if case.family == "day":
            _judge_days(stage, outcome)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    if fault is not None:
        outcome.fired = fault.fired
    elif case.family == "death":
        outcome.fired = stage.office.cemetery.of(stage.agency).died
    if not outcome.fired and (scenario.varies or case.varies) and not outcome.found:
        outcome.result = "unreached"
    elif not outcome.fired:
        outcome.result = "violation"
        outcome.found.append("the fault never struck")


def _armed(stage: Stage, case: Case) -> Fault | None:
    deaths = stage.office.cemetery.of(stage.agency)
    if case.family == "death":
        deaths.begin()
        deaths.wanted = case.place
        return None
    if case.family not in ("call", "operator"):
        return None
    system, operation = _place(case)
    kind = Kind.REFUSE if case.family == "operator" else Kind(case.fault)
    board = stage.house.stand_ins[system].faults
    # What the scenario itself makes fail before that call is struck first, and not counted by ours.
    before = sum(1 for each in board.faults if each.operation == operation and each.skip < case.nth - 1)
    wish = {
        "operation": operation,
        "kind": kind.value,
        "skip": case.nth - 1 - before,
        "seconds": SECONDS.get(kind, 0.0),
    }
    return board.set(wish)


def _place(case: Case) -> tuple[str, str]:
    system, _, operation = re.sub(r" #\d+$", "", case.place).partition(" ")
    return system, operation


async def _answered_unluckily(stage: Stage, case: Case, scenario: Scenario, outcome: Outcome) -> None:
    """Two people answer the same stop at once; exactly one of them may win (F15)."""
    item = await stage.parked(besides=scenario.answers)
    outcome.parked.append(f"{item.reason} at {item.verb}: {item.detail[:160]}")
    if case.fault == "answered while it is slow":
        slow = {"operation": "*", "kind": "slow", "times": 4, "seconds": 0.8}
        stage.house.stand_ins[_place(case)[0]].faults.set(slow)
    won = await asyncio.gather(stage.answer(item, by="ana@agency"), stage.answer(item, by="luis@agency"))
    if won.count(True) != 1:
        outcome.found.append(f"{won.count(True)} of two answers were accepted")


async def _always(stage: Stage, case: Case, fault: Fault | None, outcome: Outcome) -> None:
    """What must hold in the middle of a crash: judged when the fault has just struck."""
    deaths = stage.office.cemetery.of(stage.agency)
    while not (fault.fired if fault is not None else deaths.died):  # noqa: ASYNC110 counted by another loop
        await asyncio.sleep(0.1)
    outcome.resolved = time.monotonic()
    if case.family == "death":
        await asyncio.to_thread(SCENARIOS[case.scenario].after_death, stage)
    books = await asyncio.to_thread(picture.read_books, stage)
    outcome.found += [f"in the middle: {each}" for each in picture.broken(books, only_always=True)]


async def _answer_all(stage: Stage, scenario: Scenario, outcome: Outcome) -> bool:
    """Rest; and where somebody is asked who is not asked in the twin, that person says `retry`."""
    for _ in range(ENOUGH_ANSWERS):
        rested = await stage.rest()
        if not _asked(stage, scenario):
            return True
        await stage.watch.after(rested.number + PERSON_LOOKS_AFTER)
        for item in _asked(stage, scenario):
            outcome.parked.append(f"{item.reason} at {item.verb}: {item.detail[:160]}")
            await stage.answer(item, "retry" if "retry" in item.decisions else item.decisions[0])
    return False


def _asked(stage: Stage, scenario: Scenario) -> list[ParkedItem]:
    """What somebody has to answer who is not asked in the twin."""
    expected = Counter(scenario.answers)
    return [item for item in stage.items() if item.workflow_id and not _takes(expected, item.reason)]


def _takes(expected: Counter[str], reason: str) -> bool:
    if expected[reason] > 0:
        expected[reason] -= 1
        return True
    return False


async def _judge(stage: Stage, case: Case, twin: Picture, outcome: Outcome, scenario: Scenario) -> None:
    """Wait until everything is as without the fault; what is not by then is said."""
    moving = Moving(stage, still=SETTLES_WITHIN, patience=AT_MOST)
    while True:
        helped = await _answer_all(stage, scenario, outcome)
        now = await asyncio.to_thread(picture.take, stage)
        different = now.differs(twin, fewer=scenario.gives_up and case.family == "call" and Kind(case.fault) in ASKS)
        if not different or moving.over() or not helped:
            break
        await asyncio.sleep(0.7)
    may_ask = case.family == "operator" or case.fault in UNCLEAR or (case.family == "call" and Kind(case.fault) in ASKS)
    if different and not helped and case.family == "call" and Kind(case.fault) in BEYOND and not now.broken:
        # Only a person can sort it out, and is asked; nothing is twice and nothing is wrong meanwhile.
        outcome.result = "parked"
        return
    if outcome.parked and not may_ask:
        different = [*different, f"a person was asked: {outcome.parked[:3]}"]
    outcome.found += different
    if not outcome.found:
        outcome.result = "parked" if outcome.parked else "same"


def _judge_days(stage: Stage, outcome: Outcome) -> None:
    experience = stage.house.platform.platform.storage.find("experience", EXPERIENCE)
    assert experience is not None
    wrong = wrong_days(experience["snapshot"], stage.house.giav.state())
    if wrong:
        outcome.result = "violation"
        outcome.found += wrong


# Answers of AirPlus ---------------------------------------------------------------------------------------------------


async def _answered_wrongly(stage: Stage, case: Case, scenario: Scenario, outcome: Outcome) -> None:
    """The night as ever, and then an answer that nobody expects; what is unclear about it a person has to see to."""
    await play_before(stage, scenario)
    answers.kept_back(stage, case.fault)
    for act in scenario.act:
        await act(stage)
        await _answer_all(stage, scenario, outcome)
    outcome.fired = await answers.given(stage, case.fault)
    await scenario.act[-1](stage)
    if case.fault in UNCLEAR:
        reason, decision = answers.SEEN_TO
        item = await stage.parked(besides=scenario.answers)
        outcome.parked.append(f"{item.reason} at {item.verb}: {item.detail[:160]}")
        if item.reason != reason or not await stage.answer(item, decision):
            outcome.found.append(f"asked for {item.reason}, should be {reason}")


# Events ---------------------------------------------------------------------------------------------------------------


async def _disordered(stage: Stage, case: Case, scenario: Scenario) -> None:
    """The events of the whole act, carried in the order that the case wants."""
    await play_before(stage, scenario)
    stage.held = True
    for act in scenario.act:
        if getattr(act, "__name__", "") != "rested":
            await act(stage)
    await stage.carry()
    events = list(stage.waiting)
    stage.held = False
    place = case.nth
    match case.fault:
        case "swapped with the next":
            events[place], events[place + 1] = events[place + 1], events[place]
        case "last first":
            events = [events[-1], *events[:-1]]
    for number, told in enumerate(events):
        times = {"twice": 2, "five times": 5}.get(case.fault, 1) if number == place else 1
        for _ in range(times):
            await stage.tell(told)
        if case.fault in ("swapped with the next", "last first"):
            await asyncio.sleep(0.4)
    if case.fault == "again afterwards":
        await stage.rest()
        await stage.tell(events[place])
