"""A RateHawk stand-in behind a real socket, a migrated store, and a booking between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.ratehawk.stand_in import RateHawkStandIn
from sandbox.running import running
from store import Store
from tests.activities.ratehawk.house import BEGAN, Clock, House
from tests.activities.ratehawk.office import Back
from tests.databases import migrated_url


@pytest.fixture(scope="session")
def _socket() -> Iterator[tuple[RateHawkStandIn, Clock, str]]:
    clock = Clock()
    stand_in = RateHawkStandIn(limits={}, now=clock)
    with running(stand_in) as url:
        yield stand_in, clock, url


@pytest.fixture
def house(_socket: tuple[RateHawkStandIn, Clock, str]) -> House:
    stand_in, clock, url = _socket
    clock.now = BEGAN
    stand_in.empty()
    return House(stand_in, clock, url)


@pytest.fixture
def store(tmp_path: Path, house: House) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path), clock=house.clock)
    yield opened
    opened.close()


@pytest.fixture
def back(store: Store, house: House) -> Back:
    return Back(store, house)
