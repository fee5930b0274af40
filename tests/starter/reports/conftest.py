"""A store with its settings file, `bookings report` in this process, and GIAV on a socket."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.running import running
from starter import answers
from starter.cli import run
from store import Store
from tests.activities.giav.desk import Desk, LandingStandIn, section
from tests.databases import MASTER_KEY, migrated_url
from tests.starter.reports.telling import Ended, Report

SETTINGS = """
data = "."
[store]
url = "{store}"
[agencies.sol]
name = "Viajes Sol"
[agencies.sol.platform]
source = "https://platform.example/planners/pl_7Q2"
{giav}
[agencies.luna]
name = "Viajes Luna"
[agencies.luna.platform]
source = "https://platform.example/planners/pl_8R3"
"""
AN_HOUR_AGO = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store whose clock is an hour late, so that nothing in it was written a moment ago."""
    url = migrated_url("sqlite", tmp_path)
    (tmp_path / "settings.toml").write_text(SETTINGS.format(store=url, giav=""))
    opened = Store.open(url, master_key=MASTER_KEY, clock=lambda: datetime.now(UTC) - AN_HOUR_AGO)
    yield opened
    opened.close()


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, store: Store) -> Report:
    """Runs `bookings report …` in this process."""
    monkeypatch.delenv("BOOKINGS_SETTINGS", raising=False)

    def command(*arguments: str) -> Ended:
        monkeypatch.setattr(
            sys, "argv", ["bookings", "report", *arguments, "--settings", str(tmp_path / "settings.toml")]
        )
        monkeypatch.setattr(answers.out, "file", sys.stdout)
        monkeypatch.setattr(answers.err, "file", sys.stderr)
        capsys.readouterr()
        try:
            code = run()
        except SystemExit as asked:
            code = int(asked.code or 0)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return command


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Iterator[Desk]:
    """GIAV on a socket, in the settings of the agency, with our activities between it and the store."""
    stand_in = LandingStandIn()
    with running(stand_in) as url:
        lines = [f"{name} = {json.dumps(value)}" for name, value in section(url).items() if not isinstance(value, dict)]
        for name, table in section(url).items():
            if isinstance(table, dict):
                lines += [f"{name}.{key} = {json.dumps(value)}" for key, value in table.items()]
        giav = "\n".join(("[agencies.sol.giav]", *lines))
        path = f"sqlite:///{store.database.engine.url.database}"
        (tmp_path / "settings.toml").write_text(SETTINGS.format(store=path, giav=giav))
        yield Desk(stand_in, url, store)
