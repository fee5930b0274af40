"""`python -m faults`: every fault at every call of every lifecycle (docs/reliability.md). Goes on where it was interrupted."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults import report
from faults.bugs import BUGS
from faults.cases import Case, enumerated
from faults.results import PROJECT, Run, digest_of_code
from faults.scenarios import SCENARIOS
from faults.shard import Job
from starter import entrypoint

CHUNK = 240
"""Cases of one process: its Temporal server and its store end with it."""
ROUNDS = 5
"""How often a case is played whose fault met nobody: not every place is there in every run."""
ROOT = Path("var") / "faults"


@dataclass
class Team:
    """So many processes side by side, each with a job of its own until none is left."""

    size: int
    run: Run
    at_work: dict[subprocess.Popen[bytes], Job] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def do(self, jobs: Iterable[tuple[Job, str]]) -> None:
        """Every job, its outcomes in the file that is named with it."""
        waiting = list(jobs)
        total, began = len(waiting), time.monotonic()
        while waiting or self.at_work:
            while waiting and len(self.at_work) < self.size:
                job, out = waiting.pop(0)
                self.at_work[self._start(job, out)] = job
            time.sleep(0.5)
            for process in [each for each in self.at_work if each.poll() is not None]:
                job = self.at_work.pop(process)
                if process.returncode:
                    self.failed.append(job.name)
                self.run.reread()
                results = Counter(str(each["result"]) for each in self.run.outcomes.values())
                line = f"{total - len(waiting) - len(self.at_work)} of {total} jobs, {time.monotonic() - began:.0f} s: "
                print(f"  {line}{dict(results)}", file=sys.stderr, flush=True)

    def _start(self, job: Job, out: str) -> subprocess.Popen[bytes]:
        path = job.written(self.run.folder / f"job-{job.name}.json")
        log = (self.run.folder / f"log-{job.name}.txt").open("wb")
        command = [sys.executable, "-m", "faults.shard", str(path), str(self.run.folder / out)]
        paths = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
        return subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": paths})

    def stop(self) -> None:
        for process in self.at_work:
            process.terminate()
        for process in self.at_work:
            process.wait(30)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="SCENARIO", help="one scenario; may be repeated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one for each core)")
    parser.add_argument("--most", type=int, metavar="N", help="play at most so many cases now; the next run goes on")
    parser.add_argument("--case", metavar="ID", help="play one case, by its id as the report names it")
    parser.add_argument(
        "--without-bugs", action="store_true", help="do not prove with seeded bugs that faults are caught"
    )
    parser.add_argument(
        "--bug", action="append", default=[], choices=sorted(BUGS), help="play a seeded bug; cases only with --most"
    )
    parser.add_argument("--report-only", action="store_true", help="write the report of what was played before")
    parser.add_argument("--write", action="store_true", help="write docs/reliability.md")
    chosen = parser.parse_args()
    unknown = set(chosen.only) - set(SCENARIOS)
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    run = Run.of(ROOT, digest_of_code())
    team = Team(max(1, chosen.jobs), run)
    wanted = [name for name in SCENARIOS if name in chosen.only or not chosen.only]
    try:
        if not chosen.report_only:
            _play(team, chosen, wanted)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    finally:
        team.stop()
    told = report.told(
        run, [case for name in wanted if name in run.recordings for case in enumerated(run.recordings[name])]
    )
    for path in report.write(told, run, page=PROJECT / "docs" / "reliability.md" if chosen.write else None):
        print(f"written: {path}", file=sys.stderr)
    print(told.summary())
    missing = [name for name in wanted if name not in run.recordings]
    if missing or team.failed:
        print(f"not recorded: {missing}; processes that failed: {team.failed} (logs in {run.folder})", file=sys.stderr)
    return 0 if told.good and not missing and not team.failed else 1


def _play(team: Team, chosen: argparse.Namespace, wanted: Sequence[str]) -> None:
    run = team.run
    missing = [name for name in wanted if name not in run.recordings]
    if missing:
        print(f"recording {len(missing)} scenarios without faults", file=sys.stderr)
        team.do([(Job("record", tuple(missing)), "recorded.jsonl")])
    cases = [case for name in wanted if name in run.recordings for case in enumerated(run.recordings[name])]
    if chosen.case:
        cases = [case for case in cases if case.id == chosen.case]
        run.outcomes.pop(chosen.case, None)
    if chosen.bug and chosen.most is None:
        cases = []
    left = sorted((case for case in cases if case.id not in run.outcomes), key=lambda case: case.rank)[: chosen.most]
    print(f"{len(cases)} cases, {len(cases) - len(left)} of them not to be played now", file=sys.stderr)
    _have_played(team, left)
    for _ in range(1, ROUNDS):
        missed = [case for case in cases if case.id in run.outcomes and met_nobody(run.outcomes[case.id])]
        if not missed:
            break
        print(f"{len(missed)} cases whose fault met nobody, once more", file=sys.stderr)
        _have_played(team, missed)
    if chosen.bug or not (chosen.without_bugs or chosen.case or chosen.only):
        _plant(team, chosen.bug)


def _have_played(team: Team, cases: Sequence[Case]) -> None:
    run, stamp, jobs = team.run, int(time.time()), []
    for number, chunk in enumerate(_chunks(cases)):
        recordings = tuple(run.recordings[name] for name in sorted({case.scenario for case in chunk}))
        jobs.append((Job(f"{stamp}-{number:03d}", (), chunk, recordings), f"outcomes-{stamp}-{number:03d}.jsonl"))
    team.do(jobs)


def met_nobody(outcome: dict[str, Any]) -> bool:
    """Everything was in order, and the fault did not strike."""
    return outcome["result"] == "unreached" or outcome["found"] == ["the fault never struck"]


def _plant(team: Team, only: Sequence[str] = ()) -> None:
    """Each seeded bug by itself, against the cases that ought to notice it."""
    run, jobs = team.run, []
    every = {case.id: case for each in run.recordings.values() for case in enumerated(each)}
    for bug in BUGS.values():
        was_played = bool(run.bugs.get(bug.name, {}).get("played"))  # one that was interrupted has played nothing
        if was_played or (only and bug.name not in only):
            continue
        cases = tuple(filter(None, (_fitting(every.values(), wanted) for wanted in bug.wanted)))
        recordings = tuple(run.recordings[name] for name in sorted({case.scenario for case in cases}))
        jobs.append((Job(f"bug-{bug.name}", (), cases, recordings, bug.name), f"bugs-{bug.name}.jsonl"))
    team.do(jobs)


def _fitting(cases: Iterable[Case], wanted: tuple[str, str, str]) -> Case | None:
    scenario, place, fault = wanted
    found = (each for each in cases if each.scenario == scenario and each.fault == fault)
    return next((each for each in found if each.place.startswith(place)), None)


def _chunks(cases: Sequence[Case]) -> list[tuple[Case, ...]]:
    return [tuple(cases[start : start + CHUNK]) for start in range(0, len(cases), CHUNK)]


if __name__ == "__main__":
    entrypoint.run(main)
