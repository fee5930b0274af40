"""RateHawk's stand-in is as strict as the contract, and fails in the ways that the contract lists (midoffice 2)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.ratehawk.stand_in import API_KEY, KEY_ID, RateHawkStandIn
from sandbox.running import running

ORDERING = {"ordering_type": "desc", "ordering_by": "modified_at"}


class Caller:
    def __init__(self, url: str, stand_in: RateHawkStandIn) -> None:
        self.stand_in = stand_in
        self.http = httpx.Client(base_url=f"{url}/api/b2b/v3/", auth=(str(KEY_ID), API_KEY))
        self.control = httpx.Client(base_url=f"{url}/control/")

    def post(self, endpoint: str, wish: Any) -> tuple[int, dict[str, Any]]:
        answer = self.http.post(endpoint, json=wish)
        return answer.status_code, answer.json()

    def error(self, endpoint: str, wish: Any) -> str:
        return str(self.post(endpoint, wish)[1]["error"])

    def form(self, partner: str) -> None:
        hotels = self.post("search/hp/", {"hid": 10004834, "checkin": "2027-05-10", "checkout": "2027-05-13",
                                          "guests": [{"adults": 2, "children": []}]})[1]["data"]["hotels"]  # fmt: skip
        found = self.post("hotel/prebook/", {"hash": hotels[0]["rates"][0]["book_hash"]})[1]["data"]["hotels"]
        wish = {"partner_order_id": partner, "book_hash": found[0]["rates"][0]["book_hash"], "language": "en"}
        assert self.post("hotel/order/booking/form/", wish)[1]["status"] == "ok"
        assert self.error("hotel/order/booking/form/", wish) == "double_booking_form"

    def finish(self, partner: str, rooms: int = 1) -> str | None:
        guests = [{"first_name": "Ana", "last_name": "Soler"}, {"first_name": "Luz", "last_name": "Soler"}]
        wish = {
            "user": {"email": "agency@example.test", "phone": "600000000"},
            "partner": {"partner_order_id": partner},
            "language": "en",
            "rooms": [{"guests": guests}] * rooms,
            "payment_type": {"type": "deposit", "amount": "312.00", "currency_code": "EUR"},
        }
        error: str | None = self.post("hotel/order/booking/finish/", wish)[1]["error"]
        return error

    def status(self, partner: str) -> str:
        body = self.post("hotel/order/booking/finish/status/", {"partner_order_id": partner})[1]
        return str(body["error"] or body["status"])

    def info(self, *partners: str) -> list[dict[str, Any]]:
        wish = {"ordering": ORDERING, "pagination": {"page_number": 1, "page_size": 50}}
        found = self.post("hotel/order/info/", wish | {"search": {"partner_order_ids": list(partners)}})[1]["data"]
        orders: list[dict[str, Any]] = found["orders"]
        return orders


@pytest.fixture(scope="module")
def _listening() -> Iterator[Caller]:
    stand_in = RateHawkStandIn(limits={})
    with running(stand_in) as url:
        yield Caller(url, stand_in)


@pytest.fixture
def caller(_listening: Caller) -> Caller:
    _listening.stand_in.empty()
    return _listening


@pytest.mark.parametrize(
    ("suffix", "at_finish", "readings"),
    [
        ("", None, ["ok"]),
        ("booking_form_expired", "booking_form_expired", ["booking_finish_did_not_succeed"]),
        ("insufficient_b2b_balance", "insufficient_b2b_balance", ["booking_finish_did_not_succeed"]),
        ("soldout", None, ["soldout"]),
        ("x_block", None, ["block"]),
        ("unknown_success", "unknown", ["unknown", "unknown", "ok"]),
        ("unknown_provider", "unknown", ["unknown", "unknown", "provider"]),
    ],
)
def test_a_booking_ends_as_its_locator_says(
    caller: Caller, suffix: str, at_finish: str | None, readings: list[str]
) -> None:
    partner = f"bkg_1-1_{suffix}"
    caller.form(partner)
    assert caller.finish(partner) == at_finish
    assert [caller.status(partner) for _ in readings] == readings
    assert len(caller.info(partner)) == (readings[-1] == "ok")
    assert caller.finish(partner) == "double_booking_finish"


def test_unknown_locators_hashes_and_too_many_rooms_are_refused(caller: Caller) -> None:
    assert caller.status("bkg_9-1") == "order_not_found"
    assert caller.error("hotel/order/cancel/", {"partner_order_id": "bkg_9-1"}) == "order_not_found"
    for given, code in (("h-00000000-0000-0000-0000-000000000000", "contract_mismatch"),
                        ("h-e0000001-0000-0000-0000-000000000000", "hotel_not_found"),
                        ("h-11111111-1111-1111-1111-111111111111", "rate_not_found"),
                        ("nonsense", "invalid_params")):  # fmt: skip
        assert caller.error("hotel/prebook/", {"hash": given}) == code
    caller.form("bkg_1-1")
    assert caller.finish("bkg_1-1", rooms=10) == "unauthorized_group_booking"


@pytest.mark.parametrize(
    "wish",
    [
        {"pagination": {"page_number": 1, "page_size": 50}},
        {"ordering": ORDERING, "pagination": {"page_number": 1, "page_size": 51}},
        {"ordering": ORDERING, "pagination": {"page_number": 0, "page_size": 50}},
        {"ordering": {**ORDERING, "ordering_by": "hotel"}, "pagination": {"page_number": 1, "page_size": 50}},
        {
            "ordering": ORDERING,
            "pagination": {"page_number": 1, "page_size": 1},
            "search": {"modified_at": {"from_date": "2026"}},
        },
        {"ordering": ORDERING, "pagination": {"page_number": 1, "page_size": 1}, "search": {"colour": "red"}},
    ],
)
def test_a_list_is_only_given_to_a_right_question(caller: Caller, wish: dict[str, Any]) -> None:
    status, body = caller.post("hotel/order/info/", wish)
    assert (status, body["error"]) == (400, "invalid_params")
    assert body["debug"]["validation_error"]


def test_methods_bodies_and_keys_are_checked(caller: Caller) -> None:
    assert caller.http.get("hotel/order/info/").json()["error"] == "unexpected_method"
    assert caller.http.post("hotel/order/modify/", json={}).json()["error"] == "endpoint_not_found"
    headers = {"content-type": "application/json"}
    assert caller.http.post("hotel/order/cancel/", content=b"{", headers=headers).json()["error"] == "decoding_json"
    assert caller.error("hotel/order/cancel/", []) == "body_must_be_json_object"
    assert caller.http.get("overview/", auth=("1", "x")).json()["error"] == "incorrect_credentials"
    assert httpx.get(str(caller.http.base_url) + "overview/").json()["error"] == "no_auth_header"


def test_the_limit_is_told_in_headers_and_kept(caller: Caller) -> None:
    caller.stand_in.limit({"general/": (2, 60)})
    answers = [caller.http.get("general/financial/info/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[-1].json()["error"] == "endpoint_exceeded_limit"


def test_cancelling_costs_what_the_terms_say_and_only_once(caller: Caller) -> None:
    wish = {"partner_order_id": "bkg_1-1", "checkin": "2099-05-10", "checkout": "2099-05-12", "amount": "200.00"}
    caller.control.post("orders", json={**wish, "early_penalty": "30.00"})
    data = caller.post("hotel/order/cancel/", {"partner_order_id": "bkg_1-1"})[1]["data"]
    assert (data["amount_payable"]["amount"], data["amount_refunded"]["amount"]) == ("30.00", "170.00")
    assert caller.error("hotel/order/cancel/", {"partner_order_id": "bkg_1-1"}) == "order_not_found"
    assert caller.info("bkg_1-1")[0]["status"] == "cancelled"


def test_a_late_order_shows_after_twenty_seconds(caller: Caller) -> None:
    wish = {
        "partner_order_id": "bkg_1-1_x_info_delay",
        "checkin": "2099-05-10",
        "checkout": "2099-05-12",
        "amount": "9.00",
    }
    caller.control.post("orders", json=wish)
    assert caller.info("bkg_1-1_x_info_delay") == []
    caller.control.post("clock", json={"seconds": 21})
    assert len(caller.info("bkg_1-1_x_info_delay")) == 1


def test_the_lock_holds_for_five_seconds(caller: Caller) -> None:
    partner = "bkg_1-1_x_lock"
    codes = [caller.error("hotel/order/cancel/", {"partner_order_id": partner}) for _ in range(2)]
    caller.control.post("clock", json={"seconds": 6})
    assert [*codes, caller.error("hotel/order/cancel/", {"partner_order_id": partner})] == [
        "order_not_found", "lock", "order_not_found"]  # fmt: skip


def test_orders_survive_a_restart(tmp_path: Path) -> None:
    first = RateHawkStandIn(tmp_path)
    first.orders.place(
        {"partner_order_id": "bkg_1-1", "checkin": "2099-05-10", "checkout": "2099-05-12", "amount": "9.00"}
    )
    first.close()
    again = RateHawkStandIn(tmp_path)
    assert again.orders.known("bkg_1-1")["status"] == "completed"
    again.close()


def test_every_change_is_announced_under_the_keys_signature(caller: Caller) -> None:
    received: list[dict[str, Any]] = []

    class Hearing(RateHawkStandIn):
        """Takes the webhooks of the other one."""

        async def _clock(self, request: Any) -> Any:
            received.append(json.loads(await request.body()))
            return await super()._clock(request)

    wish = {"partner_order_id": "bkg_1-1", "checkin": "2099-05-10", "checkout": "2099-05-12", "amount": "9.00"}
    with running(Hearing(limits={})) as url:
        caller.stand_in.webhooks.url = f"{url}/control/clock"
        try:
            caller.control.post("orders", json=wish)
            caller.control.post("orders/bkg_1-1", json={"guest": "Changed"})
            for _ in range(200):
                if len(received) == 2:
                    break
                caller.control.get("health")
        finally:
            caller.stand_in.webhooks.url = None
    assert sorted(body["type"] for body in received) == ["created", "updated"]
    block = received[0]["signature"]
    message = f"{block['timestamp']}{block['token']}".encode()
    assert block["signature"] == hmac.new(API_KEY.encode(), message, hashlib.sha256).hexdigest()


def test_the_page_shows_the_orders(caller: Caller) -> None:
    caller.control.post("orders", json={"partner_order_id": "bkg_<1>", "checkin": "2099-05-10", "checkout": "2099-05-12",
                                        "amount": "9.00"})  # fmt: skip
    shown = httpx.get(str(caller.control.base_url).replace("/control/", "/")).text
    assert "bkg_&lt;1&gt;" in shown
    assert "9.00 EUR" in shown
