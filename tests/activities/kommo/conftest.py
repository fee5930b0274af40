"""Kommo's stand-in on a real socket, and an account at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from activities.kommo.account import KommoAccount
from activities.kommo.fields import CODES, definition_of
from activities.kommo.settings import KommoSettings
from sandbox.kommo.crm import PIPELINE
from sandbox.kommo.stand_in import ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, TOKEN, KommoStandIn
from sandbox.running import running
from tests.databases import dialect, store, store_url

__all__ = ["dialect", "store", "store_url"]

TRIGGER = 33
Told = list[tuple[str, str]]


def settings(url: str, **changes: Any) -> KommoSettings:
    known = {
        "url": url,
        "account_id": ACCOUNT_ID,
        "token": TOKEN,
        "pipeline": PIPELINE,
        "trigger_stages": [TRIGGER],
        "calls_per_second": 50,
    }
    return KommoSettings.model_validate(known | changes)


def with_oauth(url: str, **changes: Any) -> KommoSettings:
    known = {"token": None, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": REDIRECT_URI}
    return settings(url, **(known | changes))


@pytest.fixture(scope="module")
def listening() -> Iterator[tuple[KommoStandIn, str]]:
    stand_in = KommoStandIn(per_second=10_000)
    with running(stand_in) as url:
        yield stand_in, url


@pytest.fixture
def stand_in(listening: tuple[KommoStandIn, str]) -> KommoStandIn:
    """Empty, without faults, and in no hurry."""
    stand_in, _ = listening
    stand_in.faults.clear()
    stand_in.calls.clear()
    stand_in.forget()
    return stand_in


@pytest.fixture
def url(listening: tuple[KommoStandIn, str]) -> str:
    return listening[1]


@pytest.fixture
def told() -> Told:
    """The alarms."""
    return []


@pytest.fixture
def account(stand_in: KommoStandIn, url: str, told: Told) -> Iterator[KommoAccount]:
    """With our fields in place."""
    made = KommoAccount.open(settings(url), alarm=lambda reason, words: told.append((reason, words)))
    made.client.create_fields([definition_of(code, "EUR") for code in CODES])
    yield made
    made.client.close()


@pytest.fixture
def control(stand_in: KommoStandIn, url: str) -> Callable[..., Any]:
    """What people do in Kommo."""

    def do(path: str, **wish: Any) -> Any:
        answer = httpx.post(f"{url}/control/{path}", json=wish)
        answer.raise_for_status()
        return answer.json()

    return do
