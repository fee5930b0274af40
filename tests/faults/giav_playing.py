"""Plays a scripted day against the GIAV stand-in over a socket, as Temporal would: a cell is called again after every
failure that may be retried, and after a person's answer where it parked. Nobody sleeps (notes: faults).
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import event, make_url
from temporalio.exceptions import ApplicationError

from activities.giav.activities import GiavActivities
from activities.giav.office import GiavAccount
from domain.effects import EffectState
from domain.steps import Done
from sandbox.faults import Fault, Kind
from sandbox.giav.records import Records
from sandbox.giav.stand_in import GiavStandIn
from store import Store
from tests import stories
from tests.activities.giav.desk import section
from tests.databases import migrated_url
from tests.faults.giav_comparing import comparable, documents_of
from tests.faults.giav_script import MORNING, Happening

MADRID = ZoneInfo("Europe/Madrid")
MOST_ATTEMPTS = 40
"""Of one cell: three sends with three looks each need ten, and several of its operations may break in one day."""


class SteeredStandIn(GiavStandIn):
    """A GIAV whose clock stands where the day stands, and whose late effects land when told."""

    def __init__(self) -> None:
        self.moment = MORNING
        super().__init__(clock=lambda: self.moment.astimezone(MADRID).replace(tzinfo=None))
        self._late_ones: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, threading.Event]] = []
        self._as_set_up = copy.deepcopy(self.books.records)

    def empty(self) -> None:
        """As on the day before its first customer."""
        self.books.records = copy.deepcopy(self._as_set_up)

    async def _land(self, seconds: float, effect: Callable[[], Any]) -> None:
        gate, landed = asyncio.Event(), threading.Event()
        self._late_ones.append((asyncio.get_running_loop(), gate, landed))
        await gate.wait()
        effect()
        landed.set()

    def let_land(self) -> None:
        """Every late effect happens now."""
        while self._late_ones:
            loop, gate, landed = self._late_ones.pop()
            loop.call_soon_threadsafe(gate.set)
            assert landed.wait(10), "the late effect never landed"


@dataclass
class Played:
    """How a day went and what it left in GIAV and in our own store, in comparable form. `parked` holds the classes of
    the refusals that a person answered, `first_call` says per operation which happening called it first, `calls_of` how many
    calls each happening made."""

    calls_of: list[int] = field(default_factory=list)
    first_call: dict[str, int] = field(default_factory=dict)
    parked: list[str] = field(default_factory=list)
    retried: int = 0
    faults: list[Fault] = field(default_factory=list)
    giav: dict[str, list[str]] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Moment:
    """Both sides as they stood before a happening."""

    records: Records
    database: sqlite3.Connection


class Stage:
    """One stand-in, one store, and the day without faults, from whose moments the days with a fault set out: what comes
    before the first call of an operation is the same in both."""

    def __init__(self, stand_in: SteeredStandIn, url: str, script: list[Happening], folder: Path) -> None:
        self.stand_in, self.url = stand_in, url
        database = migrated_url("sqlite", folder)
        self._file = make_url(database).database or ""
        ticks = itertools.count()
        # The ledger tells the order of effects by their times, so no two may have the same.
        self.store = Store.open(database, clock=lambda: stand_in.moment + timedelta(microseconds=next(ticks)))
        event.listen(self.store.database.engine, "connect", _forget_disks)
        account = GiavAccount.open(section(url))
        self._cells = GiavActivities(self.store, {stories.AGENCY: account}, lambda: stand_in.moment)
        self._script = script
        self._moments: list[Moment] = []
        stand_in.empty()
        self.undisturbed = self._play(0, remember=True)

    def close(self) -> None:
        self.store.close()

    def left_after(self, operation: str) -> int:
        """How many calls follow in the day without faults from where it first calls this."""
        start = self.undisturbed.first_call[operation]
        return sum(self.undisturbed.calls_of[start:])

    def play(self, *wishes: tuple[str, Kind]) -> Played:
        """The day with a fault at the next call of each operation. It sets out where the first of them is called; raises
        KeyError if the day without faults never calls it."""
        start = self.undisturbed.first_call[wishes[0][0]]
        self._go_back(self._moments[start])
        return self._play(start, wishes)

    def _play(self, start: int, wishes: Iterable[tuple[str, Kind]] = (), *, remember: bool = False) -> Played:
        self.stand_in.faults.clear()
        self.stand_in.calls.clear()
        played = Played()
        for operation, kind in wishes:
            wish = {"operation": operation, "kind": kind.value, "seconds": 0.01 if kind is Kind.SLOW else 0}
            played.faults.append(self.stand_in.faults.set(wish))
        for number, happening in enumerate(self._script[start:], start):
            if remember:
                self._moments.append(self._now())
            self._happen(happening, played)
            made = [call["operation"] for call in self.stand_in.calls]
            self.stand_in.calls.clear()
            played.calls_of.append(len(made))
            for each in made:
                played.first_call.setdefault(each, number)
        self._look(played)
        return played

    def _happen(self, happening: Happening, played: Played) -> None:
        self.stand_in.moment = happening.at
        if happening.event is not None:
            assert self.store.inbox.accept(happening.event) == "new"
        self._insist(getattr(self._cells, happening.cell), happening, played)
        self.stand_in.let_land()

    def _insist(self, cell: Callable[[Any], Done], happening: Happening, played: Played) -> None:
        for attempt in range(1, MOST_ATTEMPTS + 1):
            try:
                cell(happening.step)
            except ApplicationError as error:
                if error.non_retryable:
                    self._answer(error, played)
                    continue
                played.retried += 1
                if attempt > 1:
                    # What comes late comes after somebody has looked for it in vain.
                    self.stand_in.let_land()
                continue
            if not self._see_to_what_was_left(played):
                return
        raise AssertionError(f"{happening.words}: not done after {MOST_ATTEMPTS} attempts")

    def _answer(self, error: ApplicationError, played: Played) -> None:
        """What a person answers to a refusal that was GIAV's mistake: try again, with the effect armed if it was one."""
        played.parked.append(error.type or "")
        effect = error.details[0]["effect"] if error.details else ""
        if effect:
            assert self.store.effects.rearm(effect), f"{effect} cannot be armed again"

    def _see_to_what_was_left(self, played: Played) -> bool:
        """A file that GIAV would not close parks nothing; its refused effect is seen to and tried again all the same."""
        rows = self.store.effects.unsettled(stories.AGENCY)
        refused = [row.record.key for row in rows if row.record.state is EffectState.REFUSED]
        for key in refused:
            played.parked.append("left open")
            assert self.store.effects.rearm(str(key))
        return bool(refused)

    def _look(self, played: Played) -> None:
        state = self.stand_in.state()
        played.giav = comparable(state)
        played.numbers = sorted(invoice["Codigo"] for invoice in state["Factura"])
        played.documents = documents_of(self.store, stories.AGENCY)
        played.unsettled = [str(row.record.key) for row in self.store.effects.unsettled(stories.AGENCY)]
        played.listed = [item.reason for item in self.store.parked.list(stories.AGENCY)]

    # Going back ------------------------------------------------------------------------------------------------------

    def _now(self) -> Moment:
        memory = sqlite3.connect(":memory:")
        self._copy(memory, into_memory=True)
        return Moment(copy.deepcopy(self.stand_in.books.records), memory)

    def _go_back(self, moment: Moment) -> None:
        self.stand_in.books.records = copy.deepcopy(moment.records)
        self._copy(moment.database, into_memory=False)

    def _copy(self, memory: sqlite3.Connection, *, into_memory: bool) -> None:
        disk = sqlite3.connect(self._file)
        try:
            if into_memory:
                disk.backup(memory)
            else:
                memory.backup(disk)
        finally:
            disk.close()


def _forget_disks(connection: Any, _record: Any) -> None:
    """Tests prove logic, not disks."""
    connection.execute("PRAGMA synchronous=OFF")
