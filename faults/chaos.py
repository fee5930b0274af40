"""`python -m faults.chaos`: seasons in which everything breaks at once, each of them drawn from a seed (docs/reliability.md).

Most seasons are short and share an office of this process; `--real N` plays N whole seasons with processes of their own, whose
worker, gateway and Temporal server are killed with `kill -9`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faults import cutting, patience
from faults.jumping import Offset, clocks_jumping
from faults.office import light, quiet
from faults.real import Kills, real_season
from faults.shard import Piece, Work, work_off
from faults.stage import Stage
from faults.storm import survive
from faults.weather import drawn
from starter import entrypoint

CHUNK = 40
"""Seasons of one office."""
REAL_SECONDS = 90.0
"""A season of real processes is played where there are so many seconds for it."""
REPORT = Path("chaos-report.json")
CUTS: list[int] = []
"""How often all connections of a PostgreSQL were cut, office by office."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="one seed: its season, and seasons drawn from it until the time is up")
    parser.add_argument("--seconds", type=float, default=120.0, help="time for --seed (default %(default)s)")
    parser.add_argument("--seeds", metavar="A..B", help="one short season for each of these seeds")
    parser.add_argument(
        "--real", type=int, default=0, metavar="N", help="with --seeds: so many whole seasons with real processes"
    )
    parser.add_argument("--postgres", action="store_true", help="the store on a PostgreSQL whose connections are cut")
    chosen = parser.parse_args()
    patience.shorten()
    quiet()
    light()
    played: list[dict[str, Any]] = []
    real: list[dict[str, Any]] = []
    began = time.monotonic()
    if chosen.seeds:
        first, _, last = chosen.seeds.partition("..")
        seeds = list(range(int(first), int(last or first) + 1))
        for start in range(0, len(seeds), CHUNK):
            played += asyncio.run(_short(seeds[start : start + CHUNK], postgres=chosen.postgres))
        real = [real_season(Kills.drawn(seed)) for seed in seeds[: chosen.real]]
    else:
        seed = 7 if chosen.seed is None else chosen.seed
        played += asyncio.run(_short([seed], postgres=chosen.postgres))
        if chosen.seconds - (time.monotonic() - began) >= REAL_SECONDS:
            real.append(real_season(Kills.drawn(seed)))
        more = 0
        while time.monotonic() - began < chosen.seconds - 20.0:
            # Large steps, so that the seasons of one seed are not those of the next.
            played += asyncio.run(
                _short([seed + 1_000_000 * (more + each) for each in range(1, 9)], postgres=chosen.postgres)
            )
            more += 8
    return _told(played, real, time.monotonic() - began)


async def _short(seeds: Sequence[int], *, postgres: bool = False) -> list[dict[str, Any]]:
    """One season for each seed, side by side, under clocks that jump; on PostgreSQL all connections are cut again and again."""
    async with clocks_jumping(random.Random(seeds[0])):
        if not postgres:
            return await _seasons(seeds, None)
        url = cutting.database()
        async with cutting.again_and_again(url, random.Random(seeds[0])) as cuts:
            played = await _seasons(seeds, url)
            CUTS.append(cuts.number)
            return played


async def _seasons(seeds: Sequence[int], store_url: str | None) -> list[dict[str, Any]]:
    played: list[dict[str, Any]] = []

    def season(seed: int) -> Work:
        async def work(stage: Stage) -> dict[str, Any]:
            return (await survive(stage, drawn(seed))).plain()

        return work

    def tell(told: dict[str, Any]) -> None:
        played.append(told)
        if told["violations"]:
            print(f"seed {told['seed']}: {told['violations'][:4]}", file=sys.stderr, flush=True)

    pieces = [Piece(f"s{number:04d}", frozenset(), season(seed)) for number, seed in enumerate(seeds)]
    # A worker that remembers few workflows replays them from their history again and again, as a new one does.
    await work_off(pieces, tell, remembering=30, store_url=store_url)
    return played


def _told(played: list[dict[str, Any]], real: list[dict[str, Any]], seconds: float) -> int:
    bad = [each for each in played if each["violations"]]
    lost = [each for each in real if each["violations"]]
    sums = {name: sum(int(each[name]) for each in played) for name in ("verbs", "told", "struck", "died", "answered")}
    figures = {
        "seasons": len(played),
        "violations": len(bad),
        "seeds_to_look_at": [each["seed"] for each in bad],
        "left_to_people": sum(1 for each in played if each["waiting"]),
        "reasons_left": Counter(line.partition(" at ")[0] for each in played for line in each["waiting"]),
        **sums,
        "clock_jumps": Offset.jumps,
        "connections_cut": sum(CUTS),
        "processes_killed": sum(each["killed"] for each in real),
        "real_seasons": real,
        "seconds": round(seconds, 1),
    }
    REPORT.write_text(json.dumps({**figures, "played": played}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(
        f"{len(played)} seasons, {sums['verbs']} verbs, {sums['told']} deliveries, {sums['struck']} faults, {sums['died']} deaths in "
        f"{seconds:.0f} s: {len(bad)} with violations, {figures['left_to_people']} with something left to people; "
        f"{len(real)} seasons of real processes, {len(lost)} with violations"
    )
    for each in bad + lost:
        print(f"  again: make chaos SEEDS={each['seed']}  {each['violations'][:3]}")
    return 1 if bad or lost else 0


if __name__ == "__main__":
    entrypoint.run(main)
