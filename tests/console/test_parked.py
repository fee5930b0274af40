from typing import Any

import pytest
from starlette.testclient import TestClient

from domain.people import Role
from store import Store
from store.audit_trail import Outcome
from tests.console.areas import seed
from tests.console.conftest import PASSWORD, SignIn, csrf


@pytest.fixture
def item(store: Store) -> str:
    """An item that the inbox answers for, so that no workflow is needed."""
    seed(store, 1, "today")
    return "prk_1"


def answer(client: TestClient, item: str, **fields: str) -> Any:
    page = f"/parked/{item}"
    said = {"decision": "skip", "explanation": "the same transaction, told twice", "meant": "yes", **fields}
    return client.post(
        page, data={"csrf": csrf(client, page), **said}, headers={"Referer": f"http://127.0.0.1:8081{page}"}
    )


def outcome(store: Store, actor: str) -> list[tuple[str, Outcome]]:
    return [(line.deed.action, line.deed.outcome) for line in store.audit_trail.list(actor=actor, object_="prk_1")]


def test_an_operator_decides_and_it_is_on_record(signed_in: SignIn, store: Store, item: str) -> None:
    client = signed_in("olga")
    assert answer(client, item).headers["location"] == "/parked/prk_1"
    assert "Decisión tomada: Seguir sin este paso." in client.get("/parked/prk_1").text
    found = store.parked.get(item)
    assert found is not None
    assert found.state == "closed"
    assert (found.taken[0].taken.by, found.taken[0].taken.explanation) == ("olga", "the same transaction, told twice")
    assert outcome(store, "olga") == [("park.skip", "done")]


def test_a_viewer_sees_the_item_without_a_form_and_may_not_decide(signed_in: SignIn, store: Store, item: str) -> None:
    client = signed_in("vera")
    page = client.get("/parked/prk_1").text
    assert 'action="/parked/prk_1"' not in page
    assert answer(client, item).status_code == 403
    found = store.parked.get(item)
    assert found is not None
    assert found.state == "open"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"explanation": "  "}, "Explique por qué"),
        ({"meant": ""}, "no se puede deshacer"),
        ({"decision": "adopt"}, "hace falta su identificador"),
        ({"decision": "explode"}, "Elija una respuesta"),
    ],
)
def test_a_form_that_lacks_something_decides_nothing(
    signed_in: SignIn, store: Store, item: str, fields: dict[str, str], said: str
) -> None:
    client = signed_in("olga")
    place = answer(client, item, **fields).headers["location"]
    assert said in client.get(place).text
    found = store.parked.get(item)
    assert found is not None
    assert found.state == "open"


def test_an_answer_that_the_item_does_not_take_is_refused_with_the_reason(
    signed_in: SignIn, store: Store, item: str
) -> None:
    client = signed_in("olga")
    place = answer(client, item, decision="approve").headers["location"]
    assert place == "/parked/prk_1"
    assert "may be answered with: retry, skip" in client.get(place).text
    assert outcome(store, "olga") == [("park.approve", "refused")]


def test_a_second_answer_is_refused(signed_in: SignIn, store: Store, item: str) -> None:
    client = signed_in("olga")
    proof = csrf(client, "/parked/prk_1")
    answer(client, item)
    again = client.post(
        "/parked/prk_1",
        data={"csrf": proof, "decision": "skip", "explanation": "once more", "meant": "yes"},
        headers={"Referer": "http://127.0.0.1:8081/parked/prk_1"},
    )
    assert "already closed" in client.get(again.headers["location"]).text


def test_items_of_another_agency_cannot_be_seen_or_decided(signed_in: SignIn, store: Store, item: str) -> None:
    store.people.add("otto", Role.OPERATOR, ["other"], password=PASSWORD, by="tests")
    client = signed_in("otto")
    assert client.get("/parked/prk_1").status_code == 404
    proof = csrf(client, "/me")
    form = {"csrf": proof, "decision": "skip", "explanation": "mine now", "meant": "yes"}
    assert client.post("/parked/prk_1", data=form).status_code == 404
    assert "prk_1" not in client.get("/parked").text


def test_a_list_is_filtered_and_walked_by_pages(signed_in: SignIn, store: Store) -> None:
    seed(store, 60, "today")
    client = signed_in("olga")
    first = client.get("/parked")
    assert first.text.count('href="/parked/prk_') == 50
    following = (
        first.text.split('class="more"><a role="button" class="secondary outline" href="')[1]
        .split('"')[0]
        .replace("&amp;", "&")
    )
    assert client.get(following).text.count('href="/parked/prk_') == 10
    assert client.get("/parked?booking=bkg_7").text.count('href="/parked/prk_') == 1
    assert client.get("/parked?kind=plans").text.count('href="/parked/prk_') == 0
    assert client.get("/parked?kind=events&owner=accounting").text.count('href="/parked/prk_') == 50
