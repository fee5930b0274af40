"""A whole season through real processes and real sockets, left alone and disturbed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starter.collecting import StandIns
from starter.demo import DemoState
from starter.opening import opened_store, read_settings
from starter.season_report import season_report
from tests.season.conftest import Season
from tests.season.playing import STEADY, Demo, broken, playing, standings

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
            demo.wait_until_settled(settled, within=120)
            for name in names:
                demo.kill(name)
        assert demo.end(within=200) == 0, demo.last_words
        said = demo.said
    assert broken(demo.report) == []
    assert standings(demo.report) == standings(season.demo.report)
    assert said.count("worker ended with -9") == 2
    assert said.count("temporal ended with -9") == 2
    assert said.count("gateway ended with -9") == 1


def test_ctrl_c_in_the_middle_and_a_second_demo_end_the_same(season: Season, tmp_path: Path) -> None:
    with playing(tmp_path) as first:
        first.wait_until_settled(120, within=120)
        first.interrupt()
        assert first.end(within=60) == 0, first.last_words
    assert STEADY not in first.said
    with playing(tmp_path) as second:
        second.wait_until(lambda: STEADY in second.said, within=200)
        report = report_of(second)
        second.interrupt()
        assert second.end(within=60) == 0, second.last_words
    assert broken(report) == []
    assert standings(report) == standings(season.demo.report)
    assert "Traceback" not in first.said + second.said


def report_of(demo: Demo) -> dict[str, Any]:
    """The report of a demo that is up; without `--once` it is only shown."""
    ports = DemoState.of(demo.data).ports
    urls = (f"http://127.0.0.1:{ports[system]}" for system in ("giav", "midoco", "airplus", "platform"))
    installation = read_settings(demo.data / "settings.toml")
    with opened_store(installation) as store:
        return season_report(installation, store, StandIns(*urls)).plain()
