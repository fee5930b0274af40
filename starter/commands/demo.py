"""`demo`: see the whole program work, without any account anywhere."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from temporalio.client import Client

from domain.supplier import RATEHAWK
from starter import demo as stage
from starter.answers import CommandError, as_table, say
from starter.collecting import StandIns
from starter.commands.consenting import install_crm
from starter.commands.suppliers import sweep_now
from starter.commands.tamara import run_export
from starter.commands.tamara_lines import run_reading
from starter.demo import AGENCY, DemoState, Sandbox
from starter.opening import connected, opened_store, read_settings
from starter.played_deals import play_deal
from starter.played_scenes import play_scenes
from starter.reports import SeasonReport
from starter.season_report import season_report
from starter.settling import at_rest
from starter.supervisor import Supervisor, asked_to_stop
from store import Store
from store.installation import Installation

REPORT_FILE = Path("demo-report.json")
REST_SECONDS = 300.0
CONNECT_SECONDS = 60
EXPORT_SECONDS = 300.0
SWEEP_SECONDS = 300.0


def demo(
    once: Annotated[bool, typer.Option("--once", help="Begin anew, write demo-report.json, end by itself.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the demo; var/demo by default, with --once a new one.")
    ] = None,
    pace: Annotated[float | None, typer.Option(min=0, help="Seconds between the steps of the season.")] = None,
    any_ports: Annotated[
        bool, typer.Option("--any-ports", help="A new demo takes whatever ports are free, beside another demo.")
    ] = False,
    midoffice: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(stage.MID_OFFICES),
            help="The agency's mid-office; midoco by default. A demo keeps the one that it began with.",
        ),
    ] = None,
) -> None:
    """Start everything with stand-ins for the outside systems and play a season through it.

    Stays up until Ctrl-C; a second run goes on where the first ended. With --once the exit code says whether every
    promise held.
    """
    if midoffice not in (None, *stage.MID_OFFICES):
        raise CommandError(f"there is no mid-office '{midoffice}'; choose one of: {', '.join(stage.MID_OFFICES)}")
    folder = _folder(once, data)
    state = DemoState.of(folder, any_ports=any_ports, midoffice=midoffice)
    say(f"demo in {folder}, mid-office {state.midoffice}")
    code = asyncio.run(_play(folder, once=once, pace=pace if pace is not None else (0.0 if once else 1.0)))
    raise typer.Exit(code)


def _folder(once: bool, data: Path | None) -> Path:
    if once and data is None:
        Path("var").mkdir(exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="demo-", dir="var")).resolve()
    folder = (data or Path("var/demo")).resolve()
    if once and folder.exists() and any(folder.iterdir()):
        raise CommandError(f"--once begins anew, but {folder} is not empty; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(frozen=True, slots=True)
class Played:
    """What a played demo ends with."""

    report: SeasonReport
    season_ended_well: bool
    came_to_rest: bool
    left_to_people: int
    """Parked items of bookings. What waits is judged by few promises, and the season is written so that nobody is needed."""

    @property
    def well(self) -> bool:
        return self.report.all_hold and self.season_ended_well and self.came_to_rest and not self.left_to_people


async def _play(folder: Path, *, once: bool, pace: float) -> int:
    asked = asked_to_stop()
    state = DemoState.of(folder)
    sandbox = await stage.start_sandbox(folder, state, say)
    try:
        settings = stage.write_settings(folder, state, sandbox.fingerprints)
        installation = read_settings(settings)
        supervisor = Supervisor(installation, settings, say)
        async with supervisor.running(asked):
            await asyncio.to_thread(install_crm, installation, AGENCY)
            await asyncio.to_thread(stage.let_in, installation, state)
            playing = asyncio.create_task(play_season(installation, settings, sandbox, state, pace))
            stopping = asyncio.create_task(asked.wait())
            await asyncio.wait((playing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not playing.done():
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)
                return 130 if once else 0
            played = await playing
            _show(played, installation, supervisor, sandbox, state)
            if once:
                _write(played)
                return 0 if played.well else 1
            say(f"Console: {installation.console.url}, sign in as {stage.CONSOLE_NAME} with {state.console_password}")
            say("Ctrl-C stops everything; `bookings demo` goes on where it stopped.")
            await stopping
            say("stopping")
            return 0
    finally:
        await sandbox.child.stop()


async def _connected(installation: Installation) -> Client:
    """Temporal may be down for the moment that the supervisor needs to start it again."""
    for _ in range(CONNECT_SECONDS):
        try:
            return await connected(installation)
        except CommandError:
            await asyncio.sleep(1)
    return await connected(installation)


async def play_season(
    installation: Installation, settings: Path, sandbox: Sandbox, state: DemoState, pace: float
) -> Played:
    """The season, its people's deeds and the nightly files, on an installation that is up; and what came of it."""
    lodge = [sys.executable, "-m", "starter", "card", "add", AGENCY, stage.CARD_TOKEN, "--by", stage.CONSOLE_NAME]
    lodge += ["--settings", str(settings)]
    if await stage.run_to_end(lodge, given=f"{stage.CARD_NUMBER} {stage.CARD_EXPIRY}\n"):
        raise CommandError("the company account of the season could not be lodged")
    season = await stage.run_to_end(stage.season_command(sandbox, state, pace))
    client = await _connected(installation)
    with opened_store(installation) as store:
        rested = await at_rest(store, client, within=REST_SECONDS, say=say)
        settled = await play_scenes(installation, store, client, sandbox, state, pace, say)
        trigger = (installation.agencies[AGENCY].kommo or {})["trigger_stages"][0]
        won = await play_deal(trigger, store, client, sandbox, say)
        rested &= await _swept(installation, store)
        rested &= await at_rest(store, client, within=REST_SECONDS, say=say)
        today = datetime.now(ZoneInfo(installation.agencies[AGENCY].timezone)).date()
        for kind in _kinds(installation):
            rested &= await _export(installation, kind, today.isoformat())
        rested &= await _answered(installation, settings, store, today)
        report = season_report(installation, store, _stand_ins(sandbox, state))
        left = sum(1 for item in store.parked.list(AGENCY) if item.booking_id)
    return Played(report, season_ended_well=won and season == 0 and settled, came_to_rest=rested, left_to_people=left)


def _kinds(installation: Installation) -> tuple[Literal["MA", "BSP"], ...]:
    """The files that the agency can send: BSP only with an IATA number (contracts: tamara 3.9 V026)."""
    section = installation.agencies[AGENCY].tamara or {}
    return ("MA", "BSP") if section.get("iata_no") else ("MA",)


def _systems(state: DemoState) -> tuple[str, ...]:
    return ("giav", state.midoffice, "airplus", "platform", "ratehawk", "kommo", "easycount")


def _stand_ins(sandbox: Sandbox, state: DemoState) -> StandIns:
    return StandIns(*(sandbox.url(system) for system in _systems(state)))


async def _swept(installation: Installation, store: Store) -> bool:
    """RateHawk once more from the clock's side: a webhook may have found nobody. False when it was not read in time."""
    before = await asyncio.to_thread(store.supplier_feeds.get, AGENCY, RATEHAWK)
    await sweep_now(installation, AGENCY)
    try:
        async with asyncio.timeout(SWEEP_SECONDS):
            while await asyncio.to_thread(store.supplier_feeds.get, AGENCY, RATEHAWK) == before:  # noqa: ASYNC110 another process sweeps
                await asyncio.sleep(0.2)
    except TimeoutError:
        say(f"RateHawk: not read within {SWEEP_SECONDS:.0f} s")
        return False
    return True


async def _export(installation: Installation, kind: Literal["MA", "BSP"], day: str) -> bool:
    """Tonight's AirPlus file, now. False when it was not delivered in time: then it is parked or still at work."""
    try:
        async with asyncio.timeout(EXPORT_SECONDS):
            sealed = await run_export(installation, AGENCY, kind, datetime.fromisoformat(day).date())
    except TimeoutError:
        say(f"AirPlus {kind}: not delivered within {EXPORT_SECONDS:.0f} s")
        return False
    lines = f"file {sealed.name}, {sealed.lines} lines" if sealed and sealed.seq else "nothing to send"
    say(f"AirPlus {kind}: {lines}")
    return True


async def _answered(installation: Installation, settings: Path, store: Store, today: date) -> bool:
    """What AirPlus rejected is mended as a person would, and goes with the next file. False when something is left."""
    try:
        async with asyncio.timeout(EXPORT_SECONDS):
            await run_reading(installation, AGENCY)
            rejected = store.tamara.listing(AGENCY, states=("REJECTED",))
            for line in rejected:
                say(f"AirPlus rejected line {line.id} of booking {line.booking_id}: the order number is missing")
                fix = ["tamara", "fix", AGENCY, str(line.id), "--set", "400.AU=PO-2027-118", "--by", "demo"]
                command = [sys.executable, "-m", "starter", *fix, "--settings", str(settings)]
                if await stage.run_to_end(command):
                    return False
            for kind in _kinds(installation) if rejected else ():
                if not await _export(installation, kind, (today + timedelta(days=1)).isoformat()):
                    return False
            read = await run_reading(installation, AGENCY) if rejected else None
    except TimeoutError:
        say(f"AirPlus: not answered within {EXPORT_SECONDS:.0f} s")
        return False
    return read is None or not read.troubles


def _show(
    played: Played, installation: Installation, supervisor: Supervisor, sandbox: Sandbox, state: DemoState
) -> None:
    for table in played.report.tables:
        as_table(table.title, table.columns, table.rows, right=table.right)
    marks = {True: "holds", False: "BROKEN"}
    as_table(
        "Promises",
        ("promise", "state", "detail"),
        ((invariant.name, marks[invariant.holds], invariant.detail) for invariant in played.report.invariants),
    )
    if not played.season_ended_well:
        say("the season did not end as it should; see its last lines")
    if not played.came_to_rest:
        say("not everything came to rest in time")
    if played.left_to_people:
        say(f"{played.left_to_people} items wait for a person, which the season does not foresee: bookings park list")
    places = supervisor.addresses | {system: sandbox.url(system) for system in (*_systems(state), "postbox")}
    as_table("Where to look", ("what", "where"), places.items())
    namespace = installation.temporal.namespace
    say(f"Workflows: {installation.temporal.ui}/namespaces/{namespace}/workflows")


def _write(played: Played) -> None:
    plain = played.report.plain() | {
        "season_ended_well": played.season_ended_well,
        "came_to_rest": played.came_to_rest,
        "left_to_people": played.left_to_people,
        "well": played.well,
    }
    REPORT_FILE.write_text(json.dumps(plain, indent=2, ensure_ascii=False), "utf-8")
    say(f"written: {REPORT_FILE}")
