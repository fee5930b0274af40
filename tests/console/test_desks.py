"""What people do on the pages of plans and of AirPlus: rights, words beside the field, the audit trail; and files of lists."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from starter.console.app import build_console
from starter.desk import tamara
from store import Store
from store.installation import Installation
from tests import stories
from tests.activities.tamara.night import AGENCY, Night, settings_of
from tests.console.areas import bookings as world
from tests.console.conftest import PASSWORD, Clock, client_of, csrf
from tests.console.partners_at_work import PROFILES, Plans, with_airplus

WHY = "the payer asked us by telephone"


@pytest.fixture
def plans() -> Plans:
    return Plans()


@pytest.fixture
def installed(settled: Installation) -> Installation:
    return with_airplus(settled)


@pytest.fixture
def browser(installed: Installation, store: Store, clock: Clock, plans: Plans) -> Callable[[str], TestClient]:
    """`browser("olga")`: signed in; `oscar` and `vito` see the agencies demo and sol."""
    console = build_console(installed, store, connect=plans.connect, now=clock)
    for name, role in (("oscar", "operator"), ("vito", "viewer")):
        store.people.add(name, role, ["demo", AGENCY], password=PASSWORD, by="tests")  # type: ignore[arg-type]

    def sign_in(name: str) -> TestClient:
        client = client_of(console)
        given = {"name": name, "password": PASSWORD, "csrf": csrf(client, "/sign-in")}
        assert client.post("/sign-in", data=given).status_code == 303
        return client

    return sign_in


@pytest.fixture
def night(store: Store) -> Night:
    """A line that a rule stopped: the customer's profile asks for a project number."""
    night = Night(store, settings_of(profiles=PROFILES))
    night.sold()
    return night


def post(client: TestClient, path: str, data: dict[str, str] | None = None, **more: Any) -> Any:
    return client.post(path, data={"csrf": csrf(client), **(data or {})}, **more)


def deeds(store: Store) -> list[tuple[str, str, str, str]]:
    return [
        (each.deed.actor, each.deed.action, each.deed.object, each.deed.outcome) for each in store.audit_trail.list()
    ]


def test_a_plan_is_paused_by_the_same_order_as_on_the_command_line(browser: Any, store: Store, plans: Plans) -> None:
    world.seed(store, 1)
    client = browser("oscar")
    answer = post(client, "/plans/demo/bkg_1/orders", {"order": "pause", "why": WHY})
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans/demo/bkg_1")
    [(workflow, given)] = plans.told
    assert (workflow, given.order, given.by, given.why) == ("plan/demo/bkg_1", "pause", "oscar", WHY)
    assert ("oscar", "plan.pause", "demo/bkg_1", "done") in deeds(store)


def test_an_amount_is_charged_as_typed(browser: Any, store: Store, plans: Plans) -> None:
    world.seed(store, 1)
    given = {"order": "charge_now", "why": WHY, "instalment": "ins_01", "amount": "120,50"}
    assert post(browser("oscar"), "/plans/demo/bkg_1/orders", given).status_code == 303
    [(_, told)] = plans.told
    assert told.amount is not None
    assert (told.instalment_id, told.amount.amount) == ("ins_01", 12050)


@pytest.mark.parametrize(
    ("changes", "beside"),
    [({"why": "too short"}, "wrong-why"), ({"amount": "12,345"}, "wrong-amount"), ({"amount": "-5"}, "wrong-amount")],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    browser: Any, store: Store, plans: Plans, changes: dict[str, str], beside: str
) -> None:
    world.seed(store, 1)
    given = {"order": "charge_now", "why": WHY, "instalment": "ins_01", "amount": "1", **changes}
    answer = post(browser("oscar"), "/plans/demo/bkg_1/orders", given)
    assert answer.status_code == 422
    assert f'id="{beside}"' in answer.text
    assert given["why"] in answer.text
    assert f'value="{given["amount"]}"' in answer.text
    assert plans.told == []


def test_what_the_plan_refuses_is_said_in_its_words_and_written_down(browser: Any, store: Store, plans: Plans) -> None:
    world.seed(store, 1)
    plans.refusal = "the plan is paused already"
    answer = post(browser("oscar"), "/plans/demo/bkg_1/orders", {"order": "pause", "why": WHY})
    assert answer.status_code == 409
    assert "the plan is paused already" in answer.text
    assert ("oscar", "plan.pause", "demo/bkg_1", "refused") in deeds(store)


def test_who_only_looks_orders_nothing(browser: Any, store: Store, plans: Plans) -> None:
    world.seed(store, 1)
    client = browser("vito")
    assert post(client, "/plans/demo/bkg_1/orders", {"order": "pause", "why": WHY}).status_code == 403
    assert 'action="/plans/' not in client.get("/plans/demo/bkg_1").text
    assert plans.told == []


@pytest.mark.parametrize(
    "path",
    [
        "/bookings?agency=other",
        "/bookings/other/bkg_1",
        "/experiences?agency=other",
        "/receivables?agency=other",
        "/plans?agency=other",
        "/plans/other/bkg_1",
        "/tamara/lines?agency=other",
        "/tamara/lines/other/1",
        "/midoffice?agency=other",
        "/journal/entries?agency=other",
        "/journal/balance.csv?agency=nobody",
        "/suppliers/orders.csv?agency=other",
        "/bookings/demo/bkg_77",
        "/plans/demo/bkg_77",
        "/tamara/lines/demo/77",
    ],
)
def test_what_is_anothers_is_answered_like_what_does_not_exist(browser: Any, store: Store, path: str) -> None:
    world.seed(store, 1)
    assert browser("oscar").get(path).status_code == 404


def test_a_stopped_line_is_mended_and_goes_with_the_next_file(browser: Any, store: Store, night: Night) -> None:
    client = browser("oscar")
    shown = client.get(f"/tamara/lines/{AGENCY}/1").text
    assert "V019" in shown
    assert 'name="field:400.PR"' in shown
    assert "192000000000008" not in shown
    answer = post(client, f"/tamara/lines/{AGENCY}/1/fix", {"field:400.PR": "P-77"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/tamara/lines/{AGENCY}/1")
    assert night.seal().lines == 1
    assert ("oscar", "tamara.fix", f"{AGENCY}/1", "done") in deeds(store)


def test_wrong_fields_of_a_line_are_said_beside_them_and_kept(browser: Any, store: Store, night: Night) -> None:
    typed = {"field:400.PR": "X" * 18, "field:300.AUTH_DATE": "tomorrow"}
    answer = post(browser("oscar"), f"/tamara/lines/{AGENCY}/1/fix", typed)
    assert answer.status_code == 422
    assert "room for 17" in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert all(f'value="{text}"' in answer.text for text in typed.values())
    assert [line.state for line in store.tamara.lines_of(AGENCY, "bkg_500")] == ["REFUSED"]
    assert ("oscar", "tamara.fix", f"{AGENCY}/1", "refused") in deeds(store)


def test_a_line_that_still_breaks_a_rule_says_so_beside_the_field(browser: Any, store: Store, night: Night) -> None:
    answer = post(browser("oscar"), f"/tamara/lines/{AGENCY}/1/fix", {"field:300.PNR": "ABC123"})
    assert answer.status_code == 422
    assert "V019" in answer.text


def test_who_only_looks_mends_nothing(browser: Any, store: Store, night: Night) -> None:
    client = browser("vito")
    assert post(client, f"/tamara/lines/{AGENCY}/1/fix", {"field:400.PR": "P-77"}).status_code == 403
    assert 'name="field:' not in client.get(f"/tamara/lines/{AGENCY}/1").text


def test_a_rejected_line_is_abandoned_with_a_reason(browser: Any, store: Store, night: Night) -> None:
    client = browser("oscar")
    assert post(client, f"/tamara/lines/{AGENCY}/1/abandon", {"why": "paid by transfer"}).status_code == 409
    with store.database.begin() as connection:
        connection.exec_driver_sql("UPDATE tamara_lines SET state = 'REJECTED'")
    assert post(client, f"/tamara/lines/{AGENCY}/1/abandon", {"why": "short"}).status_code == 409
    assert post(client, f"/tamara/lines/{AGENCY}/1/abandon", {"why": "paid by transfer"}).status_code == 303
    [item] = store.parked.list(AGENCY)
    assert (item.reason, "paid by transfer (oscar)" in item.detail) == ("airplus_unpaid", True)


def test_an_answer_is_entered_as_a_file(browser: Any, store: Store, night: Night) -> None:
    client = browser("oscar")
    post(client, f"/tamara/lines/{AGENCY}/1/fix", {"field:400.PR": "P-77"})
    sealed = night.seal()
    [file] = store.tamara.files_of(AGENCY)
    store.tamara.delivered(file.key)
    reference = store.tamara.lines_of(AGENCY, "bkg_500")[0].txn_ref
    rows = f"file_seq;kind;reference;status;reason;text\n{sealed.seq};MA;{reference};R;A001;unknown cost centre\n"
    answer = post(client, f"/tamara/answers/{AGENCY}", files={"file": ("answer.csv", rows.encode())})
    assert answer.status_code == 303, answer.text
    assert [line.state for line in store.tamara.lines_of(AGENCY, "bkg_500")] == ["REJECTED"]
    assert "A001" in client.get(f"/tamara/lines?agency={AGENCY}").text
    assert ("oscar", "tamara.enter", AGENCY, "done") in deeds(store)


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 422, "Elija un fichero"),
        (b"\xff\xfe", 422, "not text in UTF-8"),
        (b"1;MA;x", 422, "row 1: has 3 columns"),
        (b"x" * (tamara.LARGEST + 1), 413, "room for"),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused_beside_its_field(
    browser: Any, store: Store, night: Night, content: bytes, status: int, words: str
) -> None:
    answer = post(browser("oscar"), f"/tamara/answers/{AGENCY}", files={"file": ("answer.csv", content)})
    assert answer.status_code == status
    assert words in answer.text
    assert 'aria-describedby="wrong-file"' in answer.text
    assert store.tamara_answers.list(AGENCY) == []


def test_a_file_of_a_list_has_every_row_and_no_formula(browser: Any, store: Store) -> None:
    world.seed(store, 3)
    store.transfers.record("demo", "midoco", "bkg_9", "lin_01", "not_transferred", "=HYPERLINK(1)")
    answer = browser("oscar").get("/midoffice.csv?agency=demo")
    assert answer.headers["content-disposition"] == 'attachment; filename="midoffice-demo.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == 4
    assert {row["reason"] for row in rows if row["booking"] == "bkg_9"} == {"'=HYPERLINK(1)"}
    assert ("oscar", "export", "midoffice", "done") in deeds(store)


def test_a_list_goes_on_where_its_page_ended(browser: Any, store: Store) -> None:
    for number in range(1, 61):
        snapshot = stories.booking(f"bkg_{number}")
        world.told(store, number, "booking.created", stories.data(f"booking/bkg_{number}", booking=snapshot))
    client = browser("oscar")
    first = client.get("/bookings?agency=demo&status=pending")
    following = first.text.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "status=pending" in following
    second = client.get(following).text
    assert first.text.count('href="/bookings/demo/') == 50
    assert second.count('href="/bookings/demo/') == 10
    assert 'rel="next"' not in second


@pytest.mark.parametrize(
    "path", ["/bookings?after=x", "/plans?month=13", "/journal/entries?since=soon", "/bookings?since=1"]
)
def test_an_address_that_makes_no_sense_is_refused_not_guessed(browser: Any, path: str) -> None:
    assert browser("oscar").get(path).status_code == 400
