"""RateHawk's webhooks: stored before they are answered, forgeries and repeats refused (contracts: midoffice 2.9)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from domain.supplier import RATEHAWK
from starter.gateway.app import build_app
from store import Store
from tests.starter.agency import NOW, installation
from tests.starter.conftest import serving

KEY, OTHER_KEY = "3f1c6a52-0c1b-4d8e-9a77-5b1f2f3c4d5e", "7c0a1f2e-1111-4222-8333-944455566677"
DAY = 86_400


def signature(key: str = KEY, *, at: int = NOW, token: str = "token-1") -> dict[str, Any]:
    digest = hmac.new(key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    return {"signature": digest, "timestamp": at, "token": token}


def webhook(key: str = KEY, *, at: int = NOW, token: str = "token-1", **changes: Any) -> dict[str, Any]:
    body = {"type": "updated", "agreement_number": "B2B-12345/1", "partner_order_id": "bkg_417-1"}
    return body | {"signature": signature(key, at=at, token=token)} | changes


@pytest.fixture
def gateway(store: Store, tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[httpx.Client]:
    section = {"url": "http://127.0.0.1:9", "key_id": 1, "api_key": KEY, "webhook_keys": [OTHER_KEY]}
    given = installation(tmp_path)
    agency = given.agencies["demo"].model_copy(update={"ratehawk": section})
    opened = given.model_copy(update={"agencies": {**given.agencies, "demo": agency}})
    with serving(build_app(opened, store, now=clock)) as url, httpx.Client(base_url=url) as client:
        yield client


def told(gateway: httpx.Client, body: Any) -> httpx.Response:
    return gateway.post("/suppliers/ratehawk", json=body)


def due(store: Store) -> list[str]:
    return store.supplier_feeds.due_nudges("demo", RATEHAWK, 50)


def test_a_webhook_is_stored_before_it_is_answered(gateway: httpx.Client, store: Store) -> None:
    assert told(gateway, webhook()).status_code == 200
    assert due(store) == ["bkg_417-1"]


def test_agencies_that_share_a_key_all_hear_of_an_order(
    store: Store, tmp_path: Path, clock: Callable[[], datetime]
) -> None:
    section = {"url": "http://127.0.0.1:9", "key_id": 1, "api_key": KEY}
    given = installation(tmp_path)
    demo = given.agencies["demo"]
    agencies = {
        name: demo.model_copy(
            update={
                "ratehawk": {**section, "agreements": [f"B2B-{name}/1"]},
                "platform": demo.platform.model_copy(update={"source": f"{demo.platform.source}/{name}"}),
            }
        )
        for name in ("demo", "sister")
    }
    app = build_app(given.model_copy(update={"agencies": agencies}), store, now=clock)
    with serving(app) as url, httpx.Client(base_url=url) as client:
        assert told(client, webhook()).status_code == 200
    for name in agencies:
        assert store.supplier_feeds.due_nudges(name, RATEHAWK, 50) == ["bkg_417-1"]


@pytest.mark.parametrize(
    "body",
    [
        webhook(type="created"),
        webhook(type="cancelled"),
        {"data": {"type": "updated", "partner_order_id": "bkg_417-1"}, "signature": signature()},
        {"data": {"partner_order_id": "bkg_417-1", "status": "completed"}, "signature": signature()},
        {"data": {"partner_order_id": "bkg_417-1", "status": "confirmed"}, "signature": signature()},
        webhook(OTHER_KEY),
        webhook(at=NOW + 240),
        webhook(at=NOW - 7 * DAY),
        webhook(brand_new={"x": 1}),
    ],
)
def test_every_layout_key_and_time_that_may_come_is_taken(gateway: httpx.Client, store: Store, body: Any) -> None:
    assert told(gateway, body).status_code == 200
    assert due(store) == ["bkg_417-1"]


@pytest.mark.parametrize(
    "body",
    [
        webhook("0b1c6a52-0c1b-4d8e-9a77-5b1f2f3c4d5e"),
        webhook(signature=signature() | {"timestamp": NOW - 1}),
        webhook(signature=signature() | {"token": "token-2"}),
        webhook(at=NOW + 360),
        webhook(at=NOW - 9 * DAY),
    ],
)
def test_forgeries_and_what_is_out_of_time_are_refused_and_not_kept(
    gateway: httpx.Client, store: Store, body: Any
) -> None:
    answer = told(gateway, body)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")
    assert due(store) == []


def test_a_repeat_is_answered_and_does_nothing(gateway: httpx.Client, store: Store) -> None:
    assert [told(gateway, webhook()).status_code for _ in range(3)] == [200, 200, 200]
    assert store.supplier_feeds.counts("demo", RATEHAWK) == {"open": 1, "read": 0, "missing": 0}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        webhook(type="exploded"),
        webhook(partner_order_id=""),
        webhook(partner_order_id="x" * 257),
        webhook(partner_order_id=7),
        webhook(signature=None),
        webhook(signature=signature() | {"signature": "short"}),
        webhook(signature=signature() | {"timestamp": "yesterday"}),
        webhook(signature=signature() | {"token": "x" * 65}),
    ],
)
def test_a_broken_webhook_is_refused_with_the_field(gateway: httpx.Client, store: Store, body: Any) -> None:
    answer = told(gateway, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_broken")
    assert due(store) == []


def test_a_body_without_end_is_not_read_to_the_end(gateway: httpx.Client) -> None:
    answer = gateway.post("/suppliers/ratehawk", content=b"x" * 20_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_what_could_not_be_stored_is_to_be_sent_again(gateway: httpx.Client, store: Store) -> None:
    with store.database.begin() as connection:
        connection.execute(text("ALTER TABLE supplier_nudges RENAME TO away"))
    assert told(gateway, webhook()).status_code == 500
    with store.database.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO supplier_nudges"))
    assert told(gateway, webhook()).status_code == 200
    assert due(store) == ["bkg_417-1"]
