"""A migrated store, each mid-office in turn, and MIDOCO on a real socket. A file about one of them has a `system` of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.activities import MidOfficeActivities
from sandbox.midoco.stand_in import LOGIN, PASSWORD, MidocoStandIn
from sandbox.running import running
from store import Store
from tests.activities.midoffice.midoco import Midoco
from tests.activities.midoffice.systems.registry import SYSTEMS
from tests.activities.midoffice.under_test import UnderTest
from tests.activities.platform import trip
from tests.databases import hurried, migrated_url


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = hurried(Store.open(migrated_url("sqlite", tmp_path)))
    yield opened
    opened.close()


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> Iterator[UnderTest]:
    with SYSTEMS[request.param]() as opened:
        yield opened


@pytest.fixture
def cells(store: Store, system: UnderTest) -> MidOfficeActivities:
    trip.tell(store, "experience.created", experience=trip.experience())
    return MidOfficeActivities(store, {trip.AGENCY: system.account})


@pytest.fixture
def midoco() -> Iterator[Midoco]:
    stand_in = MidocoStandIn(units=frozenset({"4711"}), suppliers=frozenset({"RATEHAWK", "70012"}), hang_seconds=2)
    with running(stand_in) as url:
        section = {
            "url": url,
            "login": LOGIN,
            "password": PASSWORD,
            "organisation_unit": "4711",
            "agency_no": "AG01",
            "supplier_numbers": {"sup_rh": "RATEHAWK", "sup_direct": "70012"},
            "timeout": 1.0,
        }
        yield Midoco(stand_in, url, section, MidOfficeAccount.open(section))
