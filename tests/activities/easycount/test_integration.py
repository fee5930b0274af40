"""An agency connects its EasyCount by itself; in the real environment nothing is issued to try it (contracts: easycount 1, 2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.easycount.integration import KEY_NAME, SYSTEM, EasyCountIntegration, account_settings, problems
from activities.easycount.settings import EasyCountSettings
from domain.steps import IntegrationStep
from sandbox.easycount.stand_in import API_KEY, EasyCountStandIn
from store import Store
from tests.activities.easycount.conftest import settings
from tests.databases import MASTER_KEY, migrated_url

STEP = IntegrationStep(agency="sol", lifecycle="integration/sol/easycount", system=SYSTEM, by="ana")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY)
    yield opened
    opened.close()


def begin(store: Store, url: str, key: str = API_KEY, **given: Any) -> EasyCountIntegration:
    store.integrations.request("sol", SYSTEM, by="ana")
    known = {"url": url, "developer_email": "dev@example.test", "success_url": "https://agency.example/thanks"}
    store.integrations.set("sol", SYSTEM, {**known, "currency": "EUR", **given}, by="ana", detail="")
    store.vault.seal("sol", KEY_NAME, key)
    return EasyCountIntegration(store)


def activate(cells: EasyCountIntegration) -> Any:
    cells.check_account(STEP)
    tried = cells.try_account(STEP)
    cells.use_account(STEP)
    return tried


def test_in_the_demonstration_environment_a_page_and_a_document_are_tried_once(
    store: Store, stand_in: EasyCountStandIn, url: str
) -> None:
    cells = begin(store, url, environment="demo")
    tried = activate(cells)
    assert activate(cells).ids == tried.ids
    held = stand_in.state()
    (document,) = held["documents"]
    assert (document["type"], document["price_total"], document["currency"]) == (300, "1.00", "EUR")
    assert document["doc_number"] == tried.ids["document"]
    assert document["sent_mails"] == []
    assert len(held["pages"]) == 1
    assert store.integrations.known("sol", SYSTEM).state == "active"


def test_another_account_is_tried_anew(store: Store, stand_in: EasyCountStandIn, url: str) -> None:
    cells = begin(store, url, environment="demo")
    activate(cells)
    store.vault.seal("sol", KEY_NAME, "another")
    with pytest.raises(ApplicationError, match="api_key"):
        cells.try_account(STEP)


def test_in_the_real_environment_nothing_is_issued(store: Store, stand_in: EasyCountStandIn, url: str) -> None:
    tried = activate(begin(store, url))
    assert tried.outcome == "skipped"
    assert {call["operation"] for call in stand_in.calls} == {"validate"}
    assert stand_in.state()["documents"] == stand_in.state()["pages"] == []
    assert store.integrations.known("sol", SYSTEM).catalogue["environment"] == "live"


@pytest.mark.parametrize(
    ("key", "given", "words"),
    [
        ("wrong", {}, "api_key"),
        (API_KEY, {"success_url": None}, "success_url"),
        (API_KEY, {"read_seconds": 20}, "read_seconds"),
        (API_KEY, {"environment": "test"}, "environment"),
    ],
)
def test_what_does_not_fit_stops_the_activation(
    store: Store, stand_in: EasyCountStandIn, url: str, key: str, given: dict[str, Any], words: str
) -> None:
    cells = begin(store, url, key, **given)
    with pytest.raises(ApplicationError, match=words) as refused:
        cells.check_account(STEP)
    assert "wrong" not in str(refused.value).split(words)[0]


def test_an_account_without_clearing_is_known_before_a_deal(store: Store, stand_in: EasyCountStandIn, url: str) -> None:
    cells = begin(store, url, environment="demo")
    stand_in._account["clearing"] = False
    with pytest.raises(ApplicationError, match="API_CLEARING"):
        cells.try_account(STEP)
    assert stand_in.state()["documents"] == []


def test_nobody_is_let_in_without_a_key(store: Store, stand_in: EasyCountStandIn, url: str) -> None:
    store.integrations.request("sol", SYSTEM, by="ana")
    given = {"url": url, "developer_email": "d@example.test", "success_url": "https://agency.example"}
    store.integrations.set("sol", SYSTEM, given, by="ana", detail="")
    with pytest.raises(ApplicationError, match="integration key sol --system easycount"):
        EasyCountIntegration(store).check_account(STEP)
    assert not stand_in.calls


@pytest.mark.parametrize("name", ["api_key", "distributor_key"])
def test_a_secret_is_no_setting(name: str) -> None:
    missing, wrong = problems({name: "hush"})
    assert missing == []
    assert name in wrong[0]
    assert "hush" not in wrong[0]


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        ("https://api.ezcount.co.il", "demo"),
        ("https://www.ezcount.co.il", "demo"),
        ("https://demo.ezcount.co.il", "live"),
    ],
)
def test_easycounts_own_hosts_are_of_one_environment(url: str, environment: str) -> None:
    with pytest.raises(ValidationError, match="is not the"):
        settings(url, environment=environment)


def test_any_other_host_is_the_real_environment_unless_it_is_said() -> None:
    kinds = {url: settings(url).kind_of_environment for url in ("https://demo.ezcount.co.il", "https://x.example")}
    assert kinds == {"https://demo.ezcount.co.il": "demo", "https://x.example": "live"}
    assert settings("https://x.example", environment="demo").kind_of_environment == "demo"


def test_the_sealed_key_is_used_and_not_shown(store: Store, url: str) -> None:
    begin(store, url)
    opened: EasyCountSettings = account_settings(store, store.integrations.known("sol", SYSTEM))
    assert opened.api_key.get_secret_value() == API_KEY
    assert API_KEY not in repr(opened) + str(store.integrations.known("sol", SYSTEM))
