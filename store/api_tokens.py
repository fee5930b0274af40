"""Tokens with which programs act for people: shown once, kept as a hash, ended by hand or by their day (DESIGN 7)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Row, String, Table, select, update

from domain.errors import Refused
from domain.people import Person, Role
from store.audit_trail import AuditTrail, Deed
from store.clock import Clock
from store.database import Database
from store.people_tables import people, person_of
from store.tables import Instant, LongId, metadata

PREFIX = "bko_"
"""So that scanners of repositories and logs know one when they see it."""
USED_EVERY = timedelta(minutes=1)
"""How exactly the last use is written down."""

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    Column("token", String(64), nullable=False, unique=True),
    Column("name", String(200), ForeignKey("people.name"), nullable=False),
    Column("label", String(200), nullable=False),
    Column("most", String(20)),
    Column("created_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
    Index(None, "name"),
)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without what opens anything. `most` is the most that it may do, whatever its person may."""

    number: int
    name: str
    label: str
    most: Role | None
    created_at: datetime
    ends_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    def stands(self, moment: datetime) -> bool:
        return self.revoked_at is None and moment < self.ends_at


class ApiTokens:
    """Every change writes its line of the audit trail in the same transaction."""

    def __init__(self, database: Database, clock: Clock, trail: AuditTrail) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    def create(self, name: str, label: str, lasting: timedelta, *, by: str, most: Role | None = None) -> str:
        """The token, which nobody can read again. Raises `Refused` for a person who does not exist, or less than `most`."""
        token, moment = PREFIX + secrets.token_urlsafe(32), self._clock()
        with self._database.begin() as connection:
            row = connection.execute(select(people).where(people.c.name == name.lower())).one_or_none()
            if row is None:
                raise _refused(f"there is nobody called '{name}'")
            person = person_of(row)
            if most is not None and not person.may(most):
                raise _refused(f"{person.name} is a {person.role} and cannot give a token more than that")
            values = {
                "token": _kept(token),
                "name": person.name,
                "label": label,
                "most": most,
                "created_at": moment,
                "ends_at": moment + lasting,
            }
            connection.execute(api_tokens.insert().values(values))
            said = f"{label}, until {moment + lasting:%Y-%m-%d}" + (f", at most {most}" if most else "")
            self._trail.write_in(connection, Deed(by, "token.create", person.name, why=said, way="command"))
        return token

    def find(self, token: str) -> Person | None:
        """For whom this token acts, with what it may do at most; None when it ended, or its person is locked."""
        moment = self._clock()
        query = (
            select(api_tokens.c.id, api_tokens.c.most, api_tokens.c.used_at, api_tokens.c.revoked_at)
            .add_columns(api_tokens.c.ends_at, people)
            .join(people, people.c.name == api_tokens.c.name)
            .where(api_tokens.c.token == _kept(token))
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or row.revoked_at is not None or moment >= row.ends_at or row.locked:
            return None
        if row.used_at is None or moment - row.used_at >= USED_EVERY:
            with self._database.begin() as connection:
                connection.execute(update(api_tokens).where(api_tokens.c.id == row.id).values(used_at=moment))
        person = person_of(row)
        most = Role(row.most) if row.most else None
        return replace(person, role=most) if most is not None and person.may(most) else person

    def revoke(self, number: int, *, by: str) -> ApiToken:
        """End a token now. Raises `Refused` for one that does not exist or has ended."""
        with self._database.begin() as connection:
            row = connection.execute(
                select(api_tokens).where(api_tokens.c.id == number).with_for_update()
            ).one_or_none()
            if row is None or row.revoked_at is not None:
                raise _refused(f"there is no token {number} to revoke; see 'bookings user token list'")
            connection.execute(update(api_tokens).where(api_tokens.c.id == number).values(revoked_at=self._clock()))
            self._trail.write_in(connection, Deed(by, "token.revoke", row.name, why=row.label, way="command"))
        return _token(row)

    def list(self, name: str | None = None) -> list[ApiToken]:
        """Every token ever given, the newest first."""
        query = select(api_tokens).order_by(api_tokens.c.id.desc())
        if name is not None:
            query = query.where(api_tokens.c.name == name.lower())
        with self._database.read() as connection:
            return [_token(row) for row in connection.execute(query)]


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        number=row.id,
        name=row.name,
        label=row.label,
        most=Role(row.most) if row.most else None,
        created_at=row.created_at,
        ends_at=row.ends_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )


def _refused(message: str) -> Refused:
    return Refused(message, system="store", operation="tokens")


def _kept(token: str) -> str:
    """256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
