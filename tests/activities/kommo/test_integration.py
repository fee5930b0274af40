"""An agency connects its Kommo by itself, and is told when something of it breaks (contracts: kommo 2 to 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.kommo.account import KommoAccount
from activities.kommo.fields import CODES, STATUS, STATUSES
from activities.kommo.integration import (
    DISCOVERED,
    KEY_NAME,
    PLACE_TO_COME,
    KommoIntegration,
    account_settings,
    examine,
    exchange,
    open_account,
    problems,
    rotate_hook,
)
from activities.kommo.watching import KommoWatch
from activities.kommo.wire import SYSTEM
from domain.errors import Unauthorised
from domain.steps import IntegrationStep, Step
from sandbox.kommo.crm import OTHER_PIPELINE, PIPELINE, STAGES
from sandbox.kommo.stand_in import ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, TOKEN, KommoStandIn
from store import Store
from store.crm_tokens import long_lived_name

Control = Callable[..., Any]
GATEWAY = "https://orders.agency.example"
STEP = IntegrationStep(agency="sol", lifecycle="integration/sol/kommo", system=SYSTEM, by="ana")
CHOSEN = {"pipeline": PIPELINE, "trigger_stages": [33], "gateway_url": GATEWAY}


def begin(store: Store, url: str, **given: Any) -> None:
    store.integrations.request("sol", SYSTEM, by="ana")
    known = {"url": url, "client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI, "calls_per_second": 50}
    store.integrations.set("sol", SYSTEM, known | given, by="ana", detail="")
    store.vault.seal("sol", KEY_NAME, CLIENT_SECRET)


def agree(store: Store, control: Control) -> None:
    integration = store.integrations.known("sol", SYSTEM)
    given = {"gateway_url": PLACE_TO_COME, **DISCOVERED, **integration.settings}
    exchange(store, "sol", account_settings(store, integration, given), control("consent")["code"])


def activate(store: Store) -> None:
    cells = KommoIntegration(store)
    cells.check_account(STEP)
    cells.install(STEP)
    cells.use_account(STEP)


def opened(store: Store) -> KommoAccount:
    return open_account(store, "sol", account_settings(store, store.integrations.known("sol", SYSTEM)))


def test_the_first_check_reads_the_account_and_asks_for_stages(
    store: Store, stand_in: KommoStandIn, url: str, control: Control
) -> None:
    begin(store, url)
    agree(store, control)
    found = examine(store, "sol", by="ana")
    assert found.settings["account_id"] == ACCOUNT_ID
    assert set(found.questions) == {"pipeline", "trigger_stages", "gateway_url"}
    assert set(found.questions["pipeline"]) == {PIPELINE, OTHER_PIPELINE}
    store.integrations.set("sol", SYSTEM, store.integrations.known("sol", SYSTEM).settings | CHOSEN, by="a", detail="")
    assert examine(store, "sol", by="ana").ready
    stages = store.integrations.known("sol", SYSTEM).catalogue["stages"]
    assert f"Ventas: {STAGES[33]}" in [each["name"] for each in stages]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"account_id": 7}, "belongs to account"),
        ({"trigger_stages": [41]}, "trigger_stages"),
        ({"fields": {"INV_NUMBER": 12345}}, "INV_NUMBER: there is no such field"),
    ],
)
def test_what_does_not_fit_the_account_stops_the_activation(
    store: Store, stand_in: KommoStandIn, url: str, control: Control, given: dict[str, Any], words: str
) -> None:
    begin(store, url, **(CHOSEN | given))
    agree(store, control)
    with pytest.raises(ApplicationError, match=words):
        KommoIntegration(store).check_account(STEP)


def test_nobody_is_let_in_without_a_consent(store: Store, stand_in: KommoStandIn, url: str) -> None:
    begin(store, url, **CHOSEN)
    with pytest.raises(Unauthorised, match="integration consent sol"):
        examine(store, "sol", by="ana")
    assert not stand_in.calls


def test_activation_makes_our_fields_and_the_webhook_once(
    store: Store, stand_in: KommoStandIn, url: str, control: Control
) -> None:
    begin(store, url, **CHOSEN)
    agree(store, control)
    activate(store)
    activate(store)
    state = stand_in.state()
    assert {field["code"] for field in state["fields"]} == set(CODES)
    assert all(field["is_api_only"] for field in state["fields"])
    (status,) = [field for field in state["fields"] if field["code"] == STATUS]
    assert [enum["code"] for enum in status["enums"]] == list(STATUSES)
    (hook,) = state["webhooks"]
    assert hook["destination"].startswith(f"{GATEWAY}/hooks/kommo/sol/")
    assert set(hook["settings"]) == {"status_lead", "update_lead", "delete_lead", "restore_lead"}
    active = store.integrations.known("sol", SYSTEM)
    assert (active.state, active.settings["account_id"]) == ("active", ACCOUNT_ID)
    assert hook["destination"].rpartition("/")[2] not in str(active)


def test_an_activation_that_broke_off_finds_what_it_had_made(
    store: Store, stand_in: KommoStandIn, url: str, control: Control
) -> None:
    begin(store, url, **CHOSEN)
    agree(store, control)
    examine(store, "sol", by="ana")
    for operation in ("create_fields", "subscribe"):
        stand_in.faults.set({"operation": operation, "kind": "drop-after"})
        with pytest.raises(ApplicationError, match="no answer"):
            KommoIntegration(store).install(STEP)
    KommoIntegration(store).install(STEP)
    assert sorted(field["code"] for field in stand_in.state()["fields"]) == sorted(CODES)
    assert len(stand_in.state()["webhooks"]) == 1


def test_a_long_lived_token_needs_no_consent(store: Store, stand_in: KommoStandIn, url: str) -> None:
    begin(store, url, **CHOSEN)
    store.vault.seal("sol", long_lived_name(SYSTEM), TOKEN)
    activate(store)
    account = opened(store)
    assert account.client.account().id == ACCOUNT_ID
    account.client.close()


def test_the_webhooks_secret_is_exchanged_without_a_gap(
    store: Store, stand_in: KommoStandIn, url: str, control: Control
) -> None:
    begin(store, url, **CHOSEN)
    agree(store, control)
    activate(store)
    (before,) = stand_in.state()["webhooks"]
    version = store.integrations.known("sol", SYSTEM).version
    rotate_hook(store, "sol")
    (after,) = stand_in.state()["webhooks"]
    assert after["destination"] != before["destination"]
    settings = account_settings(store, store.integrations.known("sol", SYSTEM))
    assert settings.retiring_hook_secret is not None
    assert before["destination"].endswith(settings.retiring_hook_secret.get_secret_value())
    assert store.integrations.known("sol", SYSTEM).version > version


@pytest.mark.parametrize("name", ["token", "client_secret", "hook_secret"])
def test_a_secret_is_no_setting(name: str) -> None:
    assert problems({"url": "https://x.kommo.com", name: "s"})[1] == [f"{name}: is a secret and no setting"]


# The hourly look ----------------------------------------------------------------------------------------------------------


def look(store: Store, account: KommoAccount, now: datetime | None = None) -> set[str]:
    watch = KommoWatch(store, {"sol": account}, lambda: now or datetime.now(UTC))
    watch.watch_account(Step(agency="sol"))
    return {item.reason for item in store.parked.list("sol")}


def test_what_breaks_is_told_once_and_goes_away_when_it_is_mended(
    store: Store, stand_in: KommoStandIn, url: str, control: Control
) -> None:
    begin(store, url, **CHOSEN)
    agree(store, control)
    activate(store)
    account = opened(store)
    assert look(store, account) == set()
    (hook,) = stand_in.state()["webhooks"]
    control("disable", destination=hook["destination"])
    control(f"fields/{account.writer.fields.by_code[STATUS].id}")
    assert look(store, account) == look(store, account) == {"kommo_webhook", "kommo_fields"}
    assert hook["destination"] not in str([item.detail for item in store.parked.list("sol")])
    activate(store)
    assert look(store, account) == set()
    control("disable", destination=hook["destination"])
    assert look(store, account) == {"kommo_webhook"}
    account.client.close()


def test_a_lost_consent_is_told_and_a_new_one_ends_it(
    store: Store, stand_in: KommoStandIn, url: str, control: Control
) -> None:
    begin(store, url, **CHOSEN)
    agree(store, control)
    activate(store)
    control("tokens", revoke="all")
    settings = account_settings(store, store.integrations.known("sol", SYSTEM))
    later = datetime.now(UTC) + timedelta(hours=23)
    account = open_account(store, "sol", settings, now=lambda: later)
    assert look(store, account) == {"kommo_needs_reauth"}
    stand_in.calls.clear()
    assert look(store, account) == {"kommo_needs_reauth"}
    assert not stand_in.calls
    agree(store, control)
    assert store.parked.list("sol") == []
    account.client.close()


@pytest.mark.parametrize(("days", "told"), [(31, set()), (30, {"kommo_token_ends"}), (1, {"kommo_token_ends"})])
def test_the_end_of_a_long_lived_token_is_told_a_month_before(
    store: Store, stand_in: KommoStandIn, url: str, days: int, told: set[str]
) -> None:
    begin(store, url, **CHOSEN, token_expires="2027-06-30")
    store.vault.seal("sol", long_lived_name(SYSTEM), TOKEN)
    activate(store)
    account = opened(store)
    assert look(store, account, datetime(2027, 6, 30, tzinfo=UTC) - timedelta(days=days)) == told
    account.client.close()


def test_an_agency_without_kommo_has_nothing_to_watch(store: Store) -> None:
    assert KommoWatch(store, {}).watch_account(Step(agency="sol")).note == "no Kommo in use"
