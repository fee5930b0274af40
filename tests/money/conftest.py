"""One GIAV for all tests of the folder, emptied for each; a platform of its own for each."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from activities.platform.settings import PlatformAccount
from sandbox.giav.records import Records
from sandbox.giav.stand_in import GiavStandIn
from sandbox.platform.stand_in import TOKEN, PlatformStandIn
from sandbox.running import running
from store import Store
from store.installation import PlatformSettings
from tests.activities.platform.world import World
from tests.databases import migrated_url
from tests.money.house import House


@pytest.fixture(scope="session")
def giav() -> Iterator[tuple[GiavStandIn, str, Records]]:
    stand_in = GiavStandIn()
    as_set_up = copy.deepcopy(stand_in.books.records)
    with running(stand_in) as url:
        yield stand_in, url, as_set_up


@pytest.fixture
def house(giav: tuple[GiavStandIn, str, Records], tmp_path: Path) -> Iterator[House]:
    stand_in, url, as_set_up = giav
    stand_in.books.records = copy.deepcopy(as_set_up)
    stand_in.faults.clear()
    store = Store.open(migrated_url("sqlite", tmp_path))
    platform = PlatformStandIn()
    with running(platform) as place:
        told = platform.platform.account
        settings = PlatformSettings(source=told.source, event_prefix=told.prefix, url=place, token=SecretStr(TOKEN))
        opened = House(World(platform, store, settings, PlatformAccount.open(settings, "test")), stand_in, url)
        yield opened
        assert opened.unsound() == [], "M1-M9 hold after every row"
    platform.close()
    store.close()
