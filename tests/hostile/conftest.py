"""A gateway with every door open, for strangers to try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI

from starter.gateway.app import build_app
from store import Store
from store.installation import Installation
from tests.databases import MASTER_KEY, hurried, migrated_url
from tests.starter.agency import NOW, installation

House = tuple[Installation, Store, FastAPI]


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    store = hurried(Store.open(migrated_url("sqlite", folder), master_key=MASTER_KEY))
    try:
        yield store
    finally:
        store.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway with two agencies, every door of it open."""
    folder = tmp_path_factory.mktemp("hostile")
    settled = installation(folder)
    doors = {
        "kommo": {
            "url": "https://viajes.kommo.example",
            "account_id": 4711,
            "hook_secret": "h" * 43,
            "client_secret": "c" * 64,
            "client_id": "9f1c",
            "redirect_uri": "https://gateway.example/crm",
            "token": "t" * 64,
        },
        "ratehawk": {"api_key": "r" * 36},
    }
    demo = settled.agencies["demo"].model_copy(update=doors)
    settled = settled.model_copy(update={"agencies": {**settled.agencies, "demo": demo}})
    with opened(folder) as store:
        yield settled, store, build_app(settled, store, now=lambda: datetime.fromtimestamp(NOW, UTC))
