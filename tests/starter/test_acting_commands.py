"""Whoever changes something at the terminal says who does it, may do it, and is written down (DESIGN 7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import click
import pytest
import typer
from typer.testing import CliRunner

from domain.people import Role
from starter.cli import app
from store import Store
from store.installation import load_installation
from tests.databases import MASTER_KEY as KEY_BYTES
from tests.databases import migrated_url
from tests.starter.agency import DEMO, MASTER_KEY

LOOKS = """
event list, park list, park show, payment list, payment show, payment breakers list, payment breakers contract,
payment reconciliation list, payment reconciliation show, plan list, plan show, user list, user trail, user token list,
api openapi, integration list, integration show, integration history, deploy show, supplier feed, supplier orders, deal list,
deal show, card scan, tamara files, tamara lines, tamara answers, midoffice list, midoffice show, journal trial-balance,
journal statement, journal entries, journal export, journal periods, report bookings, report margins, report receivables,
codec keys
"""
RUNS = "up, worker, gateway, probe, console, demo, doctor, temporal prepare, store migrate, store backup, codec new-key"
"""Processes, and what sets the machine up before there are people."""
OUTSIDE = "event send, deploy current, deploy ramp, deploy nudge"
"""What needs a secret or an access of its own: the webhook's, Temporal's."""
CHANGES: dict[str, tuple[str, Role]] = {
    "event.replay": ("event replay --agency demo", Role.SUPERVISOR),
    "payment.reconcile": ("payment reconcile demo", Role.OPERATOR),
    "store settled": ("store restored --taken-at 2026-11-20T10:00:00", Role.ADMINISTRATOR),
    "store.rotate-key": ("store rotate-key", Role.ADMINISTRATOR),
    "integration.request": ("integration request demo", Role.ADMINISTRATOR),
    "deal.poll": ("deal poll demo 7", Role.OPERATOR),
    "deal.refund": ("deal refund demo 7 --why bank-transfer-back --reference R1", Role.SUPERVISOR),
    "tamara.export": ("tamara export demo", Role.OPERATOR),
    "tamara.read": ("tamara read demo", Role.OPERATOR),
    "tamara.release": ("tamara release demo --why settled-with-them", Role.SUPERVISOR),
    "midoffice.resend": ("midoffice resend demo bkg_500", Role.OPERATOR),
    "supplier.poll": ("supplier poll demo", Role.OPERATOR),
    "journal.settle": ("journal settle demo stripe --reference p1 --paid 1.00 --on 2026-11-20", Role.SUPERVISOR),
    "journal.close": ("journal close demo --until 2026-10-31", Role.SUPERVISOR),
    "journal.reopen": ("journal reopen demo --why found-an-error", Role.SUPERVISOR),
    "privacy": ("privacy due", Role.SUPERVISOR),
    "token": ("user token create vera --label x", Role.ADMINISTRATOR),
}
"""Deed → a command that is refused before it does anything, and the least role that it takes."""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(
        f"""
        data = "."
        [store]
        url = "{migrated_url("sqlite", tmp_path)}"
        master_key = "{MASTER_KEY}"
        {DEMO}
        [agencies.demo.tamara]
        partner_id = "TESTPARTNER1"
        [agencies.demo.ratehawk]
        key_id = "1"
        [agencies.demo.easycount]
        token = "x"
        [agencies.demo.midoffice]
        kind = "midoco"
        """
    )
    return path


@pytest.fixture
def store(settings: Path) -> Iterator[Store]:
    opened = Store.open(load_installation(settings).store_url, master_key=KEY_BYTES)
    for name, role, agencies in (
        ("vera", Role.VIEWER, ["demo"]),
        ("otto", Role.OPERATOR, ["demo"]),
        ("sara", Role.SUPERVISOR, ["demo"]),
        ("luis", Role.ADMINISTRATOR, ["luna"]),
    ):
        opened.people.add(name, role, agencies, password=None, by="test", subject=f"sub-{name}")
    yield opened
    opened.close()


def said(settings: Path, words: str, by: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words.split(), "--by", by, "--settings", str(settings)])
    return done.exit_code, str(done.exception) if done.exception else done.output


def test_each_deed_takes_the_role_that_the_documentation_says(settings: Path, store: Store) -> None:
    below = {Role.OPERATOR: "vera", Role.SUPERVISOR: "otto", Role.ADMINISTRATOR: "sara"}
    for words, needs in CHANGES.values():
        code, answer = said(settings, words, below[needs])
        assert (code, f"this needs at least {needs}" in answer) == (1, True), (words, answer)


def test_an_agency_of_others_does_not_exist_for_anybody(settings: Path, store: Store) -> None:
    for words in ("event replay --agency demo", "deal poll demo 7", "journal close demo --until 2026-10-31"):
        assert "there is no such thing" in said(settings, words, "luis")[1], words


def test_what_was_refused_and_what_was_done_is_on_the_audit_trail(settings: Path, store: Store) -> None:
    assert said(settings, "journal close demo --until 2026-10-31 --why October", "otto")[0] == 1
    assert said(settings, "journal close demo --until 2026-10-31 --why October", "sara")[0] == 0
    assert said(settings, "journal close demo --until 2026-10-31", "sara")[0] == 1
    lines = [line.deed for line in store.audit_trail.list(["demo"], action="journal.close")]
    assert [(deed.actor, deed.outcome, deed.way) for deed in lines] == [
        ("sara", "failed", "command"),
        ("sara", "done", "command"),
        ("otto", "refused", "command"),
    ]
    assert lines[1].why == "October"
    assert store.periods.history("demo")[0].by == "sara"


def test_a_name_that_nobody_has_is_refused_once_there_are_people(settings: Path, store: Store) -> None:
    assert "nobody is called 'ghost' here" in said(settings, "journal close demo --until 2026-10-31", "ghost")[1]


def test_before_there_are_people_names_are_taken_as_given(settings: Path) -> None:
    assert said(settings, "journal close demo --until 2026-10-31", "root")[0] == 0


def test_every_command_that_changes_something_asks_who_does_it() -> None:
    silent = {
        name for name, command in _leaves(cast("click.Command", typer.main.get_command(app)), "") if not _asks(command)
    }
    known = {each.strip() for text in (LOOKS, RUNS, OUTSIDE) for each in text.replace("\n", " ").split(",")}
    assert silent <= known, "a command without --by: does it only look?"


def _leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    for each, inner in getattr(command, "commands", {}).items():
        yield from _leaves(inner, f"{name} {each}".strip())
    if not hasattr(command, "commands"):
        yield name, command


def _asks(command: click.Command) -> bool:
    return any("--by" in parameter.opts for parameter in command.params) or command.name == "import"
