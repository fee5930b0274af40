"""The client against the stand-in: gone deals, notes once, limits, doubtful answers, and one bad field that spoils nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from activities.kommo import fields
from activities.kommo.account import KommoAccount
from activities.kommo.client import KommoClient
from activities.kommo.limits import Limits
from domain.errors import BackOfficeError, ContractBroken, Refused, Transient, Unauthorised, UnknownOutcome
from domain.money import Money
from sandbox.kommo.crm import PIPELINE
from sandbox.kommo.stand_in import ACCOUNT_ID, KommoStandIn
from tests.activities.kommo.conftest import TRIGGER, Told, settings

Control = Callable[..., Any]
LINK = "https://pay.example/1"
MARK = "[ref:request/sol/1:paid]"
DAY = datetime(2026, 5, 4, 10, tzinfo=UTC)
VALUES: dict[str, fields.Value] = {
    fields.LINK: LINK,
    fields.STATUS: "awaiting_payment",
    fields.NUMBER: "1001",
    fields.PDF: "https://docs.example/1.pdf",
    fields.AMOUNT: Money(amount=123456, currency="EUR"),
    fields.PAID_AT: DAY,
    fields.REF: "request/sol/1",
}


def fault(stand_in: KommoStandIn, operation: str, kind: str, **more: object) -> None:
    stand_in.faults.set({"operation": operation, "kind": kind, **more})


def shown(account: KommoAccount, lead_id: int) -> dict[str, str | None]:
    lead = account.client.lead(lead_id)
    assert lead is not None
    return {code: account.writer.shown(lead, code) for code in fields.CODES}


def field_id(account: KommoAccount, code: str) -> int:
    return account.writer.fields.by_code[code].id


def test_a_deal_is_read_with_its_contact(account: KommoAccount, stand_in: KommoStandIn) -> None:
    made = stand_in.lead(price=1200, status_id=TRIGGER, contact={"name": "Ana", "email": "ana@example.test"})
    lead = account.client.lead(made["id"])
    assert lead is not None
    assert (lead.price, lead.status_id, lead.pipeline_id) == (Decimal(1200), TRIGGER, PIPELINE)
    assert lead.account_id == ACCOUNT_ID
    contact = account.client.contact(lead.contact_ids[0])
    assert contact is not None
    assert (contact.name, contact.emails, contact.phones) == ("Ana", ("ana@example.test",), ())
    assert "Ana" not in repr(contact)


def test_a_deal_in_the_bin_and_one_that_never_was_are_gone(
    account: KommoAccount, stand_in: KommoStandIn, control: Control
) -> None:
    made = stand_in.lead()
    control(f"leads/{made['id']}", deleted=True)
    assert account.client.lead(made["id"]) is None
    assert account.client.lead(1) is None
    assert account.writer.write(made["id"], VALUES).gone
    assert not account.writer.move(made["id"], 34, expected=31)


def test_every_value_is_written_and_read_back(account: KommoAccount, stand_in: KommoStandIn, told: Told) -> None:
    lead_id = stand_in.lead(name="Lisboa")["id"]
    assert account.writer.write(lead_id, VALUES).left_out == ()
    assert shown(account, lead_id) == {
        fields.LINK: LINK,
        fields.STATUS: "awaiting_payment",
        fields.NUMBER: "1001",
        fields.PDF: "https://docs.example/1.pdf",
        fields.AMOUNT: "1234.56",
        fields.PAID_AT: str(int(DAY.timestamp())),
        fields.REF: "request/sol/1",
    }
    lead = account.client.lead(lead_id)
    assert lead is not None
    assert all(account.writer.fields.same(lead.values, code, value) for code, value in VALUES.items())
    assert lead.name == "Lisboa"
    assert told == []


def test_link_and_status_are_written_before_and_apart_from_the_others(
    account: KommoAccount, stand_in: KommoStandIn
) -> None:
    lead_id = stand_in.lead()["id"]
    fault(stand_in, "patch_lead", "page-503", skip=1)
    with pytest.raises(UnknownOutcome):
        account.writer.write(lead_id, VALUES)
    assert shown(account, lead_id)[fields.LINK] == LINK
    assert shown(account, lead_id)[fields.NUMBER] is None


@pytest.mark.parametrize("code", list(fields.CODES))
def test_a_field_that_an_administrator_deleted_costs_its_own_value_and_is_told(
    account: KommoAccount, stand_in: KommoStandIn, control: Control, told: Told, code: str
) -> None:
    lead_id = stand_in.lead()["id"]
    control(f"fields/{field_id(account, code)}")
    written = account.writer.write(lead_id, VALUES)
    assert written.left_out == (code,)
    values = shown(account, lead_id)
    assert [each for each, value in values.items() if value is None] == [code]
    assert [(reason, words.startswith(f"{code}:")) for reason, words in told] == [("kommo_fields", True)]


def test_two_fields_deleted_at_once_cost_two_values(
    account: KommoAccount, stand_in: KommoStandIn, control: Control
) -> None:
    lead_id = stand_in.lead()["id"]
    for code in (fields.PDF, fields.REF):
        control(f"fields/{field_id(account, code)}")
    assert account.writer.write(lead_id, VALUES).left_out == (fields.PDF, fields.REF)
    assert shown(account, lead_id)[fields.NUMBER] == "1001"


def test_a_value_that_is_no_web_address_is_refused_by_name(account: KommoAccount, stand_in: KommoStandIn) -> None:
    lead_id = stand_in.lead()["id"]
    with pytest.raises(Refused, match="InvalidUrl"):
        account.writer.write(lead_id, {fields.LINK: "javascript:alert(1)"})


@pytest.mark.parametrize("kind", ["drop-after", "error-after"])
def test_after_a_doubtful_write_the_deal_itself_is_asked(
    account: KommoAccount, stand_in: KommoStandIn, kind: str
) -> None:
    lead_id = stand_in.lead()["id"]
    fault(stand_in, "patch_lead", kind)
    assert account.writer.write(lead_id, VALUES).left_out == ()
    assert shown(account, lead_id)[fields.LINK] == LINK
    patches = [call for call in stand_in.calls if call["operation"] == "patch_lead"]
    assert len(patches) == 2


@pytest.mark.parametrize("kind", ["drop-before", "error-before"])
def test_a_doubtful_write_that_left_no_trace_stays_doubtful(
    account: KommoAccount, stand_in: KommoStandIn, kind: str
) -> None:
    fault(stand_in, "patch_lead", kind)
    with pytest.raises(UnknownOutcome):
        account.writer.write(stand_in.lead()["id"], {fields.STATUS: "paid"})


def test_clearing_a_value_empties_the_field(account: KommoAccount, stand_in: KommoStandIn) -> None:
    lead_id = stand_in.lead()["id"]
    account.writer.write(lead_id, VALUES)
    account.writer.write(lead_id, {fields.LINK: None, fields.NUMBER: ""})
    values = shown(account, lead_id)
    assert (values[fields.LINK], values[fields.NUMBER], values[fields.REF]) == (None, None, "request/sol/1")


def test_an_agency_may_name_fields_of_its_own(account: KommoAccount, stand_in: KommoStandIn, url: str) -> None:
    made = account.client.create_fields([{"name": "Enlace de pago", "type": "url", "code": "THEIRS"}])
    own = KommoAccount.open(settings(url, fields={fields.LINK: made[0].id, fields.NUMBER: "INV_REF"}))
    lead_id = stand_in.lead()["id"]
    own.writer.write(lead_id, {fields.LINK: LINK, fields.NUMBER: "77"})
    assert shown(account, lead_id)[fields.LINK] is None
    assert shown(account, lead_id)[fields.REF] == "77"
    own.client.close()


def test_a_deal_that_a_person_moved_is_not_moved_again(
    account: KommoAccount, stand_in: KommoStandIn, control: Control
) -> None:
    lead_id = stand_in.lead(status_id=TRIGGER)["id"]
    assert account.writer.move(lead_id, 34, expected=TRIGGER)
    assert account.writer.move(lead_id, 34, expected=TRIGGER)
    control(f"leads/{lead_id}", status_id=32)
    assert not account.writer.move(lead_id, 35, expected=34)
    lead = account.client.lead(lead_id)
    assert lead is not None
    assert lead.status_id == 32


@pytest.mark.parametrize("kind", ["drop-after", "error-after", "malformed"])
def test_a_note_whose_answer_was_lost_is_found_by_its_marker(
    account: KommoAccount, stand_in: KommoStandIn, kind: str
) -> None:
    lead_id = stand_in.lead()["id"]
    fault(stand_in, "add_notes", kind)
    with pytest.raises(UnknownOutcome):
        account.client.add_note(lead_id, "Paid", MARK)
    account.client.add_note(lead_id, "Paid", MARK)
    (note,) = stand_in.state()["notes"]
    assert note["params"]["text"] == f"Paid {MARK}"


def test_a_marker_is_found_among_many_notes(account: KommoAccount, stand_in: KommoStandIn) -> None:
    lead_id = stand_in.lead()["id"]
    for number in range(70):
        account.client.add_note(lead_id, "x", f"[ref:{number}]")
    known = account.client.find_note(lead_id, "[ref:69]")
    assert account.client.add_note(lead_id, "x", "[ref:69]") == known


def test_a_task_is_given_once(account: KommoAccount, stand_in: KommoStandIn) -> None:
    lead_id = stand_in.lead()["id"]
    fault(stand_in, "add_tasks", "drop-after")
    with pytest.raises(UnknownOutcome):
        account.client.add_task(lead_id, "Look", MARK, responsible=7002, due=DAY)
    account.client.add_task(lead_id, "Look", MARK, responsible=7002, due=DAY)
    (task,) = stand_in.state()["tasks"]
    assert task["responsible_user_id"] == 7002


def test_all_pages_of_a_stage_are_read_and_an_empty_one_is_no_error(
    account: KommoAccount, stand_in: KommoStandIn
) -> None:
    assert list(account.client.leads_in_stage(PIPELINE, TRIGGER)) == []
    made = [stand_in.lead(status_id=TRIGGER)["id"] for _ in range(260)]
    stand_in.lead(status_id=32)
    assert [lead.id for lead in account.client.leads_in_stage(PIPELINE, TRIGGER)] == made
    assert [call["operation"] for call in stand_in.calls].count("leads") == 3


def test_the_log_tells_who_came_to_a_stage(account: KommoAccount, stand_in: KommoStandIn, control: Control) -> None:
    lead_id = stand_in.lead()["id"]
    control(f"leads/{lead_id}", status_id=TRIGGER)
    (change,) = account.client.stage_changes(datetime.now(UTC) - timedelta(hours=1))
    assert (change.lead_id, change.pipeline_id, change.status_id) == (lead_id, PIPELINE, TRIGGER)


def test_a_webhook_is_registered_listed_and_removed(account: KommoAccount) -> None:
    place = "https://gateway.example/hooks/kommo/sol/x"
    account.client.register_webhook(place)
    account.client.register_webhook(place)
    (hook,) = account.client.webhooks(place)
    assert (hook.disabled, "status_lead" in hook.settings) == (False, True)
    account.client.remove_webhook(place)
    account.client.remove_webhook(place)
    assert account.client.webhooks() == []


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/api/v4/salesbot/1/continue/2",
        "{url}.evil.example/api/v4/salesbot/1/continue/2",
        "http://127.0.0.1:1/api/v4/salesbot/1/continue/2",
        "{url}/api/v4/leads/1",
        "{url}/api/v4/salesbot/1/continue/../../../leads",
        "{url}/api/v4/salesbot/1/continue/2?x=1",
        "//evil.example/api/v4/salesbot/1/continue/2",
        "not an address",
        "http://x@{host}/api/v4/salesbot/1/continue/2",
    ],
)
def test_a_bot_is_answered_at_the_account_and_nowhere_else(
    account: KommoAccount, stand_in: KommoStandIn, url: str, place: str
) -> None:
    stand_in.calls.clear()
    given = place.replace("{url}", url).replace("{host}", url.removeprefix("http://"))
    with pytest.raises(Refused, match="nothing was sent"):
        account.client.continue_salesbot(given, {"status": "created"})
    assert not stand_in.calls


def test_a_bot_goes_on_with_status_and_link(account: KommoAccount, stand_in: KommoStandIn, url: str) -> None:
    account.client.continue_salesbot(f"{url}/api/v4/salesbot/4/continue/9", {"status": "created", "link": LINK})
    (continued,) = stand_in.state()["continued"]
    assert (continued["bot"], continued["data"]) == (4, {"status": "created", "link": LINK})


@pytest.mark.parametrize(
    ("kind", "reading", "writing"),
    [
        ("page-503", Transient, UnknownOutcome),
        ("error-before", Transient, UnknownOutcome),
        ("drop-before", Transient, UnknownOutcome),
        ("malformed", Transient, UnknownOutcome),
        ("throttle", Transient, Transient),
        ("refuse", Refused, Refused),
    ],
)
def test_failures_are_sorted_by_what_may_be_done_next(
    stand_in: KommoStandIn, url: str, kind: str, reading: type[BackOfficeError], writing: type[BackOfficeError]
) -> None:
    client = KommoClient(settings(url))
    lead_id = stand_in.lead()["id"]
    fault(stand_in, "account", kind)
    with pytest.raises(reading):
        client.account()
    client = KommoClient(settings(url))
    fault(stand_in, "patch_lead", kind)
    with pytest.raises(writing):
        client.patch_lead(lead_id, {"price": 5})
    client.close()


def test_a_refused_long_lived_token_is_final(stand_in: KommoStandIn, url: str) -> None:
    client = KommoClient(settings(url, token="other"))
    with pytest.raises(Unauthorised, match="not accepted"):
        client.account()
    assert len(stand_in.calls) == 1
    client.close()


class Hours:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def answering(*statuses: int) -> tuple[httpx.MockTransport, list[int]]:
    """A server that gives these statuses in turn, and counts the calls."""
    left, seen = list(statuses), list[int]()

    def answer(_: httpx.Request) -> httpx.Response:
        seen.append(1)
        status = left.pop(0)
        body = {"id": 1} if status == 200 else {"status": status, "retry_after": 3}
        return httpx.Response(status, json=body)

    return httpx.MockTransport(answer), seen


def test_pauses_after_429_begin_with_what_was_asked_and_double() -> None:
    clock = Hours()
    limits = Limits(5, clock=clock, sleep=clock.sleep, dice=lambda: 0.0)
    transport, _ = answering(429, 429, 429, 200, 429)
    client = KommoClient(settings("http://kommo.test"), limits=limits, transport=transport)
    pauses: list[float | None] = []

    def call() -> None:
        with pytest.raises(Transient) as failed:
            client.account()
        pauses.append(failed.value.retry_after)
        clock.at += failed.value.retry_after or 0.0

    for _ in range(3):
        call()
    assert client.account().id == 1
    call()
    assert pauses == [3.0, 6.0, 12.0, 3.0]


def test_nobody_calls_during_a_pause() -> None:
    clock = Hours()
    transport, seen = answering(429, 200)
    limits = Limits(5, clock=clock, sleep=clock.sleep, dice=lambda: 0.0)
    client = KommoClient(settings("http://kommo.test"), limits=limits, transport=transport)
    for _ in range(3):
        with pytest.raises(Transient):
            client.account()
    assert len(seen) == 1


def test_a_403_after_a_429_stops_all_traffic_and_is_told() -> None:
    clock, told = Hours(), Told()
    transport, seen = answering(429, 403, 403, 200)
    limits = Limits(5, clock=clock, sleep=clock.sleep, dice=lambda: 0.0)
    client = KommoClient(
        settings("http://kommo.test"),
        alarm=lambda reason, words: told.append((reason, words)),
        limits=limits,
        transport=transport,
    )
    waits: list[float] = []
    for _ in range(3):
        with pytest.raises(Transient) as failed:
            client.account()
        assert failed.value.retry_after is not None
        waits.append(failed.value.retry_after)
        with pytest.raises(Transient):
            client.account()
        clock.at += failed.value.retry_after
    assert len(seen) == 3
    assert waits == [3.0, 900.0, 1800.0]
    assert [reason for reason, _ in told] == ["kommo_blocked", "kommo_blocked"]
    assert client.account().id == 1


def test_a_403_by_itself_is_a_missing_right() -> None:
    transport, _ = answering(403)
    client = KommoClient(settings("http://kommo.test"), transport=transport)
    with pytest.raises(Unauthorised, match="no right"):
        client.account()


def test_the_account_blocks_who_exceeds_three_windows(stand_in: KommoStandIn, url: str) -> None:
    seconds = Hours()
    stand_in._bucket = type(stand_in._bucket)(7, 300, seconds)
    answers = []
    with httpx.Client(headers={"Authorization": "Bearer sandbox-kommo-long-lived-token"}) as http:
        for _ in range(3):
            answers += [http.get(f"{url}/api/v4/account") for _ in range(20)]
            seconds.at += 1.5
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) in range(14, 25)
    assert 429 in statuses
    assert statuses[-1] == 403
    kinds = {answer.headers["content-type"].split(";")[0] for answer in answers if answer.status_code == 429}
    assert kinds == {"text/html", "application/json"}
    stand_in._bucket = type(stand_in._bucket)(10_000)


def test_an_address_that_is_none_is_our_mistake(account: KommoAccount) -> None:
    with pytest.raises(ContractBroken, match="Method"):
        account.client._line.write("delete_lead", "DELETE", "/leads/1", {})


def test_secrets_do_not_show(account: KommoAccount) -> None:
    assert "sandbox-kommo" not in repr(account.settings)
