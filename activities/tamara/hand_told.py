"""What stands in AirPlus' e-mail or Viewer, entered as rows by a person (contracts: tamara 3.11, entrance 2)."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, NoReturn, cast, get_args

from activities.tamara.model import Acknowledgement, Answer, AnswerFile, Kind
from activities.tamara.settings import TamaraSettings
from activities.tamara.weighing import FILE_STATES
from domain.errors import Refused
from store.tamara_tables import File, FileKey, Line

COLUMNS = ("file_seq", "kind", "reference", "status", "reason", "text")
LINE_STATES = ("A", "R", "H", "M", "E")
WITH_REASON = ("R", "E")


@dataclass(frozen=True, slots=True)
class _Row:
    """`reference` names a transaction by TXN_REF, ticket or invoice; empty, the row is about the whole file."""

    place: int
    seq: int
    kind: Kind
    reference: str
    status: str
    reason: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An answer to one file, and the rows that say it."""

    answer: AnswerFile
    words: str


def told_by_hand(
    text: str,
    settings: TamaraSettings,
    now: dt.datetime,
    file_of: Callable[[FileKey], File | None],
    lines_in: Callable[[FileKey], Sequence[Line]],
) -> list[Told]:
    """One answer for every file in `text`: `file_seq;kind;txn_ref, ticket or invoice;status;reason;text`, with or without
    that heading. A file without a row of its own counts as answered in part. Raises `Refused` naming the first wrong row.
    """
    rows = _rows(text)
    if not rows:
        raise Refused("there is no row in it", system="tamara")
    told: list[Told] = []
    for seq, kind in dict.fromkeys((row.seq, row.kind) for row in rows):
        mine = [row for row in rows if (row.seq, row.kind) == (seq, kind)]
        key = FileKey(partner_id=settings.partner_id, kind=kind, mode=settings.mode, seq=seq)
        file = file_of(key)
        if file is None:
            _refuse(mine[0], f"there is no file {kind} {seq}; see 'bookings tamara files'")
        whole = [row for row in mine if not row.reference]
        if len(whole) > 1:
            _refuse(whole[1], f"file {kind} {seq} has two rows of its own")
        silent = "A" if file.state == "ACKED" else "P"
        lines = lines_in(key)
        ack = Acknowledgement.model_validate({
            "partner_id": key.partner_id,
            "kind": kind,
            "file_seq": seq,
            "file_name": file.name,
            "file_status": whole[0].status if whole else silent,
            "file_reason": whole[0].reason if whole else None,
            "expected_seq": seq + 1,
            "received_at": now.replace(tzinfo=None),
            "mode": settings.mode,
        })  # fmt: skip
        answers = tuple(_answer(row, _line(row, lines)) for row in mine if row.reference)
        words = "\n".join(";".join(_cells(row)) for row in mine)
        told.append(Told(AnswerFile(ack=ack, answers=answers), words))
    return told


def _rows(text: str) -> list[_Row]:
    found: list[_Row] = []
    for place, given in enumerate(csv.reader(StringIO(text.removeprefix("\ufeff")), delimiter=";"), start=1):
        cells = [cell.strip() for cell in given]
        heading = place == 1 and cells and not cells[0].isdecimal()
        if heading or not any(cells):
            continue
        found.append(_row(place, cells))
    return found


def _row(place: int, cells: list[str]) -> _Row:
    if not 4 <= len(cells) <= len(COLUMNS):
        raise Refused(f"row {place}: has {len(cells)} columns; they are {'; '.join(COLUMNS)}", system="tamara")
    seq, kind, reference, status, reason, text = (*cells, *[""] * (len(COLUMNS) - len(cells)))
    kind, status = kind.upper(), status.upper()
    if not (seq.isascii() and seq.isdecimal()):
        raise Refused(f"row {place}: file_seq is not a number", system="tamara")
    row = _Row(place, int(seq), cast(Kind, kind), reference, status, reason.upper() or None, text or None)
    if kind not in get_args(Kind):
        _refuse(row, f"kind is one of {', '.join(get_args(Kind))}")
    known = LINE_STATES if reference else tuple(FILE_STATES)
    if status not in known:
        _refuse(row, f"status of a {'transaction' if reference else 'whole file'} is one of {', '.join(known)}")
    if status in (WITH_REASON if reference else ("R",)) and row.reason is None:
        _refuse(row, f"status {status} needs a reason")
    return row


def _line(row: _Row, lines: Sequence[Line]) -> Line:
    found = [line for line in lines if row.reference in _names(line)]
    if not found:
        _refuse(row, f"nothing in file {row.kind} {row.seq} has the reference, ticket or invoice {row.reference}")
    if len(found) > 1:
        which = ", ".join(line.txn_ref for line in found)
        _refuse(row, f"{row.reference} stands for several transactions; name one by its reference: {which}")
    return found[0]


def _names(line: Line) -> set[str | None]:
    flight: dict[str, Any] = line.content.get("flight") or {}
    ticket = f"{flight.get('airline_number') or ''}{flight.get('document_number') or ''}"
    return {line.txn_ref, line.invoice_number, line.credit_note_number, ticket} - {"", None}


def _answer(row: _Row, line: Line) -> Answer:
    told = {"status": row.status, "reason": row.reason, "text": row.text}
    return Answer.model_validate({"txn_ref": line.txn_ref, "txn_version": line.version, **told})


def _cells(row: _Row) -> tuple[str, ...]:
    return (str(row.seq), row.kind, row.reference, row.status, row.reason or "", row.text or "")


def _refuse(row: _Row, words: str) -> NoReturn:
    raise Refused(f"row {row.place}: {words}", system="tamara")
