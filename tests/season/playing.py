"""The demo as a process of its own, seen from outside: its children, its progress, its report."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
STEADY = "Ctrl-C stops everything"
"""What a demo that was played to its end says before it waits for its end."""


class Demo:
    """One `bookings demo` in `folder`. Output goes to `folder/said.txt`, data to `data`, temporary files to `tmp`."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self.data = folder, folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self._said = folder / "said.txt"
        self._from = self._said.stat().st_size if self._said.exists() else 0
        command = [
            sys.executable,
            "-m",
            "starter",
            "demo",
            "--data",
            str(self.data),
            "--pace",
            "0",
            "--any-ports",
            *arguments,
        ]
        paths = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", "TMPDIR": str(self.temporary)},
                start_new_session=True,  # a terminal's Ctrl-C reaches the whole group, and only this one
            )

    @property
    def said(self) -> str:
        """What it has said so far, without what an earlier demo in this folder said."""
        with self._said.open("rb") as said:
            said.seek(self._from)
            return said.read().decode("utf-8", "replace")

    @property
    def report(self) -> dict[str, Any]:
        """`demo-report.json`, which `--once` writes."""
        found: dict[str, Any] = json.loads((self.folder / "demo-report.json").read_text("utf-8"))
        return found

    @property
    def effects_done(self) -> int:
        """How many writes in outside systems are settled, by the store's own rows."""
        store = self.data / "store.db"
        if not store.exists():
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=60)) as connection:
            try:
                (number,) = connection.execute(
                    "SELECT count(*) FROM effects WHERE state IN ('done', 'undone')"
                ).fetchone()
            except sqlite3.OperationalError:  # the tables are not there yet
                return 0
        return int(number)

    def child(self, name: str) -> int | None:
        """The process id of the `worker`, `gateway` or `temporal` child; None while it is being started again."""
        for pid in children_of(self._process.pid):
            words = command_of(pid)
            if name in words or (name == "temporal" and "start-dev" in words):
                return pid
        return None

    def kill(self, name: str) -> None:
        """`kill -9` of a child, once it is there."""
        self.wait_until(lambda: self.child(name) is not None, within=120)
        pid = self.child(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def interrupt(self) -> None:
        """Ctrl-C at a terminal."""
        os.killpg(self._process.pid, signal.SIGINT)

    def wait_until(self, holds: Callable[[], bool], within: float) -> None:
        """Until `holds`; fails with the demo's last words when it ends before, or after `within` seconds."""
        end = time.monotonic() + within
        while not holds():
            assert self._process.poll() is None, f"the demo ended with {self._process.returncode}:\n{self.last_words}"
            assert time.monotonic() < end, f"not within {within:.0f} s:\n{self.last_words}"
            time.sleep(0.02)

    def wait_until_settled(self, number: int, within: float) -> None:
        """Until so many writes in outside systems are settled."""
        self.wait_until(lambda: self.effects_done >= number, within)

    def end(self, within: float) -> int:
        """Its exit code."""
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {within:.0f} s:\n{self.last_words}") from None

    @property
    def last_words(self) -> str:
        return "\n".join(self.said.splitlines()[-40:])

    def close(self) -> None:
        """Leave nothing behind, however the test ended. The children end with their parent."""
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


@contextlib.contextmanager
def playing(folder: Path, *arguments: str) -> Iterator[Demo]:
    demo = Demo(folder, *arguments)
    try:
        yield demo
    finally:
        demo.close()


def children_of(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:  # it ended meanwhile
        return []


def command_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").split("\0")
    except OSError:
        return []


def standings(report: dict[str, Any]) -> dict[str, Any]:
    """The tables that say how everything stands at the end; how many writes it took depends on what came when."""
    return {table["title"]: table["rows"] for table in report["tables"] if "writes" not in table["title"]}


def broken(report: dict[str, Any]) -> list[Any]:
    return [invariant for invariant in report["invariants"] if not invariant["holds"]]
