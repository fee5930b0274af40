"""`bookings plan` shows plans with who ordered what, and refuses what cannot be in words that say what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from activities.platform.settings import PlatformAccount
from domain.money import Money
from domain.plan_orders import PlanOrder
from domain.steps import DueInstalment, PlanArrangement
from domain.superseding import PlanState
from sandbox.platform.stand_in import TOKEN, PlatformStandIn
from sandbox.running import running
from starter.answers import CommandError
from starter.cli import app
from store import Store
from store.installation import PlatformSettings
from tests.activities.platform.trip import AGENCY
from tests.activities.platform.world import World
from tests.databases import migrated_url

RUN = CliRunner()


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    url = migrated_url("sqlite", tmp_path)
    store = Store.open(url)
    stand_in = PlatformStandIn()
    with running(stand_in) as address:
        account = stand_in.platform.account
        of_platform = PlatformSettings(
            source=account.source, event_prefix=account.prefix, url=address, token=SecretStr(TOKEN)
        )
        world = World(stand_in, store, of_platform, PlatformAccount.open(of_platform, "test"))
        world.sell()
        world.deliver()
    order = PlanOrder(
        order="skip",
        by="ana",
        why="a transfer is on its way",
        instalment_id="ins_502",
        at=datetime.now(UTC),
    )
    store.plan_orders.give(AGENCY, "plan_50", "1", "bkg_500", order)
    stand_in.close()
    store.close()
    path = tmp_path / "settings.toml"
    path.write_text(
        f"""
        [store]
        url = "{url}"
        [temporal]
        address = "127.0.0.1:9"
        [agencies.{AGENCY}]
        name = "Viajes Ejemplo"
        platform = {{ source = "{account.source}" }}
        """
    )
    return path


def test_a_plan_is_shown_with_what_is_open_and_who_ordered_what(settings: Path) -> None:
    done = RUN.invoke(app, ["plan", "show", AGENCY, "bkg_500", "--settings", str(settings), "--json"])
    plan = json.loads(done.stdout)
    assert (plan["plan"], plan["open"], plan["next_due"]) == ("plan_50", "1,000.00 EUR", "2026-12-02")
    assert plan["held"] == {"ins_502": "skip: a transfer is on its way"}
    assert [(each["by"], each["order"]) for each in plan["orders"]] == [("ana", "skip")]
    assert "ana" in RUN.invoke(app, ["plan", "show", AGENCY, "bkg_500", "--settings", str(settings)]).stdout


def test_plans_are_listed_and_the_held_ones_found(settings: Path) -> None:
    done = RUN.invoke(app, ["plan", "list", AGENCY, "--held", "--settings", str(settings), "--json"])
    assert [row["plan"] for row in json.loads(done.stdout)] == ["plan_50"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", AGENCY, "bkg_999"], "no payment plan of booking bkg_999"),
        (["show", "nobody", "bkg_500"], "no agency 'nobody'"),
        (["pause", AGENCY, "bkg_500", "--by", "ana", "--why", "asked for time"], "Temporal does not answer"),
        (
            ["charge-now", AGENCY, "bkg_500", "ins_501", "--by", "a", "--why", "agreed", "--amount", "12.345"],
            "no amount",
        ),
    ],
)
def test_what_cannot_be_is_one_line_that_says_why(arguments: list[str], words: str, settings: Path) -> None:
    with pytest.raises(CommandError, match=words):
        RUN.invoke(app, ["plan", *arguments, "--settings", str(settings)], catch_exceptions=False)


OPEN = Money(amount=30000, currency="EUR")


@pytest.mark.parametrize(
    ("order", "own", "amount", "by", "why", "words"),
    [
        ("pause", None, None, "", "asked for time", "who orders it"),
        ("pause", None, None, "system", "asked for time", "who orders it"),
        ("pause", None, None, "ana", "short", "10 characters"),
        ("pause", "ins_1", None, "ana", "asked for time", "whole plan"),
        ("resume", None, None, "ana", "asked for time", "not paused"),
        ("resume", "ins_1", None, "ana", "asked for time", "not held"),
        ("stop", "ins_1", None, "ana", "asked for time", "the program's own"),
        ("skip", None, None, "ana", "asked for time", "name the instalment"),
        ("skip", "ins_9", None, "ana", "asked for time", "open are: ins_1"),
        ("skip", "ins_1", OPEN, "ana", "asked for time", "belongs to charge_now"),
        ("charge_now", "ins_1", OPEN * 2, "ana", "asked for time", "not within what is open"),
        ("charge_now", "ins_1", OPEN * 0, "ana", "asked for time", "not within what is open"),
        ("charge_now", "ins_1", Money(amount=1, currency="USD"), "ana", "asked for time", "not within"),
        ("charge_now", "ins_1", OPEN, "ana", "asked for time", None),
        ("pause", None, None, "ana", "asked for time", None),
    ],
)
def test_orders_that_cannot_be_are_refused_by_the_plan(
    order: str, own: str | None, amount: Money | None, by: str, why: str, words: str | None
) -> None:
    state = PlanState(agency=AGENCY, booking_id="bkg_500")
    due = DueInstalment(instalment_id="ins_1", due_on=datetime.now(UTC).date(), amount=OPEN)
    state.arranged(PlanArrangement(collection="automatic", due=(due,)))
    said = state.refusal(order, own, amount, by, why)  # type: ignore[arg-type]
    assert (said is None) if words is None else (said is not None and words in said)
