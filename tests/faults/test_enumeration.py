"""A sample of `make faults`, and what it is made of: every call has its cases, the same seed the same weather (notes: faults)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from faults.__main__ import met_nobody
from faults.answers import WRONG_ANSWERS
from faults.bugs import BUGS
from faults.cases import CODES, OF_WRITES, Recording, enumerated
from faults.days import DAYS, departing, wrong_days
from faults.leaks import WORDS, found_in
from faults.results import PROJECT
from faults.scenarios import SCENARIOS
from faults.weather import drawn
from sandbox.faults import Kind

CALLS = [("giav", "Cobro_SEARCH"), ("giav", "Cobro_POST"), ("midoco", "announceExternalPayment")]
RECORDED = Recording("payment-card", CALLS, ["giav.record_payment: start 1"], ["payment.captured"])


def test_every_call_has_a_case_of_every_fault_that_can_differ_there() -> None:
    cases = [case for case in enumerated(RECORDED) if case.family == "call"]
    for system, operation in CALLS:
        kinds = {Kind(case.fault) for case in cases if case.place == f"{system} {operation} #1"}
        assert kinds == set(CODES) - (OF_WRITES if "SEARCH" in operation else set())


@pytest.mark.parametrize(
    ("result", "found", "again"),
    [
        ("unreached", [], True),
        ("violation", ["the fault never struck"], True),
        ("violation", ["stuck: no rest", "the fault never struck"], False),
        ("same", [], False),
    ],
)
def test_a_case_is_played_again_only_where_its_fault_met_nobody_and_all_was_in_order(
    result: str, found: list[str], again: bool
) -> None:
    assert met_nobody({"result": result, "found": found}) is again


def test_the_names_of_cases_are_unique() -> None:
    names = [case.id for case in enumerated(RECORDED)]
    assert len(names) == len(set(names))


def test_every_fault_of_the_alphabet_has_a_case() -> None:
    files = Recording("tamara-export", [("airplus", "put")])
    recordings = (RECORDED, Recording("life", CALLS, [], ["a", "b", "c"]), files)
    codes = {case.code for recording in recordings for case in enumerated(recording)}
    assert codes == {f"F{number}" for number in (*range(1, 13), 15, 16, 17)}


def test_every_day_at_which_calendars_stumble_is_found_and_departed_on() -> None:
    today = date(2026, 11, 22)
    leaves = {name: departing(today, name)["starts_on"] for name in DAYS}
    assert leaves == {
        "29 February": "2028-02-29",
        "28 February": "2027-02-28",
        "the 31st": "2027-01-31",
        "the end of a month of 30 days": "2027-04-30",
        "New Year's Eve": "2027-12-31",
        "the night in which clocks go forward": "2027-03-28",
        "the night in which clocks go back": "2027-10-31",
    }
    dues = {each["due"]["on"] for each in departing(today, "29 February")["payment_plan_template"]}
    assert dues == {"2024-02-29"}
    wrong = wrong_days(
        {"starts_on": "2028-02-29", "ends_on": "2028-03-03"},
        {"Expediente": [], "Reserva": [{"Id": 1, "FechaDesde": "2028-03-01T00:00:00", "FechaHasta": "2028-03-03"}]},
    )
    assert wrong == ["Reserva 1 lasts from 2028-03-01 to 2028-03-03, should be 2028-02-29 to 2028-03-03"]


def test_where_days_stand_each_of_them_is_a_case_and_where_airplus_answers_each_wrong_answer() -> None:
    assert {case.fault for case in enumerated(Recording("instalments")) if case.family == "day"} == set(DAYS)
    for name in ("tamara-export", "tamara-export-ftps", "tamara-rejected"):
        cases = [case.fault for case in enumerated(Recording(name)) if case.family == "answer"]
        assert cases == list(WRONG_ANSWERS)


def test_the_same_seed_has_the_same_weather() -> None:
    assert drawn(7) == drawn(7)
    assert len({drawn(seed) for seed in range(20)}) == 20


def test_twenty_bugs_at_least_are_seeded_and_each_is_looked_for_in_a_scenario_that_exists() -> None:
    assert len(BUGS) >= 20
    assert {wanted[0] for bug in BUGS.values() for wanted in bug.wanted} <= SCENARIOS.keys()


@pytest.mark.timeout(900)
@pytest.mark.covers("O3", "F-C2", "F-C9")
def test_a_payment_ends_the_same_under_a_sample_of_faults_and_a_missing_look_is_caught(tmp_path: Path) -> None:
    """In a process of its own, because the enumeration shortens every wait of the product."""
    paths = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
    command = [
        sys.executable,
        "-m",
        "faults",
        "--jobs",
        "1",
        "--only",
        "payment-card",
        "--most",
        "5",
        "--bug",
        "no-look-up",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=860
    )
    report: dict[str, Any] = json.loads((tmp_path / "faults-report.json").read_text("utf-8"))
    assert report["wrong"] == []
    assert (report["played"], report["fired"], report["call_sites_without"]) == (5, 5, [])
    assert report["bugs"] == {"no-look-up": True}
    assert (report["searched"] > 20, report["leaks"]) == (True, [])
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    kinds = ("job-", "log-", "outcomes-", "recorded.", "bugs-", "report.html", "report.md", "faults-report.json")
    assert [kind for kind in kinds if not any(path.name.startswith(kind) for path in written)] == []
    assert [path.name for path in written if found_in(path.read_bytes(), WORDS)] == [], "nor in what the harness writes"
    assert done.returncode == 0, done.stderr
