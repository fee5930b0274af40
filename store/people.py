"""People who may sign in: roles, agencies, passwords, lock-out (DESIGN 7).

Every change writes its line of the audit trail in the same transaction, and takes away the sessions that it makes wrong.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from domain.errors import Refused
from domain.people import NAME, Person, Role, pause_after, weakness
from store import passwords
from store.audit_trail import AuditTrail, Deed
from store.clock import Clock
from store.database import Database
from store.people_sessions import end_sessions
from store.people_tables import people, person_of
from store.tables import insert_once


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """A person as the list of people shows them. `subject` is who they are for an OpenID provider."""

    person: Person
    subject: str | None
    failures: int
    paused_until: datetime | None
    created_at: datetime
    signed_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """The answer to a name and a password. Without a person it was refused; `wait` says for how long nobody may try."""

    person: Person | None
    wait: timedelta = timedelta(0)


class People:
    """Changes of people who do not exist, and passwords that are too weak, raise `Refused`."""

    def __init__(self, database: Database, clock: Clock, trail: AuditTrail) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    def add(
        self,
        name: str,
        role: Role,
        agencies: Collection[str] | None,
        *,
        password: str | None,
        by: str,
        way: str = "command",
        subject: str | None = None,
    ) -> Person:
        """A new person; without a password they sign in with OpenID Connect. Raises `Refused` for a name that exists."""
        name = name.lower()
        if not NAME.match(name):
            raise _refused(f"'{name}' is no name to sign in with: 3 to 100 letters, digits and . _ - + @")
        values = {
            "name": name,
            "role": str(role),
            "agencies": _packed(agencies),
            "password": None if password is None else _hashed(name, password),
            "subject": subject,
            "locked": False,
            "failures": 0,
            "created_at": self._clock(),
        }
        with self._database.begin() as connection:
            if connection.execute(insert_once(connection.dialect.name, people), values).rowcount != 1:
                raise _refused(f"there is somebody called '{name}' already")
            self._trail.write_in(connection, Deed(by, "user.add", name, why=_words(role, agencies), way=way))
        return Person(name, role, None if agencies is None else frozenset(agencies), has_password=password is not None)

    def set_role(
        self, name: str, role: Role, agencies: Collection[str] | None, *, by: str, way: str = "command", why: str = ""
    ) -> None:
        """Another role or other agencies; every session of the person ends, because it was opened with other rights.

        Raises `Refused` when nobody would be left to administer.
        """
        values = {"role": str(role), "agencies": _packed(agencies)}
        said = _words(role, agencies) + (f": {why}" if why else "")
        with self._database.begin() as connection:
            before = self._known(connection, name)
            connection.execute(update(people).where(people.c.name == before.name).values(**values))
            self._must_leave_an_administrator(connection, before)
            end_sessions(connection, before.name, self._clock())
            self._trail.write_in(connection, Deed(by, "user.role", before.name, why=said, way=way))

    def lock(self, name: str, *, by: str, why: str, way: str = "command") -> None:
        """Let the person in no more, from now on. Raises `Refused` when nobody would be left to administer."""
        with self._database.begin() as connection:
            before = self._known(connection, name)
            connection.execute(update(people).where(people.c.name == before.name).values(locked=True))
            self._must_leave_an_administrator(connection, before)
            end_sessions(connection, before.name, self._clock())
            self._trail.write_in(connection, Deed(by, "user.lock", before.name, why=why, way=way))

    def unlock(self, name: str, *, by: str, way: str = "command") -> None:
        """Let the person in again, also after wrong passwords."""
        with self._database.begin() as connection:
            found = self._known(connection, name)
            connection.execute(
                update(people).where(people.c.name == found.name).values(locked=False, failures=0, paused_until=None)
            )
            self._trail.write_in(connection, Deed(by, "user.unlock", found.name, way=way))

    def set_password(self, name: str, password: str, *, by: str, way: str = "command") -> None:
        """A new password; every session of the person ends."""
        kept = _hashed(name.lower(), password)
        with self._database.begin() as connection:
            found = self._known(connection, name)
            connection.execute(
                update(people).where(people.c.name == found.name).values(password=kept, failures=0, paused_until=None)
            )
            end_sessions(connection, found.name, self._clock())
            self._trail.write_in(connection, Deed(by, "user.password", found.name, way=way))

    def set_language(self, name: str, language: str) -> None:
        with self._database.begin() as connection:
            connection.execute(update(people).where(people.c.name == name).values(language=language))

    def sign_in(self, name: str, password: str) -> SignIn:
        """Whether this is the person's password. Failures are counted, and pause the name (`domain.people.pause_after`)."""
        name, moment = name.lower()[:200], self._clock()
        with self._database.read() as connection:
            row = connection.execute(select(people).where(people.c.name == name)).one_or_none()
        if row is not None and row.paused_until is not None and row.paused_until > moment:
            return SignIn(None, row.paused_until - moment)
        right = passwords.fits(row.password if row is not None else None, password)
        if row is None:
            return SignIn(None)
        if not right or row.locked:
            return self._failed(name, moment, count=not right)
        renewed = {"password": passwords.hashed(password)} if passwords.outdated(row.password) else {}
        with self._database.begin() as connection:
            connection.execute(
                update(people)
                .where(people.c.name == name)
                .values(failures=0, paused_until=None, signed_in_at=moment, **renewed)
            )
        return SignIn(person_of(row))

    def arrived(self, subject: str, name: str, role: Role, agencies: Collection[str] | None) -> Person:
        """Somebody whom an OpenID provider let in: known by the subject, with the rights that the provider tells now.

        Who comes for the first time is added; sessions opened with other rights end. Raises `Refused` for locked people,
        and for a name that belongs to somebody who signs in otherwise: a name proves nothing.
        """
        with self._database.read() as connection:
            row = connection.execute(select(people).where(people.c.subject == subject)).one_or_none()
        if row is None:
            self.add(name, role, agencies, password=None, by="openid", way="console", subject=subject)
        elif row.locked:
            raise _refused(f"{row.name} is locked")
        elif row.role != str(role) or row.agencies != _packed(agencies):
            self.set_role(row.name, role, agencies, by="openid", way="console", why="as the provider tells")
        with self._database.begin() as connection:
            connection.execute(update(people).where(people.c.subject == subject).values(signed_in_at=self._clock()))
            row = connection.execute(select(people).where(people.c.subject == subject)).one()
        return person_of(row)

    def get(self, name: str) -> PersonEntry | None:
        with self._database.read() as connection:
            row = connection.execute(select(people).where(people.c.name == name.lower())).one_or_none()
        return None if row is None else _entry(row)

    def list(self) -> list[PersonEntry]:
        """Everybody, by name."""
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(select(people).order_by(people.c.name))]

    def _failed(self, name: str, moment: datetime, *, count: bool) -> SignIn:
        with self._database.begin() as connection:
            if count:
                failures = connection.scalar(
                    update(people)
                    .where(people.c.name == name)
                    .values(failures=people.c.failures + 1)
                    .returning(people.c.failures)
                )
                pause = pause_after(int(failures or 0))
            else:
                pause = timedelta(0)
            if pause:
                connection.execute(update(people).where(people.c.name == name).values(paused_until=moment + pause))
            said = f"paused for {pause.total_seconds():.0f} s" if pause else "wrong password" if count else "locked"
            self._trail.write_in(connection, Deed(name, "sign-in", name, "refused", said))
        return SignIn(None, pause)

    def _known(self, connection: Connection, name: str) -> Person:
        row = connection.execute(select(people).where(people.c.name == name.lower()).with_for_update()).one_or_none()
        if row is None:
            raise _refused(f"there is nobody called '{name}'")
        return person_of(row)

    def _must_leave_an_administrator(self, connection: Connection, before: Person) -> None:
        """`before` is the person whose rights were just changed; an installation that had administrators keeps one."""
        if before.role is not Role.ADMINISTRATOR or before.locked:
            return
        left = connection.scalar(
            select(func.count())
            .select_from(people)
            .where(people.c.role == str(Role.ADMINISTRATOR), people.c.locked.is_(False))
        )
        if not left:
            raise _refused(f"{before.name} is the last administrator; make somebody else one first")


def _hashed(name: str, password: str) -> str:
    weak = weakness(name, password)
    if weak:
        raise _refused(weak)
    return passwords.hashed(password)


def _refused(message: str) -> Refused:
    return Refused(message, system="store", operation="people")


def _packed(agencies: Collection[str] | None) -> str | None:
    return None if agencies is None else json.dumps(sorted(set(agencies)))


def _words(role: Role, agencies: Collection[str] | None) -> str:
    return f"{role}, {'all agencies' if agencies is None else ', '.join(sorted(set(agencies))) or 'no agency'}"


def _entry(row: Row[Any]) -> PersonEntry:
    return PersonEntry(person_of(row), row.subject, row.failures, row.paused_until, row.created_at, row.signed_in_at)
