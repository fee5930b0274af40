"""Sessions of the console: a random token that only the browser has, an idle and an absolute end (DESIGN 7)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from domain.people import Person
from store.clock import Clock
from store.database import Database
from store.people_tables import people, people_sessions, person_of

SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last use is written down; each page view would otherwise be a write."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that stands. `number` names it for people; it opens nothing."""

    number: int
    name: str
    browser: str
    began_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None


class PeopleSessions:
    """`idle` and `longest` are given with every question, because they are the installation's settings."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, name: str, browser: str = "", *, instead_of: str | None = None) -> str:
        """A new session's token. The session of the token `instead_of` ends: a token never outlives a sign-in."""
        token, moment = secrets.token_urlsafe(32), self._clock()
        with self._database.begin() as connection:
            if instead_of:
                _end(connection, people_sessions.c.token == _kept(instead_of), moment)
            connection.execute(
                people_sessions.insert().values(
                    token=_kept(token), name=name, browser=browser[:200], began_at=moment, seen_at=moment
                )
            )
        return token

    def find(self, token: str, *, idle: timedelta, longest: timedelta) -> tuple[Session, Person] | None:
        """Whose session this token opens, and marks it used; None when it ended, ran out, or its person was locked."""
        moment = self._clock()
        query = (
            select(
                people_sessions.c.id, people_sessions.c.browser, people_sessions.c.began_at, people_sessions.c.seen_at
            )
            .add_columns(people)
            .join(people, people.c.name == people_sessions.c.name)
            .where(people_sessions.c.token == _kept(token), people_sessions.c.ended_at.is_(None))
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or row.locked or moment - row.seen_at > idle or moment - row.began_at > longest:
            return None
        if moment - row.seen_at >= SEEN_EVERY:
            with self._database.begin() as connection:
                connection.execute(update(people_sessions).where(people_sessions.c.id == row.id).values(seen_at=moment))
        return Session(row.id, row.name, row.browser, row.began_at, moment), person_of(row)

    def end(self, token: str) -> None:
        """Signed out; ending what has ended changes nothing."""
        with self._database.begin() as connection:
            _end(connection, people_sessions.c.token == _kept(token), self._clock())

    def end_number(self, number: int) -> bool:
        """End the session that a list shows under this number; False when it had ended."""
        with self._database.begin() as connection:
            return _end(connection, people_sessions.c.id == number, self._clock()) == 1

    def end_all(self, name: str) -> int:
        """How many sessions of a person were ended."""
        with self._database.begin() as connection:
            return end_sessions(connection, name, self._clock())

    def list(self, name: str | None = None, *, idle: timedelta, longest: timedelta) -> list[Session]:
        """Sessions that are open now, the last used first."""
        moment = self._clock()
        query = (
            select(people_sessions)
            .where(people_sessions.c.ended_at.is_(None))
            .where(people_sessions.c.seen_at >= moment - idle, people_sessions.c.began_at >= moment - longest)
            .order_by(people_sessions.c.seen_at.desc())
        )
        if name is not None:
            query = query.where(people_sessions.c.name == name)
        with self._database.read() as connection:
            return [
                Session(row.id, row.name, row.browser, row.began_at, row.seen_at) for row in connection.execute(query)
            ]


def end_sessions(connection: Connection, name: str, moment: datetime) -> int:
    """End every session of a person, in the transaction of what made them wrong."""
    return _end(connection, people_sessions.c.name == name, moment)


def _end(connection: Connection, which: object, moment: datetime) -> int:
    statement = update(people_sessions).where(which, people_sessions.c.ended_at.is_(None))  # type: ignore[arg-type]
    return connection.execute(statement.values(ended_at=moment)).rowcount


def _kept(token: str) -> str:
    """256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
