"""One pair of stand-ins for the module, an empty store and an empty account for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store import Store
from tests.activities.deals.theatre import Clock, House, both, open_house
from tests.databases import MASTER_KEY, migrated_url


@pytest.fixture(scope="session")
def systems() -> Iterator[Any]:
    with both() as pair:
        yield pair


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """What adapters remember is tested on both databases in tests/store; here one is enough."""
    opened = Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def house(systems: Any, store: Store, clock: Clock) -> Iterator[House]:
    crm, easycount = systems
    with open_house(store, clock, crm, easycount) as opened:
        yield opened


@pytest.fixture
def invoicing_first(systems: Any, store: Store, clock: Clock) -> Iterator[House]:
    crm, easycount = systems
    with open_house(store, clock, crm, easycount, mode="invoice_first") as opened:
        yield opened
