"""How many calls an account takes: a leaky bucket per token, and the block after repeated excess (contracts: kommo 1, 6)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

WINDOW = 1.0
PATIENCE = 3
"""Windows with excess after which everything is forbidden."""


class Bucket:
    """`per_second` calls; `blocked_seconds` of 403 when three windows were exceeded within a minute."""

    def __init__(
        self, per_second: float = 7.0, blocked_seconds: float = 300.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_second = per_second
        self.blocked_seconds = blocked_seconds
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}
        self._windows: dict[str, list[float]] = {}
        self._blocked: dict[str, float] = {}
        self.refused = 0

    def take(self, token: str) -> Literal["ok", "throttled", "blocked"]:
        now = self._clock()
        if self._blocked.get(token, 0.0) > now:
            return "blocked"
        level, at = self._levels.get(token, (0.0, now))
        level = max(0.0, level - (now - at) * self.per_second)
        if level + 1 <= self.per_second:
            self._levels[token] = (level + 1, now)
            return "ok"
        self._levels[token] = (level, now)
        self.refused += 1
        windows = [start for start in self._windows.get(token, []) if now - start < 60]
        if not windows or now - windows[-1] >= WINDOW:
            windows.append(now)
        self._windows[token] = windows
        if len(windows) >= PATIENCE:
            self._blocked[token] = now + self.blocked_seconds
            return "blocked"
        return "throttled"

    def forget(self) -> None:
        self._levels.clear()
        self._windows.clear()
        self._blocked.clear()
        self.refused = 0
