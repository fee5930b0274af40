"""The acts of the day at GIAV and the verdict on each of its disturbed repetitions, in this process or in two others."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.faults import Kind
from sandbox.running import running
from tests.faults.giav_comparing import differences, twins
from tests.faults.giav_playing import Stage, SteeredStandIn
from tests.faults.giav_script import ACTS, act, day

WHOLE_DAY = "the whole day"
PROCESSES = 2

Faults = tuple[tuple[str, Kind], ...]
"""What breaks, by operation; the day sets out where the first of them is called. The name of an act stands for every
operation that it calls."""


@dataclass(frozen=True)
class Verdict:
    """How a disturbed day compares with the undisturbed one. `left` is what is unsettled or on a list at its end."""

    fired: list[int]
    parked: list[str]
    differences: list[str]
    twins: list[str]
    same_numbers: bool
    same_documents: bool
    left: list[str]


Verdicts = dict[Faults, "Future[Verdict]"]


class Theatre:
    """One stand-in, and a stage for each act, played without faults when it is first wanted."""

    def __init__(self, stand_in: SteeredStandIn, url: str, folder: Path) -> None:
        self._stand_in, self._url, self._folder = stand_in, url, folder
        self._stages: dict[str, Stage] = {}

    def stage(self, name: str) -> Stage:
        if name not in self._stages:
            script = day() if name == WHOLE_DAY else act(name)
            self._stages[name] = Stage(self._stand_in, self._url, script, self._folder)
        return self._stages[name]

    def verdict(self, faults: Faults) -> Verdict:
        """Play the act that is soonest over once it has called what breaks, or the act that is named; the whole day if
        much breaks."""
        what, kind = faults[0]
        if what in ACTS:
            stage = self.stage(what)
            faults = tuple((operation, kind) for operation in stage.undisturbed.first_call)
        elif len(faults) > 1:
            stage = self.stage(WHOLE_DAY)
        else:
            calling = (stage for stage in map(self.stage, ACTS) if what in stage.undisturbed.first_call)
            stage = min(calling, key=lambda stage: stage.left_after(what))
        played, undisturbed = stage.play(*faults), stage.undisturbed
        return Verdict(
            fired=[fault.fired for fault in played.faults],
            parked=played.parked,
            differences=differences(played.giav, undisturbed.giav),
            twins=twins(played.giav),
            same_numbers=played.numbers == undisturbed.numbers,
            same_documents=played.documents == undisturbed.documents,
            left=played.unsettled + played.listed,
        )

    def close(self) -> None:
        for stage in self._stages.values():
            stage.close()


@contextmanager
def opened(folder: Path) -> Iterator[Theatre]:
    stand_in = SteeredStandIn()
    with running(stand_in) as url:
        theatre = Theatre(stand_in, url, folder)
        try:
            yield theatre
        finally:
            theatre.close()


# Two processes -----------------------------------------------------------------------------------------------------

_lives = ExitStack()
_ours: list[Theatre] = []


def _open_ours(folder: Path) -> None:
    own = folder / str(os.getpid())
    own.mkdir()
    _ours.append(_lives.enter_context(opened(own)))


def _verdict(faults: Faults) -> Verdict:
    return _ours[0].verdict(faults)


@contextmanager
def playing(wanted: Sequence[Faults], folder: Path) -> Iterator[Verdicts]:
    """Play all that is wanted; each process has a stand-in, a store and a socket of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context, _open_ours, (folder,)) as pool:
        try:
            yield {faults: pool.submit(_verdict, faults) for faults in wanted}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
