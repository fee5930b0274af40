"""A whole season through real processes and real sockets, left alone and disturbed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from starter.collecting import StandIns
from starter.demo import DemoState
from starter.opening import connected, opened_store, read_settings
from starter.season_report import season_report
from starter.settling import at_rest
from tests.season.conftest import Season
from tests.season.hard_cases import ASKED, ROUNDS, Platform
from tests.season.playing import STEADY, Demo, broken, playing, standings

pytestmark = pytest.mark.timeout(2400)

KILLS = ((5, ("gateway",)), (60, ("worker",)), (160, ("temporal",)), (270, ("temporal", "worker")))
"""After how many settled writes which processes are killed; an undisturbed season has well over four hundred."""


def test_a_season_ends_with_every_invariant_holding(season: Season) -> None:
    assert season.exit_code == 0, season.demo.last_words
    report = season.demo.report
    assert broken(report) == []
    assert report["all_hold"]
    assert report["invariants"]
    assert all(standings(report).values())


def test_killed_workers_and_killed_temporal_servers_change_nothing(season: Season, tmp_path: Path) -> None:
    with playing(tmp_path, "--once") as demo:
        for settled, names in KILLS:
            demo.wait_until_settled(settled, within=400)
            for name in names:
                demo.kill(name)
        assert demo.end(within=600) == 0, demo.last_words
        said = demo.said
    assert broken(demo.report) == []
    assert standings(demo.report) == standings(season.demo.report)
    assert said.count("worker ended with -9") == 2
    assert said.count("temporal ended with -9") == 2
    assert said.count("gateway ended with -9") == 1


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that was ended by Ctrl-C in the middle of its season, started again, and is up at its end."""
    folder = tmp_path_factory.mktemp("interrupted")
    with playing(folder) as first:
        first.wait_until_settled(120, within=400)
        first.interrupt()
        assert first.end(within=180) == 0, first.last_words
        assert STEADY not in first.said
    with playing(folder) as second:
        second.wait_until(lambda: STEADY in second.said, within=600)
        yield second
        second.interrupt()
        assert second.end(within=180) == 0, second.last_words
    assert "Traceback" not in first.said + second.said


def test_ctrl_c_in_the_middle_and_a_second_demo_end_the_same(season: Season, interrupted: Demo) -> None:
    report = report_of(interrupted)
    assert broken(report) == []
    assert standings(report) == standings(season.demo.report)


def test_hard_cases_on_top_of_a_season_end_with_every_invariant_holding(interrupted: Demo) -> None:
    state = DemoState.of(interrupted.data)
    platform = Platform(f"http://127.0.0.1:{state.ports['platform']}", state.platform_token)
    for play in ROUNDS:
        play(platform)
        assert asyncio.run(rested(interrupted)), interrupted.last_words
    report = report_of(interrupted)
    assert broken(report) == []
    assert {row[0] for row in waiting(report)} == set(ASKED)


async def rested(demo: Demo) -> bool:
    """Every delivery is answered, and what the answer set off has ended."""
    state = DemoState.of(demo.data)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {state.platform_token}"}, timeout=30) as client:
        url = f"http://127.0.0.1:{state.ports['platform']}/sim/deliveries"
        while (await client.get(url)).json()["pending"]:  # noqa: ASYNC110 another process has no event to wait for
            await asyncio.sleep(0.1)
    installation = read_settings(demo.data / "settings.toml")
    with opened_store(installation) as store:
        return await at_rest(store, await connected(installation), within=400)


def waiting(report: dict[str, Any]) -> list[Any]:
    """Bookings that wait for a person: an invariant at rest says nothing about them."""
    (rows,) = [table["rows"] for table in report["tables"] if "as GIAV holds them" in table["title"]]
    return [row for row in rows if row[-1]]


def report_of(demo: Demo) -> dict[str, Any]:
    """The report of a demo that is up; without `--once` it is only shown."""
    ports = DemoState.of(demo.data).ports
    urls = (f"http://127.0.0.1:{ports[system]}" for system in ("giav", "midoco", "airplus", "platform", "ratehawk"))
    installation = read_settings(demo.data / "settings.toml")
    with opened_store(installation) as store:
        return season_report(installation, store, StandIns(*urls)).plain()
