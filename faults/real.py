"""A whole season with real processes: worker, gateway and Temporal server die by `kill -9` at moments drawn from a seed."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.season.playing import Demo, broken, playing

NAMES = ("worker", "gateway", "temporal")
MOST_SETTLED = 400
"""Writes in outside systems that an undisturbed season settles, and a few fewer."""
WITHIN = 420.0


@dataclass(frozen=True)
class Kills:
    """After how many settled writes which process dies."""

    seed: int
    when: tuple[tuple[int, str], ...]

    @classmethod
    def drawn(cls, seed: int) -> Kills:
        dice = random.Random(seed)
        moments = sorted(dice.sample(range(3, MOST_SETTLED), 8))
        return cls(seed, tuple((moment, dice.choice(NAMES)) for moment in moments))


def real_season(kills: Kills) -> dict[str, Any]:
    """Play the demo's season under these kills; what is wrong at its end."""
    violations: list[str] = []
    began, done = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, playing(Path(folder), "--once") as demo:
        try:
            for moment, name in kills.when:
                demo.wait_until_settled(moment, WITHIN)
                demo.kill(name)
                done += 1
            code = demo.end(WITHIN)
        except AssertionError as error:
            violations.append(str(error)[:1000])
        else:
            violations += _wrong(demo, code)
    return {
        "seed": kills.seed,
        "kills": [f"{name} after {moment} writes" for moment, name in kills.when],
        "killed": done,
        "violations": violations,
        "seconds": round(time.monotonic() - began, 1),
    }


def _wrong(demo: Demo, code: int) -> list[str]:
    found = [str(each) for each in broken(demo.report)]
    return found if code == 0 or found else [f"ended with {code}: {demo.last_words[-600:]}"]
