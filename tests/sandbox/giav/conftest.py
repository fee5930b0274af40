"""One running GIAV stand-in per test, with a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from sandbox.giav.stand_in import GiavStandIn
from sandbox.running import running
from tests.sandbox.giav.caller import Giav


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 12, 0))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stand_in(clock: Clock) -> GiavStandIn:
    return GiavStandIn(clock=clock)


@pytest.fixture
def giav(stand_in: GiavStandIn) -> Iterator[Giav]:
    with running(stand_in) as url:
        caller = Giav(url)
        yield caller
        caller.http.close()
