"""The commands that keep numbers and keys where they belong: scan, rotate-key, files, release."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from starter import answers
from starter.cli import run
from store import Store
from store.card_search import numbers_in
from store.installation import load_installation
from store.tamara_contents import Print
from store.tamara_tables import Sealing
from tests.databases import migrated_url
from tests.starter.agency import DEMO

OLD, NEW = b"o" * 32, b"n" * 32
NUMBER = "192000000000008"


def text_of(key: bytes) -> str:
    return base64.b64encode(key).decode()


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    (tmp_path / "db").mkdir()
    path = tmp_path / "settings.toml"
    written(path, migrated_url("sqlite", tmp_path / "db"), OLD)
    return path


def written(path: Path, url: str, key: bytes, *retired: bytes) -> None:
    """The settings file with these keys; its data folder is `data` beside it."""
    path.write_text(
        f"""
        data = "data"
        [store]
        url = "{url}"
        master_key = "{text_of(key)}"
        retired_keys = {json.dumps([text_of(each) for each in retired])}
        {DEMO}
        [agencies.demo.tamara]
        partner_id = "TESTPARTNER1"
        city = "MADRID"
        """
    )


@pytest.fixture
def store(settings: Path) -> Iterator[Store]:
    opened = Store.open(load_installation(settings).store_url, master_key=OLD)
    yield opened
    opened.close()


class Ended(NamedTuple):
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


Bookings = Callable[..., Ended]


@pytest.fixture
def bookings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Path) -> Bookings:
    """Runs one command in this process, with the settings file added."""

    def command(*arguments: str, given: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["bookings", *arguments, "--settings", str(settings)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        monkeypatch.setattr(answers.out, "file", sys.stdout)
        monkeypatch.setattr(answers.err, "file", sys.stderr)
        capsys.readouterr()
        try:
            code = run()
        except SystemExit as asked:
            code = int(asked.code or 0)
        return Ended(code, *capsys.readouterr())

    return command


def test_a_new_master_key_takes_over_by_command(settings: Path, store: Store, bookings: Bookings) -> None:
    store.vault.seal("demo", "card/tok", NUMBER)
    url = load_installation(settings).store_url
    written(settings, url, NEW)
    stopped = bookings("store", "rotate-key")
    assert (stopped.returncode, "add the missing key to store.retired_keys" in stopped.stderr) == (2, True)
    written(settings, url, NEW, OLD)
    ended = bookings("store", "rotate-key", "--json")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["sealed_anew"], told["held_by_key"]) == (1, {told["master_key"]: 1})
    after = Store.open(url, master_key=NEW)
    assert after.vault.open("demo", "card/tok") == NUMBER
    after.close()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"...192000000000008...", [NUMBER]),
        (b"192000000000009", []),
        (b"1192000000000008", []),
        (b"182000000000003", []),
        (b"192000*****0008", []),
        (b"\x00192000000000008122000000000003", []),
        (b"a192000000000008b122000000000003", [NUMBER, "122000000000003"]),
    ],
)
def test_a_number_is_known_by_prefix_length_and_check_digit(content: bytes, found: list[str]) -> None:
    assert list(numbers_in(content, ("1920", "1220"))) == found


def test_a_scan_names_the_place_and_masks_the_number(store: Store, tmp_path: Path, bookings: Bookings) -> None:
    clean = bookings("card", "scan")
    assert (clean.returncode, "no account number" in clean.stdout) == (0, True)
    (tmp_path / "data" / "worker.log").write_text(f"card {NUMBER} refused\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "core").write_bytes(b"\x00" * 4_194_290 + NUMBER.encode() + b"\x00")
    store.tamara_stops.stop("demo", "TESTPARTNER1", "T", f"number {NUMBER}")
    ended = bookings("card", "scan", str(tmp_path / "more"))
    assert ended.returncode == 1
    assert NUMBER not in ended.stdout + ended.stderr
    assert ended.stdout.count("192000*****0008") == 3
    for place in ("worker.log", "core", "tamara_stops.reason"):
        assert place in ended.stdout


def test_only_accounts_of_airplus_are_lodged(store: Store, bookings: Bookings) -> None:
    ended = bookings("card", "add", "demo", "tok", given="371449635398431 1230\n")
    assert store.vault.names("demo") == []
    assert ended.returncode == 2
    assert "1220, 1920" in ended.stderr
    assert "371449635398431" not in ended.stderr


def test_files_are_listed_with_what_is_kept_of_them(store: Store, bookings: Bookings) -> None:
    wish: dict[str, Any] = {"agency": "demo", "partner_id": "TESTPARTNER1", "kind": "MA", "mode": "T", "head": {}}
    file = store.tamara.seal(
        Sealing(
            **wish,
            day=dt.date(2026, 11, 21),
            layout_id="x",
            sealed_at=dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
            line_ids=[],
            name=lambda seq: f"file-{seq}",
        )
    )
    store.tamara_contents.keep(Print.of(file), "clear", b"bytes")
    ended = bookings("tamara", "files", "demo", "--json")
    assert ended.returncode == 0, ended.stderr
    [row] = json.loads(ended.stdout)
    assert (row["file"], row["number"], row["state"], row["kept"]) == ("file-1", 1, "SEALED", "clear")


def test_a_stopped_partner_is_released_with_a_name_and_a_reason(store: Store, bookings: Bookings) -> None:
    release = ("tamara", "release", "demo", "--by", "Ana", "--why", "AirPlus took the file back")
    assert "are not stopped" in bookings(*release, "--last", "MA=99").stderr
    assert store.tamara.last_number("TESTPARTNER1", "MA", "T") == 0
    store.tamara_stops.stop("demo", "TESTPARTNER1", "T", "another sender")
    assert "at least 10" in bookings(*release[:-1], "short").stderr
    assert "no last number" in bookings(*release, "--last", "MA=x").stderr
    assert bookings(*release, "--last", "MA=17").returncode == 0
    assert store.tamara.last_number("TESTPARTNER1", "MA", "T") == 17
    assert store.tamara_stops.standing("TESTPARTNER1", "T") is None
