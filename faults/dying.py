"""Where a worker may die: at the start of a cell, before and after each of its commits, and before its end is reported.

A cell that dies stops at that very line (nothing behind it runs, a transaction that is open is rolled back) and Temporal
hears no more of it, which is all that the server and the store can notice of a process that is gone.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from store.database import Database


class Killed(BaseException):
    """The process is gone; no `except Exception` may notice."""


@dataclass
class Deaths:
    """The points of one agency's cells: named while they are passed, and perhaps deadly."""

    wanted: str | None = None
    numbers: frozenset[int] = frozenset()
    """Points by their number among all of this agency."""
    sick: range = range(0)
    """Points at which the disk of the store is full."""
    passed: list[str] = field(default_factory=list)
    died: int = 0
    recording: bool = False
    _counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """From now on points are counted: the act has begun."""
        with self._lock:
            self._counts.clear()
            self.passed.clear()
            self.recording = True

    def at(self, where: str) -> None:
        """Raises `Killed` at the point that is wanted, once."""
        with self._lock:
            if not self.recording:
                return
            self._counts[where] += 1
            name = f"{where} {self._counts[where]}"
            self.passed.append(name)
            number = len(self.passed)
            if number in self.sick:
                raise OperationalError("COMMIT", None, sqlite3.OperationalError("database or disk is full"))
            if number not in self.numbers and (name != self.wanted or self.died):
                return
            self.died += 1
        raise Killed(name)


class Cemetery:
    """Deaths by agency, and the hooks that lead there."""

    def __init__(self) -> None:
        self._of: dict[str, Deaths] = defaultdict(Deaths)

    def of(self, agency: str) -> Deaths:
        return self._of[agency]

    def here(self, where: str) -> None:
        """A point in the cell that runs in this thread, if one does."""
        if activity.in_activity():
            info = activity.info()
            agency = agency_of(info.workflow_id or "")
            if agency in self._of:
                self._of[agency].at(f"{info.activity_type}: {where}")

    @contextmanager
    def dug(self) -> Iterator[None]:
        """Every commit of the store is two points while the block runs."""
        plain = Database.begin
        here = self.here

        @contextmanager
        def begin(self: Database) -> Iterator[Connection]:
            with plain(self) as connection:
                yield connection
                here("before commit")
            here("after commit")

        Database.begin = begin  # type: ignore[method-assign]
        try:
            yield
        finally:
            Database.begin = plain  # type: ignore[method-assign]


def agency_of(workflow_id: str) -> str:
    """Every workflow id names its agency behind what it is."""
    return [*workflow_id.split("/"), "", ""][1]


class Mortal(Interceptor):
    """To be given to the workers: cells that die are never heard of again."""

    def __init__(self, cemetery: Cemetery) -> None:
        self._cemetery = cemetery

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Dying(next, self._cemetery)


class _Dying(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, cemetery: Cemetery) -> None:
        super().__init__(next)
        self._cemetery = cemetery

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            self._cemetery.here("start")
            done = await super().execute_activity(input)
            self._cemetery.here("report")
        except Killed:
            activity.raise_complete_async()
        return done
