"""Whose events are handed on next: agencies in turns, and one that catches up (an import, a backfill) at a pace beside the others.

An ERP takes some ten thousand bookings in hours, so their events may as well wait in our own outbox, where waiting costs nothing,
as in Temporal, where each looks for work again and again. Who has no neighbour at work is held to no pace.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

BATCH = 200
"""Events handed on at a time, of all agencies together; who has more of them waiting catches up."""
NEIGHBOURLY_SECONDS = 900.0
"""So long after its last event an agency that does not catch up counts as a neighbour at work."""


class Turns:
    """Used from the dispatcher's event loop only; `per_second` is the pace of who catches up, None holds nobody to one."""

    def __init__(self, per_second: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._clock = per_second, clock
        self._at_work: dict[str, float] = {}
        self._paced_since: dict[str, float] = {}

    def shares(self, waiting: Mapping[str, int]) -> dict[str, int]:
        """How many events each agency may hand on now, of those that wait; the shares of one call are handed on together."""
        now = self._clock()
        self._paced_since = {agency: since for agency, since in self._paced_since.items() if agency in waiting}
        self._at_work |= {agency: now for agency, count in waiting.items() if count <= BATCH}
        equal = max(1, BATCH // len(waiting)) if waiting else 0
        return {agency: min(count, equal, self._allowed(agency, count, now)) for agency, count in waiting.items()}

    def _allowed(self, agency: str, count: int, now: float) -> int:
        neighbours = (since for other, since in self._at_work.items() if other != agency)
        if (
            count <= BATCH
            or self._per_second is None
            or not any(now - since < NEIGHBOURLY_SECONDS for since in neighbours)
        ):
            self._paced_since.pop(agency, None)
            return BATCH
        since = self._paced_since.setdefault(agency, now)
        allowed = min(int((now - since) * self._per_second), BATCH)
        if allowed:
            self._paced_since[agency] = now
        return allowed

    @property
    def paced(self) -> frozenset[str]:
        """Who is held to the pace at present."""
        return frozenset(self._paced_since)
