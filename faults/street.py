"""One socket for the stand-ins of many agencies: `/{agency}/{system}/…` leads to that agency's own stand-in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.running import Listener, loopback_socket

T = TypeVar("T")
STARTS_WITHIN = 20.0


class Street:
    """Doors by agency and system; they may open and close while the street is served from a thread of its own."""

    def __init__(self) -> None:
        self.url = ""
        self._doors: dict[tuple[str, str], ASGIApp] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self, agency: str, system: str, app: ASGIApp) -> str:
        self._doors[agency, system] = app
        return f"{self.url}/{agency}/{system}"

    def close(self, agency: str) -> None:
        for door in [door for door in self._doors if door[0] == agency]:
            del self._doors[door]

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the street's own loop, where its servers live."""
        assert self._loop is not None
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        words = [*str(scope["path"]).split("/", 3), "", ""]
        agency, system = words[1], words[2]
        app = self._doors.get((agency, system))
        if app is None:
            await send({"type": "http.response.start", "status": 410, "headers": []})
            await send({"type": "http.response.body", "body": b"this house is closed"})
            return
        await app({**scope, "root_path": f"/{agency}/{system}"}, receive, send)


@contextmanager
def served(street: Street) -> Iterator[Street]:
    """Serve while the block runs; h11, because its connections can be cut."""
    bound = loopback_socket(0)
    config = uvicorn.Config(
        street,
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
        backlog=4096,
        timeout_keep_alive=300,
    )
    server = Listener(config, [bound])

    async def serve() -> None:
        street._loop = asyncio.get_running_loop()
        await server.serve(sockets=server.bound)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="street", daemon=True)
    thread.start()
    if not server.listening.wait(STARTS_WITHIN):
        raise RuntimeError("the street was not served in time")
    street.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    try:
        yield street
    finally:
        server.should_exit = True
        thread.join(STARTS_WITHIN)
        bound.close()
