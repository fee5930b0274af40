"""Programs act for people: with a token, never beyond its person, never after its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from domain.errors import Refused
from domain.people import Role
from store import Store
from tests.api.conftest import ActingFor
from tests.console.conftest import ADDRESS, Clock


def asking(console: FastAPI, token: str | None) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return TestClient(console, base_url=ADDRESS).get("/api/v1/me", headers=headers).status_code


def test_a_token_tells_for_whom_it_acts(acting_for: ActingFor) -> None:
    assert acting_for("olga").get("/me").json() == {"name": "olga", "role": "operator", "agencies": ["demo"]}


def test_without_a_token_that_stands_nothing_is_answered(console: FastAPI, store: Store, clock: Clock) -> None:
    token = store.api_tokens.create("olga", "nightly export", timedelta(days=2), by="ada")
    assert [asking(console, each) for each in (None, "", "bko_nonsense", token[:-1], token)] == [
        401,
        401,
        401,
        401,
        200,
    ]
    clock.now += timedelta(days=2)
    assert asking(console, token) == 401


def test_a_revoked_token_and_one_of_a_locked_person_open_nothing(console: FastAPI, store: Store) -> None:
    first, second = (store.api_tokens.create(name, "tests", timedelta(days=1), by="ada") for name in ("olga", "vera"))
    store.api_tokens.revoke(store.api_tokens.list("olga")[0].number, by="ada")
    store.people.lock("vera", by="ada", why="left the house")
    assert [asking(console, token) for token in (first, second)] == [401, 401]
    with pytest.raises(Refused):
        store.api_tokens.revoke(store.api_tokens.list("olga")[0].number, by="ada")


def test_a_token_may_have_less_than_its_person_and_never_more(console: FastAPI, store: Store) -> None:
    token = store.api_tokens.create("sofia", "reading only", timedelta(days=1), by="ada", most=Role.VIEWER)
    client = TestClient(console, base_url=ADDRESS, headers={"Authorization": f"Bearer {token}"})
    assert client.get("/api/v1/me").json()["role"] == "viewer"
    answer = client.post("/api/v1/payments/demo/pay_1/claim", json={"expected_version": 1})
    assert answer.status_code == 403
    with pytest.raises(Refused, match="cannot give a token more"):
        store.api_tokens.create("vera", "too much", timedelta(days=1), by="ada", most=Role.OPERATOR)


def test_a_token_loses_what_its_person_loses(console: FastAPI, store: Store) -> None:
    token = store.api_tokens.create("sofia", "was more", timedelta(days=1), by="ada", most=Role.SUPERVISOR)
    store.people.set_role("sofia", Role.VIEWER, ["demo"], by="ada")
    client = TestClient(console, base_url=ADDRESS, headers={"Authorization": f"Bearer {token}"})
    assert client.get("/api/v1/me").json()["role"] == "viewer"


def test_the_store_keeps_no_token_and_the_trail_tells_of_each(store: Store) -> None:
    token = store.api_tokens.create("olga", "nightly export", timedelta(days=90), by="ada")
    with store.database.read() as connection:
        kept = connection.exec_driver_sql("SELECT * FROM api_tokens").all()
    assert token not in str(kept)
    (line,) = store.audit_trail.list(action="token.create")
    assert (line.deed.actor, line.deed.object) == ("ada", "olga")


def test_the_session_of_a_browser_opens_no_api(console: FastAPI, store: Store) -> None:
    cookie = store.sessions.begin("sofia")
    client = TestClient(console, base_url=ADDRESS, cookies={"console_8081": cookie})
    assert client.get("/api/v1/me").status_code == 401
