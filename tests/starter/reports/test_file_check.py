"""`bookings giav check`: differences are shown and put on the list, and nothing is written in GIAV (contracts: giav 4)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from starter import answers
from starter.cli import run
from store import Store
from tests.activities.giav.desk import Desk
from tests.starter.reports.telling import Ended

Check = Callable[..., Ended]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, store: Store) -> Check:
    """Runs `bookings giav check …` in this process."""

    def command(*arguments: str) -> Ended:
        settings = ("--settings", str(tmp_path / "settings.toml"))
        monkeypatch.setattr(sys, "argv", ["bookings", "giav", "check", *arguments, *settings])
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


@pytest.mark.covers("giav 4: nightly check")
def test_a_file_is_checked_when_somebody_asks(check: Check, desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment())
    agrees = check("exp_31", "--agency", "sol")
    assert (agrees.code, "1 files compared, 0 differ" in agrees.out) == (0, True)
    records = desk.stand_in.books.records
    records.remove("Cobro", records.all("Cobro")[0]["Id"])
    differs = check("--json")
    assert differs.code == 1
    (verdict,) = json.loads(differs.out)
    assert [found["reason"] for found in verdict["findings"]] == ["erp_reversed"]
    assert [item.reason for item in desk.store.parked.list("sol")] == ["erp_reversed"]
    assert "pay_1001" in check().out


def test_what_cannot_be_checked_says_what_to_do(check: Check, desk: Desk) -> None:
    desk.registered()
    assert "no experience exp_99" in check("exp_99").err
    assert "no GIAV is configured for luna" in check("--agency", "luna").err
    assert check("--agency", "mar").code == 2
