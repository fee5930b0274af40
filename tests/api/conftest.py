"""The API as the console serves it, payments to decide about, and programs that act for people of every role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from starter.console.app import build_console
from store import Store
from store.installation import Installation
from tests.console.conftest import ADDRESS, Clock, _cheap_hashes, clock, settled, store
from tests.desk.payments_at_work import ErpAndTemporal

__all__ = ["_cheap_hashes", "clock", "settled", "store"]

ActingFor = Callable[[str], TestClient]


@pytest.fixture
def erp(store: Store, clock: Clock) -> ErpAndTemporal:
    return ErpAndTemporal(store, clock)


@pytest.fixture
def console(settled: Installation, store: Store, clock: Clock, erp: ErpAndTemporal) -> FastAPI:
    return build_console(settled, store, connect=erp.connect, now=clock)


@pytest.fixture
def acting_for(console: FastAPI, store: Store) -> ActingFor:
    """`acting_for("olga")`: a program with a token of hers."""

    def program(name: str) -> TestClient:
        token = store.api_tokens.create(name, "tests", timedelta(days=1), by="tests")
        return TestClient(
            console, base_url=f"{ADDRESS}/api/v1", headers={"Authorization": f"Bearer {token}"}, follow_redirects=False
        )

    return program
