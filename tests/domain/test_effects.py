"""The effect protocol's table (contracts: giav 3.2, 3.3)."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.effects import (
    MAX_ACTS,
    VERIFY_WAITS,
    AfterLook,
    EffectKey,
    EffectRecord,
    EffectState,
    Move,
    after_empty_look,
    next_move,
)

KEY = EffectKey("demo", "giav", "cobro", "pay_1001", "create")


def test_a_reference_is_short_searchable_and_always_the_same() -> None:
    assert KEY.reference == KEY.reference
    assert KEY.reference.startswith("ORQ-")
    assert len(KEY.reference) == 30
    assert set(KEY.reference[4:]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


@given(st.tuples(*[st.text(min_size=1, max_size=5)] * 5), st.tuples(*[st.text(min_size=1, max_size=5)] * 5))
def test_different_keys_have_different_references(one: tuple[str, ...], two: tuple[str, ...]) -> None:
    assert (EffectKey(*one).reference == EffectKey(*two).reference) == (one == two)


def test_only_a_fresh_intention_is_sent_without_looking() -> None:
    record = EffectRecord(KEY, EffectState.INTENDED, acts=1)
    assert next_move(record, fresh=True) is Move.ACT
    assert next_move(record, fresh=False) is Move.LOOK_UP
    assert next_move(replace(record, state=EffectState.UNKNOWN), fresh=False) is Move.LOOK_UP
    assert next_move(replace(record, state=EffectState.UNDONE), fresh=False) is Move.LOOK_UP
    assert next_move(replace(record, state=EffectState.DONE), fresh=False) is Move.RETURN
    assert next_move(replace(record, state=EffectState.REFUSED), fresh=False) is Move.REPORT_REFUSAL


def test_after_a_send_three_looks_come_before_another_send_and_three_sends_before_a_person() -> None:
    record = EffectRecord(KEY, EffectState.UNKNOWN, acts=1)
    path: list[AfterLook] = []
    while not path or path[-1] is not AfterLook.PERSON:
        record = replace(record, looks=record.looks + 1)
        path.append(after_empty_look(record))
        if path[-1] is AfterLook.ACT:
            record = replace(record, acts=record.acts + 1, looks=0)
    waits = len(VERIFY_WAITS) - 1
    assert path == ([AfterLook.WAIT] * waits + [AfterLook.ACT]) * (MAX_ACTS - 1) + [AfterLook.WAIT] * waits + [
        AfterLook.PERSON
    ]


def test_what_never_arrived_is_sent_again_at_once() -> None:
    assert after_empty_look(EffectRecord(KEY, EffectState.INTENDED, acts=0, looks=1)) is AfterLook.ACT
