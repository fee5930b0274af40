"""At most so many calls a second on one account, shared by all threads of a worker: what is over the limit comes back later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from domain.errors import PutOff

LONGEST_PAUSE = 2.0
"""Seconds that a thread waits for its turn; whoever would wait longer gives the thread back and is called again."""


class Pace:
    """A bucket that fills with `per_second` calls up to `burst`. Nothing is sent before a call has its place."""

    def __init__(
        self,
        per_second: float,
        burst: int,
        *,
        system: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._system = system
        self._clock = clock
        self._sleep = sleep
        self._left = float(burst)
        self._at = clock()
        self._lock = threading.Lock()

    def take(self, operation: str) -> None:
        """Wait for one's turn. Raises `PutOff` with the time to come back when that is too far away."""
        with self._lock:
            now = self._clock()
            self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
            self._at = now
            pause = max(0.0, (1.0 - self._left) / self._per_second)
            if pause > LONGEST_PAUSE:
                raise PutOff(
                    "the calls of this second are used up", system=self._system, operation=operation, retry_after=pause
                )
            self._left -= 1.0
        if pause:
            self._sleep(pause)

    def stop(self, seconds: float) -> None:
        """The other side asked for a pause: nobody's turn before it is over."""
        with self._lock:
            self._left = min(self._left, 1.0 - seconds * self._per_second)
            self._at = self._clock()


def turns(per_second: float | None, system: str) -> Callable[[str], None]:
    """What every call takes first, by the name of its operation: a turn of the account's pace, or nothing where none is set."""
    return Pace(per_second, max(1, int(per_second)), system=system).take if per_second else lambda _: None
