"""The chain of messages about one supplier order (midoffice 3.3, 4.6)."""

from __future__ import annotations

import pytest

from activities.midoffice.booking import MidOfficeBooking
from activities.midoffice.told import Chain, NextMessage, next_message
from domain.effects import EffectKey, EffectRecord, EffectState
from tests.activities.midoffice.test_mapping import mapped, only
from tests.activities.platform import trip

RECORD = only(mapped(trip.booking()))
GONE = only(mapped(trip.cancelled([trip.hotel()], penalty=3000)))


def message(revision: int, state: EffectState, order: str | None = None, acts: int = 1) -> EffectRecord:
    key = EffectKey(trip.AGENCY, "midoco", "booking", "bkg_500/bkg_500-lin_01", "announce", revision)
    return EffectRecord(key, state, order, acts=acts)


def chain(content: MidOfficeBooking, *messages: EffectRecord) -> Chain:
    return Chain(messages, content.content_hash, content.without_people())


DONE = message(1, EffectState.DONE, "700001")


@pytest.mark.parametrize(
    ("told", "record", "expected"),
    [
        (None, RECORD, NextMessage(1, "CREATE")),
        (chain(RECORD, DONE), RECORD, None),
        (chain(RECORD, DONE), GONE, NextMessage(2, "CANCEL")),
        (chain(GONE, DONE), RECORD, NextMessage(2, "CHANGE")),
        (chain(RECORD, message(1, EffectState.UNKNOWN)), RECORD, NextMessage(1, "CREATE")),
        (chain(RECORD, message(1, EffectState.REFUSED)), RECORD, NextMessage(1, "CREATE")),
        (chain(RECORD, message(1, EffectState.REFUSED)), GONE, NextMessage(2, "CANCEL")),
        (chain(RECORD, DONE, message(2, EffectState.UNKNOWN)), RECORD, NextMessage(2, "CHANGE")),
        (chain(GONE, message(2, EffectState.UNDONE, "700001", acts=0)), RECORD, NextMessage(3, "CHANGE")),
    ],
)
def test_next_message(told: Chain | None, record: MidOfficeBooking, expected: NextMessage | None) -> None:
    assert next_message(told, record) == expected


@pytest.mark.parametrize(
    ("told", "gone"),
    [
        (chain(RECORD, DONE), False),
        (chain(GONE, DONE), True),
        (chain(GONE, DONE, message(2, EffectState.REFUSED)), False),
        (chain(RECORD, message(1, EffectState.REFUSED)), True),
        (chain(RECORD, message(1, EffectState.UNKNOWN)), False),
        (chain(RECORD, message(1, EffectState.INTENDED, acts=0)), True),
    ],
)
def test_gone_means_that_nothing_stands_there_and_nothing_may_still_land(told: Chain, gone: bool) -> None:
    assert told.gone is gone
