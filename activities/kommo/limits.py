"""What an account allows: calls a second, pauses it asks for, and when it has shut us out (contracts: kommo 1 "Limits")."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from activities.kommo.wire import SYSTEM
from activities.pace import Pace
from domain.errors import Transient

MOST_DOUBLINGS = 8
SUSPECT_SECONDS = 600.0
"""A 403 so long after a 429 is the account's block, not a missing right."""
SHUT_SECONDS = 900.0
MOST_SHUT_SECONDS = 4 * 3600.0
"""How long nobody calls after a block, doubled each time: calling while blocked prolongs it."""


class Limits:
    """One per account and process, shared by its threads."""

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._pace = Pace(per_second, max(1, int(per_second)), system=SYSTEM, clock=clock, sleep=sleep)
        self._clock = clock
        self._dice = dice
        self._lock = threading.Lock()
        self._throttled = 0
        self._throttled_at: float | None = None
        self._shut_until = 0.0
        self._blocks = 0

    def take(self, operation: str) -> None:
        """Wait for one's turn. Raises `Transient` with the time to come back."""
        left = self._shut_until - self._clock()
        if left > 0:
            raise Transient(
                "the account has shut us out for too many calls", system=SYSTEM, operation=operation, retry_after=left
            )
        self._pace.take(operation)

    def throttled(self, retry_after: float | None) -> float:
        """429: nobody calls for max(what they ask, 1 s), doubled with each one in a row and jittered; the pause in seconds."""
        with self._lock:
            doublings = min(self._throttled, MOST_DOUBLINGS)
            self._throttled += 1
            self._throttled_at = self._clock()
        pause = max(retry_after or 0.0, 1.0) * 2.0**doublings * (1.0 + self._dice() / 4)
        self._pace.stop(pause)
        return pause

    def forbidden(self) -> float | None:
        """403: after a recent 429 it is the block, and all traffic stops for so many seconds; else None."""
        with self._lock:
            now = self._clock()
            if self._throttled_at is None or now - self._throttled_at > SUSPECT_SECONDS:
                return None
            if self._shut_until <= now:
                self._shut_until = now + min(SHUT_SECONDS * 2.0**self._blocks, MOST_SHUT_SECONDS)
                self._blocks += 1
            # What comes after the pause is still judged as following the excess.
            self._throttled_at = self._shut_until
            return self._shut_until - now

    def served(self) -> None:
        """An answer came: the account takes calls."""
        with self._lock:
            self._throttled = 0
            if self._throttled_at is not None and self._clock() - self._throttled_at > SUSPECT_SECONDS:
                self._throttled_at, self._blocks = None, 0
