"""TAMARA lines, files and counters: what waits, what is frozen, and which number comes next (contracts: tamara 3.6, 3.12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from store.clock import Clock, utc_now
from store.database import Database
from store.tables import upsert
from store.tamara_tables import (
    ARRIVED,
    DELIVERED,
    OPEN,
    File,
    FileKey,
    Line,
    LineContent,
    LineState,
    NewLine,
    Sealing,
    counters,
    files,
    lines,
)

LAST_NUMBER = 999_999_999
AT_A_TIME = 200
"""Lines in memory while all of a file are walked through."""


class LinesMoved(Exception):
    """A line that was to be sealed is no longer staged; choose again."""


class CounterExhausted(Exception):
    """The counter stands at its last number (contracts: tamara 3.6, wrap)."""


class TamaraLedger:
    """Reads and writes the three tables; every method is one short transaction."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def stage(self, line: NewLine) -> Line:
        """Store a line once; a second call with the same key returns the row as it stands, whatever became of it."""
        moment = self._clock()
        with self._database.begin() as connection:
            connection.execute(
                upsert(connection, lines)
                .values(**line.model_dump(), created_at=moment, updated_at=moment)
                .on_conflict_do_nothing(
                    index_elements=[
                        lines.c.agency,
                        lines.c.booking_id,
                        lines.c.payment_id,
                        lines.c.purpose,
                        lines.c.version,
                    ]
                )
            )
            stored = connection.execute(
                select(lines).where(
                    lines.c.agency == line.agency,
                    lines.c.booking_id == line.booking_id,
                    lines.c.payment_id == line.payment_id,
                    lines.c.purpose == line.purpose,
                    lines.c.version == line.version,
                )
            ).one()
        return _line(stored)

    def replace(self, line_id: int, content: LineContent) -> Line:
        """Give an open line new content. Raises `LinesMoved` once it is sealed or withdrawn."""
        return self._change(line_id, content.model_dump(include=set(LineContent.model_fields)))

    def withdraw(self, line_id: int, why: str) -> Line:
        """Take an open line back: nothing of it is ever sent. Raises `LinesMoved` once it is sealed."""
        return self._change(line_id, {"state": "WITHDRAWN", "notes": [why]})

    def _change(self, line_id: int, values: dict[str, Any]) -> Line:
        with self._database.begin() as connection:
            changed = connection.execute(
                update(lines)
                .where(lines.c.id == line_id, lines.c.state.in_(OPEN))
                .values(**values, updated_at=self._clock())
                .returning(lines)
            ).one_or_none()
        if changed is None:
            raise LinesMoved(f"line {line_id} has left the house")
        return _line(changed)

    def line(self, agency: str, booking_id: str, payment_id: str, purpose: str) -> Line | None:
        """The newest version of a line by its key."""
        found = self._lines(
            lines.c.agency == agency,
            lines.c.booking_id == booking_id,
            lines.c.payment_id == payment_id,
            lines.c.purpose == purpose,
        )
        return max(found, key=lambda line: line.version, default=None)

    def lines_of(self, agency: str, booking_id: str) -> list[Line]:
        return self._lines(lines.c.agency == agency, lines.c.booking_id == booking_id)

    def lines_in(self, key: FileKey) -> list[Line]:
        """The content of a file in its order: value date, invoice number, reference (contracts: tamara 3.2)."""
        found = self._lines(
            lines.c.partner_id == key.partner_id,
            lines.c.kind == key.kind,
            lines.c.mode == key.mode,
            lines.c.seq == key.seq,
        )
        return sorted(found, key=lambda line: (line.value_date, line.invoice_number or "", line.txn_ref))

    def each_in(self, key: FileKey) -> Iterator[Line]:
        """`lines_in` without holding more than a few of them at a time."""
        query = select(lines.c.id, lines.c.value_date, lines.c.invoice_number, lines.c.txn_ref).where(
            lines.c.partner_id == key.partner_id,
            lines.c.kind == key.kind,
            lines.c.mode == key.mode,
            lines.c.seq == key.seq,
        )
        with self._database.read() as connection:
            found = connection.execute(query).all()
        # Sorted here: databases do not agree on the order of texts.
        found = sorted(found, key=lambda row: (row.value_date, row.invoice_number or "", row.txn_ref))
        return self._each([row.id for row in found])

    def each_open(self, agency: str, kind: str, mode: str) -> Iterator[Line]:
        """`open_lines` without holding more than a few of them at a time."""
        query = select(lines.c.id).where(
            lines.c.agency == agency, lines.c.kind == kind, lines.c.mode == mode, lines.c.state.in_(OPEN)
        )
        with self._database.read() as connection:
            found = list(connection.execute(query.order_by(lines.c.id)).scalars())
        return self._each(found)

    def _each(self, ids: Sequence[int]) -> Iterator[Line]:
        for start in range(0, len(ids), AT_A_TIME):
            chosen = ids[start : start + AT_A_TIME]
            found = {line.id: line for line in self._lines(lines.c.id.in_(chosen))}
            yield from (found[number] for number in chosen if number in found)

    def open_lines(self, agency: str, kind: str, mode: str) -> list[Line]:
        """Everything staged or refused for one kind of file."""
        return self._lines(
            lines.c.agency == agency, lines.c.kind == kind, lines.c.mode == mode, lines.c.state.in_(OPEN)
        )

    def listing(self, agency: str, *, states: Sequence[LineState] = (), limit: int = 500) -> list[Line]:
        """Lines for the console, newest first."""
        wanted = [lines.c.agency == agency, *([lines.c.state.in_(states)] if states else [])]
        return self._lines(*wanted, newest=limit)

    def by_booking(self, agency: str) -> dict[str, dict[str, int]]:
        """How many lines each booking has in each state; of a corrected line only what took its place."""
        query = (
            select(lines.c.booking_id, lines.c.state, func.count())
            .where(lines.c.agency == agency, lines.c.state.not_in(("WITHDRAWN", "CORRECTED")))
            .group_by(lines.c.booking_id, lines.c.state)
            .order_by(lines.c.state)
        )
        found: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            for booking, state, count in connection.execute(query):
                found.setdefault(booking, {})[state] = count
        return found

    def delivered_refs(self, refs: Sequence[str]) -> set[str]:
        """Those of `refs` that AirPlus has in its hands: only they can be reversed (V021)."""
        there: set[str] = set()
        with self._database.read() as connection:
            for start in range(0, len(refs), AT_A_TIME):
                found = connection.execute(
                    select(lines.c.txn_ref)
                    .join(files, _of_file)
                    .where(
                        lines.c.txn_ref.in_(refs[start : start + AT_A_TIME]),
                        lines.c.state.in_(DELIVERED),
                        files.c.state != "REFUSED",
                    )
                )
                there.update(found.scalars())
        return there

    def _lines(self, *conditions: Any, newest: int | None = None) -> list[Line]:
        query = select(lines).where(*conditions).order_by(lines.c.id if newest is None else lines.c.id.desc())
        with self._database.read() as connection:
            return [_line(row) for row in connection.execute(query.limit(newest))]

    def seal(self, wish: Sealing) -> File:
        """Take the next number and freeze content and number in one transaction; once for each day.

        Raises `LinesMoved` if a chosen line is no longer staged, `CounterExhausted` at the last number.
        """
        moment = self._clock()
        with self._database.begin() as connection:
            last = _lock_counter(connection, wish)
            sealed = connection.execute(select(files).where(_day(wish))).one_or_none()
            if sealed is not None:
                return _file(sealed)
            seq = _next_number(connection, wish, last)
            row = {
                **wish.model_dump(exclude={"line_ids", "name"}),
                "sealed_at": wish.sealed_at.isoformat(),
                "seq": seq,
                "name": wish.name(seq),
                "state": "SEALED",
                "lines": len(wish.line_ids),
                "period_from": wish.sealed_at.date(),
                "period_to": wish.sealed_at.date(),
                "sums": [],
            }
            connection.execute(insert(files).values(**row, created_at=moment, updated_at=moment))
            mine = and_(
                lines.c.partner_id == wish.partner_id,
                lines.c.kind == wish.kind,
                lines.c.mode == wish.mode,
                lines.c.seq == seq,
            )
            _freeze(connection, wish, seq, moment)
            span = connection.execute(select(func.min(lines.c.value_date), func.max(lines.c.value_date)).where(mine))
            first, newest = span.one()
            connection.execute(
                update(files)
                .where(_is(FileKey(partner_id=wish.partner_id, kind=wish.kind, mode=wish.mode, seq=seq)))
                .values(
                    period_from=first or wish.sealed_at.date(),
                    period_to=newest or wish.sealed_at.date(),
                    sums=_sums(connection, mine),
                )
            )
            return _file(connection.execute(select(files).where(_day(wish))).one())

    def file(self, key: FileKey) -> File | None:
        return self._file(_is(key))

    def file_of_day(self, agency: str, kind: str, mode: str, day: dt.date) -> File | None:
        return self._file(
            and_(files.c.agency == agency, files.c.kind == kind, files.c.mode == mode, files.c.day == day)
        )

    def _file(self, condition: Any) -> File | None:
        with self._database.read() as connection:
            row = connection.execute(select(files).where(condition)).one_or_none()
        return None if row is None else _file(row)

    def undelivered_before(self, key: FileKey) -> list[int]:
        """Numbers of earlier files that AirPlus does not have yet: numbers arrive in order (contracts: tamara F003)."""
        query = select(files.c.seq).where(
            files.c.partner_id == key.partner_id,
            files.c.kind == key.kind,
            files.c.mode == key.mode,
            files.c.seq < key.seq,
            files.c.state.not_in((*ARRIVED, "VOID")),
        )
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(files.c.seq)).scalars())

    def files_of(self, agency: str, limit: int = 200) -> list[File]:
        """Files for the console, newest first."""
        query = select(files).where(files.c.agency == agency).order_by(files.c.created_at.desc()).limit(limit)
        with self._database.read() as connection:
            return [_file(row) for row in connection.execute(query)]

    def rendered(self, key: FileKey, digest: str, size: int) -> None:
        """Remember the bytes by digest and size. A second rendering must give the same; raises ValueError if not."""
        with self._database.begin() as connection:
            known = connection.execute(select(files.c.digest).where(_is(key))).scalar_one()
            if known not in (None, digest):
                raise ValueError(f"file {key.seq} was rendered with other bytes before")
            connection.execute(
                update(files)
                .where(_is(key), files.c.state == "SEALED")
                .values(state="RENDERED", digest=digest, size=size, updated_at=self._clock())
            )

    def encrypted(self, key: FileKey, digest: str, size: int) -> None:
        """Remember the encrypted form; the clear one stays known too."""
        self._mark(key, cipher_digest=digest, cipher_size=size)

    def uploading(self, key: FileKey) -> None:
        self._mark(key, state="UPLOADING")

    def renaming(self, key: FileKey, sent: bool) -> None:
        """Before the rename is sent (`True`): from now on an absent file may mean that the partner fetched it."""
        self._mark(key, rename_sent=sent)

    def delivery_unknown(self, key: FileKey) -> None:
        self._mark(key, state="DELIVERY_UNKNOWN")

    def delivered(self, key: FileKey) -> None:
        """The file is in AirPlus' hands, and with it its lines."""
        moment = self._clock()
        with self._database.begin() as connection:
            connection.execute(
                update(files).where(_is(key)).values(state="DELIVERED", delivered_at=moment, updated_at=moment)
            )
            connection.execute(
                update(lines)
                .where(
                    lines.c.partner_id == key.partner_id,
                    lines.c.kind == key.kind,
                    lines.c.mode == key.mode,
                    lines.c.seq == key.seq,
                    lines.c.state == "SEALED",
                )
                .values(state="SENT", updated_at=moment)
            )

    def _mark(self, key: FileKey, **values: Any) -> None:
        with self._database.begin() as connection:
            connection.execute(
                update(files).where(_is(key), files.c.state.not_in(ARRIVED)).values(**values, updated_at=self._clock())
            )

    def last_number(self, partner_id: str, kind: str, mode: str) -> int:
        """The last number used; 0 before the first file."""
        with self._database.read() as connection:
            last = connection.execute(select(counters.c.last).where(_counter(partner_id, kind, mode))).scalar()
        return int(last or 0)

    def set_last_number(self, partner_id: str, kind: str, mode: str, last: int) -> None:
        """An operator's repair after a lost counter: the partner's last confirmed number. Never goes back."""
        with self._database.begin() as connection:
            connection.execute(
                upsert(connection, counters)
                .values(partner_id=partner_id, kind=kind, mode=mode, last=last)
                .on_conflict_do_update(
                    index_elements=[counters.c.partner_id, counters.c.kind, counters.c.mode],
                    set_={"last": last},
                    where=counters.c.last < last,
                )
            )


_of_file = and_(
    lines.c.partner_id == files.c.partner_id,
    lines.c.kind == files.c.kind,
    lines.c.mode == files.c.mode,
    lines.c.seq == files.c.seq,
)


def _lock_counter(connection: Connection, wish: Sealing) -> int:
    """The last number used. The row stays locked until the transaction ends, so numbers have neither holes nor twins."""
    connection.execute(
        upsert(connection, counters)
        .values(partner_id=wish.partner_id, kind=wish.kind, mode=wish.mode, last=0)
        .on_conflict_do_nothing()
    )
    row = select(counters.c.last).where(_counter(wish.partner_id, wish.kind, wish.mode)).with_for_update()
    return int(connection.execute(row).scalar_one())


def _next_number(connection: Connection, wish: Sealing, last: int) -> int:
    if last >= LAST_NUMBER:
        raise CounterExhausted(f"{wish.partner_id} {wish.kind} {wish.mode}: no number after {LAST_NUMBER}")
    counter = _counter(wish.partner_id, wish.kind, wish.mode)
    connection.execute(update(counters).where(counter).values(last=last + 1))
    return last + 1


def _freeze(connection: Connection, wish: Sealing, seq: int, moment: dt.datetime) -> None:
    for start in range(0, len(wish.line_ids), 500):
        chosen = wish.line_ids[start : start + 500]
        frozen = connection.execute(
            update(lines)
            .where(lines.c.id.in_(chosen), lines.c.state == "STAGED", lines.c.kind == wish.kind)
            .values(state="SEALED", partner_id=wish.partner_id, seq=seq, updated_at=moment)
        )
        if frozen.rowcount != len(chosen):
            raise LinesMoved(f"{len(chosen) - frozen.rowcount} lines changed while they were sealed")


def _sums(connection: Connection, mine: Any) -> list[dict[str, Any]]:
    found = connection.execute(
        select(lines.c.currency, lines.c.dc, func.count(), func.sum(lines.c.gross))
        .where(mine)
        .group_by(lines.c.currency, lines.c.dc)
        .order_by(lines.c.currency, lines.c.dc)
    )
    return [{"currency": c, "dc": dc, "count": int(count), "gross": int(gross)} for c, dc, count, gross in found]


def _is(key: FileKey) -> Any:
    return and_(
        files.c.partner_id == key.partner_id,
        files.c.kind == key.kind,
        files.c.mode == key.mode,
        files.c.seq == key.seq,
    )


def _day(wish: Sealing) -> Any:
    return and_(
        files.c.agency == wish.agency,
        files.c.kind == wish.kind,
        files.c.mode == wish.mode,
        files.c.day == wish.day,
    )


def _counter(partner_id: str, kind: str, mode: str) -> Any:
    return and_(counters.c.partner_id == partner_id, counters.c.kind == kind, counters.c.mode == mode)


def _line(row: Row[Any]) -> Line:
    return Line.model_validate(row._mapping)


def _file(row: Row[Any]) -> File:
    return File.model_validate(row._mapping)
