"""A migrated store, and the platform on a real socket with its own copy of the example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from activities.platform.settings import PlatformAccount
from sandbox.platform.stand_in import TOKEN, PlatformStandIn
from sandbox.running import running
from store import Store
from store.installation import PlatformSettings
from tests.activities.platform.world import World
from tests.databases import migrated_url


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    stand_in = PlatformStandIn()
    with running(stand_in) as url:
        account = stand_in.platform.account
        settings = PlatformSettings(source=account.source, event_prefix=account.prefix, url=url, token=SecretStr(TOKEN))
        yield World(stand_in, store, settings, PlatformAccount.open(settings, "test"))
    stand_in.close()
