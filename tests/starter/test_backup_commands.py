"""`store backup`, `restore`, `restored`, `reconcile` as a person types them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.effects import EffectKey
from starter.answers import CommandError
from starter.cli import app
from starter.opening import opened_store, read_settings
from starter.supervisor import only_supervisor
from tests.starter.agency import DEMO, MASTER_KEY

SETTINGS = f"""
data = "data"
[store]
master_key = "{MASTER_KEY}"
{DEMO}
"""
KEY = EffectKey("demo", "giav", "cobro", "pay_1001", "create")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    with opened_store(read_settings(path), migrate=True) as store:
        store.vault.seal("demo", "airplus card", "never in a backup in clear")
    return path


def run(settings: Path, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["store", *words, "--settings", str(settings)])
    assert done.exit_code == code, done.output
    return done.output


def refusal(settings: Path, *words: str) -> str:
    done = CliRunner().invoke(app, ["store", *words, "--settings", str(settings)])
    assert isinstance(done.exception, CommandError)
    return str(done.exception)


def test_a_backup_is_for_its_owner_only_and_holds_no_secret_in_clear(settings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups" / "night"
    assert "backed up into" in run(settings, "backup", str(folder))
    assert folder.stat().st_mode & 0o077 == 0
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"never in a backup" not in content
    assert MASTER_KEY.encode() not in content


def test_a_backup_never_overwrites_another(settings: Path, tmp_path: Path) -> None:
    run(settings, "backup", str(tmp_path / "night"))
    assert "is not empty" in refusal(settings, "backup", str(tmp_path / "night"))


def test_a_restore_needs_a_name_and_a_standing_still_installation(settings: Path, tmp_path: Path) -> None:
    run(settings, "backup", str(tmp_path / "night"))
    assert "--by" in refusal(settings, "restore", str(tmp_path / "night"), "--by", " ")
    with only_supervisor(tmp_path / "data"):
        assert "already running" in refusal(settings, "restore", str(tmp_path / "night"), "--by", "ana")


def test_a_restored_store_says_so_until_a_person_settles_it(settings: Path, tmp_path: Path) -> None:
    run(settings, "backup", str(tmp_path / "night"))
    said = run(settings, "restore", str(tmp_path / "night"), "--by", "ana")
    assert "nothing is sent unseen" in said
    assert "is in" in said
    assert "--why" in refusal(settings, "reconcile", "--settle", "--by", "ana")
    told = json.loads(run(settings, "reconcile", "--json"))
    assert [one["restored_by"] for one in told["standing"]] == ["ana"]
    run(settings, "reconcile", "--settle", "--by", "ana", "--why", "compared with GIAV and the bank")
    assert "no restored backup" in run(settings, "reconcile")
    with opened_store(read_settings(settings)) as store:
        deeds = [line.deed for line in store.audit_trail.list()]
    assert [(deed.actor, deed.action) for deed in deeds] == [("ana", "store settle"), ("ana", "store restore")]


def test_what_is_in_doubt_keeps_a_restore_from_being_settled(settings: Path, tmp_path: Path) -> None:
    run(settings, "restored", "--taken-at", "2026-11-20T03:00:00", "--by", "ana")
    with opened_store(read_settings(settings)) as store:
        store.effects.intend(KEY, booking_id="bkg_500", request=None, unseen="ask whom it was for")
    said = run(settings, "reconcile", "--settle", "--by", "ana", "--why", "everything compared", code=1)
    assert "1 effects were refused or cannot be looked for" in said
    with opened_store(read_settings(settings)) as store:
        assert len(store.restores.standing()) == 1


def test_the_moment_of_a_backup_cannot_lie_in_the_future(settings: Path) -> None:
    later = f"{datetime.now(UTC).year + 1}-01-01T00:00:00"
    assert "in UTC" in refusal(settings, "restored", "--taken-at", later, "--by", "ana")
