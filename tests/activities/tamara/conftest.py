"""A migrated store and AirPlus' drop box on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.airplus.running import running_sftp
from sandbox.airplus.stand_in import AirplusStandIn
from store import Store
from tests.activities.tamara.night import DropBoxSite, Night, settings_of
from tests.databases import MASTER_KEY, migrated_url


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY)
    yield opened
    opened.close()


@pytest.fixture
def airplus() -> Iterator[DropBoxSite]:
    stand_in = AirplusStandIn()
    with running_sftp(stand_in) as reach:
        yield DropBoxSite(stand_in, settings_of(reach.port, reach.fingerprint))
    stand_in.close()


@pytest.fixture
def night(store: Store, airplus: DropBoxSite) -> Night:
    return Night(store, airplus.settings)
