from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from domain.people import Role
from starter.console.app import build_console
from store import Store
from tests.console.conftest import PASSWORD, Clock, client_of, no_temporal
from tests.console.provider import CLIENT, SECRET, Provider, build_provider
from tests.starter.agency import installation
from tests.starter.conftest import serving


@pytest.fixture(scope="module")
def served() -> Iterator[Provider]:
    provider = Provider()
    with serving(build_provider(provider)) as address:
        provider.issuer = address
        yield provider


@pytest.fixture
def provider(served: Provider) -> Provider:
    served.claims = {"sub": "u-1", "preferred_username": "Marie", "groups": ["staff", "desk"]}
    served.wrong, served.foreign_key, served.unsigned = {}, False, False
    return served


@pytest.fixture
def browser(provider: Provider, tmp_path: Path, store: Store, clock: Clock) -> Iterator[TestClient]:
    openid = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "roles": {"desk": "operator", "heads": "supervisor"},
        "agency_claim": "agencies",
    }
    provider.claims["agencies"] = ["demo"]
    settled = installation(tmp_path, console={"openid": openid})
    with client_of(build_console(settled, store, connect=no_temporal, now=clock)) as client:
        yield client


def journey(browser: TestClient, to: str = "/parked") -> str:
    """To the provider and back; the path of the console with which it ends."""
    door = browser.get(f"/sign-in/openid?next={to}").headers["location"]
    back = httpx.get(door, follow_redirects=False).headers["location"]
    return browser.get(back.removeprefix("http://127.0.0.1:8081")).headers["location"]


def test_somebody_who_comes_for_the_first_time_gets_the_role_of_the_group(browser: TestClient, store: Store) -> None:
    assert journey(browser) == "/parked"
    assert browser.get("/").status_code == 200
    entry = store.people.get("marie")
    assert entry is not None
    assert (entry.person.role, entry.person.agencies) == (Role.OPERATOR, frozenset({"demo"}))
    assert not entry.person.has_password


def test_the_door_asks_for_a_code_with_pkce_state_and_nonce(browser: TestClient) -> None:
    query = parse_qs(urlsplit(browser.get("/sign-in/openid").headers["location"]).query)
    assert (query["response_type"], query["code_challenge_method"]) == (["code"], ["S256"])
    assert all(len(query[name][0]) >= 32 for name in ("state", "nonce", "code_challenge"))


def test_the_rights_follow_the_provider_at_every_sign_in(browser: TestClient, store: Store, provider: Provider) -> None:
    journey(browser)
    provider.claims["groups"] = ["heads"]
    journey(browser)
    entry = store.people.get("marie")
    assert entry is not None
    assert entry.person.role is Role.SUPERVISOR
    provider.claims["groups"] = ["staff"]
    assert journey(browser) == "/sign-in"


def test_a_locked_person_stays_out(browser: TestClient, store: Store) -> None:
    journey(browser)
    store.people.lock("marie", by="ada", why="left")
    assert journey(browser) == "/sign-in"
    assert browser.get("/").status_code == 303


def test_a_name_that_belongs_to_somebody_with_a_password_is_not_taken_over(
    browser: TestClient, store: Store, provider: Provider
) -> None:
    provider.claims["preferred_username"] = "ada"
    assert journey(browser) == "/sign-in"
    assert store.people.sign_in("ada", PASSWORD).person is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"exp": 1},
        {"nonce": "another"},
        {"aud": [CLIENT, "another"]},
    ],
)
def test_a_token_that_was_not_made_for_this_journey_lets_nobody_in(
    browser: TestClient, provider: Provider, wrong: dict[str, Any]
) -> None:
    provider.wrong = wrong
    assert journey(browser) == "/sign-in"
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("how", ["foreign_key", "unsigned"])
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    browser: TestClient, provider: Provider, how: str
) -> None:
    setattr(provider, how, True)
    assert journey(browser) == "/sign-in"


def test_an_answer_with_another_state_or_without_a_journey_lets_nobody_in(browser: TestClient) -> None:
    door = browser.get("/sign-in/openid").headers["location"]
    back = httpx.get(door, follow_redirects=False).headers["location"].removeprefix("http://127.0.0.1:8081")
    assert browser.get(back.replace("state=", "state=x")).headers["location"] == "/sign-in"
    browser.cookies.delete("journey_8081")
    assert browser.get(back).headers["location"] == "/sign-in"


def test_a_code_is_worth_nothing_twice(browser: TestClient) -> None:
    door = browser.get("/sign-in/openid").headers["location"]
    back = httpx.get(door, follow_redirects=False).headers["location"].removeprefix("http://127.0.0.1:8081")
    kept = browser.cookies["journey_8081"]
    assert browser.get(back).headers["location"] == "/"
    browser.cookies.set("journey_8081", kept)
    assert browser.get(back).headers["location"] == "/sign-in"


def test_a_refused_sign_in_is_on_the_trail_with_its_reason(
    browser: TestClient, store: Store, provider: Provider
) -> None:
    provider.wrong = {"exp": 1}
    journey(browser)
    (line,) = store.audit_trail.list(actor="openid")
    assert (line.deed.outcome, "ExpiredSignatureError" in line.deed.why) == ("refused", True)


def test_without_a_provider_there_is_no_such_door(stranger: TestClient) -> None:
    assert stranger.get("/sign-in/openid").status_code == 404
