"""No agency takes all threads of a system's queue while another one waits (DESIGN section 4; contracts: giav 1.5).

An account makes few calls at once, so hundreds of bookings of one agency would do nothing in their threads but wait for each
other. Beyond an agency's share a cell is put off: it fails before it takes a thread, and Temporal brings it again.
"""

from __future__ import annotations

import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.failures import as_failure
from domain.errors import PutOff

NOBODY: Mapping[str, int] = {}
KEPT_FREE = 4
"""One thread in so many is kept for agencies that come next."""
RECENT_SECONDS = 60.0
"""How long an agency counts as one of those that share."""
BACK_A_SECOND = 4.0
"""So many cells of an agency that were put off come back each second: enough for its threads, little for Temporal."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.5, 900.0
"""Between two attempts of a cell that is put off; the longer one where thousands wait."""

HURRIED_SECONDS = 10.0
"""At most so long for a cell with a limited number of attempts."""


class Shares:
    """Who has how many threads of one queue. Used from the worker's event loop only."""

    def __init__(
        self, threads: int, clock: Callable[[], float] = time.monotonic, most: Mapping[str, int] = NOBODY
    ) -> None:
        self._threads, self._clock, self._most = threads, clock, most
        self._held: Counter[str] = Counter()
        self._seen: dict[str, float] = {}
        self._put_off: dict[str, dict[str, float]] = defaultdict(dict)
        self._looked: dict[str, float] = {}

    def may_enter(self, agency: str) -> bool:
        """While threads are to spare anybody; of those that are kept free, who has less than an equal share. Nobody beyond `most`."""
        now = self._clock()
        self._seen[agency] = now
        if self._held[agency] >= self._most.get(agency, self._threads):
            return False
        if self._held.total() < self._threads - self._threads // KEPT_FREE:
            return True
        sharing = sum(1 for seen in self._seen.values() if seen > now - RECENT_SECONDS)
        return self._held[agency] < self._threads // (sharing + 1)

    def pause(self, agency: str, cell: str) -> float:
        """Seconds until a cell that may not enter comes back: the longer the more of them wait, and never all together."""
        now, waiting = self._clock(), self._put_off[agency]
        if now >= self._looked.get(agency, 0.0) + SHORTEST_SECONDS:
            # Another process may have taken what does not come back here.
            self._looked[agency] = now
            for gone in [each for each, expected in waiting.items() if expected < now]:
                del waiting[gone]
        longest = min(max((len(waiting) + 1) / BACK_A_SECOND, SHORTEST_SECONDS), LONGEST_SECONDS)
        waiting[cell] = now + 2 * longest
        scattered = zlib.crc32(f"{cell}@{now}".encode()) % 1000 / 1000
        return longest * (0.5 + scattered / 2)

    @contextmanager
    def thread(self, agency: str, cell: str) -> Iterator[None]:
        self._put_off[agency].pop(cell, None)
        self._held[agency] += 1
        try:
            yield
        finally:
            self._held[agency] -= 1


class FairShare(Interceptor):
    """For one queue with so many threads; `most` bounds single agencies further."""

    def __init__(self, queue: str, threads: int, most: Mapping[str, int] = NOBODY) -> None:
        self._queue, self._shares = queue, Shares(threads, most=most)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Sharing(next, self._queue, self._shares)


class _Sharing(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, queue: str, shares: Shares) -> None:
        super().__init__(next)
        self._queue, self._shares = queue, shares

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        agency = getattr(input.args[0], "agency", None) if input.args else None
        if agency is None:
            return await super().execute_activity(input)
        info = activity.info()
        cell = f"{info.workflow_id}/{info.activity_id}"
        if not self._shares.may_enter(agency):
            words = f"{agency} has its share of {self._queue}'s threads"
            pause = self._shares.pause(agency, cell)
            if info.retry_policy is not None and info.retry_policy.maximum_attempts:
                # Whoever gives up after some attempts, as a payment does, tries again soon.
                pause = min(pause, HURRIED_SECONDS)
            # The system was not asked, so nothing has failed: no breaker counts this.
            raise as_failure(PutOff(words, system=self._queue, retry_after=pause))
        with self._shares.thread(agency, cell):
            return await super().execute_activity(input)
