"""The effect protocol over the real store, against an outside system that fails as told: never two records, never none."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.effects import Effect, Effects, Queued
from domain.effects import MAX_ACTS, MAX_BREAKDOWNS, VERIFY_WAITS, EffectKey, EffectState
from domain.errors import BackOfficeError, Breakdown, NeedsPerson, Refused, Transient, UnknownOutcome
from store import Store
from tests.activities.outside import KEY, LOOKS, UNDO, Crash, Dying, Outside, adopted, perform, state, waits


def test_what_was_made_is_remembered_and_never_made_again(store: Store) -> None:
    outside = Outside()
    assert [perform(store, outside) for _ in range(3)] == ["1", "1", "1"]
    assert (outside.acts, outside.looks) == (1, 0)


def test_a_lost_answer_is_looked_for_and_adopted(store: Store) -> None:
    outside = Outside("drop-after")
    assert waits(store, outside, 1) == [VERIFY_WAITS[0]]
    assert perform(store, outside) == "1"
    assert (outside.acts, outside.of(KEY), adopted(store)) == (1, ["1"], [True])


def test_a_request_that_never_arrived_is_sent_again_only_after_all_looks(store: Store) -> None:
    outside = Outside("drop-before")
    assert waits(store, outside, LOOKS) == list(VERIFY_WAITS)
    assert (outside.acts, outside.looks) == (1, LOOKS - 1)
    assert perform(store, outside) == "1"
    assert (outside.acts, outside.of(KEY)) == (2, ["1"])


def test_after_all_acts_a_person_is_asked_and_nothing_more_is_sent(store: Store) -> None:
    outside = Outside(*["drop-before"] * 99)
    waits(store, outside, MAX_ACTS * LOOKS)
    for _ in range(3):
        with pytest.raises(NeedsPerson, match=KEY.reference):
            perform(store, outside)
    assert outside.acts == MAX_ACTS
    outside.script.clear()
    assert store.effects.rearm(str(KEY))
    assert perform(store, outside) == "1"


def test_a_record_that_lands_late_is_found_and_its_twin_parked(store: Store) -> None:
    outside = Outside("late")
    waits(store, outside, LOOKS)
    assert perform(store, outside) == "1"
    assert outside.of(KEY) == ["1", "2"]
    (item,) = store.parked.list("sol")
    assert (item.reason, item.effect, item.booking_id) == ("twins", str(KEY), "bkg_500")
    assert perform(store, outside) == "1"
    assert len(store.parked.list("sol")) == 1


def test_a_second_send_refused_because_the_first_landed_late_adopts_the_first(store: Store) -> None:
    outside = Outside("late", "refused")
    waits(store, outside, LOOKS)
    assert perform(store, outside) == "1"
    assert (outside.of(KEY), adopted(store), store.parked.list("sol")) == (["1"], [True], [])


def test_a_refusal_is_remembered_and_repeated_only_when_somebody_arms_it_again(store: Store) -> None:
    outside = Outside("refused", "refused")
    for _ in range(3):
        with pytest.raises(Refused, match="No existe el cliente"):
            perform(store, outside)
    assert outside.acts == 1
    assert store.effects.rearm(str(KEY))
    with pytest.raises(Refused):
        perform(store, outside)
    assert store.effects.rearm(str(KEY))
    assert perform(store, outside) == "1"
    assert not store.effects.rearm(str(KEY))


def test_a_line_that_is_down_costs_no_patience(store: Store) -> None:
    outside = Outside(*["unreachable"] * 5)
    for _ in range(3):  # act, look, act, look, act
        with pytest.raises(Transient):
            perform(store, outside)
    while outside.script:
        with pytest.raises(Transient):
            perform(store, outside)
    assert perform(store, outside) == "1"
    assert outside.of(KEY) == ["1"]


def test_a_crash_before_sending_sends_once_after_the_looks(store: Store) -> None:
    outside = Outside("crash-before")
    with pytest.raises(Crash):
        perform(store, outside)
    assert state(store) is EffectState.INTENDED
    waits(store, outside, LOOKS - 1)
    assert perform(store, outside) == "1"
    assert outside.of(KEY) == ["1"]


def test_a_crash_after_sending_adopts_what_is_there(store: Store) -> None:
    outside = Outside("crash-after")
    with pytest.raises(Crash):
        perform(store, outside)
    assert perform(store, outside) == "1"
    assert (outside.acts, adopted(store)) == (1, [True])


@pytest.mark.parametrize("method", ["intend", "done"])
@pytest.mark.parametrize("written", [False, True], ids=["before-the-row", "after-the-row"])
def test_a_crash_at_the_ledger_never_doubles(store: Store, method: str, written: bool) -> None:
    outside = Outside()
    with pytest.raises(Crash):
        Effects(Dying(store.effects, method, written=written)).perform(outside.effect())
    made = settle(store, outside, KEY)
    assert (outside.of(KEY), outside.acts, made) == (["1"], 1, "1")


def test_a_crash_between_an_unknown_answer_and_its_row_never_doubles(store: Store) -> None:
    outside = Outside("drop-after")
    with pytest.raises(Crash):
        Effects(Dying(store.effects, "unknown", written=False)).perform(outside.effect())
    assert perform(store, outside) == "1"
    assert outside.of(KEY) == ["1"]


def test_what_was_taken_back_may_be_done_again(store: Store) -> None:
    outside = Outside()
    effects = Effects(store.effects)
    undo = Effect(UNDO, act=lambda _: outside.remove(KEY.reference))
    effects.take_back(KEY, undo)
    assert store.effects.get(UNDO) is None
    for expected in ("1", "2"):
        assert perform(store, outside) == expected
        effects.take_back(KEY, undo)
        effects.take_back(KEY, undo)
        assert outside.of(KEY) == []
        assert (state(store), state(store, UNDO)) == (EffectState.UNDONE, EffectState.UNDONE)


def test_a_crash_after_taking_back_takes_back_once(store: Store) -> None:
    outside = Outside()
    perform(store, outside)
    undo = Effect(UNDO, act=lambda _: outside.remove(KEY.reference))
    with pytest.raises(Crash):
        Effects(Dying(store.effects, "undone", written=False)).take_back(KEY, undo)
    Effects(store.effects).take_back(KEY, undo)
    assert (outside.of(KEY), state(store)) == ([], EffectState.UNDONE)


def test_a_write_that_sets_a_state_is_simply_sent_again(store: Store) -> None:
    outside = Outside("drop-after", "drop-before", "crash-after")
    put = Effect(KEY, act=outside.act)
    for expected in (UnknownOutcome, UnknownOutcome, Crash):
        with pytest.raises(expected):
            Effects(store.effects).perform(put)
    assert Effects(store.effects).perform(put) == "3"
    assert (outside.looks, state(store)) == (0, EffectState.DONE)


def test_the_second_of_two_that_perform_one_effect_at_once_waits_and_gets_the_first_s_record(store: Store) -> None:
    outside = Outside()
    sending, go_on = threading.Event(), threading.Event()

    def act(reference: str) -> str:
        sending.set()
        assert go_on.wait(30)
        return outside.act(reference)

    slow = Effect(KEY, act=act, look_up=outside.look_up)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(Effects(store.effects).perform, slow)
        assert sending.wait(30)
        assert waits(store, outside, 1) == [VERIFY_WAITS[1]]
        go_on.set()
        assert first.result(30) == "1"
    assert perform(store, outside) == "1"
    assert (outside.acts, outside.of(KEY)) == (1, ["1"])


def test_of_many_that_perform_one_effect_at_once_one_sends(store: Store) -> None:
    outside = Outside()
    start, made = threading.Barrier(8), threading.Event()

    def race(_: int) -> str:
        start.wait(30)
        try:
            found = perform(store, outside)
        except UnknownOutcome:
            assert made.wait(30)
            found = perform(store, outside)
        made.set()
        return found

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(race, range(8))) == {"1"}
    assert (outside.acts, outside.of(KEY)) == (1, ["1"])


FAULTS = ("drop-before", "drop-after", "late", "refused", "unreachable", "crash-before", "crash-after", "well")
_number = itertools.count(1)


def settle(store: Store, outside: Outside, key: EffectKey) -> str:
    """Come back as the activity's retries would, and as a person who always says "retry"."""
    for _ in range(200):
        try:
            return perform(store, outside, key)
        except (Refused, NeedsPerson):
            store.effects.rearm(str(key))
        except (BackOfficeError, Crash):
            pass
    raise AssertionError("never settled")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(st.sampled_from(FAULTS), max_size=12))
def test_whatever_happens_there_is_one_record_or_its_twins_are_parked(store: Store, script: Sequence[str]) -> None:
    key = EffectKey("sol", "giav", "cobro", f"pay_{next(_number)}", "create")
    outside = Outside(*script)
    made = settle(store, outside, key)
    records = outside.of(key)
    assert made == records[0]
    assert store.effects.outside_id(key) == made
    twins = [item for item in store.parked.list("sol", limit=1000) if item.effect == str(key)]
    assert (len(records) > 1) == bool(twins)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(st.sampled_from([fault for fault in FAULTS if fault != "late"]), max_size=12))
def test_without_late_landings_there_is_exactly_one_record(store: Store, script: Sequence[str]) -> None:
    key = EffectKey("sol", "giav", "cobro", f"pay_{next(_number)}", "create")
    outside = Outside(*script)
    settle(store, outside, key)
    assert len(outside.of(key)) == 1


def setting(answers: list[BackOfficeError | None], reached: str | None = None) -> Effect:
    """A write that sets a state: one answer per send, then it is done."""

    def act(_: str) -> str:
        answer = answers.pop(0) if answers else None
        if answer is not None:
            raise answer
        return "7"

    return Effect(KEY, act=act, reached=lambda: reached, booking_id="bkg_500")


def test_a_write_that_sets_a_state_is_not_repeated_for_ever_when_the_other_side_breaks_down(store: Store) -> None:
    answers: list[BackOfficeError | None] = [Breakdown("Referencia a objeto no establecida") for _ in range(99)]
    waited = []
    for _ in range(MAX_BREAKDOWNS):
        with pytest.raises(Breakdown) as caught:
            Effects(store.effects).perform(setting(answers))
        waited.append(caught.value.retry_after)
    for _ in range(2):
        with pytest.raises(NeedsPerson, match="Referencia a objeto no establecida"):
            Effects(store.effects).perform(setting(answers))
    assert (waited, len(answers)) == (list(VERIFY_WAITS), 99 - MAX_BREAKDOWNS)
    assert store.effects.rearm(str(KEY))
    assert Effects(store.effects).perform(setting([])) == "7"


def test_a_broken_line_alone_never_ends_a_write_that_sets_a_state(store: Store) -> None:
    answers: list[BackOfficeError | None] = [UnknownOutcome("timeout") for _ in range(9)]
    for _ in range(9):
        with pytest.raises(UnknownOutcome):
            Effects(store.effects).perform(setting(answers))
    assert Effects(store.effects).perform(setting(answers)) == "7"


def test_a_state_that_is_there_after_a_breakdown_is_not_set_again(store: Store) -> None:
    answers: list[BackOfficeError | None] = [Breakdown("deadlock victim")] * 9
    with pytest.raises(Breakdown):
        Effects(store.effects).perform(setting(answers, reached="7"))
    assert Effects(store.effects).perform(setting(answers, reached="7")) == "7"
    assert len(answers) == 8


def test_a_write_that_is_answered_later_is_sent_once_and_stays_open_until_it_is_answered(store: Store) -> None:
    sent: list[str] = []

    def drop(reference: str) -> str:
        sent.append(reference)
        return Queued("in/file-1.csv")

    for _ in range(2):
        assert isinstance(Effects(store.effects).perform(Effect(KEY, drop)), Queued)
    assert len(sent) == 1
    assert [row.record.state for row in store.effects.unsettled()] == [EffectState.QUEUED]
    assert store.effects.outside_id(KEY) is None
    store.effects.done(KEY, "Z100001")
    done = Effects(store.effects).perform(Effect(KEY, drop))
    assert (done, isinstance(done, Queued), len(sent)) == ("Z100001", False, 1)


def test_a_write_that_was_refused_later_is_sent_again_when_a_person_wants_it(store: Store) -> None:
    places = iter(["in/file-1.csv", "in/file-2.csv"])
    drop = Effect(KEY, lambda _: Queued(next(places)))
    Effects(store.effects).perform(drop)
    store.effects.refused(KEY, "E32: VORG[1].waehrung")
    with pytest.raises(Refused, match="E32"):
        Effects(store.effects).perform(drop)
    store.effects.rearm(str(KEY))
    assert Effects(store.effects).perform(drop) == "in/file-2.csv"
