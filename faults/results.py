"""What is kept of a run: recordings, and one line for each case that was played, so that an interrupted run goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.cases import Recording

PROJECT = Path(__file__).resolve().parents[1]
ROOMS = ("domain", "workflows", "activities", "store", "workers", "starter", "sandbox", "faults")


def digest_of_code() -> str:
    """Which code was played: outcomes of other code count no more."""
    found = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((PROJECT / room).rglob("*.py")):
            if room != "faults" or path.name not in ("report.py", "pages.py", "__main__.py"):
                found.update(path.relative_to(PROJECT).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:16]


@dataclass
class Run:
    """Everything of one state of the code, in a folder of its own."""

    folder: Path
    recordings: dict[str, Recording] = field(default_factory=dict)
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    bugs: dict[str, dict[str, Any]] = field(default_factory=dict)
    searches: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was found of people and secrets in all that an office wrote, by its job."""

    @classmethod
    def of(cls, root: Path, digest: str) -> Run:
        folder = root / digest
        folder.mkdir(parents=True, exist_ok=True)
        run = cls(folder)
        run.reread()
        return run

    def reread(self) -> None:
        """Take in what the processes wrote; a line that was cut by a kill is played again."""
        self.recordings = {each["scenario"]: Recording(**each) for each in _lines(self.folder.glob("recorded*.jsonl"))}
        told = list(_lines(self.folder.glob("outcomes*.jsonl")))
        self.outcomes = {each["id"]: each for each in told if "id" in each}
        self.searches = {each["searched"]: each for each in told if "searched" in each}
        self.bugs = {each["bug"]: each for each in _lines(self.folder.glob("bugs*.jsonl"))}


def _lines(paths: Iterable[Path]) -> Iterable[dict[str, Any]]:
    for path in sorted(paths):
        for line in path.read_text("utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue
