"""`bookings supplier` shows how far a supplier was read and what became of every order, and says what to do otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.supplier import RATEHAWK
from starter.answers import CommandError
from starter.cli import app
from store import Store
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY, OTHER_SOURCE, SOURCE
from tests.store.test_supplier_orders import order

RUN = CliRunner()


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    url = migrated_url("sqlite", tmp_path)
    store = Store.open(url)
    store.supplier_orders.record("demo", RATEHAWK, [order(7, partner="bkg_500-lin_01"), order(8, minutes=1)])
    store.supplier_orders.handled("demo", RATEHAWK, 7, 1, "booking", booking_id="bkg_500")
    store.supplier_orders.handled("demo", RATEHAWK, 8, 1, "listed", reason="the agency has no mid-office")
    store.supplier_feeds.page_read(
        "demo", RATEHAWK, orders=2, changed=2, swept_to=datetime(2026, 11, 20, 10, 1, tzinfo=UTC), last=True
    )
    store.supplier_feeds.nudge("demo", RATEHAWK, "token", "updated", "bkg_500-lin_01")
    store.close()
    path = tmp_path / "settings.toml"
    path.write_text(
        f"""
        [store]
        url = "{url}"
        master_key = "{MASTER_KEY}"
        [temporal]
        address = "127.0.0.1:9"
        [agencies.demo]
        name = "Viajes Ejemplo"
        platform = {{ source = "{SOURCE}" }}
        ratehawk = {{ url = "http://127.0.0.1:9", key_id = 1, api_key = "key" }}
        [agencies.other]
        name = "Otra"
        platform = {{ source = "{OTHER_SOURCE}" }}
        """
    )
    return path


def printed(settings: Path, *arguments: str) -> list[dict[str, object]]:
    done = RUN.invoke(app, ["supplier", *arguments, "--settings", str(settings), "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def test_the_feed_tells_how_far_it_is(settings: Path) -> None:
    (row,) = printed(settings, "feed")
    assert (row["agency"], row["sweeps"], row["watermark"]) == ("demo", 1, "2026-11-20 10:01")
    assert row["orders"] == {"booking": 1, "listed": 1, "pending": 0}
    assert row["nudges"] == {"open": 1, "read": 0, "missing": 0}


def test_orders_are_shown_with_what_became_of_them_and_without_people(settings: Path) -> None:
    rows = printed(settings, "orders")
    assert [(row["order_id"], row["state"], row["booking_id"]) for row in rows] == [
        (8, "listed", None), (7, "booking", "bkg_500")]  # fmt: skip
    assert [row["order_id"] for row in printed(settings, "orders", "--state", "listed")] == [8]
    table = RUN.invoke(app, ["supplier", "orders", "--settings", str(settings)]).stdout
    assert "listed" in table


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("feed", "--agency", "other"), "has no RateHawk"),
        (("feed", "--agency", "nobody"), "there is no agency 'nobody'"),
        (("poll", "other"), "has no RateHawk"),
        (("poll", "demo"), "Temporal does not answer"),
        (("orders", "--state", "lost"), "there is no state 'lost'"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(settings: Path, arguments: tuple[str, ...], words: str) -> None:
    done = RUN.invoke(app, ["supplier", *arguments, "--settings", str(settings)])
    assert isinstance(done.exception, CommandError)
    assert words in str(done.exception)


def test_every_command_explains_itself() -> None:
    for command in ((), ("feed",), ("poll",), ("orders",)):
        assert RUN.invoke(app, ["supplier", *command, "--help"]).exit_code == 0
