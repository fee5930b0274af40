"""An account number is in the vault, in the rendering activity and with AirPlus, and nowhere else (contracts: tamara 5.2)."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pysequoia
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.tamara.cargo import Cargo
from activities.tamara.delivery import Parcel
from domain.steps import TamaraFileStep, TamaraRetention, TamaraStep
from sandbox.airplus.running import running_ftps, running_sftp
from sandbox.airplus.stand_in import AirplusStandIn
from store import Store
from tests.activities.tamara.night import AGENCY, CARD, DropBoxSite, Night, ftps_settings_of, settings_of
from tests.activities.tamara.sender import fault
from tests.databases import MASTER_KEY, migrated_url

WAYS = {"sftp": (running_sftp, settings_of), "ftps": (running_ftps, ftps_settings_of)}


class House(NamedTuple):
    """Our side of the wire: a folder with the store, and in it `tmp`, where temporary files would go."""

    folder: Path
    url: str


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    folder = tmp_path / "house"
    (folder / "tmp").mkdir(parents=True)
    url = migrated_url("sqlite", folder)
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
    return House(folder, url)


@pytest.fixture(params=["sftp", "ftps"])
def airplus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DropBoxSite]:
    stand_in = AirplusStandIn(tmp_path / "theirs")
    running, settings = WAYS[request.param]
    with running(stand_in) as reach:
        yield DropBoxSite(stand_in, settings(reach.port, reach.fingerprint))
    stand_in.close()


class Heard:
    """Runs activities as a worker would, and keeps everything that leaves them: results, failures, heartbeats."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._environment = ActivityEnvironment()
        self._environment.on_heartbeat = lambda *details: self.words.append(repr(details))

    def run(self, cell: Any, step: Any) -> Any:
        try:
            result = self._environment.run(cell, step)
        except ApplicationError as error:
            self.words.append(f"{error!r} {error.details} {error.__cause__!r}")
            return None
        self.words.append(result.model_dump_json())
        return result


def played(night: Night, airplus: DropBoxSite, heard: Heard) -> None:
    """Sold, sealed, broken off in three places, delivered, cancelled, credited, retired; a card that is none at the end."""
    heard.run(night.cells.record_payment, _paid(night))
    sealed = heard.run(night.cells.seal_file, TamaraStep(agency=AGENCY, kind="MA", day=night.now.date()))
    file = TamaraFileStep(agency=AGENCY, partner_id=sealed.partner_id, kind="MA", seq=sealed.seq)
    for operation, kind in (
        ("put", "malformed"),
        ("put", "refuse"),
        ("rename", "drop-after"),
        ("connect", "drop-before"),
    ):
        fault(airplus, operation, kind)
        heard.run(night.cells.deliver_file, file)
    assert heard.run(night.cells.deliver_file, file) is not None
    heard.words.append(night.cancel().note)
    night.lodge(number="192000000000016")
    heard.words.append(night.sold("pay_1002", 5000).note)
    heard.run(night.cells.retire_files, TamaraRetention(agency=AGENCY))


def _paid(night: Night) -> Any:
    step = night.paid()
    night.invoiced()
    return step


@pytest.mark.parametrize("pgp", [False, True], ids=["plain", "openpgp"])
def test_a_whole_scenario_leaves_the_number_nowhere(
    house: House,
    airplus: DropBoxSite,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    pgp: bool,
) -> None:
    caplog.set_level(1)
    logging.getLogger("paramiko").setLevel(1)
    store = Store.open(house.url, master_key=MASTER_KEY)
    settings = airplus.settings.model_copy(update={"openpgp": _openpgp()} if pgp else {})
    heard = Heard()
    played(Night(store, settings), airplus, heard)
    rows = [
        repr(row)
        for table in _tables(store)
        for row in _rows(store, table)
    ]  # fmt: skip
    store.close()
    files = {path: path.read_bytes() for path in house.folder.rglob("*") if path.is_file()}
    said = capfd.readouterr()
    told = "\n".join((*heard.words, *rows, caplog.text, said.out, said.err, repr(list(airplus.stand_in.calls))))
    assert len(files) >= 1
    assert any("put" in call["operation"] for call in airplus.stand_in.calls)
    for number in (CARD, "192000000000016"):
        assert number not in told
        assert [path for path, content in files.items() if number.encode() in content] == []
    assert list((house.folder / "tmp").iterdir()) == [], "nothing is put down on its way"
    there = b"".join(airplus.lying().values())
    assert (CARD.encode() in there) is not pgp, "with AirPlus is where the number belongs"


def _openpgp() -> Any:
    partner = pysequoia.Tsk.generate("AirPlus <in@airplus.example>").extract_certificate()
    ours = pysequoia.Tsk.generate("Sol <out@sol.example>")
    given = {"recipient": str(partner), "recipient_fingerprint": partner.fingerprint, "signing_key": str(ours)}
    return settings_of(openpgp=given).openpgp


def _tables(store: Store) -> list[str]:
    with store.database.read() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _rows(store: Store, table: str) -> list[Any]:
    with store.database.read() as connection:
        return list(connection.exec_driver_sql(f'SELECT * FROM "{table}"'))


def test_what_is_delivered_shows_its_name_and_not_its_bytes() -> None:
    parcel = Parcel("T.dat", Cargo.of(CARD.encode()), False, lambda _: None)
    assert CARD not in repr(parcel)
    assert "T.dat" in repr(parcel)


def test_a_payment_names_its_account_by_token_only(house: House, airplus: DropBoxSite) -> None:
    store = Store.open(house.url, master_key=MASTER_KEY)
    night = Night(store, airplus.settings)
    night.sold()
    [line] = store.tamara.open_lines(AGENCY, "MA", "T")
    assert line.card_ref == "tok_airplus_1"
    assert "card" not in {name for name, value in line.content["txn"].items() if value is not None}
    store.close()
