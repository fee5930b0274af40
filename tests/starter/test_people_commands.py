"""`bookings user` lets people in and out, and never takes a password as an argument."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner

from starter.answers import CommandError
from starter.cli import app
from store import Store, passwords
from tests.databases import migrated_url
from tests.starter.agency import SOURCE

RUN = CliRunner()
PASSWORD = "a horse and a battery"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return migrated_url("sqlite", tmp_path)


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(
        f"""
        [store]
        url = "{url}"
        [agencies.demo]
        name = "Viajes Ejemplo"
        [agencies.demo.platform]
        source = "{SOURCE}"
        """
    )
    return path


def user(settings: Path, *arguments: str, given: str = "") -> str:
    ended = RUN.invoke(app, ["user", *arguments, "--settings", str(settings)], input=given, catch_exceptions=True)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == 0, ended.output
    return ended.output


def add(settings: Path, name: str = "ada", role: str = "administrator", *scope: str) -> str:
    return user(settings, "add", name, "--role", role, *(scope or ("--all-agencies",)), given=f"{PASSWORD}\n")


def test_somebody_is_let_in_with_a_password_from_standard_input(settings: Path, url: str) -> None:
    assert PASSWORD not in add(settings)
    store = Store.open(url)
    assert store.people.sign_in("ada", PASSWORD).person is not None
    store.close()


def test_the_list_names_role_agencies_and_state_and_no_hash(settings: Path) -> None:
    add(settings)
    add(settings, "olga", "operator", "--agency", "demo")
    user(settings, "lock", "olga", "--why", "left the agency")
    listed = user(settings, "list", "--json")
    assert "argon2" not in listed
    people = {one["name"]: one for one in json.loads(listed)}
    assert (people["ada"]["role"], people["ada"]["agencies"]) == ("administrator", None)
    assert (people["olga"]["agencies"], people["olga"]["locked"]) == (["demo"], True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "ada", "--role", "viewer"), "say which agencies"),
        (("add", "ada", "--role", "viewer", "--agency", "nowhere"), "no agency 'nowhere'"),
        (("add", "a b", "--role", "viewer", "--agency", "demo"), "no name to sign in with"),
        (("lock", "nobody", "--why", "x"), "nobody called 'nobody'"),
        (("sessions", "--end", "7"), "no open session 7"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(settings: Path, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        user(settings, *arguments, given=f"{PASSWORD}\n")


def test_a_weak_password_is_refused(settings: Path) -> None:
    with pytest.raises(CommandError, match="at least 12 characters"):
        user(settings, "add", "ada", "--role", "viewer", "--agency", "demo", given="short\n")


def test_sessions_are_listed_and_ended(settings: Path, url: str) -> None:
    add(settings)
    store = Store.open(url)
    store.sessions.begin("ada", "Firefox")
    store.close()
    (session,) = json.loads(user(settings, "sessions", "--json"))
    user(settings, "sessions", "--end", str(session["number"]))
    assert json.loads(user(settings, "sessions", "--json")) == []


def test_the_trail_tells_who_did_what(settings: Path) -> None:
    add(settings)
    add(settings, "olga", "operator", "--agency", "demo")
    user(settings, "role", "olga", "viewer", "--agency", "demo", "--why", "new duties", "--by", "ada")
    newest = json.loads(user(settings, "trail", "--json"))[0]
    assert (newest["actor"], newest["action"], newest["object"]) == ("ada", "user.role", "olga")
    assert newest["why"] == "viewer, demo: new duties"
