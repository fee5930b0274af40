"""A migrated store, and MIDOCO on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.midoffice.accounts import MidOfficeAccount
from sandbox.midoco.stand_in import LOGIN, PASSWORD, MidocoStandIn
from sandbox.running import running
from store import Store
from tests.activities.midoffice.midoco import Midoco
from tests.databases import hurried, migrated_url


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = hurried(Store.open(migrated_url("sqlite", tmp_path)))
    yield opened
    opened.close()


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
