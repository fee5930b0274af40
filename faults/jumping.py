"""The clock of worker and store jumps forth and back while a season is played; Temporal's and the platform's stay as they are."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import FunctionType

NAMES = ("utc_now", "_utc_now")
ROOMS = ("store.", "activities.")
BETWEEN, LASTING = (2.0, 8.0), (0.5, 3.0)
"""Seconds between two jumps, and until the clock is right again."""
FAR = (-2400.0, -90.0, 90.0, 2400.0)
"""Seconds by which it jumps: as a virtual machine that was asleep, or a wrong time server."""


class Offset:
    """How wrong the clocks are now, and how often they jumped."""

    now = timedelta(0)
    jumps = 0


def _jumped() -> datetime:
    from faults.jumping import Offset

    return datetime.now(UTC) + Offset.now


def clocks() -> Iterator[FunctionType]:
    """Every clock of the store and of the cells; who was given one holds the same function."""
    for name, module in list(sys.modules.items()):
        if name.startswith(ROOMS):
            for own in NAMES:
                clock = vars(module).get(own)
                if isinstance(clock, FunctionType) and clock.__module__ == name:
                    yield clock


@asynccontextmanager
async def clocks_jumping(dice: random.Random) -> AsyncIterator[None]:
    """Jump again and again while the block runs."""
    plain = [(clock, clock.__code__) for clock in clocks()]
    for clock, _ in plain:
        clock.__code__ = _jumped.__code__

    async def jumping() -> None:
        while True:
            await asyncio.sleep(dice.uniform(*BETWEEN))
            Offset.now = timedelta(seconds=dice.choice(FAR))
            Offset.jumps += 1
            await asyncio.sleep(dice.uniform(*LASTING))
            Offset.now = timedelta(0)

    task = asyncio.create_task(jumping())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        Offset.now = timedelta(0)
        for clock, code in plain:
            clock.__code__ = code
