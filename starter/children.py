"""A child process that is started again whenever it dies, and that never outlives its parent."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

BACKOFF = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before each new start in a row; a child that lived `HEALTHY` seconds begins again at the first."""
HEALTHY = 30.0
LARGEST_LOG = 20 * 1024 * 1024
"""Bytes after which a log file is set aside as `.1` at the next start."""

_PR_SET_PDEATHSIG = 1


def _tie_to_parent() -> Callable[[], None]:
    """What a child does between fork and exec: ask Linux for SIGTERM when its parent dies, however it dies.

    Elsewhere there is no such call; there an orphan shows by the port that it still holds.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc, parent = ctypes.CDLL(None, use_errno=True), os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return tie


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to start a child. `grace` is how many seconds it gets between SIGTERM and SIGKILL."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    grace: float = 10.0


class Child:
    """One child under supervision; its output goes to `{logs}/{name}.log`."""

    def __init__(self, recipe: Recipe, logs: Path, announce: Callable[[str], None]) -> None:
        self.recipe = recipe
        self.restarts = 0
        self._logs = logs
        self._announce = announce
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def log_file(self) -> Path:
        return self._logs / f"{self.recipe.name}.log"

    async def start(self) -> None:
        """Start it and keep it running until `stop`."""
        await self._spawn()
        self._watch = asyncio.create_task(self._keep_alive())

    async def stop(self) -> None:
        """SIGTERM, after the grace SIGKILL, to the whole process group; returns when it is gone."""
        self._stopping = True
        if self._watch:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._send(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self.recipe.grace)
        except TimeoutError:
            self._announce(f"{self.recipe.name} did not end within {self.recipe.grace:.0f} s and was killed")
        self._send(signal.SIGKILL)  # whatever is left of its group
        await process.wait()

    def _send(self, number: signal.Signals) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    async def _spawn(self) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > LARGEST_LOG:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        with self.log_file.open("ab") as log_file:
            self._process = await asyncio.create_subprocess_exec(
                *self.recipe.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log_file,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **(self.recipe.environment or {})},
                start_new_session=True,  # Ctrl-C reaches the supervisor only, which then stops its children in order
                preexec_fn=_tie_to_parent(),
            )

    def _last_words(self) -> str:
        """The last line of its log."""
        with self.log_file.open("rb") as log_file:
            log_file.seek(max(0, log_file.seek(0, os.SEEK_END) - 2_000))
            lines = log_file.read().decode("utf-8", "replace").split("\n")
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "none")

    async def _keep_alive(self) -> None:
        failures = 0
        while True:
            assert self._process is not None
            began = time.monotonic()
            code = await self._process.wait()
            if self._stopping:
                return
            self._send(signal.SIGKILL)  # grandchildren of a child that died
            failures = 0 if time.monotonic() - began >= HEALTHY else failures + 1
            wait = BACKOFF[min(failures, len(BACKOFF)) - 1] if failures else BACKOFF[0]
            self.restarts += 1
            self._announce(
                f"{self.recipe.name} ended with {code}; starting it again in {wait:g} s. "
                f"Last words, of {self.log_file}: {self._last_words()}"
            )
            await asyncio.sleep(wait)
            await self._spawn()
