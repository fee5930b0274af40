"""A worker that is killed while it delivers leaves each file with AirPlus once (contracts: tamara 4.4; money-rules F-C17)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from domain.steps import SealedFile
from sandbox.airplus.running import running_ftps, running_sftp
from sandbox.airplus.stand_in import AirplusStandIn
from store import Store
from tests.activities.tamara.night import AGENCY, DropBoxSite, Night, ftps_settings_of, settings_of

WAYS = {"sftp": (running_sftp, settings_of), "ftps": (running_ftps, ftps_settings_of)}


@pytest.fixture
def airplus(protocol: str) -> Iterator[DropBoxSite]:
    stand_in = AirplusStandIn()
    running, settings = WAYS[protocol]
    with running(stand_in) as reach:
        yield DropBoxSite(stand_in, settings(reach.port, reach.fingerprint))
    stand_in.close()


def killed(night: Night, airplus: DropBoxSite, point: str, folder: Path) -> None:
    """A process of its own takes the delivery up and is killed at `point`."""
    way = airplus.settings.transport
    given = airplus.settings.model_dump(mode="json", exclude_none=True)
    given["sftp" if airplus.settings.sftp else "ftps"]["password"] = way.password.get_secret_value()  # type: ignore[union-attr]
    settings = folder / "settings.json"
    settings.write_text(json.dumps(given))
    url = str(night.store.database.engine.url)
    command = [sys.executable, "-m", "tests.activities.tamara.dying_worker", url, str(settings), point]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def refusals(night: Night, sealed: SealedFile) -> list[str]:
    """Deliver until it is done; the failures on the way, all of which Temporal tries again."""
    found = []
    while True:
        try:
            night.deliver(sealed)
        except ApplicationError as error:
            if error.non_retryable:
                raise
            found.append(str(error.type))
        else:
            return found


@pytest.mark.covers("F-C17")
@pytest.mark.parametrize(
    ("protocol", "point", "waits"),
    [
        ("sftp", "uploading", 0),
        ("sftp", "uploaded", 0),
        ("sftp", "renaming", 2),
        ("sftp", "renamed", 0),
        ("ftps", "uploading", 0),
        ("ftps", "renamed", 0),
    ],
)
def test_after_a_kill_the_other_side_has_the_file_once(
    store: Store, airplus: DropBoxSite, tmp_path: Path, point: str, waits: int
) -> None:
    night = Night(store, airplus.settings)
    night.sold()
    sealed = night.seal()
    killed(night, airplus, point, tmp_path)
    assert refusals(night, sealed) == ["UnknownOutcome"] * waits
    assert list(airplus.lying()) == [sealed.name]
    assert [verdict["status"] for verdict in airplus.stand_in.state()["files"]] == ["A"]
    [file] = store.tamara.files_of(AGENCY)
    assert (file.state, file.reprint) == ("DELIVERED", 0)
