"""A console on a store of its own, people of every role in it, and clients that are signed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient
from temporalio.client import Client

from domain.people import Role
from starter.console.app import build_console
from store import Store, passwords
from store.installation import Installation
from tests.databases import MASTER_KEY, hurried, migrated_url
from tests.starter.agency import NOW, installation

PASSWORD = "a horse and a battery"
ADDRESS = "http://127.0.0.1:8081"
EVERYBODY = {"vera": Role.VIEWER, "olga": Role.OPERATOR, "sofia": Role.SUPERVISOR, "ada": Role.ADMINISTRATOR}
"""One person of each role; they see the agency `demo` alone, but the administrator, who sees all."""


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime.fromtimestamp(NOW, UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True, scope="session")
def _cheap_hashes() -> Iterator[None]:
    """Passwords of tests guard nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with opened_store(tmp_path, clock) as opened:
        yield opened


@contextmanager
def opened_store(folder: Path, clock: Clock) -> Iterator[Store]:
    """A store with everybody in it and nothing else."""
    opened = hurried(Store.open(migrated_url("sqlite", folder), master_key=MASTER_KEY, clock=clock))
    people(opened)
    yield opened
    opened.close()


def people(store: Store) -> None:
    for name, role in EVERYBODY.items():
        agencies = None if role is Role.ADMINISTRATOR else ["demo"]
        store.people.add(name, role, agencies, password=PASSWORD, by="tests")


async def no_temporal() -> Client:
    raise RuntimeError("nobody answers")


@pytest.fixture
def settled(tmp_path: Path) -> Installation:
    return installation(tmp_path)


@pytest.fixture
def console(settled: Installation, store: Store, clock: Clock) -> FastAPI:
    return build_console(settled, store, connect=no_temporal, now=clock)


@pytest.fixture
def stranger(console: FastAPI) -> Iterator[TestClient]:
    """A browser that nobody has signed in with. It follows no redirect by itself."""
    with client_of(console) as client:
        yield client


SignIn = Callable[[str], TestClient]


@pytest.fixture
def signed_in(console: FastAPI) -> SignIn:
    """`signed_in("olga")`: a browser of hers."""

    def sign_in(name: str) -> TestClient:
        client = client_of(console)
        answer = client.post("/sign-in", data={"name": name, "password": PASSWORD, "csrf": csrf(client, "/sign-in")})
        assert answer.status_code == 303, answer.text
        return client

    return sign_in


def client_of(console: FastAPI) -> TestClient:
    return TestClient(console, base_url=ADDRESS, follow_redirects=False)


def csrf(client: TestClient, path: str = "/") -> str:
    """What the forms of a page carry."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(path).text)
    assert found, f"{path} has no form"
    return found.group(1)


@contextmanager
def counted_statements(store: Store) -> Iterator[list[str]]:
    """Every statement that the store sends to its database inside the block."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(store.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(store.database.engine, "before_cursor_execute", note)
