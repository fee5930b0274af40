"""The line to RateHawk over real sockets: what is asked, and what each answer means to us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from activities.ratehawk.client import PAGE, RateHawkClient
from activities.ratehawk.limits import Limits
from domain.errors import BackOfficeError, ContractBroken, NeedsPerson, Refused, Transient, Unauthorised, UnknownOutcome
from tests.activities.ratehawk.house import BEGAN, House

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def answering(status: int, body: str, **headers: str) -> RateHawkClient:
    """A client whose other side always answers this."""
    sent = httpx.MockTransport(lambda _: httpx.Response(status, text=body, headers=headers))
    return RateHawkClient("http://ratehawk.test", 1, "key", transport=sent, now=lambda: BEGAN)


def test_orders_come_page_by_page_the_newest_first(house: House) -> None:
    for number in range(PAGE + 3):
        house.place(f"bkg_{number}-1")
        house.clock.later(minutes=1)
    client = house.account().client
    first, second = client.changed_orders(LONG_AGO, 1), client.changed_orders(LONG_AGO, 2)
    assert (first.pages, first.found, len(first.orders), len(second.orders)) == (2, PAGE + 3, PAGE, 3)
    assert first.orders[0]["partner_data"]["order_id"] == f"bkg_{PAGE + 2}-1"
    assert len({one["order_id"] for one in (*first.orders, *second.orders)}) == PAGE + 3


def test_only_what_changed_since_is_asked_for(house: House) -> None:
    house.place("bkg_old-1")
    house.clock.later(hours=2)
    house.place("bkg_new-1")
    page = house.account().client.changed_orders(house.clock.now - timedelta(minutes=30), 1)
    assert [one["partner_data"]["order_id"] for one in page.orders] == ["bkg_new-1"]


def test_a_wrong_key_is_unauthorised_and_not_repeated(house: House) -> None:
    before = len(house.stand_in.calls)
    with pytest.raises(Unauthorised):
        house.account(api_key="another").client.overview()
    assert len(house.stand_in.calls) == before + 1


def test_an_order_that_may_not_be_cancelled_is_refused_in_its_own_words(house: House) -> None:
    house.place("bkg_1-1_order_not_cancellable")
    with pytest.raises(Refused) as refused:
        house.account().client.cancel("bkg_1-1_order_not_cancellable")
    assert refused.value.code == "order_not_cancellable"


@pytest.mark.parametrize(("kind", "stands"), [("error-after", "cancelled"), ("drop-after", "cancelled"),
                                              ("error-before", "completed"), ("malformed", "cancelled")])  # fmt: skip
def test_a_cancellation_without_a_clear_answer_is_in_doubt(house: House, kind: str, stands: str) -> None:
    order = house.place("bkg_1-1")
    house.fault("hotel/order/cancel/", kind)
    with pytest.raises(UnknownOutcome):
        house.account().client.cancel("bkg_1-1")
    assert order["status"] == stands
    assert house.stand_in.faults.listing()[-1]["fired"] == 1


def test_a_refused_connection_sent_nothing() -> None:
    client = RateHawkClient("http://127.0.0.1:9", 1, "key")
    with pytest.raises(Transient):
        client.cancel("bkg_1-1")


def test_the_limit_of_an_endpoint_is_kept_without_asking(house: House) -> None:
    house.stand_in.limit({"hotel/order/": (2, 60)})
    client = RateHawkClient(house.url, 1001, house.section()["api_key"], now=house.clock)
    client.orders(["bkg_1-1"])
    client.orders(["bkg_1-1"])
    asked = house.calls("hotel/order/info/")
    with pytest.raises(Transient) as stopped:
        client.orders(["bkg_1-1"])
    assert stopped.value.retry_after == 61.0
    assert house.calls("hotel/order/info/") == asked
    house.clock.later(seconds=61)
    assert client.orders(["bkg_1-1"]).found == 0


def test_too_many_requests_wait_for_the_named_reset(house: House) -> None:
    house.place("bkg_1-1_x_429")
    client = RateHawkClient(house.url, 1001, house.section()["api_key"], now=house.clock)
    with pytest.raises(Transient) as stopped:
        client.cancel("bkg_1-1_x_429")
    assert stopped.value.retry_after == 61.0
    assert stopped.value.code == "endpoint_exceeded_limit"


def test_answers_that_overtake_each_other_never_raise_what_is_left() -> None:
    limits = Limits(lambda: BEGAN)
    reset = "2026-11-20T10:01:00"
    limits.learn("x", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
    limits.learn("x", {"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": reset})
    assert limits.take("x") == 61.0


def test_documents_are_pdf_or_an_error(house: House) -> None:
    house.place("bkg_1-1")
    client = house.account().client
    assert client.voucher("bkg_1-1").startswith(b"%PDF-")
    assert client.info_invoice("bkg_1-1") == client.single_act("bkg_1-1")
    with pytest.raises(Refused, match="order_not_found"):
        client.voucher("bkg_2-1")
    with pytest.raises(Refused, match="invoice_not_found"):
        client.group_invoice(7)
    with pytest.raises(ContractBroken):
        answering(200, "<html>", **{"content-type": "application/pdf"}).voucher("bkg_1-1")
    with pytest.raises(Transient):
        answering(200, '{"error": "pending", "status": "error"}').voucher("bkg_1-1")


def test_status_tells_confirmed_running_and_failed(house: House) -> None:
    house.place("bkg_1-1")
    client = house.account().client
    assert client.booking_status("bkg_1-1").state == "ok"
    assert client.booking_status("bkg_9-1").code == "order_not_found"
    assert answering(200, '{"status": "processing", "error": null}').booking_status("bkg_1-1").state == "processing"
    failed = answering(200, '{"status": "error", "error": "soldout"}').booking_status("bkg_1-1")
    assert (failed.state, failed.code) == ("failed", "soldout")


def test_contract_finance_groups_and_limits_can_be_read(house: House) -> None:
    client = house.account().client
    assert client.contract()[0]["agreement_number"] == "B2B-12345/1"
    assert client.finance()["contract"]["deposit"] == "100000.00"
    assert client.closing_documents(order_ids=[1]) == []
    assert client.order_groups(7)["groups"] == []
    assert any(row["endpoint"].endswith("order/cancel/") for row in client.overview())


@pytest.mark.parametrize(
    ("status", "code", "read", "write"),
    [
        (400, "invalid_params", ContractBroken, ContractBroken),
        (400, "not_allowed_host", Unauthorised, Unauthorised),
        (401, "", Unauthorised, Unauthorised),
        (402, "overdue_debt", NeedsPerson, NeedsPerson),
        (403, "no_auth_header", Unauthorised, Unauthorised),
        (403, "endpoint_not_found", ContractBroken, ContractBroken),
        (429, "lock", Transient, Transient),
        (500, "unknown", Transient, UnknownOutcome),
        (200, "timeout", Transient, UnknownOutcome),
        (200, "order_not_cancellable", Refused, Refused),
        (200, "sandbox_restriction", Refused, Refused),
        (200, "something_new", Refused, Refused),
        (502, "", Transient, UnknownOutcome),
        (302, "", ContractBroken, UnknownOutcome),
    ],
)
def test_every_documented_code_has_its_class(
    status: int, code: str, read: type[BackOfficeError], write: type[BackOfficeError]
) -> None:
    body = f'{{"data": null, "error": "{code}", "status": "error"}}' if code else "<html>"
    client = answering(status, body)
    with pytest.raises(read) as reading:
        client.orders(["bkg_1-1"])
    with pytest.raises(write) as writing:
        client.cancel("bkg_1-1")
    assert (type(reading.value), type(writing.value)) == (read, write)


def test_no_redirect_is_followed() -> None:
    asked: list[str] = []

    def away(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": "http://elsewhere.test/"})

    client = RateHawkClient("http://ratehawk.test", 1, "key", transport=httpx.MockTransport(away))
    with pytest.raises(ContractBroken):
        client.contract()
    assert asked == ["http://ratehawk.test/api/b2b/v3/general/contract/data/info/"]
