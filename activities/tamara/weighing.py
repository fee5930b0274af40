"""What an answer does to a file and its lines. Pure (contracts: tamara 3.10 to 3.12)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from activities.tamara.model import Answer, AnswerFile
from activities.tamara.reasons import meaning_of
from store.tamara_answers import LineMove, Verdict
from store.tamara_tables import File, FileState, Line, LineState

NEXT: dict[LineState, dict[str, LineState]] = {
    "SENT": {"A": "ACCEPTED", "R": "REJECTED", "H": "HELD", "M": "MATCHED", "E": "EXPIRED"},
    "ACCEPTED": {"A": "ACCEPTED", "H": "HELD", "M": "MATCHED", "E": "EXPIRED"},
    "HELD": {"H": "HELD", "A": "ACCEPTED", "R": "REJECTED", "M": "MATCHED", "E": "EXPIRED"},
    "MATCHED": {"M": "MATCHED", "A": "MATCHED"},
    "EXPIRED": {"E": "EXPIRED", "M": "MATCHED"},
    "REJECTED": {"R": "REJECTED"},
    "CORRECTED": {"R": "CORRECTED", "E": "CORRECTED"},
    "ABANDONED": {"R": "ABANDONED", "E": "ABANDONED"},
}
"""Where each answer leads; what is not here contradicts an earlier answer and changes nothing."""
FILE_STATES: dict[str, FileState] = {"A": "ACKED", "D": "ACKED", "P": "PARTIAL", "R": "REFUSED"}


@dataclass(frozen=True, slots=True)
class Weighed:
    """What follows from an answer. `text` says what is unclear about it."""

    verdict: Verdict
    file_state: FileState | None
    moves: tuple[LineMove, ...]
    text: str = ""


def weigh(file: File, lines: Sequence[Line], told: AnswerFile) -> Weighed:
    """Hold an answer against what we know of its file. Nothing that is clear is held back by something that is not."""
    status = told.ack.file_status
    if told.ack.file_name != file.name and not told.ack.file_name.startswith(file.name):
        return Weighed("CONTRADICTION", None, (), f"it names the file {told.ack.file_name}, ours is {file.name}")
    after = FILE_STATES[status]
    if file.answered_at is not None and not _may_follow(file.state, after):
        return Weighed(
            "CONTRADICTION", None, (), f"the file is {file.state} already, and this answer says {after}: ask AirPlus"
        )
    if status == "R":
        repeated = file.state == "REFUSED"
        return Weighed("DUPLICATE" if repeated else "APPLIED", after, (), meaning_of(told.ack.file_reason))
    if file.state == "CLOSED":
        # A closed file may still learn that lines were matched; it stays closed.
        after = file.state
    moves, unclear = _moves(lines, told, whole=status in ("A", "D"))
    changed = after != file.state or any(move.before != move.after for move in moves)
    if unclear:
        return Weighed("CONTRADICTION", after, moves, "; ".join(unclear)[:500])
    return Weighed("APPLIED" if changed else "DUPLICATE", after, moves)


def _may_follow(before: FileState, after: FileState) -> bool:
    """A later answer may tell more of the lines, and a duplicate that the file was known; nothing else."""
    if before in ("DELIVERED", "UNCONFIRMED"):
        return True
    return before == after or {before, after} <= {"ACKED", "PARTIAL", "CLOSED"}


def _moves(lines: Sequence[Line], told: AnswerFile, *, whole: bool) -> tuple[tuple[LineMove, ...], list[str]]:
    by_key = {(line.txn_ref, line.version): line for line in lines}
    counted = Counter((each.txn_ref, each.txn_version) for each in told.answers)
    moves: list[LineMove] = []
    unclear: list[str] = []
    moved: set[int] = set()
    for each in told.answers:
        line = by_key.get((each.txn_ref, each.txn_version))
        if line is None:
            unclear.append(f"transaction {each.txn_ref}/{each.txn_version} is not in this file")
        elif counted[each.txn_ref, each.txn_version] > 1 and not _agree(each, told.answers):
            unclear.append(f"transaction {each.txn_ref}/{each.txn_version} is answered in two ways")
        elif each.status not in NEXT.get(line.state, {}):
            unclear.append(f"line {line.id} is {line.state}, and this answer says {each.status}")
        elif line.id not in moved:
            moved.add(line.id)
            moves.append(_move(line, NEXT[line.state][each.status], each))
    if whole:
        # In a file that was accepted, a transaction of which nothing is said is accepted too.
        silent = [line for line in lines if (line.txn_ref, line.version) not in counted and line.state == "SENT"]
        moves += [LineMove(line_id=line.id, before="SENT", after="ACCEPTED", status="A") for line in silent]
    return tuple(moves), unclear


def _agree(one: Answer, every: Sequence[Answer]) -> bool:
    return all(
        other.status == one.status
        for other in every
        if (other.txn_ref, other.txn_version) == (one.txn_ref, one.txn_version)
    )


def _move(line: Line, after: LineState, told: Answer) -> LineMove:
    return LineMove(
        line_id=line.id,
        before=line.state,
        after=after,
        status=told.status,
        reason=told.reason,
        field=told.field,
        text=" ".join(filter(None, (meaning_of(told.reason), told.text and f"({told.text})")))[:500]
        if told.status in ("R", "E")
        else told.text,
    )
