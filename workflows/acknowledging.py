"""Waiting for what a system answers later: how often it is asked, when that is late, when a person is told
(contracts: midoffice 3.2 QUEUED, 8.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from temporalio import workflow

EXPECTED = timedelta(minutes=15)
"""Within this time an acknowledgement comes; money need not wait any longer for it."""
LATE = timedelta(minutes=60)
"""After this time they are asked what they hold, and the lifecycle says that it waits."""
OVERDUE = timedelta(hours=24)
"""After this time a person is told."""
SHORTEST, POLL = timedelta(seconds=5), timedelta(minutes=1)
SLOWER: tuple[tuple[timedelta, timedelta], ...] = (
    (LATE, timedelta(minutes=5)),
    (OVERDUE, timedelta(minutes=30)),
    (timedelta(hours=48), timedelta(hours=1)),
)
SLOWEST = timedelta(hours=6)
"""A person may leave it lying for long, and the history of the waiting has to stay short."""

Ask = Callable[[bool], Awaitable[Sequence[str]]]
"""Reads the answers that are there and gives what is still awaited; told whether to ask what they hold, too."""


def pause_after(waited: timedelta) -> timedelta:
    """How long until the next look: soon at first, each minute while an answer is expected, then less and less."""
    if waited < EXPECTED:
        return max(SHORTEST, min(POLL, waited))
    return next((pause for until, pause in SLOWER if waited < until), SLOWEST)


class Acknowledgement:
    """One waiting. `when_late` is called once, as soon as the answer is later than expected."""

    def __init__(self, ask: Ask, when_late: Callable[[], Awaitable[None]]) -> None:
        self._ask = ask
        self._when_late = when_late
        self._began = workflow.now()
        self._background: asyncio.Task[bool] | None = None

    async def comes(self, within: timedelta | None = OVERDUE) -> bool:
        """Wait until everything is answered; False when `within` (None: for ever) is over. Raises what `ask` raises."""
        told = within is None
        while within is None or self._waited < within:
            pause = pause_after(self._waited)
            await workflow.sleep(pause if within is None else min(pause, within - self._waited))
            if not await self._ask(self._waited >= LATE):
                return True
            if self._waited >= EXPECTED and not told:
                told = True
                await self._when_late()
        return False

    def goes_on(self) -> Callable[[], bool]:
        """Keep looking while a person is asked; gives the question whether an answer came, whichever it is."""
        self._background = asyncio.create_task(self.comes(within=None))
        return self._background.done

    def ends(self) -> None:
        """Stop looking."""
        if self._background is None:
            return
        if self._background.done() and not self._background.cancelled():
            # A refusal that came late is met again by whoever repeats the step.
            self._background.exception()
        self._background.cancel()

    @property
    def _waited(self) -> timedelta:
        return workflow.now() - self._began
