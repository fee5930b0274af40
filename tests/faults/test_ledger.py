"""The ledger of effects against what the systems hold: whatever one side knows otherwise is told (notes: faults, I10)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.effects import EffectKey, EffectRecord, EffectState
from faults.ledger import disagreements

COBRO = EffectKey("ag", "giav", "cobro", "pay_1", "create")
LINE = EffectKey("ag", "giav", "cost line", "bkg_1/lin_01", "create")
CHARGE = EffectKey("ag", "platform", "charge", "ins_11", "collect")
FILE = EffectKey("ag", "tamara", "file", "MA/1", "deliver")


def remembered(key: EffectKey, outside_id: str, state: EffectState = EffectState.DONE) -> EffectRecord:
    return EffectRecord(key, state, outside_id)


def in_giav(kind: str, own: int, key: EffectKey) -> dict[str, Any]:
    return {"giav": {kind: [{"Id": own, "Observaciones": f"a note {key.reference}"}]}}


SOUND = (
    (remembered(COBRO, "7"), in_giav("Cobro", 7, COBRO)),
    (remembered(COBRO, "7", EffectState.UNDONE), {"giav": {"Cobro": []}}),
    (remembered(CHARGE, "ch_1"), {"platform": {"charge": {"m_1": {"id": "m_1", "charge": {"id": "ch_1"}}}}}),
    (remembered(FILE, "TAMARA_1.dat"), {"airplus": {"files": [{"name": "TAMARA_1.dat"}]}}),
)


@pytest.mark.parametrize(("record", "held"), SOUND)
def test_what_both_sides_know_is_in_order(record: EffectRecord, held: dict[str, Any]) -> None:
    assert list(disagreements([record], held)) == []


WRONG = (
    (remembered(COBRO, "8"), in_giav("Cobro", 7, COBRO), ["Cobro 8, which is not there", "giav cobro create 8 is"]),
    (remembered(COBRO, "7"), in_giav("Cobro", 7, LINE), ["Cobro 7, which is not ours", "nothing is remembered"]),
    (remembered(COBRO, "7", EffectState.REFUSED), in_giav("Cobro", 7, COBRO), ["nothing is remembered"]),
    (remembered(CHARGE, "ch_2"), {"platform": {"charge": {}}}, ["charge ch_2, which is not there"]),
    (remembered(FILE, "TAMARA_1.dat"), {"airplus": {"files": []}}, ["files TAMARA_1.dat, which is not there"]),
    (remembered(EffectKey("ag", "giav", "hotel", "1", "create"), "1"), {}, ["nobody said where"]),
)


@pytest.mark.parametrize(("record", "held", "words"), WRONG)
def test_what_one_side_knows_otherwise_is_told(record: EffectRecord, held: dict[str, Any], words: list[str]) -> None:
    found = list(disagreements([record], held))
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True))
