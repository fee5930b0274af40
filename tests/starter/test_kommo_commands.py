"""`bookings integration … --system kommo`: from nothing to a checked account, with the consent in a browser (contracts: kommo 2.1)."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.kommo.crm import PIPELINE
from sandbox.kommo.stand_in import ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, TOKEN, KommoStandIn
from sandbox.running import loopback_socket, running
from starter.answers import CommandError
from starter.commands import consenting
from store import Store
from store.crm_tokens import hook_name
from tests.starter.test_command_line import bookings, one_line, settings, store

__all__ = ["bookings", "settings", "store"]

AT = ("--system", "kommo")


@pytest.fixture(scope="module")
def listening() -> Iterator[tuple[KommoStandIn, str]]:
    stand_in = KommoStandIn(per_second=10_000)
    with running(stand_in) as url:
        yield stand_in, url


@pytest.fixture
def url(listening: tuple[KommoStandIn, str]) -> str:
    listening[0].forget()
    listening[0]._tokens.redirect_uri = REDIRECT_URI
    return listening[1]


def begin(bookings: Any, url: str, monkeypatch: pytest.MonkeyPatch, redirect: str = REDIRECT_URI) -> None:
    bookings("integration", "request", "demo", *AT)
    given = [f"url={url}", f"client_id={CLIENT_ID}", f"redirect_uri={redirect}", f"consent_url={url}/oauth"]
    assert bookings("integration", "set", "demo", *given, "calls_per_second=50", *AT).code == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{CLIENT_SECRET}\n"))
    assert bookings("integration", "key", "demo", *AT).code == 0


def test_an_administrator_agrees_in_the_browser_and_the_account_is_ready(
    bookings: Any, store: Store, url: str, listening: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loopback_socket() as free:
        redirect = f"http://127.0.0.1:{free.getsockname()[1]}/kommo"
    listening[0]._tokens.redirect_uri = redirect
    begin(bookings, url, monkeypatch, redirect)
    browser: list[threading.Thread] = []
    say = consenting.say

    def administrator(words: str) -> None:
        """Opens what is printed, as a person would; the browser goes where it is sent until somebody listens there."""
        say(words)
        if "/oauth?" in words:
            place = words.split()[-1]
            ended = httpx.get(place).headers["location"]
            with_retries = httpx.Client(transport=httpx.HTTPTransport(retries=8))
            browser.append(threading.Thread(target=with_retries.get, args=(ended,)))
            browser[0].start()

    monkeypatch.setattr(consenting, "say", administrator)
    answer = bookings("integration", "consent", "demo")
    browser[0].join()
    assert (answer.code, "we are let in" in answer.out) == (0, True)
    standing = store.crm_tokens.standing("demo", "kommo")
    assert standing is not None
    assert standing.state == "live"
    asked = bookings("integration", "check", "demo", *AT)
    assert asked.code == 1
    assert "needed: trigger_stages" in asked.out
    more = [f"pipeline={PIPELINE}", "trigger_stages=[33]", "gateway_url=https://orders.example"]
    bookings("integration", "set", "demo", *more, *AT)
    assert bookings("integration", "check", "demo", *AT).code == 0
    shown = bookings("integration", "show", "demo", *AT)
    assert "by consent, renewed 0 times" in shown.out
    assert CLIENT_SECRET not in shown.out


def test_the_address_of_the_browser_may_be_pasted(bookings: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(bookings, url, monkeypatch, REDIRECT_URI)
    say = consenting.say

    def administrator(words: str) -> None:
        say(words)
        if "/oauth?" in words:
            ended = httpx.get(words.split()[-1]).headers["location"]
            monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ended}\n"))

    monkeypatch.setattr(consenting, "say", administrator)
    assert bookings("integration", "consent", "demo", "--paste").code == 0


def test_a_long_lived_token_is_sealed_with_its_last_day(
    bookings: Any, store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(bookings, url, monkeypatch)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TOKEN}\n"))
    answer = bookings("integration", "consent", "demo", "--long-lived", "--ends", "2029-12-31")
    assert (answer.code, "by a long-lived token" in answer.out) == (0, True)
    assert store.integrations.known("demo", "kommo").settings["token_expires"] == "2029-12-31"
    assert TOKEN not in str(store.integrations.history("demo", "kommo"))


def test_a_kommo_of_the_settings_file_is_installed_by_a_command(
    bookings: Any, settings: Path, url: str, listening: Any
) -> None:
    section = f"""
        [agencies.demo.kommo]
        url = "{url}"
        account_id = {ACCOUNT_ID}
        token = "{TOKEN}"
        pipeline = {PIPELINE}
        trigger_stages = [33]
        gateway_url = "https://orders.example"
        hook_secret = "{"h" * 30}"
        calls_per_second = 50
    """
    settings.write_text(settings.read_text("utf-8") + section, "utf-8")
    assert "INV_STATUS" in bookings("integration", "install", "demo").out
    again = bookings("integration", "install", "demo")
    assert (again.code, "our fields are there" in again.out) == (0, True)
    (hook,) = listening[0].state()["webhooks"]
    assert hook["destination"] == f"https://orders.example/hooks/kommo/demo/{'h' * 30}"
    one_line(bookings("integration", "request", "demo", *AT), "agencies.demo.kommo")
    one_line(bookings("integration", "rotate-hook", "demo"), "retiring_hook_secret")


def test_what_is_asked_of_an_agency_without_kommo_says_how_to_begin(bookings: Any) -> None:
    one_line(bookings("integration", "install", "demo"), "integration activate demo")
    one_line(bookings("integration", "consent", "demo"), "integration request demo --system kommo")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://x/?code=c&state=other&referer=acc", "another consent"),
        ("http://x/?code=c&referer=acc", "another consent"),
        ("http://x/?state=s&referer=acc", "no code"),
        ("http://x/?code=c&state=s&referer=evil.example", "another account"),
        ("http://x/?error=access_denied&state=s", "did not agree"),
        ("", "no code"),
    ],
)
def test_only_the_answer_to_our_own_question_counts(address: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        consenting.code_in(address, "s", "acc")
    assert consenting.code_in("http://x/?code=c&state=s&referer=acc", "s", "acc") == "c"


def test_the_webhooks_secret_never_stands_in_clear(store: Store) -> None:
    store.vault.seal("demo", hook_name("kommo"), "very secret place")
    with store.database.read() as connection:
        assert "very secret place" not in str(connection.exec_driver_sql("SELECT * FROM sealed_secrets").all())
