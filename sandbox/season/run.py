"""Runs the season: the script, then waits until everything was told and the open instalments were collected."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

import httpx

from sandbox.platform.stand_in import TOKEN
from sandbox.season.driver import Driver, SeasonError
from sandbox.season.outcome import OUTCOME, Outcome
from sandbox.season.people import Doc
from sandbox.season.scenes import SCENE_OUTCOME, SCENES
from sandbox.season.script import PLAN, SCRIPT, Step

PATIENCE = 300.0
"""Seconds that the season waits for deliveries, and again for the instalments."""

Say = Callable[[str], None]


def run(
    platform_url: str,
    controls: Mapping[str, str] | None = None,
    pace: float = 1.0,
    *,
    midoffice: str = "midoco",
    start: date | None = None,
    token: str = TOKEN,
    patience: float = PATIENCE,
    as_json: bool = False,
    scene: str | None = None,
    say: Say = print,
) -> int:
    """Play the season against running stand-ins. `controls` gives the base addresses of those that are made to fail now
    and then, by their names; `midoffice` says which of them is the agency's mid-office.

    `pace` is the pause after each step in seconds. A season that was interrupted goes on where it stopped, with the
    start date it began with (default: today in Madrid). Answers 0, or 1 if events stayed undelivered or a booking does
    not stand as it should; instalments that nobody collected in time are only reported. `scene` plays one of the scenes after
    the season instead (`sandbox.season.scenes`).
    """
    places = {name: url.rstrip("/") for name, url in (controls or {}).items()}
    with httpx.Client(timeout=30.0, trust_env=False) as client:
        driver = Driver(client, platform_url.rstrip("/"), token, places, pace, midoffice)
        try:
            report = _Report(as_json, say)
            return _scene(driver, report, scene, patience) if scene else _play(driver, report, start, patience)
        except SeasonError as error:
            _Report(as_json, say).line("error", str(error))
            return 1


def _play(driver: Driver, report: _Report, start: date | None, patience: float) -> int:
    marks = driver.marks()
    begun = marks.get("season/start")
    driver.start = date.fromisoformat(begun) if begun else start or datetime.now(ZoneInfo("Europe/Madrid")).date()
    if begun is None:
        driver.mark("season/start", driver.start.isoformat())
    _take(driver, report, SCRIPT, marks)
    told = _wait_for_deliveries(driver, report, patience)
    collected = _wait_for_instalments(driver, report, patience)
    told = told and _wait_for_deliveries(driver, report, patience)
    skipped = () if collected else (PLAN.replace("plan_", "bkg_"),)
    return 0 if told and _as_expected(driver, report, OUTCOME, skipped) else 1


def _scene(driver: Driver, report: _Report, scene: str, patience: float) -> int:
    marks = driver.marks()
    if "season/start" not in marks:
        raise SeasonError("the scenes come after the season, which was not played here")
    driver.start = date.fromisoformat(marks["season/start"])
    _take(driver, report, SCENES[scene], marks)
    told = _wait_for_deliveries(driver, report, patience) if scene == "closing" else True
    return 0 if told and (scene != "closing" or _as_expected(driver, report, SCENE_OUTCOME)) else 1


def _take(driver: Driver, report: _Report, steps: tuple[Step, ...], marks: Doc) -> None:
    for at, step in enumerate(steps, 1):
        known = f"season/step/{step.name}" in marks
        driver.begin(step.name)
        if not known:
            step.act(driver)
            driver.mark(f"season/step/{step.name}", True)
        report.step(at, len(steps), step, "done before" if known else "done", driver.notes)
        if not known:
            driver.sleep(driver.pace)


class _Report:
    """Progress as plain lines, or one JSON object per line."""

    def __init__(self, as_json: bool, say: Say) -> None:
        self._as_json, self._say = as_json, say

    def step(self, at: int, of: int, step: Step, state: str, notes: list[str]) -> None:
        if self._as_json:
            self._json({"step": at, "of": of, "name": step.name, "title": step.title, "state": state, "notes": notes})
            return
        more = [state] if state != "done" else []
        tail = f" ({'; '.join(more + notes)})" if more + notes else ""
        self._say(f"[{at}/{of}] {step.title}{tail}")

    def line(self, name: str, text: str, **members: object) -> None:
        if self._as_json:
            self._json({"name": name, "text": text, **members})
        else:
            self._say(text)

    def _json(self, body: Doc) -> None:
        self._say(json.dumps(body, ensure_ascii=False))


def _wait_for_deliveries(driver: Driver, report: _Report, patience: float) -> bool:
    def settled() -> bool:
        summary = driver.deliveries()
        return not summary["pending"] and not summary["held"]

    done = driver.wait(settled, patience)
    summary = driver.deliveries()
    if done and not summary["gone"]:
        report.line("delivered", f"All {summary['delivered']} deliveries were accepted.", **summary)
        return True
    reasons = {entry["error"] or f"HTTP {entry['status']}" for entry in summary["failing"]} or {"no answer yet"}
    report.line(
        "undelivered",
        f"{summary['pending'] + summary['held'] + summary['gone']} deliveries were not accepted after {patience:.0f} s "
        f"({', '.join(sorted(reasons))}). Is the gateway running, and the platform pointed at it?",
        **summary,
    )
    return False


def _wait_for_instalments(driver: Driver, report: _Report, patience: float) -> bool:
    def unpaid() -> list[str]:
        items = driver.read(f"payment_plans/{PLAN}")["installments"]
        return [item["id"] for item in items if item["status"] != "paid"]

    if driver.wait(lambda: not unpaid(), patience):
        report.line("collected", "All three instalments of Javier's plan are paid.")
        return True
    report.line(
        "not-collected",
        f"Instalments {', '.join(unpaid())} were not collected within {patience:.0f} s. They are due: the workers will "
        "charge them when they get to it.",
    )
    return False


def _as_expected(
    driver: Driver, report: _Report, outcomes: Mapping[str, Outcome], skipped: tuple[str, ...] = ()
) -> bool:
    """Compare every booking with what the script must lead to."""
    wrong = []
    for booking_id, outcome in outcomes.items():
        if booking_id in skipped:
            continue
        booking = driver.read(f"bookings/{booking_id}")
        totals = {name: value["amount"] for name, value in booking["totals"].items()}
        names = ("total", "captured", "refunded", "penalty", "due")
        found = (booking["status"], *(totals[name] for name in names))
        if found != (outcome.status, *(getattr(outcome, name) for name in names)):
            wrong.append(booking_id)
    if wrong:
        report.line("differs", f"Not as it should stand on the platform: {', '.join(wrong)}.", bookings=wrong)
        return False
    report.line("stands", f"The platform holds {len(outcomes)} bookings as expected.")
    return True
