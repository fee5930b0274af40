"""A pulse for every running activity, so that the death of a worker is noticed in seconds and not when its time is up.

A cell is one long attempt with many effects; only its beginning of an effect would be told otherwise, and a call may take
longer than we want to wait for a dead process. What hangs while its worker lives ends by the cell's own limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

BEAT = timedelta(seconds=2)
"""Time between two beats; several fit into the silence after which a cell is taken over."""


class Pulse(Interceptor):
    """To be given to every worker that runs activities."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._said = _Remembering(outbound)
        super().init(self._said)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        beating = asyncio.create_task(self._beat())
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT.total_seconds())
            self._said.repeat()


class _Remembering(ActivityOutboundInterceptor):
    """Keeps what the activity said last (the running effect) for the next beat.

    Said at once it would cost a call and a write of the server for every cell, though most are over before the first beat.
    """

    def __init__(self, next: ActivityOutboundInterceptor) -> None:
        super().__init__(next)
        self._last: Sequence[Any] = ()

    def heartbeat(self, *details: Any) -> None:
        self._last = details

    def repeat(self) -> None:
        super().heartbeat(*self._last)
