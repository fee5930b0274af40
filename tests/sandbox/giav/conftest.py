"""A fresh GIAV stand-in per test behind one server, with a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.giav.stand_in import GiavStandIn
from sandbox.running import running
from sandbox.serving import StandIn
from tests.sandbox.giav.caller import Giav


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 12, 0))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class Behind(StandIn):
    """One server for all tests: starting one takes longer than most tests do."""

    behind: ASGIApp

    def app(self) -> Starlette:
        return Starlette(routes=self.routes())

    def routes(self) -> list[BaseRoute]:
        return [Mount("/", app=self._forward)]

    def state(self) -> dict[str, object]:
        return {}

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.behind(scope, receive, send)


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[Behind, str]]:
    front = Behind()
    with running(front) as url:
        yield front, url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stand_in(clock: Clock) -> GiavStandIn:
    return GiavStandIn(clock=clock)


@pytest.fixture
def giav(server: tuple[Behind, str], stand_in: GiavStandIn) -> Iterator[Giav]:
    front, url = server
    front.behind = stand_in.app()
    caller = Giav(url)
    yield caller
    caller.http.close()
