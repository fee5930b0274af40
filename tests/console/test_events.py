import json

import pytest

from starter.console.masking import COVER, covered
from store import Store
from tests.console.areas import seed
from tests.console.conftest import SignIn, csrf
from tests.starter.agency import payment_captured

EVENT = payment_captured()["id"]
PAGE = f"/events/demo/{EVENT}"


def test_supervisors_see_the_raw_body_and_that_is_on_record(signed_in: SignIn, store: Store) -> None:
    seed(store, 1, "events")
    assert "stripe" in signed_in("sofia").get(PAGE).text
    assert [line.deed.action for line in store.audit_trail.list(actor="sofia", object_=EVENT)] == ["event.read"]


@pytest.mark.parametrize("name", ["vera", "olga"])
def test_others_see_it_with_personal_texts_covered(signed_in: SignIn, store: Store, name: str) -> None:
    seed(store, 1, "events")
    text = signed_in(name).get(PAGE).text
    assert COVER in text
    assert "stripe" not in text
    assert "pay_1001" in text


def test_what_is_covered_is_everything_that_is_not_listed_as_harmless() -> None:
    body = {
        "id": "evt_1",
        "data": {
            "payer": {"id": "cus_1", "name": "Marta Ruiz", "email": "marta@example.test", "tax_id": {"value": "1234"}},
            "travellers": [{"birth_date": "1980-02-01", "status": "confirmed", "passport": "PAA123"}],
            "starts_on": "2026-12-01",
            "note": "call her after five",
            "amount": {"amount": 100, "currency": "EUR"},
            "reason": "my email is marta@example.test",
        },
    }
    shown = json.loads(covered(json.dumps(body).encode()))["data"]
    assert shown["payer"] == {"id": "cus_1", "name": COVER, "email": COVER, "tax_id": {"value": COVER}}
    assert shown["travellers"] == [{"birth_date": COVER, "status": "confirmed", "passport": COVER}]
    assert (shown["starts_on"], shown["amount"]["currency"]) == ("2026-12-01", "EUR")
    assert (shown["note"], shown["reason"]) == (COVER, COVER)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"Marta Ruiz", b"[" * 100_000])
def test_a_body_that_is_no_json_is_covered_whole(body: bytes) -> None:
    assert covered(body) == COVER


def test_a_supervisor_hands_an_event_on_again(signed_in: SignIn, store: Store) -> None:
    seed(store, 1, "events")
    store.inbox.mark_dispatched("demo", EVENT)
    assert store.inbox.undispatched(10) == []
    client = signed_in("sofia")
    client.post(f"{PAGE}/again", data={"csrf": csrf(client, PAGE)})
    assert [row.event_id for row in store.inbox.undispatched(10)] == [EVENT]
    assert store.audit_trail.list(actor="sofia")[0].deed.action == "event.replay"


def test_an_operator_may_not_hand_on_again(signed_in: SignIn, store: Store) -> None:
    seed(store, 1, "events")
    client = signed_in("olga")
    assert client.post(f"{PAGE}/again", data={"csrf": csrf(client, PAGE)}).status_code == 403


def test_the_list_walks_back_and_finds_what_waits_for_temporal(signed_in: SignIn, store: Store) -> None:
    seed(store, 60, "events")
    client = signed_in("vera")
    first = client.get("/events").text
    assert first.count('href="/events/demo/evt_') == 50
    older = (
        first.split('class="more"><a role="button" class="secondary outline" href="')[1]
        .split('"')[0]
        .replace("&amp;", "&")
    )
    assert client.get(older).text.count('href="/events/demo/evt_') == 10
    store.inbox.mark_dispatched("demo", EVENT)
    waiting = client.get("/events?waiting=yes&before=11").text
    assert EVENT not in waiting
    assert waiting.count('href="/events/demo/evt_') == 9
