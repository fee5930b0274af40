"""The weekly search finds account numbers in files and tables, and tells them masked (contracts: tamara 5.3)."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from activities.tamara.searching import CardSearchActivities
from domain.steps import Done, TamaraRetention
from store import Store
from tests.activities.tamara.night import AGENCY, CARD, NIGHT, Night, settings_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that a demo's partner shares."""
    folder = tmp_path / "data"
    (folder / "sandbox" / "in").mkdir(parents=True)
    (folder / "logs").mkdir()
    (folder / "sandbox" / "in" / "file.dat").write_text(f"FL{CARD}    1228")
    return folder


@pytest.fixture
def night(store: Store) -> Night:
    night = Night(store, settings_of())
    night.sold()
    night.seal()
    return night


def searched(night: Night, folder: Path) -> Done:
    cells = CardSearchActivities(
        night.store, {AGENCY: night.settings}, folder, (folder / "sandbox",), clock=lambda: NIGHT
    )
    return cells.search_cards(TamaraRetention(agency=AGENCY))


def test_a_house_in_order_gives_no_item(night: Night, folder: Path) -> None:
    assert searched(night, folder).outcome == "done"
    assert night.store.parked.list(AGENCY) == []


def test_a_number_in_a_log_or_a_table_is_one_item_with_its_places_and_no_number(
    night: Night, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (folder / "logs" / "worker.log").write_text(f"refused {CARD}\n")
    with night.store.database.begin() as connection:
        connection.exec_driver_sql("UPDATE tamara_lines SET refused_text = 'card ' || ?", (CARD,))
    for _ in range(2):
        assert searched(night, folder).outcome == "partial"
    [item] = night.store.parked.list(AGENCY)
    assert (item.reason, item.owner) == ("card_number_found", "technical")
    assert all(place in item.detail for place in ("2 places", "worker.log", "tamara_lines.refused_text"))
    assert CARD not in item.detail + caplog.text
