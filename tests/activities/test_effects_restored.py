"""The effect protocol after a backup was restored: what was sent since then is looked for, never sent again."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest

from activities.effects import Effect, Effects
from domain.errors import NeedsPerson, UnknownOutcome
from store import Store
from tests.activities.outside import KEY, LOOKS, Crash, Dying, Outside, perform


def restored(store: Store) -> None:
    moment = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    store.restores.begin(moment, "ana", "backup of the night")


def test_after_a_restore_an_effect_whose_row_got_lost_is_found_and_not_sent_again(store: Store) -> None:
    outside = Outside()
    outside.records[KEY.reference].append("made before the loss")
    restored(store)
    assert perform(store, outside) == "made before the loss"
    assert outside.acts == 0
    (since,) = store.restores.since(store.restores.all()[0].restored_at)
    assert (since.found, since.sent, since.doubtful, since.open) == (1, 0, 0, 0)


def test_after_a_restore_what_was_never_sent_is_looked_for_once_and_sent(store: Store) -> None:
    outside = Outside()
    restored(store)
    perform(store, outside)
    assert (outside.acts, outside.of(KEY)) == (1, ["1"])


@pytest.mark.parametrize("method", ["intend", "looked", "sending", "done"])
@pytest.mark.parametrize("written", [False, True])
def test_a_crash_under_a_restored_backup_doubles_nothing(store: Store, method: str, written: bool) -> None:
    outside = Outside()
    restored(store)
    with pytest.raises(Crash):
        Effects(Dying(store.effects, method, written=written)).perform(outside.effect())
    for _ in range(LOOKS + 1):
        with contextlib.suppress(UnknownOutcome):
            perform(store, outside)
    assert len(outside.of(KEY)) == 1


def letter(outside: Outside) -> Effect:
    return Effect(KEY, act=outside.act, booking_id="bkg_500", unseen="ask whom it was for")


def test_what_cannot_be_looked_for_waits_for_a_person_after_a_restore_however_often_it_is_tried(store: Store) -> None:
    outside = Outside()
    restored(store)
    for _ in range(2):
        with pytest.raises(NeedsPerson, match="restored from a backup: ask whom it was for") as asked:
            Effects(store.effects).perform(letter(outside))
        assert asked.value.code == "restored_unseen"
    assert outside.acts == 0
    assert store.effects.rearm(str(KEY))
    Effects(store.effects).perform(letter(outside))
    assert outside.acts == 1


def test_what_a_person_knows_to_have_been_sent_before_the_loss_is_not_sent(store: Store) -> None:
    outside = Outside()
    restored(store)
    with pytest.raises(NeedsPerson):
        Effects(store.effects).perform(letter(outside))
    assert store.effects.adopt(str(KEY), "by phone")
    assert Effects(store.effects).perform(letter(outside)) == "by phone"
    assert outside.acts == 0


def test_without_a_restore_and_after_it_is_settled_the_first_send_needs_no_look(store: Store) -> None:
    outside = Outside()
    restored(store)
    assert store.restores.settle("ana", "everything was compared") == 1
    perform(store, outside)
    assert (outside.acts, outside.looks) == (1, 0)
    assert store.restores.standing() == []
