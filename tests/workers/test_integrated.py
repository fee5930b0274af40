"""Whose account a step works with: the settings file first, else what the agency activated, as it is at that moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.giav.integration import KEY_NAME
from domain.errors import NeedsPerson, Transient, Unauthorised
from store import Store
from store.installation import Installation
from store.opening import open_store
from tests.activities.giav.desk import section
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY, installation
from workers.checking import checks
from workers.wiring import open_accounts

GIVEN = {name: value for name, value in section("http://127.0.0.1:1").items() if name != "api_key"}


@pytest.fixture
def opened(tmp_path: Path) -> Installation:
    return installation(tmp_path, store={"url": migrated_url("sqlite", tmp_path), "master_key": MASTER_KEY})


@pytest.fixture
def store(opened: Installation) -> Iterator[Store]:
    found = open_store(opened)
    yield found
    found.close()


def activate(store: Store, agency: str = "demo", **changes: object) -> None:
    store.integrations.request(agency, "giav", by="ana")
    store.vault.seal(agency, KEY_NAME, "sealed-key")
    store.integrations.activate(agency, "giav", GIVEN | changes, by="ana")


def with_section(opened: Installation) -> Installation:
    agency = opened.agencies["demo"].model_copy(update={"giav": section("http://127.0.0.1:1", office_id=77)})
    return opened.model_copy(update={"agencies": {**opened.agencies, "demo": agency}})


def test_the_settings_file_counts_before_an_integration(opened: Installation, store: Store) -> None:
    activate(store, office_id=99)
    assert open_accounts(with_section(opened), store).giav["demo"].settings.office_id == 77
    assert open_accounts(opened, store).giav["demo"].settings.office_id == 99


def test_the_sealed_key_and_the_settings_make_the_same_account_as_the_file(opened: Installation, store: Store) -> None:
    activate(store)
    ours = open_accounts(opened, store).giav["demo"].settings
    theirs = open_accounts(with_section(opened)).giav["demo"].settings
    assert ours.api_key.get_secret_value() == "sealed-key"
    assert ours.model_dump(exclude={"api_key", "office_id"}) == theirs.model_dump(exclude={"api_key", "office_id"})


def test_an_agency_without_either_has_no_account(opened: Installation, store: Store) -> None:
    assert open_accounts(opened, store).giav.get("demo") is None


def test_steps_wait_until_the_activation_and_then_go_on_without_a_restart(opened: Installation, store: Store) -> None:
    accounts = open_accounts(opened, store).giav
    store.integrations.request("demo", "giav", by="ana")
    with pytest.raises(Transient, match="not active yet") as waiting:
        accounts.get("demo")
    assert waiting.value.retry_after
    activate(store)
    assert accounts.get("demo") is not None
    assert list(accounts) == ["demo"]


def test_an_agency_that_left_the_settings_file_is_listed_no_more(opened: Installation, store: Store) -> None:
    activate(store)
    activate(store, "gone")
    assert list(open_accounts(opened, store).giav) == ["demo"]


def test_a_suspended_integration_needs_a_person(opened: Installation, store: Store) -> None:
    accounts = open_accounts(opened, store).giav
    activate(store)
    store.integrations.suspend("demo", "giav", by="ana", why="leaving")
    with pytest.raises(NeedsPerson, match="suspended"):
        accounts.get("demo")


def test_a_new_key_is_used_from_the_next_step_and_only_then_a_new_line_opened(
    opened: Installation, store: Store
) -> None:
    accounts = open_accounts(opened, store).giav
    activate(store)
    first = accounts["demo"]
    assert accounts["demo"] is first
    store.vault.seal("demo", KEY_NAME, "another-key")
    store.integrations.key_stored("demo", "giav", by="ana")
    assert accounts["demo"].settings.api_key.get_secret_value() == "another-key"


def test_a_closed_vault_is_said_and_nothing_is_called(opened: Installation, store: Store) -> None:
    activate(store)
    locked = Store(store.database)
    with pytest.raises(Unauthorised, match="vault"):
        open_accounts(opened, locked).giav.get("demo")


def test_the_doctor_looks_at_integrations_too(opened: Installation, store: Store) -> None:
    store.integrations.request("other", "giav", by="ana")
    activate(store)
    found = dict(checks(opened, store))
    with pytest.raises(Transient, match="not connected"):
        found["demo: GIAV"]()
    with pytest.raises(NeedsPerson, match="requested"):
        found["other: GIAV"]()
