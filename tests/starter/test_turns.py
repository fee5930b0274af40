"""Agencies hand their events on in turns; who catches up does so at a pace beside those at work."""

from __future__ import annotations

import pytest

from starter.turns import BATCH, NEIGHBOURLY_SECONDS, Turns


class Hours:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hours:
    return Hours()


def test_who_is_alone_is_held_to_no_pace(clock: Hours) -> None:
    turns = Turns(4.0, clock)
    assert [turns.shares({"big": 10_000})["big"] for _ in range(3)] == [BATCH, BATCH, BATCH]


def test_an_import_beside_an_agency_at_work_gets_its_pace_and_the_other_everything(clock: Hours) -> None:
    turns = Turns(4.0, clock)
    assert turns.shares({"big": 10_000, "small": 3}) == {"big": 0, "small": 3}
    assert turns.paced == {"big"}
    handed_on = 0
    for _ in range(20):
        clock.now += 0.5
        handed_on += turns.shares({"big": 10_000 - handed_on})["big"]
    assert handed_on == 40, "ten seconds"


def test_a_pace_below_one_a_sweep_is_kept_too(clock: Hours) -> None:
    turns = Turns(0.5, clock)
    turns.shares({"big": 10_000, "small": 1})
    handed_on = 0
    for _ in range(50):
        clock.now += 0.2
        handed_on += turns.shares({"big": 10_000})["big"]
    assert handed_on == 5


def test_an_import_hurries_once_nobody_else_has_been_at_work_for_a_while(clock: Hours) -> None:
    turns = Turns(4.0, clock)
    turns.shares({"big": 10_000, "small": 3})
    clock.now += NEIGHBOURLY_SECONDS - 1
    assert turns.shares({"big": 10_000})["big"] == BATCH
    assert turns.shares({"big": 10_000})["big"] == 0
    clock.now += 1
    assert turns.shares({"big": 10_000})["big"] == BATCH
    assert turns.paced == frozenset()


def test_all_that_catch_up_share_alike_when_nobody_is_at_work(clock: Hours) -> None:
    turns = Turns(4.0, clock)
    assert turns.shares({"one": 9_000, "two": 700}) == {"one": BATCH // 2, "two": BATCH // 2}


def test_the_last_two_hundred_are_no_bulk_any_more_and_a_pace_of_none_holds_nobody(clock: Hours) -> None:
    assert Turns(4.0, clock).shares({"big": BATCH, "small": 1}) == {"big": BATCH // 2, "small": 1}
    assert Turns(None, clock).shares({"big": 10_000, "small": 1}) == {"big": BATCH // 2, "small": 1}


def test_whose_events_are_all_handed_on_is_paced_no_more(clock: Hours) -> None:
    turns = Turns(4.0, clock)
    turns.shares({"big": 10_000, "small": 3})
    turns.shares({"small": 1})
    assert turns.paced == frozenset()
