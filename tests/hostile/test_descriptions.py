"""What the interfaces describe, called with everything but what they expect: an answer as described, never a 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import given
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from domain.people import Role
from starter.console.app import build_console
from store import Store
from tests.databases import MASTER_KEY, hurried, migrated_url
from tests.desk.payments_at_work import ErpAndTemporal
from tests.hostile.budget import examples
from tests.hostile.conftest import House
from tests.starter.agency import NOW, installation

HOST = {"Host": "127.0.0.1:8081"}


def clock() -> datetime:
    return datetime.fromtimestamp(NOW, UTC)


def call_everything(schema: Any, number: int, checks: tuple[Any, ...], **more: Any) -> list[str]:
    """Every operation with made-up requests, fitting and not; the operations that were called."""
    called = []
    for found in schema.get_all_operations():
        operation = found.ok()
        called.append(operation.label)

        fitting = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        spoiled = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

        @examples(number)
        @given(case=fitting | spoiled)
        def call(case: Any) -> None:
            case.call_and_validate(checks=checks, **more)

        call()
    return called


def test_the_gateway_answers_as_described(house: House) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", house[2])
    called = call_everything(schema, 8, (not_a_server_error, status_code_conformance, content_type_conformance))
    assert {"POST /events", "POST /suppliers/ratehawk", "POST /hooks/kommo/{agency}/{secret}"} <= set(called)


@pytest.fixture
def acting(tmp_path: Path) -> Iterator[tuple[FastAPI, dict[str, str]]]:
    """The console with the API, and the headers of a program that acts for an administrator."""
    store = hurried(Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY, clock=clock))
    store.people.add("ada", Role.ADMINISTRATOR, None, password="a horse and a battery", by="tests")
    token = store.api_tokens.create("ada", "tests", timedelta(days=1), by="tests")
    erp = ErpAndTemporal(store, clock)
    console = build_console(installation(tmp_path), store, connect=erp.connect, now=clock)
    yield console, {**HOST, "Authorization": f"Bearer {token}"}
    store.close()


def test_the_api_of_operators_answers_as_described(acting: tuple[FastAPI, dict[str, str]]) -> None:
    console, headers = acting
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", console, headers=HOST)
    called = call_everything(schema, 2, (not_a_server_error, content_type_conformance), headers=headers)
    assert len(called) > 10
