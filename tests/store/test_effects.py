from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from activities.effects import Effect, Effects
from domain.effects import EffectKey, EffectState
from domain.errors import NeedsPerson, Refused, Transient, UnknownOutcome
from store import Store
from store.effects import EffectLedger

KEY = EffectKey("sol", "giav", "invoice", "pay_1001", "create")
UNDO = EffectKey("sol", "giav", "invoice", "pay_1001", "delete")


def test_only_the_first_intent_is_fresh(store: Store) -> None:
    first, fresh = store.effects.intend(KEY, booking_id="bkg_500", request={"total": 300})
    again, fresh_again = store.effects.intend(KEY, booking_id="bkg_500", request={"total": 999})
    assert (fresh, fresh_again) == (True, False)
    assert first == again
    assert again.acts == 1
    assert store.effects.last_request(KEY) == {"total": 300}


def test_of_many_threads_that_intend_the_same_effect_exactly_one_may_act(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: store.effects.intend(KEY, booking_id=None, request=None), range(40)))
    assert sum(fresh for _, fresh in results) == 1
    assert {record.key for record, _ in results} == {KEY}


def test_the_outside_id_is_known_only_when_the_effect_is_done(store: Store) -> None:
    store.effects.intend(KEY, booking_id=None, request=None)
    assert store.effects.outside_id(KEY) is None
    store.effects.done(KEY, "4711")
    assert store.effects.outside_id(KEY) == "4711"
    record = store.effects.get(KEY)
    assert record is not None
    assert record.state is EffectState.DONE


def test_acts_and_looks_are_counted_as_the_protocol_needs_them(store: Store) -> None:
    ledger = store.effects
    ledger.intend(KEY, booking_id=None, request=None)
    assert ledger.unknown(KEY, "timeout").state is EffectState.UNKNOWN
    assert ledger.looked(KEY).looks == 1
    assert ledger.looked(KEY).looks == 2
    ledger.sending(KEY)
    record = ledger.get(KEY)
    assert record is not None
    assert (record.acts, record.looks, record.state) == (2, 0, EffectState.INTENDED)
    ledger.not_sent(KEY, "connection refused")
    ledger.not_sent(KEY, "connection refused")
    ledger.not_sent(KEY, "connection refused")
    record = ledger.get(KEY)
    assert record is not None
    assert (record.acts, record.reason) == (0, "connection refused")


def test_an_undone_effect_and_its_undo_may_both_be_performed_again(store: Store) -> None:
    for key in (KEY, UNDO):
        store.effects.intend(key, booking_id=None, request=None)
        store.effects.done(key, "4711")
    store.effects.undone(KEY, UNDO)
    for key in (KEY, UNDO):
        record = store.effects.get(key)
        assert record is not None
        assert (record.state, record.acts, record.looks) == (EffectState.UNDONE, 0, 0)
        assert store.effects.outside_id(key) is None


def test_a_refused_effect_can_be_armed_again_and_a_done_one_cannot(store: Store) -> None:
    store.effects.intend(KEY, booking_id=None, request=None)
    store.effects.refused(KEY, "unknown client")
    assert store.effects.rearm(str(KEY))
    record = store.effects.get(KEY)
    assert record is not None
    assert (record.state, record.acts, record.reason) == (EffectState.INTENDED, 0, "")
    store.effects.done(KEY, "4711")
    assert not store.effects.rearm(str(KEY))
    assert not store.effects.rearm("sol/giav/never/intended/create")


def test_a_person_s_adoption_settles_the_effect(store: Store) -> None:
    store.effects.intend(KEY, booking_id="bkg_500", request=None)
    store.effects.unknown(KEY, "timeout")
    assert store.effects.adopt(str(KEY), "77")
    assert store.effects.outside_id(KEY) == "77"
    assert [row.adopted for row in store.effects.history("sol", "bkg_500")] == [True]


def test_twins_are_kept_on_the_list_of_parked_items_once(store: Store) -> None:
    store.effects.intend(KEY, booking_id="bkg_500", request=None)
    store.effects.twins(KEY, ["1", "2"])
    store.effects.twins(KEY, ["1", "2"])
    (item,) = store.parked.list("sol")
    assert (item.reason, item.booking_id, item.effect) == ("twins", "bkg_500", str(KEY))
    assert KEY.reference in item.detail


def test_effects_are_listed_by_booking_and_counted_by_system_and_state(store: Store) -> None:
    other = EffectKey("sol", "midoffice", "order", "bkg_500", "create")
    store.effects.intend(KEY, booking_id="bkg_500", request=None)
    store.effects.intend(other, booking_id="bkg_500", request=None)
    store.effects.done(KEY, "1")
    assert [record.key for record in store.effects.of_booking("sol", "bkg_500")] == [KEY, other]
    assert [record.key for record in store.effects.of_booking("sol", "bkg_500", "midoffice")] == [other]
    assert store.effects.of_booking("luna", "bkg_500") == []
    assert store.effects.counts() == {("giav", "done"): 1, ("midoffice", "intended"): 1}
    assert [row.record.key for row in store.effects.unsettled("sol")] == [other]
    found = store.effects.by_reference(KEY.reference)
    assert found is not None
    assert found.record.key == KEY


def test_the_order_of_a_booking_s_effects_is_that_of_their_intents_whatever_the_clocks_say(store: Store) -> None:
    backwards = (datetime(2026, 11, 22, 9, 0, tzinfo=UTC) - timedelta(hours=each) for each in count())
    ledger = EffectLedger(store.database, lambda: next(backwards), store.parked)
    keys = [EffectKey("sol", "giav", "cost line", f"bkg_500/lin_{each}", "create") for each in (3, 1, 2)]
    for key in keys:
        ledger.intend(key, booking_id="bkg_500", request=None)
    assert [record.key for record in ledger.of_booking("sol", "bkg_500")] == keys
    assert [row.record.key for row in ledger.history("sol", "bkg_500")] == keys


def test_what_is_sent_again_is_remembered_instead_of_what_was_sent_first(store: Store) -> None:
    store.effects.intend(KEY, booking_id=None, request={"total": 300})
    store.effects.refused(KEY, "too little")
    store.effects.rearm(str(KEY))
    store.effects.sending(KEY, {"total": 310})
    assert store.effects.last_request(KEY) == {"total": 310}
    store.effects.sending(KEY)
    assert store.effects.last_request(KEY) == {"total": 310}


class Outside:
    """A system that keeps what it is sent, and may fail before or after."""

    def __init__(self, *faults: Exception | None, lands: bool = True) -> None:
        self.records: list[str] = []
        self.faults = list(faults)
        self.lands = lands

    def act(self, reference: str) -> str:
        fault = self.faults.pop(0) if self.faults else None
        if fault is None or (self.lands and isinstance(fault, UnknownOutcome)):
            self.records.append(reference)
        if fault is not None:
            raise fault
        return str(len(self.records))

    def look_up(self, reference: str) -> list[str]:
        return [str(n) for n, found in enumerate(self.records, start=1) if found == reference]

    def effect(self) -> Effect:
        return Effect(KEY, act=self.act, look_up=self.look_up)


def perform(store: Store, outside: Outside) -> str:
    return Effects(store.effects).perform(outside.effect())


def test_a_crash_after_sending_adopts_what_arrived_and_sends_nothing(store: Store) -> None:
    outside = Outside()
    store.effects.intend(KEY, booking_id=None, request=None)
    outside.act(KEY.reference)  # and here the process died
    assert perform(store, outside) == "1"
    assert len(outside.records) == 1


def test_a_timeout_that_landed_is_found_and_not_repeated(store: Store) -> None:
    outside = Outside(UnknownOutcome("timeout"))
    with pytest.raises(UnknownOutcome):
        perform(store, outside)
    assert perform(store, outside) == "1"
    assert len(outside.records) == 1


def test_a_refused_connection_is_repeated_at_once(store: Store) -> None:
    outside = Outside(Transient("connection refused"))
    with pytest.raises(Transient):
        perform(store, outside)
    assert perform(store, outside) == "1"


def test_what_is_never_found_is_sent_three_times_at_most_and_then_asked(store: Store) -> None:
    outside = Outside(*(UnknownOutcome("timeout") for _ in range(9)), lands=False)
    for _ in range(9):
        with pytest.raises(UnknownOutcome):
            perform(store, outside)
    with pytest.raises(NeedsPerson):
        perform(store, outside)
    assert len(outside.faults) == 6


def test_a_refusal_is_remembered_until_somebody_arms_it_again(store: Store) -> None:
    outside = Outside(Refused("unknown client"))
    for _ in range(2):
        with pytest.raises(Refused, match="unknown client"):
            perform(store, outside)
    store.effects.rearm(str(KEY))
    assert perform(store, outside) == "1"
