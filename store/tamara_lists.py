"""Lists of AirPlus' lines, files and answers, a page at a time, the newest first (contracts: tamara 3.12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, and_, literal, or_, select, tuple_

from store.database import Database
from store.tables import Instant
from store.tamara_answers import StoredAnswer, answered, answers
from store.tamara_tables import File, Line, LineState, files, lines

FilePlace = tuple[datetime, str]


class TamaraLists:
    """Each method is one statement; what is None does not matter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lines(
        self,
        agency: str,
        *,
        states: Sequence[LineState] = (),
        booking: str | None = None,
        rule: str | None = None,
        before: int | None = None,
        limit: int = 200,
    ) -> list[Line]:
        """Lines below the number `before`. `rule` stopped them here, or is the reason for which AirPlus rejected them."""
        query = select(lines).where(lines.c.agency == agency).order_by(lines.c.id.desc()).limit(limit)
        if states:
            query = query.where(lines.c.state.in_(states))
        if booking is not None:
            query = query.where(lines.c.booking_id == booking)
        if rule is not None:
            told = select(answered.c.id).where(answered.c.line_id == lines.c.id, answered.c.reason == rule).exists()
            query = query.where(
                or_(
                    and_(lines.c.state == "REFUSED", lines.c.refused_rule == rule),
                    and_(lines.c.state.in_(("REJECTED", "EXPIRED")), told),
                )
            )
        if before is not None:
            query = query.where(lines.c.id < before)
        with self._database.read() as connection:
            return [Line.model_validate(row._mapping) for row in connection.execute(query)]

    def files(
        self, agency: str, *, state: str | None = None, after: FilePlace | None = None, limit: int = 200
    ) -> list[tuple[FilePlace, File]]:
        """Files with their places, behind the place `after`."""
        place = tuple_(files.c.created_at, files.c.name)
        query = select(files).where(files.c.agency == agency)
        if state is not None:
            query = query.where(files.c.state == state)
        if after is not None:
            query = query.where(place < tuple_(literal(after[0], Instant), literal(after[1], String)))
        query = query.order_by(files.c.created_at.desc(), files.c.name.desc()).limit(limit)
        with self._database.read() as connection:
            return [
                ((row.created_at, row.name), File.model_validate(row._mapping)) for row in connection.execute(query)
            ]

    def answers(
        self, agency: str, *, verdict: str | None = None, before: int | None = None, limit: int = 200
    ) -> list[StoredAnswer]:
        """Answers below the number `before`."""
        wanted: list[Any] = [answers.c.agency == agency]
        if verdict is not None:
            wanted.append(answers.c.verdict == verdict)
        if before is not None:
            wanted.append(answers.c.id < before)
        query = select(answers).where(*wanted).order_by(answers.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [StoredAnswer.model_validate(row._mapping) for row in connection.execute(query)]
