"""Runs the doors of AirPlus' and other stand-ins for files on a loopback port in a background thread, for tests and small tools."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from sandbox.airplus.manners import Manners
from sandbox.airplus.stand_in import AirplusStandIn

WITHIN = 20.0


class Reach(NamedTuple):
    """Where the server is and how to know it."""

    host: str
    port: int
    fingerprint: str


class ServesSftp(Protocol):
    """A stand-in with an SFTP server."""

    @property
    def fingerprint(self) -> str: ...

    async def start_sftp(self, port: int = 0) -> int: ...

    async def stop_sftp(self) -> None: ...


@contextmanager
def running_sftp(stand_in: ServesSftp, port: int = 0) -> Iterator[Reach]:
    """Serve SFTP while the block runs. Raises OSError if the port is taken."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox-airplus-sftp", daemon=True)
    thread.start()
    try:
        taken = asyncio.run_coroutine_threadsafe(stand_in.start_sftp(port), loop).result(WITHIN)
        yield Reach("127.0.0.1", taken, stand_in.fingerprint)
    finally:
        asyncio.run_coroutine_threadsafe(_end(stand_in), loop).result(WITHIN)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WITHIN)
        loop.close()


@contextmanager
def running_ftps(stand_in: AirplusStandIn, port: int = 0, manners: Manners | None = None) -> Iterator[Reach]:
    """Serve FTPS while the block runs; the fingerprint is the pin of the certificate. Raises OSError if the port is taken."""
    try:
        yield Reach("127.0.0.1", stand_in.start_ftps(port, manners=manners), stand_in.papers.pin)
    finally:
        stand_in.stop_ftps()


async def _end(stand_in: ServesSftp) -> None:
    await stand_in.stop_sftp()
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
