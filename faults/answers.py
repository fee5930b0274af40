"""What can be wrong with AirPlus' answers (F17): late, twice, twice in other bytes, of a line or a file that was never sent."""

from __future__ import annotations

import copy
import shutil
from typing import Any

from faults.stage import Stage
from sandbox.airplus.answer import answer_name, render
from sandbox.airplus.stand_in import AirplusStandIn

LATE, TWICE, ANEW = "comes late", "comes twice", "comes again in other bytes"
LINE, FILE = "names a line never sent", "answers a file never sent"
WRONG_ANSWERS = (LATE, TWICE, ANEW, LINE, FILE)
UNCLEAR = frozenset({LINE, FILE})
"""Of these a person has to say that they were seen to."""
RECEIVED_AT = 130
"""Where an answer says at which time its file was received; an answer in other bytes says another."""
SEEN_TO = ("tamara_answer_unclear", "skip")
"""For which reason, and with which answer."""


def _box(stage: Stage) -> AirplusStandIn:
    box = stage.house.stand_ins["airplus"]
    assert isinstance(box, AirplusStandIn)
    return box


def kept_back(stage: Stage, fault: str) -> None:
    """Before the act: the true answer does not come by itself."""
    if fault in (LATE, LINE):
        _box(stage).faults.set({"operation": "answer", "kind": "late"})


async def given(stage: Stage, fault: str) -> int:
    """After the act: what comes, or comes once more; how many answers were written."""
    box = _box(stage)

    async def written() -> int:
        if fault == LATE:
            return len(box.write_answers())
        if fault == TWICE:
            return _repeated(box)
        (verdict,) = box.state()["files"]
        name, answer = _made_up(verdict, fault)
        (box.home() / "out" / name).write_bytes(answer)
        return 1

    return await stage.office.street.run(written())


def _repeated(box: AirplusStandIn) -> int:
    """The very same file again; ours put it away after it was read."""
    read = [path for path in box.home().rglob("*.ack") if path.parent.name != "out"]
    for path in read:
        shutil.copy(path, box.home() / "out" / path.name)
    return len(read)


def _made_up(true: dict[str, Any], fault: str) -> tuple[str, bytes]:
    verdict = copy.deepcopy(true)
    if fault == FILE:
        verdict["seq"] += 7
        verdict["name"] = verdict["name"].replace(f"{true['seq']:09d}", f"{verdict['seq']:09d}")
        assert verdict["name"] != true["name"]
    if fault == LINE:
        line = verdict["transactions"][0]
        verdict["transactions"].append(line | {"txn": line["txn"] + 1, "txn_ref": "0" * 25 + "9", "inv_no": "NOT-OURS"})
    if fault == ANEW:
        answer = render(verdict)
        return answer_name(verdict["name"]), answer[: RECEIVED_AT - 1] + b"000001" + answer[RECEIVED_AT + 5 :]
    return answer_name(verdict["name"]), render(verdict)
