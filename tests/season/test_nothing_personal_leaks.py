"""People, cards and secrets of a whole season stay where they belong: not in histories, not in logs, not on search screens."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import select
from typer.testing import CliRunner

from faults.leaks import exported, found_in, personal, texts
from sandbox.season import people
from starter.cli import app
from starter.demo import CARD_NUMBER, DemoState
from starter.embedded import server_command, wait_until_serving
from starter.opening import opened_store, read_settings
from store.inbox import EventFilter
from store.supplier_orders import supplier_orders
from tests.season.conftest import Season
from workers.standing import StandingCollector

pytestmark = pytest.mark.timeout(2400)

SECRETS = tuple(
    name for name in DemoState.model_fields if name.endswith(("key", "secret", "token", "password", "hook"))
)


@pytest.fixture(scope="module")
def told(season: Season) -> frozenset[str]:
    """Everything personal that the platform, the CRM and the supplier told during the season."""
    installation = read_settings(season.demo.data / "settings.toml")
    with opened_store(installation) as store:
        rows = store.inbox.list(EventFilter(agency="demo"), limit=1000)
        words = {word for row in rows for word in personal(json.loads(row.body)["data"])}
        for request in store.payment_requests.list("demo"):
            said = request.asked.said
            words |= {said.name, said.email, said.phone, said.address, said.tax_number}
        with store.database.read() as connection:
            for body in connection.scalars(select(supplier_orders.c.body)):
                words |= set(guests(json.loads(body)))
        return frozenset(words - {""})


def guests(order: object) -> Iterator[str]:
    """The last names of a supplier's order; first names alone are also words."""
    if isinstance(order, list):
        for item in order:
            yield from guests(item)
    if isinstance(order, dict):
        last = order.get("last_name")
        if isinstance(last, str):
            yield last
        for value in order.values():
            yield from guests(value)


@pytest.fixture(scope="module")
def secrets(season: Season) -> frozenset[str]:
    """What the demo invented, and everything that was sealed meanwhile: tokens, keys, secrets of payment pages."""
    state = DemoState.of(season.demo.data)
    installation = read_settings(season.demo.data / "settings.toml")
    with opened_store(installation) as store:
        sealed = {store.vault.open("demo", name) for name in store.vault.names("demo")}
    return frozenset({CARD_NUMBER, *(getattr(state, name) for name in SECRETS), *sealed})


@pytest.fixture(scope="module")
def histories(season: Season) -> dict[str, bytes]:
    """Workflow → every event of its history and everything on its line of the search screen, payloads in clear."""
    installation = read_settings(season.demo.data / "settings.toml")
    server = subprocess.Popen(server_command(installation), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return asyncio.run(_exported(installation))
    finally:
        server.kill()
        server.wait(30)


async def _exported(installation: Any) -> dict[str, bytes]:
    return await exported(await wait_until_serving(installation))


def logs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.log*"))


def test_the_season_told_everything_that_is_looked_for(told: frozenset[str]) -> None:
    someone = people.MARTA.party
    address, tax_id = someone["address"]["line1"], someone["tax_id"]["value"]
    assert {someone["name"], someone["email"], someone["phone"], address, tax_id} <= told
    assert {people.MERIDIAN["name"], people.MERIDIAN_BOOKER["name"], "Alonso Ferrer"} <= told
    assert {member["last_name"] for member in people.staff(0, 24)} <= told


def test_histories_and_search_screens_hold_keys_and_money_only(
    histories: dict[str, bytes], told: frozenset[str], secrets: frozenset[str]
) -> None:
    assert any(b"bkg_7209" in content and b"pay_" in content for content in histories.values())
    leaks = {name: found for name, content in histories.items() if (found := found_in(content, told | secrets))}
    assert leaks == {}


def test_the_file_of_the_temporal_server_holds_nobody(
    season: Season, told: frozenset[str], secrets: frozenset[str]
) -> None:
    files = sorted(season.demo.data.glob("temporal.db*"))
    content = b"".join(path.read_bytes() for path in files)
    assert b"bkg_7209" in content
    assert found_in(content, told | secrets) == []


def test_logs_hold_nobody_and_no_secret(season: Season, told: frozenset[str], secrets: frozenset[str]) -> None:
    files = logs(season.demo.data / "logs")
    assert {"gateway.log", "temporal.log", "worker.log"} <= {path.name for path in files}
    leaks = {path.name: found for path in files if (found := found_in(path.read_bytes(), told | secrets))}
    assert leaks == {}


def test_the_screen_and_the_report_show_no_secret_and_nobody(
    season: Season, told: frozenset[str], secrets: frozenset[str]
) -> None:
    report = (season.demo.folder / "demo-report.json").read_bytes()
    assert found_in(season.demo.said.encode() + report, told | secrets) == []


def test_the_store_holds_card_numbers_and_secrets_sealed_only(season: Season, secrets: frozenset[str]) -> None:
    files = sorted(season.demo.data.glob("store.db*"))
    assert found_in(b"".join(path.read_bytes() for path in files), secrets) == []


def test_no_file_but_the_partners_own_holds_an_account_number(season: Season) -> None:
    """Settings, logs, databases, Temporal's file, temporary files: everything that the season left on disk."""
    theirs = season.demo.data / "sandbox"
    files = [path for path in season.demo.folder.rglob("*") if path.is_file() and not path.is_relative_to(theirs)]
    assert {"store.db", "settings.toml", "worker.log", "temporal.db"} <= {path.name for path in files}
    numbers = frozenset({CARD_NUMBER})
    assert [path.name for path in files if found_in(path.read_bytes(), numbers)] == []
    delivered = [path for path in theirs.rglob("TAMARA_*") if path.is_file()]
    assert any(found_in(path.read_bytes(), numbers) for path in delivered), "with the partner is where it belongs"


def test_reasons_notes_and_error_texts_name_nobody_and_no_secret(
    season: Season, told: frozenset[str], secrets: frozenset[str]
) -> None:
    with opened_store(read_settings(season.demo.data / "settings.toml")) as store:
        written = texts(store)
    assert any(written.values())
    leaks = {name: found for name, content in written.items() if (found := found_in(content, told | secrets))}
    assert leaks == {}


def test_metrics_of_a_whole_season_name_nobody_and_no_secret(
    season: Season, told: frozenset[str], secrets: frozenset[str]
) -> None:
    registry = CollectorRegistry()
    with opened_store(read_settings(season.demo.data / "settings.toml")) as store:
        registry.register(StandingCollector(store))
        shown = generate_latest(registry)
    assert b"bookings_store_up 1.0" in shown
    assert found_in(shown, told | secrets) == []


def test_lists_that_the_command_line_prints_name_nobody_and_no_secret(
    season: Season, told: frozenset[str], secrets: frozenset[str]
) -> None:
    settings = str(season.demo.data / "settings.toml")
    leaks = {}
    for words in (["event", "list", "--limit", "1000"], ["park", "list", "--closed"], ["report"]):
        done = CliRunner().invoke(app, [*words, "--settings", settings, "--json"])
        assert done.exit_code == 0, (words, done.output)
        leaks |= {" ".join(words): found for found in [found_in(done.output.encode(), told | secrets)] if found}
    assert leaks == {}
