"""What AirPlus answered, once for each answer and each line, and what people corrected after it (contracts: tamara 3.11, 3.12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    func,
    insert,
    or_,
    select,
    update,
)

from store.clock import Clock, utc_now
from store.database import Database
from store.tables import Instant, LongId, agency_column, metadata, upsert
from store.tamara import LinesMoved
from store.tamara_tables import CARRIED, File, FileKey, FileState, Line, LineState, NewLine, Stored, files, lines

Verdict = Literal["APPLIED", "DUPLICATE", "UNKNOWN", "CONTRADICTION", "UNREADABLE"]
UNCLEAR: tuple[Verdict, ...] = ("UNKNOWN", "CONTRADICTION", "UNREADABLE")
"""What a person has to look at."""
WAITING: tuple[FileState, ...] = ("DELIVERED", "UNCONFIRMED")
"""Files whose answer is still to come."""
UNSETTLED: tuple[LineState, ...] = ("SEALED", "SENT", "HELD", "REJECTED", "EXPIRED")
"""Lines of which more is to come, from AirPlus or from us."""

answers = Table(
    "tamara_answers",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    Column("name", String(100), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("text", String(500), nullable=False),
    Column("partner_id", String(12)),
    Column("kind", String(3)),
    Column("mode", String(1)),
    Column("seq", Integer),
    Column("file_status", String(1)),
    Column("file_reason", String(4)),
    Column("expected", Integer),
    Column("accepted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("settled_by", String(200)),
    Column("settled_why", Text),
    UniqueConstraint("agency", "name", "digest", name="uq_tamara_answers_name"),
    Index("ix_tamara_answers_newest", "agency", "id"),
)

answered = Table(
    "tamara_answered_lines",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    Column("answer_id", LongId, nullable=False),
    Column("line_id", LongId, nullable=False),
    Column("status", String(1), nullable=False),
    Column("reason", String(10)),
    Column("field", String(30)),
    Column("text", String(500)),
    Column("at", Instant, nullable=False),
    Index("ix_tamara_answered_lines_line", "line_id"),
)

corrections = Table(
    "tamara_corrections",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    Column("txn_ref", String(26), nullable=False),
    Column("field", String(60), nullable=False),
    Column("value", JSON),
    Column("by", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_tamara_corrections_txn_ref", "txn_ref"),
)


class LineMove(Stored):
    """What an answer does to one line: from the state it was weighed in to the next."""

    line_id: int
    before: LineState
    after: LineState
    status: str
    reason: str | None = None
    field: str | None = None
    text: str | None = None


class NewAnswer(Stored):
    """An answer as weighed; `moves` and `file_state` happen together with it, or not at all."""

    agency: str
    name: str
    digest: str
    verdict: Verdict
    text: str = ""
    key: FileKey | None = None
    file_status: str | None = None
    file_reason: str | None = None
    expected: int | None = None
    accepted: int = 0
    rejected: int = 0
    held: int = 0
    content: str
    file_state: FileState | None = None
    moves: tuple[LineMove, ...] = ()


class StoredAnswer(Stored):
    """An answer for lists."""

    id: int
    name: str
    verdict: Verdict
    text: str
    kind: str | None
    mode: str | None
    seq: int | None
    file_status: str | None
    file_reason: str | None
    accepted: int
    rejected: int
    held: int
    received_at: dt.datetime
    settled_by: str | None


class LineAnswer(Stored):
    """What AirPlus said of a line last."""

    line_id: int
    status: str
    reason: str | None
    field: str | None
    text: str | None
    at: dt.datetime


class TamaraAnswers:
    """Every method is one short transaction."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def known(self, agency: str, name: str, digest: str) -> bool:
        with self._database.read() as connection:
            query = select(answers.c.id).where(
                answers.c.agency == agency, answers.c.name == name, answers.c.digest == digest
            )
            return connection.execute(query).scalar() is not None

    def apply(self, new: NewAnswer) -> bool:
        """Store an answer with everything it does; False when it was stored before.

        Raises `LinesMoved` if a line is no longer in the state in which the answer was weighed; weigh again.
        """
        moment = self._clock()
        row = {
            **new.model_dump(exclude={"key", "file_state", "moves"}),
            "received_at": moment,
            **({} if new.key is None else new.key.model_dump()),
        }
        with self._database.begin() as connection:
            stored = connection.execute(
                upsert(connection, answers).values(**row).on_conflict_do_nothing().returning(answers.c.id)
            ).scalar()
            if stored is None:
                return False
            for move in new.moves:
                self._move(connection, int(stored), move, moment)
            if new.key is not None and new.file_state is not None:
                connection.execute(
                    update(files)
                    .where(_file(new.key))
                    .values(state=new.file_state, answered_at=moment, updated_at=moment)
                )
        return True

    @staticmethod
    def _move(connection: Connection, answer_id: int, move: LineMove, moment: dt.datetime) -> None:
        moved = connection.execute(
            update(lines)
            .where(lines.c.id == move.line_id, lines.c.state == move.before)
            .values(state=move.after, updated_at=moment)
        )
        if moved.rowcount != 1:
            raise LinesMoved(f"line {move.line_id} changed while its answer was weighed")
        connection.execute(
            insert(answered).values(
                answer_id=answer_id,
                line_id=move.line_id,
                status=move.status,
                reason=move.reason,
                field=move.field,
                text=move.text,
                at=moment,
            )
        )

    def list(self, agency: str, limit: int = 200) -> Sequence[StoredAnswer]:
        """Answers for the console, newest first."""
        query = select(answers).where(answers.c.agency == agency).order_by(answers.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [StoredAnswer.model_validate(row._mapping) for row in connection.execute(query)]

    def unclear(self, agency: str) -> Sequence[StoredAnswer]:
        """Answers that nobody has looked at; an unreadable one is solved by a readable one of the same name."""
        later = answers.alias()
        solved = (
            select(later.c.id)
            .where(
                later.c.agency == answers.c.agency,
                later.c.name == answers.c.name,
                later.c.verdict.in_(("APPLIED", "DUPLICATE")),
            )
            .exists()
        )
        query = select(answers).where(
            answers.c.agency == agency,
            answers.c.verdict.in_(UNCLEAR),
            answers.c.settled_by.is_(None),
            or_(answers.c.verdict != "UNREADABLE", ~solved),
        )
        with self._database.read() as connection:
            return [StoredAnswer.model_validate(row._mapping) for row in connection.execute(query)]

    def settle(self, answer_id: int, by: str, why: str) -> None:
        """A person has looked at an unclear answer."""
        with self._database.begin() as connection:
            connection.execute(update(answers).where(answers.c.id == answer_id).values(settled_by=by, settled_why=why))

    def of_lines(self, line_ids: Sequence[int]) -> dict[int, LineAnswer]:
        """The newest answer to each of these lines."""
        newest = select(func.max(answered.c.id)).where(answered.c.line_id.in_(line_ids)).group_by(answered.c.line_id)
        with self._database.read() as connection:
            rows = connection.execute(select(answered).where(answered.c.id.in_(newest)))
            return {row.line_id: LineAnswer.model_validate(row._mapping) for row in rows}

    def waiting(self, agency: str, mode: str) -> Sequence[File]:
        """Delivered files without an answer, the oldest first."""
        query = select(files).where(files.c.agency == agency, files.c.mode == mode, files.c.state.in_(WAITING))
        with self._database.read() as connection:
            return [File.model_validate(row._mapping) for row in connection.execute(query.order_by(files.c.seq))]

    def refused(self, agency: str, mode: str) -> Sequence[File]:
        """Files that AirPlus refused whole."""
        query = select(files).where(files.c.agency == agency, files.c.mode == mode, files.c.state == "REFUSED")
        with self._database.read() as connection:
            return [File.model_validate(row._mapping) for row in connection.execute(query.order_by(files.c.seq))]

    def close_file(self, key: FileKey, state: FileState, line_state: LineState | None = None) -> None:
        """A person's word in place of an answer: the file's state, and that of its lines that are still unanswered."""
        moment = self._clock()
        with self._database.begin() as connection:
            connection.execute(
                update(files).where(_file(key)).values(state=state, answered_at=moment, updated_at=moment)
            )
            if line_state is not None:
                connection.execute(
                    update(lines)
                    .where(_inside(key), lines.c.state == "SENT")
                    .values(state=line_state, updated_at=moment)
                )

    def close_settled(self, agency: str, answered_before: dt.datetime) -> int:
        """Close files that were answered by then, and of whose lines nothing is open; how many."""
        still_open = (
            select(lines.c.id)
            .where(
                lines.c.partner_id == files.c.partner_id,
                lines.c.kind == files.c.kind,
                lines.c.mode == files.c.mode,
                lines.c.seq == files.c.seq,
                lines.c.state.in_(UNSETTLED),
            )
            .exists()
        )
        with self._database.begin() as connection:
            closed = connection.execute(
                update(files)
                .where(
                    files.c.agency == agency,
                    files.c.state.in_(("ACKED", "PARTIAL")),
                    files.c.answered_at <= answered_before,
                    ~still_open,
                )
                .values(state="CLOSED", updated_at=self._clock())
            )
        return closed.rowcount

    def unconfirmed(self, key: FileKey) -> None:
        """The answer is overdue (contracts: tamara 3.11)."""
        with self._database.begin() as connection:
            connection.execute(
                update(files).where(_file(key), files.c.state == "DELIVERED").values(state="UNCONFIRMED")
            )

    def send_again(self, key: FileKey) -> None:
        """A refused file goes out once more: same number, name and bytes."""
        with self._database.begin() as connection:
            connection.execute(
                update(files)
                .where(_file(key), files.c.state == "REFUSED")
                .values(
                    state="RENDERED", rename_sent=False, answered_at=None, delivered_at=None, updated_at=self._clock()
                )
            )
            connection.execute(
                update(lines)
                .where(_inside(key), lines.c.state == "SENT")
                .values(state="SEALED", updated_at=self._clock())
            )

    def rounds(self, key: FileKey) -> int:
        """How many times this file was refused whole so far."""
        query = select(func.count()).where(
            answers.c.partner_id == key.partner_id,
            answers.c.kind == key.kind,
            answers.c.mode == key.mode,
            answers.c.seq == key.seq,
            answers.c.file_status == "R",
            answers.c.verdict == "APPLIED",
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def correct(self, old: Line, new: NewLine) -> Line:
        """The next version of a rejected line takes its place. Raises `LinesMoved` if it is no longer rejected."""
        moment = self._clock()
        with self._database.begin() as connection:
            closed = connection.execute(
                update(lines)
                .where(lines.c.id == old.id, lines.c.state.in_(("REJECTED", "EXPIRED")))
                .values(state="CORRECTED", updated_at=moment)
            )
            if closed.rowcount != 1:
                raise LinesMoved(f"line {old.id} is no longer rejected")
            connection.execute(insert(lines).values(**new.model_dump(), created_at=moment, updated_at=moment))
            row = connection.execute(
                select(lines).where(lines.c.txn_ref == new.txn_ref, lines.c.version == new.version)
            ).one()
            return Line.model_validate(row._mapping)

    def abandon(self, line_id: int) -> None:
        """A rejected line that is not sent again. Raises `LinesMoved` if it is not rejected."""
        with self._database.begin() as connection:
            closed = connection.execute(
                update(lines)
                .where(lines.c.id == line_id, lines.c.state.in_(("REJECTED", "EXPIRED")))
                .values(state="ABANDONED", updated_at=self._clock())
            )
            if closed.rowcount != 1:
                raise LinesMoved(f"line {line_id} is not rejected")

    def line(self, agency: str, line_id: int) -> Line | None:
        """A line by its number."""
        query = select(lines).where(lines.c.agency == agency, lines.c.id == line_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Line.model_validate(row._mapping)

    def versions(self, txn_ref: str) -> Sequence[Line]:
        """Every version of a transaction, the first one first."""
        query = select(lines).where(lines.c.txn_ref == txn_ref).order_by(lines.c.version)
        with self._database.read() as connection:
            return [Line.model_validate(row._mapping) for row in connection.execute(query)]

    def with_ticket(self, agency: str, mode: str, document: str) -> Sequence[tuple[str, str, str | None]]:
        """Reference, type and coupons of the transactions that were or will be told with this ticket (V023)."""
        flight = lines.c.content["flight"]
        query = select(lines.c.txn_ref, lines.c.type, flight["refund_coupons"].as_string()).where(
            lines.c.agency == agency,
            lines.c.mode == mode,
            lines.c.service.in_(("FL", "EM")),
            lines.c.state.in_(CARRIED),
            flight["document_number"].as_string() == document,
        )
        with self._database.read() as connection:
            return [(ref, kind, coupons) for ref, kind, coupons in connection.execute(query)]

    def corrected(self, txn_ref: str) -> dict[str, Any]:
        """What people set for a transaction, the newest value of each field; it holds for every later version."""
        query = select(corrections).where(corrections.c.txn_ref == txn_ref, ~corrections.c.field.startswith("#"))
        query = query.order_by(corrections.c.id)
        with self._database.read() as connection:
            return {row.field: row.value for row in connection.execute(query)}

    def set_fields(self, txn_ref: str, values: Mapping[str, Any], by: str) -> None:
        """Remember what a person set, and who did. A field that begins with `#` is a remark and sets nothing."""
        moment = self._clock()
        with self._database.begin() as connection:
            for field, value in values.items():
                connection.execute(
                    insert(corrections).values(txn_ref=txn_ref, field=field, value=value, by=by, at=moment)
                )


def _file(key: FileKey) -> Any:
    return and_(
        files.c.partner_id == key.partner_id,
        files.c.kind == key.kind,
        files.c.mode == key.mode,
        files.c.seq == key.seq,
    )


def _inside(key: FileKey) -> Any:
    return and_(
        lines.c.partner_id == key.partner_id,
        lines.c.kind == key.kind,
        lines.c.mode == key.mode,
        lines.c.seq == key.seq,
    )
