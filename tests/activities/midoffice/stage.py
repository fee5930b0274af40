"""One listening socket per system for the whole session, on which each test puts a stand-in of its own."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.running import running
from sandbox.serving import StandIn


class Stage:
    """Looks like a stand-in to `running`; passes every request on to whoever is on it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.playing: ASGIApp = Starlette()

    def app(self) -> ASGIApp:
        async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
            await self.playing(scope, receive, send)

        return pass_on


@functools.cache
def _stage(name: str) -> tuple[Stage, str]:
    stage = Stage(name)
    kept = ExitStack()
    url = kept.enter_context(running(stage))  # type: ignore[arg-type]  # needs a name and an app, no more
    atexit.register(kept.close)
    return stage, url


@contextmanager
def staged(stand_in: StandIn) -> Iterator[str]:
    """Serve `stand_in` while the block runs; yields its address."""
    stage, url = _stage(stand_in.name)
    stage.playing = stand_in.app()
    yield url
    stand_in.close()
