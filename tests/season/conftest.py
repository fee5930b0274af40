"""One undisturbed season for all tests of this folder: to judge by itself, and to compare the disturbed ones with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.season.playing import Demo, playing


@dataclass(frozen=True)
class Season:
    """A season that was played to its end by `demo --once`; nothing of it runs any more."""

    demo: Demo
    exit_code: int
    seconds: float


@pytest.fixture(scope="session")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Season]:
    began = time.monotonic()
    with playing(tmp_path_factory.mktemp("season"), "--once") as demo:
        code = demo.end(within=600)
        yield Season(demo, code, time.monotonic() - began)
