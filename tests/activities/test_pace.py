"""Pace: so many calls a second, whoever makes them, and nobody waits long in a thread."""

from __future__ import annotations

import pytest

from activities.pace import LONGEST_PAUSE, Pace
from domain.errors import Transient


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += seconds


def paced(per_second: float, burst: int) -> tuple[Pace, Time]:
    time = Time()
    return Pace(per_second, burst, system="x", clock=time, sleep=time.sleep), time


def test_a_burst_goes_at_once_and_the_rest_in_its_time() -> None:
    pace, time = paced(5, 5)
    for _ in range(5):
        pace.take("a")
    assert time.slept == 0
    for _ in range(10):
        pace.take("a")
    assert time.slept == pytest.approx(2.0)


def test_whoever_would_wait_long_comes_back_later() -> None:
    pace, time = paced(0.1, 1)
    pace.take("a")
    with pytest.raises(Transient) as later:
        pace.take("a")
    assert later.value.retry_after == pytest.approx(10.0)
    assert time.slept == 0
    time.now += 10
    pace.take("a")


def test_a_pause_that_the_other_side_asks_for_holds_for_everybody() -> None:
    pace, time = paced(5, 5)
    pace.stop(30)
    with pytest.raises(Transient) as later:
        pace.take("a")
    assert later.value.retry_after == pytest.approx(30.0)
    time.now += 30 - LONGEST_PAUSE / 2
    pace.take("a")
    assert time.slept == pytest.approx(LONGEST_PAUSE / 2)
