"""Connecting a mid-office: key sealed, access checked, account manager told, in use (DESIGN 4; midoffice 1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.midoffice.integration import MidOfficeIntegration, key_name, problems
from domain.errors import NeedsPerson, Transient, Unauthorised
from domain.steps import IntegrationStep
from store import Store
from store.opening import open_store
from tests.activities.midoffice.midoco import failure
from tests.activities.midoffice.systems.registry import SYSTEMS
from tests.activities.midoffice.under_test import UnderTest
from tests.databases import migrated_url
from tests.starter.agency import MASTER_KEY, installation
from workers.integrated import IntegratedMidOffices

AGENCY = "demo"
ON_THE_WEB = {"midoco": "password", "tina": "password", "sapeig": "password", "xmid": "token"}
"""The systems with one secret of one line, and the setting that it is."""


@pytest.fixture(params=ON_THE_WEB)
def system(request: pytest.FixtureRequest) -> Iterator[UnderTest]:
    with SYSTEMS[request.param]() as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = open_store(
        installation(tmp_path, store={"url": migrated_url("sqlite", tmp_path), "master_key": MASTER_KEY})
    )
    yield found
    found.close()


@pytest.fixture
def cells(store: Store) -> MidOfficeIntegration:
    return MidOfficeIntegration(store, {AGENCY: "Viajes Ejemplo"})


def given(system: UnderTest) -> dict[str, Any]:
    secret = ON_THE_WEB[system.name]
    return {name: value for name, value in system.section.items() if name not in ("kind", secret)}


def requested(store: Store, system: UnderTest, secret: str | None = None) -> IntegrationStep:
    store.integrations.request(AGENCY, system.name, by="ana")
    sealed = secret or str(system.section[ON_THE_WEB[system.name]])
    store.vault.seal(AGENCY, key_name(system.name), sealed)
    store.integrations.key_stored(AGENCY, system.name, by="ana")
    store.integrations.set(AGENCY, system.name, given(system), by="ana", detail="")
    return IntegrationStep(agency=AGENCY, lifecycle="x", system=system.name, by="ana")


def test_a_mid_office_is_connected_step_by_step(cells: MidOfficeIntegration, store: Store, system: UnderTest) -> None:
    step = requested(store, system)
    cells.check_account(step)
    with pytest.raises(ApplicationError, match="RateHawk account manager") as caught:
        cells.confirm_account(step)
    assert failure(caught) == "NeedsPerson"
    assert system.name.upper() in str(caught.value)
    assert "Viajes Ejemplo" in str(caught.value)
    store.integrations.confirmed(AGENCY, system.name, by="ana", detail="by e-mail")
    cells.confirm_account(step)
    cells.use_account(step)
    steps = [one.step for one in store.integrations.history(AGENCY, system.name)]
    assert steps == ["requested", "key stored", "settings", "checked", "account manager told", "active"]
    assert not system.held()


def test_a_check_after_the_letter_does_not_ask_for_it_again(
    cells: MidOfficeIntegration, store: Store, system: UnderTest
) -> None:
    step = requested(store, system)
    cells.check_account(step)
    store.integrations.confirmed(AGENCY, system.name, by="ana")
    cells.check_account(step)
    cells.confirm_account(step)
    store.integrations.confirmed(AGENCY, system.name, by="eva")
    assert "by ana" in store.integrations.known(AGENCY, system.name).catalogue["confirmed"]


def test_a_refused_key_says_how_to_seal_another_and_is_not_shown(
    cells: MidOfficeIntegration, store: Store, system: UnderTest
) -> None:
    with pytest.raises(ApplicationError, match="bookings integration key demo --system") as caught:
        cells.check_account(requested(store, system, "wrong-secret"))
    assert failure(caught) == "Unauthorised"
    assert "wrong-secret" not in str(caught.value)
    assert store.integrations.known(AGENCY, system.name).state == "key_stored"


def test_a_missing_setting_is_named(cells: MidOfficeIntegration, store: Store, system: UnderTest) -> None:
    step = requested(store, system)
    less = {name: value for name, value in given(system).items() if name != "url"}
    store.integrations.set(AGENCY, system.name, less, by="ana", detail="")
    with pytest.raises(ApplicationError, match="url is missing"):
        cells.check_account(step)


def test_steps_wait_before_the_activation_and_use_the_account_after_it(store: Store, system: UnderTest) -> None:
    accounts = IntegratedMidOffices({}, {AGENCY}, store)
    assert accounts.get(AGENCY) is None
    requested(store, system)
    with pytest.raises(Transient, match="not active yet"):
        accounts.get(AGENCY)
    store.integrations.activate(AGENCY, system.name, given(system), by="ana")
    account = accounts[AGENCY]
    assert account.adapter.system == system.name
    assert accounts[AGENCY] is account
    assert list(accounts) == [AGENCY]
    store.vault.seal(AGENCY, key_name(system.name), "another-one")
    store.integrations.key_stored(AGENCY, system.name, by="ana")
    with pytest.raises(Unauthorised):
        accounts[AGENCY].adapter.ping()
    store.integrations.suspend(AGENCY, system.name, by="ana", why="moving")
    with pytest.raises(NeedsPerson, match="suspended"):
        accounts.get(AGENCY)


def test_a_kind_without_words_is_wrong_before_anything_is_called() -> None:
    section = {"url": "https://t.example", "username": "u", "reseller_code": "A", "supplier_numbers": {"s": "1"}}
    assert problems("tina", section) == ([], [])
    missing, wrong = problems("tina", {**section, "capabilities": ["hotel", "rail"]})
    assert (missing, wrong) == ([], ["capabilities: the adapter has no words for rail"])
