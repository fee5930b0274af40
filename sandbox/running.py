"""Runs one stand-in on a loopback port in a background thread, for tests and small tools."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from sandbox.serving import StandIn

STARTS_WITHIN = 60.0
STOPS_WITHIN = 60.0


class Listener(uvicorn.Server):
    """A server that says when it listens, so that nobody polls, and leaves the process's signals to its owner."""

    def __init__(self, config: uvicorn.Config, bound: list[socket.socket]) -> None:
        super().__init__(config)
        self.bound = bound
        self.listening = threading.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()


def configured(stand_in: StandIn) -> uvicorn.Config:
    """How every stand-in is served: h11 (the connection can be cut, see `Dropped`), no access log, no lifespan."""
    return uvicorn.Config(
        stand_in.app(),
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


def loopback_socket(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises OSError if the port is taken."""
    # asyncio only switches off Nagle's delay (40 ms for each answer) where the socket names its protocol.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


@contextmanager
def running(stand_in: StandIn, port: int = 0) -> Iterator[str]:
    """Serve `stand_in` while the block runs; yields `http://127.0.0.1:PORT`. Raises OSError if the port is taken."""
    bound = loopback_socket(port)
    server = Listener(configured(stand_in), [bound])
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": server.bound}, name=f"sandbox-{stand_in.name}", daemon=True
    )
    thread.start()
    try:
        if not server.listening.wait(STARTS_WITHIN):
            raise RuntimeError(f"the stand-in {stand_in.name} did not start within {STARTS_WITHIN:.0f} s")
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(STOPS_WITHIN)
        bound.close()
