"""Kommo's webhooks, button and bot: kept before they are answered; strangers, forgeries and repeats get nowhere (contracts: kommo 4)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import delete

from sandbox.kommo.crm import PIPELINE
from sandbox.kommo.hooks import encoded
from sandbox.kommo.stand_in import ACCOUNT_ID, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, KommoStandIn
from sandbox.running import running
from starter.gateway.app import build_app
from store import Store
from store.crm_tokens import hook_name, retiring_hook_name, secret_name
from store.deal_hooks import deal_hooks, used_tokens
from store.installation import Installation
from tests.databases import MASTER_KEY, migrated_url
from tests.starter.agency import installation
from tests.starter.conftest import serving

SECRET, OLD = "h" * 30, "o" * 30
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ACCOUNT = {"id": ACCOUNT_ID, "subdomain": "viajes", "url": "http://x"}
Asked = tuple[int, str, int | None]


@pytest.fixture(scope="module")
def listening() -> Iterator[tuple[KommoStandIn, str]]:
    stand_in = KommoStandIn(per_second=10_000)
    with running(stand_in) as url:
        yield stand_in, url


@pytest.fixture
def stand_in(listening: tuple[KommoStandIn, str]) -> KommoStandIn:
    stand_in, url = listening
    stand_in.forget()
    stand_in._url = url
    return stand_in


def section(url: str) -> dict[str, Any]:
    return {
        "url": url,
        "account_id": ACCOUNT_ID,
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "pipeline": PIPELINE,
        "trigger_stages": [33],
    }


SECRETS = {"client_secret": CLIENT_SECRET, "hook_secret": SECRET, "retiring_hook_secret": OLD}


def with_kommo(given: Installation, more: dict[str, Any]) -> Installation:
    agency = given.agencies["demo"].model_copy(update={"kommo": more})
    return given.model_copy(update={"agencies": {**given.agencies, "demo": agency}})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, listening: tuple[KommoStandIn, str]) -> Iterator[tuple[Store, str]]:
    folder = tmp_path_factory.mktemp("house")
    opened = Store.open(migrated_url("sqlite", folder), master_key=MASTER_KEY)
    known = with_kommo(installation(folder), section(listening[1]) | SECRETS)
    with serving(build_app(known, opened)) as url:
        yield opened, url
    opened.close()


@pytest.fixture
def store(house: tuple[Store, str]) -> Store:
    """Where nothing waits."""
    with house[0].database.begin() as connection:
        connection.execute(delete(deal_hooks))
        connection.execute(delete(used_tokens))
    return house[0]


@pytest.fixture
def gateway(house: tuple[Store, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=house[1]) as client:
        yield client


def lead(number: int = 500_001, **changes: Any) -> dict[str, Any]:
    known = {
        "id": number,
        "name": "Lisboa & más [2]",
        "status_id": 33,
        "old_status_id": 32,
        "pipeline_id": PIPELINE,
        "price": 1200,
        "updated_at": 1_790_000_000,
        "account_id": ACCOUNT_ID,
        "custom_fields_values": [{"field_id": 1, "field_name": "id", "values": [{"value": "77"}]}],
    }
    return known | changes


def form(*leads: dict[str, Any], kind: str = "status", account: dict[str, Any] | None = None) -> str:
    pairs = [pair for place, each in enumerate(leads) for pair in encoded(each, kind, account or ACCOUNT, place)]
    return urlencode(pairs)


def tell(gateway: httpx.Client, body: str, secret: str = SECRET, agency: str = "demo") -> int:
    return gateway.post(f"/hooks/kommo/{agency}/{secret}", content=body, headers=FORM).status_code


def kept(store: Store) -> list[Asked]:
    return [(each.hook.lead_id, each.hook.kind, each.hook.status) for each in store.deal_hooks.waiting(100)]


def test_a_webhook_is_kept_before_it_is_answered(gateway: httpx.Client, store: Store) -> None:
    assert tell(gateway, form(lead())) == 200
    (waiting,) = store.deal_hooks.waiting(10)
    hook = waiting.hook
    assert (hook.agency, hook.system, hook.lead_id, hook.kind) == ("demo", "kommo", 500_001, "status")
    assert (hook.old_status, hook.status, hook.last_modified) == (32, 33, 1_790_000_000)


def test_several_deals_in_one_call_are_several_hints(gateway: httpx.Client, store: Store) -> None:
    assert tell(gateway, form(lead(1), lead(2, status_id=34), lead(3))) == 200
    assert kept(store) == [(1, "status", 33), (2, "status", 34), (3, "status", 33)]


@pytest.mark.parametrize("kind", ["status", "update", "delete", "restore"])
def test_every_kind_that_we_subscribe_to_is_taken(gateway: httpx.Client, store: Store, kind: str) -> None:
    assert tell(gateway, form(lead(), kind=kind)) == 200
    assert kept(store) == [(500_001, kind, 33)]


def test_a_repeat_is_answered_and_kept_once(gateway: httpx.Client, store: Store) -> None:
    assert [tell(gateway, form(lead())) for _ in range(3)] == [200, 200, 200]
    assert len(kept(store)) == 1
    later = form(lead(updated_at=1_790_000_001))
    assert tell(gateway, later) == 200
    assert len(kept(store)) == 2


def test_a_repeat_of_what_was_handed_over_does_not_come_back(gateway: httpx.Client, store: Store) -> None:
    tell(gateway, form(lead()))
    store.deal_hooks.handed_over([each.id for each in store.deal_hooks.waiting(10)])
    tell(gateway, form(lead()))
    assert kept(store) == []


def test_the_retiring_address_is_still_listened_to(gateway: httpx.Client, store: Store) -> None:
    assert tell(gateway, form(lead()), OLD) == 200
    assert len(kept(store)) == 1


@pytest.mark.parametrize(
    ("agency", "secret", "account"),
    [
        ("demo", "h" * 29, ACCOUNT_ID),
        ("demo", "x", ACCOUNT_ID),
        ("demo", SECRET + "h", ACCOUNT_ID),
        ("demo", "%C3%A9" * 15, ACCOUNT_ID),
        ("other", SECRET, ACCOUNT_ID),
        ("nobody", SECRET, ACCOUNT_ID),
        ("demo", SECRET, 1),
    ],
)
def test_whoever_has_not_the_secret_or_comes_from_another_account_finds_nothing(
    gateway: httpx.Client, store: Store, agency: str, secret: str, account: int
) -> None:
    body = form(lead(), account={**ACCOUNT, "id": account})
    answer = gateway.post(f"/hooks/kommo/{agency}/{secret}", content=body, headers=FORM)
    assert (answer.status_code, answer.json()["detail"]) == (404, "Not Found")
    assert kept(store) == []


def test_a_hook_without_an_account_is_no_account_webhook(gateway: httpx.Client, store: Store) -> None:
    assert tell(gateway, "leads[status][0][id]=1&leads[status][0][status_id]=33") == 404
    assert kept(store) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 404),
        (b"\xff\xfe=1", 404),
        (b"account[id]=31000001", 200),
        (b"account[id]=31000001&leads[status][0][id]=abc", 200),
        (b"account[id]=31000001&leads[status][0][id]=-5", 200),
        (b"account[id]=31000001&leads[status][0][id]=" + b"9" * 30, 200),
        (b"account[id]=31000001&leads[status][0][id][x]=5", 200),
        (b"account[id]=31000001&leads[status]=5", 200),
        (b"account[id]=31000001&" + b"&".join(b"a=1" for _ in range(30_000)), 400),
        (b"a" * 1_100_000, 413),
    ],
)
def test_what_names_no_deal_is_answered_calmly_and_not_kept(
    gateway: httpx.Client, store: Store, body: bytes, status: int
) -> None:
    answer = gateway.post(f"/hooks/kommo/demo/{SECRET}", content=body, headers=FORM)
    assert answer.status_code == status
    assert kept(store) == []


def test_what_could_not_be_kept_is_not_answered_as_if_it_were(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'never migrated.db'}", master_key=MASTER_KEY)
    known = with_kommo(installation(tmp_path), section("http://127.0.0.1:9") | SECRETS)
    with serving(build_app(known, store)) as url, httpx.Client(base_url=url) as client:
        assert tell(client, form(lead())) == 503
    store.close()


def test_a_stage_of_the_digital_pipeline_may_tell_without_an_account(gateway: httpx.Client, store: Store) -> None:
    body = "leads[status][0][id]=9&leads[status][0][status_id]=33&leads[status][0][old_status_id]=32"
    place = f"/hooks/kommo/demo/{SECRET}/pipeline"
    assert [gateway.post(place, content=body, headers=FORM).status_code for _ in range(2)] == [200, 200]
    assert set(kept(store)) == {(9, "pipeline", 33)}
    foreign = f"{body}&account[id]=1"
    assert gateway.post(place, content=foreign, headers=FORM).status_code == 404


# The button ---------------------------------------------------------------------------------------------------------------


def press(gateway: httpx.Client, token: str, body: Any = None) -> httpx.Response:
    return gateway.post("/crm/kommo/demo/button", json=body or {"lead_id": 500_001}, headers={"X-Auth-Token": token})


def test_a_button_answers_with_the_workflow_that_works(
    gateway: httpx.Client, store: Store, stand_in: KommoStandIn
) -> None:
    answers = [press(gateway, stand_in.disposable({"for": "widget"})) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [answer.json()["workflow_id"] for answer in answers] == ["deal/demo/500001", "deal/demo/500001"]
    assert answers[0].headers["access-control-allow-origin"] == stand_in.state()["account"]["url"]
    assert kept(store) == [(500_001, "button", None)] * 2
    assert store.deal_hooks.waiting(1)[0].hook.user_id == 7001


@pytest.mark.parametrize(
    "wish",
    [
        {"expired": True},
        {"aud": "https://other.example"},
        {"aud": None},
        {"secret": "another secret that is long enough to sign with, for sure"},
        {"alg": "none"},
        {"alg": "HS512"},
        {"for": "bot", "lead_id": 1},
    ],
)
def test_a_token_that_is_not_for_the_button_does_nothing(
    gateway: httpx.Client, store: Store, stand_in: KommoStandIn, wish: dict[str, Any]
) -> None:
    answer = press(gateway, stand_in.disposable({"for": "widget"} | wish))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert kept(store) == []


def test_a_token_works_once(gateway: httpx.Client, store: Store, stand_in: KommoStandIn) -> None:
    token = stand_in.disposable({"for": "widget", "jti": "one"})
    again = stand_in.disposable({"for": "widget", "jti": "one"})
    assert [press(gateway, each).status_code for each in (token, token, again)] == [202, 401, 401]
    assert len(kept(store)) == 1


@pytest.mark.parametrize("issuer", [{"id": 1}, {"url": "https://evil.example"}])
def test_a_token_of_another_account_does_nothing(
    gateway: httpx.Client, store: Store, stand_in: KommoStandIn, issuer: dict[str, Any]
) -> None:
    account = stand_in.state()["account"] | issuer
    assert press(gateway, stand_in._tokens.disposable({"for": "widget"}, account)).status_code == 401
    assert kept(store) == []


@pytest.mark.parametrize("body", [[1], {"lead_id": 0}, {"lead_id": "x"}, {"lead_id": True}, {"other": 1}])
def test_a_button_names_a_deal(gateway: httpx.Client, stand_in: KommoStandIn, body: Any) -> None:
    assert press(gateway, stand_in.disposable({"for": "widget"}), body).status_code == 400


def test_the_browser_may_ask_from_the_accounts_own_page_only(gateway: httpx.Client, stand_in: KommoStandIn) -> None:
    answer = gateway.options("/crm/kommo/demo/button")
    assert answer.headers["access-control-allow-origin"] == stand_in.state()["account"]["url"]
    assert "X-Auth-Token" in answer.headers["access-control-allow-headers"]
    assert gateway.options("/crm/kommo/other/button").status_code == 404


# The bot ------------------------------------------------------------------------------------------------------------------


def wait_of(stand_in: KommoStandIn) -> str:
    return f"{stand_in.state()['account']['url']}/api/v4/salesbot/4/continue/9"


def ask(gateway: httpx.Client, token: str, return_url: str) -> httpx.Response:
    body = {"token": token, "data": {"lead": "1"}, "return_url": return_url}
    return gateway.post("/crm/kommo/demo/salesbot", json=body)


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_bot_asks_for_the_deal_of_its_token(
    gateway: httpx.Client, store: Store, stand_in: KommoStandIn, algorithm: str
) -> None:
    token = stand_in.disposable({"for": "bot", "lead_id": 42, "alg": algorithm})
    assert ask(gateway, token, wait_of(stand_in)).status_code == 200
    assert kept(store) == [(42, "salesbot", None)]
    assert store.deal_hooks.waiting(1)[0].hook.return_url == wait_of(stand_in)
    assert ask(gateway, token, wait_of(stand_in)).status_code == 401


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/api/v4/salesbot/4/continue/9",
        "{own}.evil.example/api/v4/salesbot/4/continue/9",
        "{own}@evil.example/api/v4/salesbot/4/continue/9",
        "{own}/api/v4/leads/4",
        "{own}/api/v4/salesbot/4/continue/9?x=1",
        "http://[/api",
        "",
    ],
)
def test_a_bot_waits_at_the_account_and_nowhere_else(
    gateway: httpx.Client, store: Store, stand_in: KommoStandIn, place: str
) -> None:
    own = stand_in.state()["account"]["url"]
    token = stand_in.disposable({"for": "bot", "lead_id": 42})
    assert ask(gateway, token, place.replace("{own}", own)).status_code == 400
    assert kept(store) == []


@pytest.mark.parametrize("wish", [{"expired": True}, {"alg": "none"}, {"secret": "x" * 64}])
def test_a_bots_token_must_be_good(
    gateway: httpx.Client, store: Store, stand_in: KommoStandIn, wish: dict[str, Any]
) -> None:
    token = stand_in.disposable({"for": "bot", "lead_id": 42} | wish)
    assert ask(gateway, token, wait_of(stand_in)).status_code == 401
    assert kept(store) == []


# Whose door ---------------------------------------------------------------------------------------------------------------


def test_an_integration_opens_its_door_when_it_is_active_and_closes_it_when_it_is_suspended(
    store: Store, tmp_path: Path, stand_in: KommoStandIn
) -> None:
    url = stand_in.state()["account"]["url"]
    store.integrations.request("demo", "kommo", by="ana")
    for name, secret in ((hook_name, SECRET), (retiring_hook_name, OLD), (secret_name, CLIENT_SECRET)):
        store.vault.seal("demo", name("kommo"), secret)
    with serving(build_app(installation(tmp_path), store)) as place, httpx.Client(base_url=place) as client:
        assert tell(client, form(lead(1))) == 404
        store.integrations.activate("demo", "kommo", section(url), by="ana")
        assert tell(client, form(lead(2))) == 200
        assert press(client, stand_in.disposable({"for": "widget"})).status_code == 202
        store.integrations.suspend("demo", "kommo", by="ana", why="test")
        assert tell(client, form(lead(3))) == 404
    assert kept(store) == [(2, "status", 33), (500_001, "button", None)]


class Receiving:
    """Waits until the stand-in has had so many answers, for as long as a test may take."""

    def __init__(self, stand_in: KommoStandIn) -> None:
        self._stand_in = stand_in

    def answers(self, number: int) -> list[int]:
        deadline = time.monotonic() + 60
        while len(self._stand_in._hooks.sent) < number and time.monotonic() < deadline:
            httpx.get(f"{self._stand_in._url}/control/health")
        return [each["status"] for each in self._stand_in._hooks.sent]


@pytest.mark.parametrize(
    ("knobs", "arrive", "facts"),
    [
        ({}, 2, 2),
        ({"lose": 1}, 1, 1),
        ({"duplicate": 1}, 3, 2),
        ({"reorder": True}, 2, 2),
        ({"batch": True}, 1, 2),
    ],
)
def test_whatever_happens_on_the_way_each_hint_that_arrives_is_kept_once(
    gateway: httpx.Client,
    store: Store,
    stand_in: KommoStandIn,
    knobs: dict[str, Any],
    arrive: int,
    facts: int,
) -> None:
    stand_in._hooks.subscribe(f"{str(gateway.base_url).rstrip('/')}/hooks/kommo/demo/{SECRET}", ["status_lead"])
    with httpx.Client(base_url=f"{stand_in._url}/control/") as people:
        people.post("hooks", json=knobs)
        ids = [people.post("leads", json={"name": f"viaje {n}"}).json()["id"] for n in range(2)]
        for number in ids:
            people.post(f"leads/{number}", json={"status_id": 33})
    assert Receiving(stand_in).answers(arrive) == [200] * arrive
    assert len(kept(store)) == facts
    assert {number for number, _, _ in kept(store)} <= set(ids)
