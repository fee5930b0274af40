"""The command line: one plain line for what a user can mend, JSON for machines, honest exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.steps import Parking
from starter import answers
from starter.cli import app, run
from starter.commands.cards import passes_luhn
from starter.events import take_in
from starter.gateway.app import build_app
from store import Store
from store.installation import load_installation
from tests.databases import MASTER_KEY as KEY_BYTES
from tests.databases import migrated_url
from tests.starter.agency import DEMO, MASTER_KEY, OTHER_SECRET, booking_created, payment_captured, raw
from tests.starter.conftest import serving

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "hotel-bookings.map.toml"
CSV = Path(__file__).parent / "bookings.csv"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file whose store exists and whose Temporal does not answer."""
    monkeypatch.delenv("BOOKINGS_SETTINGS", raising=False)
    path = tmp_path / "settings.toml"
    path.write_text(
        f"""
        data = "."
        [temporal]
        address = "127.0.0.1:1"
        [store]
        url = "{migrated_url("sqlite", tmp_path)}"
        master_key = "{MASTER_KEY}"
        {DEMO}
        """
    )
    return path


@pytest.fixture
def store(settings: Path) -> Iterator[Store]:
    opened = Store.open(load_installation(settings).store_url, master_key=KEY_BYTES)
    yield opened
    opened.close()


class Ended:
    """How a command ended and what it said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def bookings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Path) -> Any:
    """Runs one command in this process, with the settings file added."""

    def command(*arguments: str, settings_file: Path = settings) -> Ended:
        monkeypatch.setattr(sys, "argv", ["bookings", *arguments, "--settings", str(settings_file)])
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


def keep(store: Store, settings: Path, content: dict[str, Any]) -> None:
    take_in(store, load_installation(settings), raw(content).encode(), received_at=datetime.now(UTC))


def one_line(ended: Ended, *words: str) -> None:
    assert ended.code == 2, (ended.out, ended.err)
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err


def test_a_real_process_ends_with_the_code_and_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "starter", "event", "list", "--settings", str(tmp_path / "none.toml")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "none.toml: cannot be read" in ended.stderr


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (
        "up",
        "worker",
        "gateway",
        "demo",
        "event",
        "park",
        "import",
        "doctor",
        "store",
        "integration",
        "card",
        "tamara",
        "report",
    ):
        with pytest.raises(SystemExit) as ended:
            app([name, "--help"])
        assert ended.value.code == 0
        assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("agencies = [", "not valid TOML"),
        ("", "agencies"),
        ('[agencies.demo]\nname = "x"\nplatfrom = 1', "platform"),
        ('colour = "red"\n[agencies.demo]\nname = "x"\n[agencies.demo.platform]\nsource = "s"', "colour"),
    ],
)
def test_settings_that_cannot_be_used_are_named(bookings: Any, tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(content)
    one_line(bookings("event", "list", settings_file=path), words, "wrong.toml")


def test_a_master_key_of_the_wrong_size_is_said_with_what_to_do(bookings: Any, settings: Path) -> None:
    settings.write_text(settings.read_text().replace(MASTER_KEY, "c2hvcnQ="))
    one_line(bookings("event", "list"), "store.master_key", "openssl rand -base64 32")


def test_a_store_that_is_not_migrated_says_which_command_helps(bookings: Any, settings: Path, tmp_path: Path) -> None:
    lines = [line for line in settings.read_text().splitlines() if 'url = "sqlite' not in line]
    settings.write_text("\n".join(lines))
    one_line(bookings("event", "list"), "bookings store migrate")
    assert bookings("store", "migrate").code == 0
    assert bookings("event", "list", "--json").json == {"counts": {"waiting": 0}, "events": []}


def test_event_list_shows_events_and_their_state(bookings: Any, store: Store, settings: Path) -> None:
    keep(store, settings, booking_created(1))
    keep(store, settings, payment_captured(2))
    told = bookings("event", "list", "--json").json
    assert [event["kind"] for event in told["events"]] == ["booking.created", "payment.captured"]
    assert told["counts"] == {"applied": 2, "waiting": 2}
    filtered = bookings("event", "list", "--kind", "payment.captured", "--json").json
    assert [event["kind"] for event in filtered["events"]] == ["payment.captured"]
    assert "payment.captured" in bookings("event", "list").out


def test_event_send_signs_and_posts(bookings: Any, store: Store, settings: Path, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(raw(payment_captured()))
    with serving(build_app(load_installation(settings), store)) as address:
        sent = bookings("event", "send", str(file), "--gateway", address, "--json")
        wrong = bookings("event", "send", str(file), "--gateway", address, "--secret", OTHER_SECRET, "--json")
        plain = bookings("event", "send", str(file), "--gateway", address, "--secret", OTHER_SECRET)
    assert (sent.code, sent.json["status"]) == (0, 202)
    assert (wrong.code, wrong.json["status"], wrong.json["code"]) == (1, 401, "signature_invalid")
    assert plain.out.startswith("401 Unauthorized: ")
    assert len(store.inbox.list()) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "not one JSON event"), ("[]", "not one JSON event"), ('{"id": "x", "source": "y"}', "give --secret")],
)
def test_event_send_refuses_what_is_no_event(bookings: Any, tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "event.json"
    file.write_text(content)
    one_line(bookings("event", "send", str(file)), words)


def test_event_send_without_a_gateway_says_so(bookings: Any, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(raw(payment_captured()))
    one_line(bookings("event", "send", str(file), "--gateway", "http://127.0.0.1:1"), "does not answer", "bookings up")
    one_line(bookings("event", "send", str(tmp_path / "none.json")), "cannot be read")


def test_replay_without_temporal_keeps_everything(bookings: Any, store: Store, settings: Path) -> None:
    keep(store, settings, booking_created(1))
    one_line(bookings("event", "replay", "--undispatched"), "Temporal does not answer at 127.0.0.1:1", "bookings up")
    assert len(store.inbox.undispatched(10)) == 1


def test_replay_asks_which_events(bookings: Any) -> None:
    one_line(bookings("event", "replay"), "--undispatched")
    one_line(bookings("event", "replay", "--id", "evt_unknown0000"), "unknown event: evt_unknown0000")


def test_a_parked_event_is_listed_shown_and_decided(bookings: Any, store: Store, settings: Path) -> None:
    keep(store, settings, booking_created(1, total_of_line=82_501))
    [item] = bookings("park", "list", "--json").json
    assert item["reason"] == "totals_mismatch"
    assert item["item_id"] in bookings("park", "list").out.replace("\n", "")
    assert "825.01" in bookings("park", "show", item["item_id"], "--json").json["detail"]
    one_line(
        bookings("park", "decide", item["item_id"], "--by", "Ana", "--adopt", "7"), "may be answered with: retry, skip"
    )
    taken = bookings("park", "decide", item["item_id"], "--retry", "--by", "Ana", "--why", "checked with the platform")
    assert taken.code == 0
    assert store.facts.booking("demo", "bkg_500") is not None
    assert bookings("park", "list", "--json").json == []
    one_line(bookings("park", "decide", item["item_id"], "--retry", "--by", "Ana"), "already closed")
    [closed] = [made["by"] for made in bookings("park", "show", item["item_id"], "--json").json["taken"]]
    assert closed == "Ana"


def test_an_unknown_item_and_an_unclear_answer_are_said(bookings: Any) -> None:
    one_line(bookings("park", "show", "prk_none"), "no parked item prk_none")
    one_line(bookings("park", "decide", "prk_none", "--by", "Ana"), "exactly one of")
    one_line(bookings("park", "decide", "prk_none", "--by", "Ana", "--retry", "--skip"), "exactly one of")


def test_a_decision_for_a_workflow_needs_temporal(bookings: Any, store: Store) -> None:
    parking = Parking(
        agency="demo",
        item_id="prk_workflow",
        workflow_id="booking/demo/bkg_500/create",
        verb="giav.register_booking",
        reason="Refused",
        detail="GIAV said no",
        fault="Refused",
        decisions=("retry", "abandon"),
        since=datetime.now(UTC),
    )
    store.parked.open(parking, "operations", datetime.now(UTC))
    one_line(bookings("park", "decide", "prk_workflow", "--retry", "--by", "Ana"), "Temporal does not answer")
    shown = bookings("park", "show", "prk_workflow", "--json").json
    assert shown["workflow_page"].endswith("/namespaces/default/workflows/booking%2Fdemo%2Fbkg_500%2Fcreate")


def test_a_card_number_comes_from_standard_input_and_is_sealed(settings: Path, store: Store) -> None:
    command = [sys.executable, "-m", "starter", "card", "add", "demo", "airplus-1", "--settings", str(settings)]
    ended = subprocess.run(command, input="1920 0000 0000 008 1230\n", capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "192000000000008" not in ended.stdout + ended.stderr
    assert json.loads(store.vault.open("demo", "card/airplus-1")) == {"number": "192000000000008", "expiry": "1230"}
    stored = b"".join(path.read_bytes() for path in settings.parent.glob("store*.db*"))
    assert b"192000000000008" not in stored


@pytest.mark.parametrize("number", ["192000000000009", "1234567", "", "not a number", "4" * 30])
def test_a_wrong_card_number_is_refused_without_repeating_it(settings: Path, store: Store, number: str) -> None:
    command = [sys.executable, "-m", "starter", "card", "add", "demo", "airplus-1", "--settings", str(settings)]
    ended = subprocess.run(command, input=f"{number} 1230\n", capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "not an account number" in ended.stderr
    assert not number or number not in ended.stderr
    assert store.vault.names("demo") == []


@pytest.mark.parametrize("expiry", ["1330", "30", "12/2030", "soon"])
def test_a_wrong_expiry_is_refused(settings: Path, store: Store, expiry: str) -> None:
    command = [sys.executable, "-m", "starter", "card", "add", "demo", "airplus-1", "--settings", str(settings)]
    given = f"192000000000008 {expiry}\n"
    ended = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "MMYY" in ended.stderr
    assert store.vault.names("demo") == []


def test_check_digits_are_those_of_the_standard() -> None:
    assert passes_luhn("79927398713")
    assert not any(passes_luhn(f"7992739871{digit}") for digit in "012456789")


def test_unknown_agencies_are_answered_with_those_that_exist(bookings: Any) -> None:
    one_line(bookings("report", "--agency", "none"), "there is no agency 'none'", "known: demo")
    one_line(bookings("tamara", "export", "none"), "there is no agency 'none'")
    one_line(bookings("tamara", "export", "demo"), "agencies.demo.tamara")


def test_report_gives_each_booking_its_money(bookings: Any, store: Store, settings: Path) -> None:
    keep(store, settings, booking_created(1))
    keep(store, settings, payment_captured(2, amount=30_000))
    [row] = bookings("report", "--json").json
    amounts = {
        name: row[name]["amount"] for name in ("sale", "cost", "margin", "collected", "invoiced", "refunded", "due")
    }
    assert amounts == {
        "sale": 82_500,
        "cost": 66_000,
        "margin": 16_500,
        "collected": 30_000,
        "invoiced": 0,
        "refunded": 0,
        "due": 52_500,
    }
    assert "525.00" in bookings("report").out


def test_import_shows_every_unusable_row_and_counts_add_up(bookings: Any, store: Store) -> None:
    dry = bookings("import", str(CSV), "--map", str(EXAMPLE), "--agency", "demo", "--dry-run", "--json")
    assert dry.code == 0
    assert dry.json["rows"] == dry.json["used"] + dry.json["unusable"] == 12
    assert [row["line"] for row in dry.json["unusable_rows"]] == [6, 7, 8, 9, 10, 11, 12, 13]
    assert store.inbox.list() == []
    wet = bookings("import", str(CSV), "--map", str(EXAMPLE), "--agency", "demo")
    assert wet.code == 0
    assert "12 rows = 4 used + 8 not usable" in wet.out
    assert len(store.facts.bookings("demo")) == 4


def test_import_explains_what_it_cannot_read(bookings: Any, tmp_path: Path) -> None:
    common = ("--agency", "demo", "--dry-run")
    one_line(bookings("import", str(tmp_path / "none.csv"), "--map", str(EXAMPLE), *common), "none.csv: cannot be read")
    one_line(bookings("import", str(CSV), "--map", str(tmp_path / "none.toml"), *common), "none.toml: cannot be read")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"hotel\n\xff\xfe\n")
    one_line(bookings("import", str(binary), "--map", str(EXAMPLE), *common), "is not utf-8", "encoding")


def test_doctor_names_what_is_wrong_and_what_to_do(bookings: Any) -> None:
    ended = bookings("doctor", "--json")
    found = {finding["name"]: finding for finding in ended.json}
    assert ended.code == 1
    assert found["store"]["state"] == "ok"
    assert found["Temporal"]["state"] == "wrong"
    assert "bookings up" in found["Temporal"]["advice"]
    assert all(finding["advice"] for finding in ended.json if finding["state"] == "wrong")
