"""Temporal UI asks the console to open sealed payloads: only its own page, only for an operator of everything who signed in."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from starlette.testclient import TestClient
from temporalio.api.common.v1 import Payload, Payloads

from domain.people import Role
from store import Store
from store.installation import Installation
from tests.console.conftest import PASSWORD
from tests.starter.agency import installation
from workers.codec import SealingCodec

KEY = b"k" * 32
UI = "http://127.0.0.1:8233"
TOLD = Payload(metadata={"encoding": b"json/plain"}, data=b'{"amount": 41250}')


@pytest.fixture
def settled(tmp_path: Path) -> Installation:
    return installation(tmp_path, temporal={"codec": {"key": base64.b64encode(KEY).decode()}})


def sealed() -> dict[str, Any]:
    payloads = asyncio.run(SealingCodec(KEY).encode([TOLD]))
    return dict(json_format.MessageToDict(Payloads(payloads=payloads)))


def ask(browser: TestClient, way: str = "decode", origin: str = UI, body: Any = None, **more: Any) -> Any:
    return browser.post(f"/codec/{way}", json=body or sealed(), headers={"Origin": origin, **more})


def test_an_operator_of_everything_reads_what_is_sealed(signed_in: Callable[[str], TestClient]) -> None:
    answer = ask(signed_in("ada"))
    assert answer.status_code == 200
    assert base64.b64decode(answer.json()["payloads"][0]["data"]) == TOLD.data
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["cache-control"] == "no-store"


def test_what_temporal_ui_seals_opens_again(signed_in: Callable[[str], TestClient]) -> None:
    ada = signed_in("ada")
    clear = json_format.MessageToDict(Payloads(payloads=[TOLD]))
    there = ask(ada, "encode", body=clear).json()
    assert b"41250" not in base64.b64decode(there["payloads"][0]["data"])
    assert ask(ada, body=there).json() == clear


def test_nobody_reads_without_signing_in(stranger: TestClient) -> None:
    answer = ask(stranger)
    assert answer.status_code == 401
    assert "sign in at" in answer.json()["message"]


@pytest.mark.parametrize("name", ["vera", "olga", "sofia"])
def test_people_of_one_agency_and_people_who_only_look_read_nothing(
    signed_in: Callable[[str], TestClient], name: str
) -> None:
    assert ask(signed_in(name)).status_code == 403


def test_a_viewer_of_everything_reads_nothing(store: Store, signed_in: Callable[[str], TestClient]) -> None:
    store.people.add("wim", Role.VIEWER, None, password=PASSWORD, by="tests")
    assert ask(signed_in("wim")).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8081", f"{UI}.evil.example", ""])
def test_pages_of_other_origins_are_refused_and_told_nothing(
    signed_in: Callable[[str], TestClient], origin: str
) -> None:
    answer = ask(signed_in("ada"), origin=origin)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_form_of_another_page_cannot_ask(signed_in: Callable[[str], TestClient]) -> None:
    answer = signed_in("ada").post("/codec/decode", content=b"{}", headers={"Origin": UI, "Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_the_browser_may_ask_beforehand_for_the_ui_alone(stranger: TestClient) -> None:
    def allowed(origin: str) -> str | None:
        return stranger.options("/codec/decode", headers={"Origin": origin}).headers.get("access-control-allow-origin")

    assert (allowed(UI), allowed("https://evil.example")) == (UI, None)


@pytest.mark.parametrize(
    "body", [b"", b"null", b'{"payloads": 7}', b'{"payloads": [{"data": 7}]}', b"\xff\xfe", b"[" * 100_000]
)
def test_what_are_no_payloads_is_refused(signed_in: Callable[[str], TestClient], body: bytes) -> None:
    headers = {"Origin": UI, "Content-Type": "application/json"}
    assert signed_in("ada").post("/codec/decode", content=body, headers=headers).status_code == 400


def test_a_payload_under_another_key_names_the_key_that_is_missing(signed_in: Callable[[str], TestClient]) -> None:
    payloads = asyncio.run(SealingCodec(b"x" * 32).encode([TOLD]))
    answer = ask(signed_in("ada"), body=json_format.MessageToDict(Payloads(payloads=payloads)))
    assert answer.status_code == 400
    assert "retired_keys" in answer.json()["message"]


def test_another_way_does_not_exist(signed_in: Callable[[str], TestClient]) -> None:
    assert ask(signed_in("ada"), "open").status_code == 404
