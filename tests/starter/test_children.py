"""Children are started again, stopped in time, and never outlive their parent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from starter.answers import CommandError
from starter.children import Child, Recipe
from starter.supervisor import only_supervisor

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]
NEST = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)",
]


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def until(holds: Callable[[], bool], within: float = 90.0) -> None:
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 other processes have no events to wait for
            await asyncio.sleep(0.02)


def gone_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


async def test_a_killed_child_is_started_again_and_a_line_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child(Recipe("sleeper", SLEEPER), tmp_path, said.append)
    await child.start()
    try:
        await until(lambda: child.log_file.read_bytes() == b"up\n")
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in (None, first))
        assert child.restarts == 1
        assert "sleeper ended with -9" in said[0]
        assert "up" in said[0]
    finally:
        await child.stop()


async def test_stopping_ends_the_child_and_does_not_start_it_again(tmp_path: Path) -> None:
    child = Child(Recipe("sleeper", SLEEPER), tmp_path, lambda _: None)
    await child.start()
    pid = child.pid
    assert pid is not None
    await child.stop()
    assert not alive(pid)
    assert child.pid is None
    assert child.restarts == 0


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child(Recipe("stubborn", STUBBORN, grace=0.2), tmp_path, said.append)
    await child.start()
    await until(lambda: child.log_file.read_bytes() == b"up\n")
    pid = child.pid
    assert pid is not None
    await child.stop()
    assert not alive(pid)
    assert "was killed" in said[0]


async def test_stopping_takes_grandchildren_along(tmp_path: Path) -> None:
    child = Child(Recipe("nest", NEST), tmp_path, lambda _: None)
    await child.start()
    await until(lambda: child.log_file.read_bytes().endswith(b"\n"))
    grandchild = int(child.log_file.read_bytes())
    assert alive(grandchild)
    await child.stop()
    assert gone_within(grandchild, 60)


def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import asyncio, pathlib, sys
        from starter.children import Child, Recipe
        async def main():
            child = Child(Recipe("sleeper", {SLEEPER!r}), pathlib.Path({str(tmp_path)!r}), print)
            await child.start()
            print(child.pid, flush=True)
            await asyncio.sleep(600)
        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    assert gone_within(pid, 60)


def test_a_second_supervisor_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (
        only_supervisor(tmp_path),
        pytest.raises(CommandError, match=f"already running \\(process {os.getpid()}\\)"),
        only_supervisor(tmp_path),
    ):
        pass
    with only_supervisor(tmp_path):
        pass
