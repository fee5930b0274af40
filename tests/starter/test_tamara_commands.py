"""AirPlus lines on the command line: seen, mended, abandoned, with errors that say what to do (contracts: tamara 3.9 to 3.12)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.people import Role
from starter import answers
from starter.cli import run
from starter.doctor import examine
from store import Store
from store.installation import load_installation
from tests.activities.tamara.night import AGENCY, NO_HOST, Night, settings_of
from tests.databases import MASTER_KEY as KEY_BYTES
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY, SECRET, SOURCE

TAMARA = f"""
[agencies.{AGENCY}.tamara]
partner_id = "TESTPARTNER1"
city = "MADRID"
[[agencies.{AGENCY}.tamara.profiles]]
name = "ACME"
customers = ["cus_77"]
codes = {{ PR = {{ use = "mandatory" }} }}
[agencies.{AGENCY}.tamara.sftp]
host = "127.0.0.1"
port = 1
username = "agency"
password = "x"
host_keys = ["{NO_HOST}"]
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
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
        [agencies.{AGENCY}]
        name = "Viajes Sol"
        [agencies.{AGENCY}.platform]
        source = "{SOURCE}"
        webhook_secrets = [{{ value = "{SECRET}" }}]
        {TAMARA}
        """
    )
    return path


@pytest.fixture
def night(path: Path) -> Iterator[Night]:
    """A refused line: the customer's profile asks for a project number."""
    store = Store.open(load_installation(path).store_url, master_key=KEY_BYTES)
    profiles = [{"name": "ACME", "customers": ["cus_77"], "codes": {"PR": {"use": "mandatory"}}}]
    night = Night(store, settings_of(profiles=profiles))
    night.sold()
    yield night
    store.close()


@pytest.fixture
def asked(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command of `bookings tamara`; gives exit code, output and complaint."""

    def ask(*words: str, group: str = "tamara") -> tuple[int, str, str]:
        monkeypatch.setattr(answers.out, "file", sys.stdout)
        monkeypatch.setattr(answers.err, "file", sys.stderr)
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["bookings", group, *words, "--settings", str(path)])
        try:
            code = run()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def test_lines_say_field_rule_and_what_to_do(night: Night, asked: Any) -> None:
    code, out, _ = asked("lines", AGENCY, "--state", "refused", "--json")
    [row] = json.loads(out)
    assert (code, row["rule"], row["field"]) == (0, "V019", "400.PR")
    assert "complete the traveller's data" in row["what to do"]
    assert json.loads(asked("lines", AGENCY, "--rule", "V001", "--json")[1]) == []


def test_a_mended_line_goes_with_the_next_file(night: Night, asked: Any) -> None:
    code, out, _ = asked("fix", AGENCY, "1", "--set", "400.PR=P-77", "--by", "ana")
    assert (code, "goes with the next file" in out) == (0, True)
    assert night.seal().lines == 1


def test_a_line_that_still_breaks_a_rule_ends_with_1(night: Night, asked: Any) -> None:
    code, out, _ = asked("fix", AGENCY, "1", "--set", "300.PNR=ABC", "--by", "ana")
    assert (code, "V019 400.PR" in out) == (1, True)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["fix", AGENCY, "7", "--by", "ana"], "there is no line 7"),
        (["fix", AGENCY, "1", "--by", "ana", "--set", "PR"], "is not FIELD=VALUE"),
        (["fix", AGENCY, "1", "--by", "ana", "--set", "300.GROSS=1"], "300.GROSS cannot be set"),
        (["fix", AGENCY, "1", "--by", "ana", "--set", "300.CARD_NO=192000000000008"], "a card is never typed here"),
        (["fix", AGENCY, "1", "--by", "ana", "--set", "300.AUTH_DATE=tomorrow"], "is not a"),
        (["fix", AGENCY, "1", "--by", "ana", "--set", "400.PR=" + "X" * 18], "room for 17"),
        (["fix", AGENCY, "1", "--by", "ana", "--card", "tok_none"], "bookings card add"),
        (["lines", AGENCY, "--state", "lost"], "there is no state LOST; known: STAGED"),
        (["abandon", AGENCY, "1", "--by", "ana", "--why", "paid by transfer"], "only rejected lines"),
        (["lines", "nobody"], "there is no agency 'nobody'"),
    ],
)
def test_an_error_says_what_to_do(night: Night, asked: Any, words: list[str], complaint: str) -> None:
    code, out, err = asked(*words)
    assert (code, complaint in err) == (2, True), err
    assert "192000000000008" not in out + err


def test_a_booking_shows_how_its_lines_stand_at_airplus(night: Night, asked: Any) -> None:
    _, told, _ = asked("bookings", "--json", group="report")
    assert [row["airplus"] for row in json.loads(told)] == [{"REFUSED": 1}]
    assert "1 REFUSED" in asked("bookings", group="report")[1]
    assert "waits" in asked("margins", "--bookings", group="report")[1]


def test_what_is_abandoned_is_told_to_accounting(night: Night, asked: Any) -> None:
    with night.store.database.begin() as connection:
        connection.exec_driver_sql("UPDATE tamara_lines SET state = 'REJECTED'")
    code, out, _ = asked("abandon", AGENCY, "1", "--by", "ana", "--why", "paid by transfer")
    assert (code, "accounting is told" in out) == (0, True)
    [item] = night.store.parked.list(AGENCY)
    assert (item.reason, item.owner, "paid by transfer (ana)" in item.detail) == ("airplus_unpaid", "accounting", True)


def test_what_stands_in_an_email_is_entered(night: Night, asked: Any, tmp_path: Path) -> None:
    asked("fix", AGENCY, "1", "--set", "400.PR=P-77", "--by", "ana")
    night.seal()
    [file] = night.store.tamara.files_of(AGENCY)
    night.store.tamara.delivered(file.key)
    told = tmp_path / "told.csv"
    told.write_text("file_seq;kind;reference;status;reason;text\n1;MA;F-1001;R;A006;unknown project\n")
    code, out, _ = asked("enter", AGENCY, str(told), "--by", "ana")
    assert (code, out.strip(), night.states()) == (0, "file MA 1: applied", {"sale": "REJECTED"})
    told.write_text("1;MA;F-7;A\n")
    code, _, err = asked("enter", AGENCY, str(told), "--by", "ana")
    assert (code, "row 1: nothing in file MA 1" in err) == (2, True)


def test_as_soon_as_there_are_people_only_they_command_and_the_trail_tells_of_it(
    night: Night, asked: Any, tmp_path: Path
) -> None:
    for name, role in (("olga", Role.OPERATOR), ("vera", Role.VIEWER)):
        night.store.people.add(name, role, [AGENCY], password=None, by="tests")
    code, _, err = asked("fix", AGENCY, "1", "--set", "400.PR=P-77", "--by", "ana")
    assert (code, "nobody is called 'ana'" in err) == (2, True)
    rows = tmp_path / "told.csv"
    rows.write_text("1;MA;F-1001;R;A006;unknown project\n")
    for words in (("fix", "1"), ("abandon", "1", "--why", "paid by transfer"), ("enter", str(rows))):
        code, _, err = asked(words[0], AGENCY, *words[1:], "--by", "vera")
        assert (code, "this needs at least operator" in err) == (2, True), err
    assert asked("fix", AGENCY, "1", "--set", "400.PR=P-77", "--by", "olga")[0] == 0
    told = [(each.deed.actor, each.deed.action, each.deed.object, each.deed.outcome, each.deed.way)
            for each in night.store.audit_trail.list() if each.deed.action.startswith("tamara.")]  # fmt: skip
    assert sorted(told) == [
        ("olga", "tamara.fix", f"{AGENCY}/1", "done", "command"),
        ("vera", "tamara.abandon", f"{AGENCY}/1", "refused", "command"),
        ("vera", "tamara.enter", AGENCY, "refused", "command"),
        ("vera", "tamara.fix", f"{AGENCY}/1", "refused", "command"),
    ]


def test_answers_of_an_agency_without_any_are_an_empty_list(night: Night, asked: Any) -> None:
    code, out, _ = asked("answers", AGENCY, "--json")
    assert (code, json.loads(out)) == (0, [])


@pytest.mark.parametrize(
    ("producer", "midoffice", "state"),
    [
        ("orchestrator", "", "ok"),
        ("midoco", "", "wrong"),
        ("midoco", '[agencies.sol.midoffice]\nkind = "midoco"', "ok"),
    ],
)
def test_the_doctor_sees_that_exactly_one_side_makes_lines(
    path: Path, producer: str, midoffice: str, state: str
) -> None:
    text = path.read_text().replace('city = "MADRID"', f'city = "MADRID"\nproducer = "{producer}"')
    path.write_text(text + midoffice.replace("agencies.sol.", f"agencies.{AGENCY}."))
    findings = (each for each in examine(load_installation(path)) if each.name.endswith("AirPlus lines"))
    assert next(findings).state == state
