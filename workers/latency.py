"""How long an event took from the webhook until a cell had written what follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from prometheus_client import Histogram
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

WRITTEN = Histogram(
    "bookings_webhook_to_written_seconds",
    "From the moment at which an event was stored until a cell had carried it out",
    ["cell"],
    buckets=(0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600),
)

Received = Callable[[str, str], datetime | None]
"""When an event (agency, event id) was stored; None for one that did not come by webhook."""


class Latency(Interceptor):
    """For workers whose cells write; `received` is asked once for each event in a process."""

    def __init__(self, received: Received) -> None:
        self._received = lru_cache(maxsize=4096)(received)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Timed(next, self._received)


class _Timed(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, received: Received) -> None:
        super().__init__(next)
        self._received = received

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        result = await super().execute_activity(input)
        step = input.args[0] if input.args else None
        if event_id := getattr(step, "event_id", ""):
            since = await asyncio.to_thread(self._received, getattr(step, "agency", ""), event_id)
            if since is not None:
                WRITTEN.labels(activity.info().activity_type).observe((datetime.now(UTC) - since).total_seconds())
        return result
