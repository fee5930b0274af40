"""RateHawk's limits per endpoint, learnt from its answers (contracts: midoffice 2.3).

Nothing sleeps here: a call that would break a limit is not made, and says when it may come again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

REMAINING, RESET = "X-RateLimit-Remaining", "X-RateLimit-Reset"
MARGIN = 1.0
"""Seconds after the named reset, because two clocks never agree."""


class Limits:
    """What is left of each endpoint's allowance; safe for threads. One agency's key has one of these."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._left: dict[str, tuple[int, datetime]] = {}

    def take(self, endpoint: str) -> float | None:
        """Use one call up; the number of seconds to wait instead when none is left."""
        with self._lock:
            known = self._left.get(endpoint)
            if known is None:
                return None
            left, reset = known
            wait = (reset - self._now()).total_seconds()
            if wait <= 0:
                del self._left[endpoint]
                return None
            if left <= 0:
                return wait + MARGIN
            self._left[endpoint] = (left - 1, reset)
            return None

    def learn(self, endpoint: str, headers: Mapping[str, str], *, exhausted: bool = False) -> float | None:
        """Remember what an answer says; the number of seconds until the reset, if it names one."""
        reset = _moment(headers.get(RESET))
        if reset is None:
            return None
        told = headers.get(REMAINING, "")
        left = 0 if exhausted or not told.isdecimal() else int(told)
        with self._lock:
            known = self._left.get(endpoint)
            # Of answers that overtake each other within one period the lower number is the later one.
            if known is not None and known[1] == reset:
                left = min(left, known[0])
            self._left[endpoint] = (left, reset)
        return max((reset - self._now()).total_seconds(), 0.0) + MARGIN


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
