"""`bookings up`: Temporal, store, gateway, console and worker as one installation on one machine (DESIGN section 8)."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from starter.answers import CommandError
from starter.children import Child, Recipe
from starter.embedded import port_is_free, server_command, wait_until_serving
from starter.opening import opened_store
from store.installation import Installation

GRACE = {"temporal": 10.0, "gateway": 5.0, "console": 5.0, "worker": 25.0}
"""Seconds that each child gets to end; together the longest time that stopping takes."""


class Supervisor:
    """The processes of one installation. `announce` receives one line at a time for the person who looks on."""

    def __init__(self, installation: Installation, settings_file: Path, announce: Callable[[str], None]) -> None:
        self._installation = installation
        self._settings_file = settings_file.resolve()
        self._announce = announce
        self.children: dict[str, Child] = {}

    @property
    def addresses(self) -> dict[str, str]:
        """What a person may open or call."""
        gateway = self._installation.gateway
        return {
            "gateway": f"http://{gateway.host}:{gateway.port}/events",
            "console": self._installation.console.url,
            "temporal": self._installation.temporal.target,
            "temporal ui": self._installation.temporal.ui,
            "store": f"{self._installation.data / 'store.db'}"
            if self._installation.store.url is None
            else "as in settings",
            "logs": str(self.logs),
        }

    @property
    def logs(self) -> Path:
        return self._installation.data / "logs"

    @contextlib.asynccontextmanager
    async def running(self, asked_to_stop: asyncio.Event) -> AsyncIterator[Supervisor]:
        """Everything up and answering, or as far as it came when asked to stop; everything stopped at the end.

        Raises `CommandError` when a start is impossible.
        """
        with only_supervisor(self._installation.data):
            self._check_ports()
            starting = asyncio.create_task(self._start())
            asking = asyncio.create_task(asked_to_stop.wait())
            try:
                await asyncio.wait((starting, asking), return_when=asyncio.FIRST_COMPLETED)
                if starting.done():
                    await starting
                yield self
            finally:
                for task in (starting, asking):
                    task.cancel()
                await asyncio.gather(starting, asking, return_exceptions=True)
                await self._stop()

    def _check_ports(self) -> None:
        installation = self._installation
        needed = [
            ("gateway.port", installation.gateway.host, installation.gateway.port),
            ("console.port", installation.console.host, installation.console.port),
        ]
        if installation.temporal.address is None:
            needed.append(("temporal.port", "127.0.0.1", installation.temporal.port))
            needed.append(("temporal.ui_port", "127.0.0.1", installation.temporal.ui_port))
        for name, host, port in needed:
            if not port_is_free(host, port):
                raise CommandError(
                    f"port {port} ({name}) is in use, perhaps by a server that a killed supervisor left behind: "
                    f"find it with 'ss -ltnp sport = :{port}' and end it, or choose another {name} in the settings"
                )

    async def _start(self) -> None:
        with opened_store(self._installation, migrate=True):
            self._announce("store ready")
        if self._installation.temporal.address is None:
            await self._child("temporal", server_command(self._installation))
        try:
            await wait_until_serving(self._installation)
        except TimeoutError:
            raise CommandError(
                f"Temporal did not answer at {self._installation.temporal.target}; see {self.logs / 'temporal.log'}"
            ) from None
        self._announce(f"Temporal ready, UI at {self._installation.temporal.ui}")
        for name in ("gateway", "worker", "console"):
            command = [sys.executable, "-m", "starter", name, "--settings", str(self._settings_file)]
            await self._child(name, command)
        for name, way_in in (("gateway", self._installation.gateway), ("console", self._installation.console)):
            await self._listening(name, way_in.host, way_in.port)

    async def _child(self, name: str, command: list[str]) -> None:
        child = Child(Recipe(name, command, grace=GRACE[name]), self.logs, self._announce)
        self.children[name] = child
        await child.start()

    async def _listening(self, name: str, host: str, port: int, within: float = 120.0) -> None:
        """Wait until a child takes connections, and say where. Raises `CommandError`."""
        try:
            async with asyncio.timeout(within):
                while True:
                    try:
                        _, writer = await asyncio.open_connection(host, port)
                    except OSError:
                        await asyncio.sleep(0.1)
                        continue
                    writer.close()
                    break
        except TimeoutError:
            raise CommandError(f"the {name} did not start; see {self.logs / f'{name}.log'}") from None
        self._announce(f"{name} ready at {self.addresses[name]}")

    async def _stop(self) -> None:
        """Ways in first, then the workers, then Temporal; what arrives meanwhile finds a closed door, not a lost event."""
        for name in ("gateway", "console", "worker", "temporal"):
            if name in self.children:
                await self.children[name].stop()
        self._announce("stopped")


@contextlib.contextmanager
def only_supervisor(data: Path) -> Iterator[None]:
    """Hold the data folder; two supervisors on one folder would write the same files."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise CommandError(
                f"an installation with the data folder {data} is already running (process {lock.read().strip() or '?'})"
            ) from None
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def asked_to_stop() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set from now on."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    return asked
