"""A migrated store, and GIAV on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.running import running
from store import Store
from tests.activities.giav.desk import Desk, LandingStandIn
from tests.databases import migrated_url


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def desk(store: Store) -> Iterator[Desk]:
    stand_in = LandingStandIn()
    with running(stand_in) as url:
        yield Desk(stand_in, url, store)
