from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from domain.errors import Refused
from domain.people import Role
from store import Store, passwords
from store.audit_trail import Deed
from tests.databases import MASTER_KEY

PASSWORD = "a horse and a battery"
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(store_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    opened = Store.open(store_url, master_key=MASTER_KEY, clock=clock)
    opened.people.add("root", Role.ADMINISTRATOR, None, password=PASSWORD, by="setup")
    opened.people.add("Ana", Role.OPERATOR, ["demo"], password=PASSWORD, by="root")
    yield opened
    opened.close()


def test_a_person_signs_in_with_the_password_and_a_name_in_any_case(store: Store) -> None:
    person = store.people.sign_in("ANA", PASSWORD).person
    assert person is not None
    assert (person.name, person.role, person.agencies) == ("ana", Role.OPERATOR, frozenset({"demo"}))


def test_a_password_is_kept_as_argon2id_and_nowhere_in_the_clear(store: Store) -> None:
    with store.database.read() as connection:
        rows = connection.execute(text("SELECT password FROM people")).scalars().all()
    assert len(rows) == 2
    assert all(str(kept).startswith("$argon2id$") for kept in rows)


def test_wrong_passwords_pause_the_name_and_the_pause_ends_by_itself(store: Store, clock: Clock) -> None:
    for _ in range(5):
        answer = store.people.sign_in("ana", "not the password")
        assert answer.person is None
    assert answer.wait == timedelta(minutes=1)
    assert store.people.sign_in("ana", PASSWORD).person is None
    clock.now += timedelta(minutes=1, seconds=1)
    assert store.people.sign_in("ana", PASSWORD).person is not None
    entry = store.people.get("ana")
    assert entry is not None
    assert entry.failures == 0


def test_pauses_grow_with_further_failures(store: Store, clock: Clock) -> None:
    waits = []
    for _ in range(8):
        waits.append(store.people.sign_in("ana", "not the password").wait)
        clock.now += waits[-1] + timedelta(seconds=1)
    assert waits == [timedelta(0)] * 4 + [
        timedelta(minutes=1),
        timedelta(minutes=2),
        timedelta(minutes=4),
        timedelta(minutes=8),
    ]


def test_an_unknown_name_is_answered_like_a_wrong_password(store: Store) -> None:
    assert store.people.sign_in("nobody", PASSWORD) == store.people.sign_in("ana", "wrong password!")


@pytest.mark.parametrize("password", ["short", "x" * 201, "aaaaaaaaaaaaaaaa", "my name is ana!!"])
def test_weak_passwords_are_refused(store: Store, password: str) -> None:
    with pytest.raises(Refused):
        store.people.set_password("ana", password, by="ana")


def test_a_session_ends_when_idle_and_ends_after_its_longest_time(store: Store, clock: Clock) -> None:
    token = store.sessions.begin("ana")
    for _ in range(30):
        clock.now += timedelta(minutes=25)
        found = store.sessions.find(token, idle=IDLE, longest=LONGEST)
        if found is None:
            break
    assert timedelta(hours=12) < clock.now - datetime(2026, 11, 22, 9, tzinfo=UTC) < timedelta(hours=13)
    other = store.sessions.begin("ana")
    clock.now += timedelta(minutes=31)
    assert store.sessions.find(other, idle=IDLE, longest=LONGEST) is None


def test_a_session_is_kept_as_a_hash_of_its_token(store: Store) -> None:
    token = store.sessions.begin("ana")
    with store.database.read() as connection:
        kept = connection.execute(text("SELECT token FROM people_sessions")).scalar_one()
    assert token not in kept
    assert len(kept) == 64


def test_signing_in_again_gives_a_new_token_and_ends_the_old_one(store: Store) -> None:
    old = store.sessions.begin("ana")
    new = store.sessions.begin("ana", instead_of=old)
    assert store.sessions.find(old, idle=IDLE, longest=LONGEST) is None
    assert store.sessions.find(new, idle=IDLE, longest=LONGEST) is not None


@pytest.mark.parametrize("change", ["role", "lock", "password"])
def test_a_change_of_rights_ends_every_session_of_the_person(store: Store, change: str) -> None:
    mine, others = store.sessions.begin("ana"), store.sessions.begin("root")
    match change:
        case "role":
            store.people.set_role("ana", Role.VIEWER, ["demo"], by="root")
        case "lock":
            store.people.lock("ana", by="root", why="left the agency")
        case "password":
            store.people.set_password("ana", "another long password", by="root")
    assert store.sessions.find(mine, idle=IDLE, longest=LONGEST) is None
    assert store.sessions.find(others, idle=IDLE, longest=LONGEST) is not None


def test_a_locked_person_does_not_come_in_with_the_right_password(store: Store) -> None:
    store.people.lock("ana", by="root", why="left the agency")
    assert store.people.sign_in("ana", PASSWORD).person is None
    store.people.unlock("ana", by="root")
    assert store.people.sign_in("ana", PASSWORD).person is not None


def test_the_last_administrator_stays_one(store: Store) -> None:
    with pytest.raises(Refused, match="last administrator"):
        store.people.lock("root", by="root", why="")
    with pytest.raises(Refused, match="last administrator"):
        store.people.set_role("root", Role.VIEWER, None, by="root")
    store.people.set_role("ana", Role.ADMINISTRATOR, None, by="root")
    store.people.lock("root", by="ana", why="on leave")


def test_every_change_of_people_is_on_the_trail(store: Store) -> None:
    store.people.set_role("ana", Role.SUPERVISOR, None, by="root", why="holiday cover")
    store.people.sign_in("ana", "not the password")
    lines = [
        (line.deed.actor, line.deed.action, line.deed.object, line.deed.outcome) for line in store.audit_trail.list()
    ]
    assert lines == [
        ("ana", "sign-in", "ana", "refused"),
        ("root", "user.role", "ana", "done"),
        ("root", "user.add", "ana", "done"),
        ("setup", "user.add", "root", "done"),
    ]


@pytest.mark.parametrize("statement", ["UPDATE audit_trail SET actor = 'x'", "DELETE FROM audit_trail"])
def test_the_database_refuses_to_change_the_trail(store: Store, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), store.database.begin() as connection:
        connection.execute(text(statement))
    assert len(store.audit_trail.list()) == 2


def test_the_trail_of_an_agency_shows_its_own_lines_and_those_of_the_installation(store: Store) -> None:
    for agency in ("demo", "other"):
        store.audit_trail.write(Deed("root", "park.decide", "item", agency=agency))
    assert {line.deed.agency for line in store.audit_trail.list(["demo"])} == {"demo", None}
