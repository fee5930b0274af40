"""The platform over real sockets: deliveries, the API that reads the truth back, charges under faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.platform.signature import OLD_SECRET, SECRET
from sandbox.platform.stand_in import TOKEN, PlatformStandIn
from sandbox.running import running
from tests.sandbox.platform_gateway import Gateway
from tests.sandbox.platform_wishes import DISCOUNT, eur, sold

QUICK = (0.01, 0.02)


@contextmanager
def platform_before(gateway: Gateway, data: Path | None = None, **options: Any) -> Iterator[PlatformStandIn]:
    with running(gateway) as url:
        stand_in = PlatformStandIn(data, f"{url}/events", schedule=QUICK, **options)
        stand_in.sender.start()
        try:
            yield stand_in
        finally:
            stand_in.close()


def test_deliveries_are_genuine_and_in_order_per_booking() -> None:
    gateway = Gateway()
    with platform_before(gateway) as stand_in:
        sold(stand_in.platform)
        stand_in.platform.do("apply-discount", DISCOUNT)
        stand_in.platform.do("capture-payment", {"booking_id": "bkg_500"})
        gateway.wait_for_count(4)
    of_booking = [event["sequence"] for event, _ in gateway.received if event["partitionkey"] == "bkg_500"]
    assert of_booking == sorted(of_booking)
    assert [headers["webhook-id"] for headers in gateway.headers] == [event["id"] for event, _ in gateway.received]
    assert {status for _, status in gateway.received} == {202}


def test_a_refused_delivery_is_tried_again_until_accepted_with_the_same_bytes() -> None:
    gateway = Gateway(503, 500, 400, 302)
    with platform_before(gateway) as stand_in:
        stand_in.platform.do("emit", emitted("exp_31"))
        gateway.wait_for_count(5)
    assert [status for _, status in gateway.received] == [503, 500, 400, 302, 202]
    assert len({str(event) for event, _ in gateway.received}) == 1


def emitted(partition: str, **options: object) -> dict[str, Any]:
    data = {"aggregate": {"type": "experience", "id": partition, "revision": 1}}
    return {"kind": "experience.updated", "partition": partition, "data": data, "options": options}


def test_gone_ends_a_delivery() -> None:
    gateway = Gateway(410)
    with platform_before(gateway) as stand_in:
        stand_in.platform.do("emit", emitted("exp_31"))
        stand_in.platform.do("emit", emitted("exp_31"))
        gateway.wait_for_count(2)
        # The second went out after the first was settled: they are of one partition.
        assert stand_in.platform.storage.deliveries_summary()["gone"] == 1
    assert [status for _, status in gateway.received] == [410, 202]


def test_an_event_can_go_out_twice_or_behind_the_next_or_when_released() -> None:
    gateway = Gateway()
    with platform_before(gateway) as stand_in:
        sold(stand_in.platform, delivery={"booking.created": {"behind": True}})
        stand_in.platform.do("apply-discount", {**DISCOUNT, "delivery": {"booking.discount_applied": {"hold": True}}})
        capture = {"booking_id": "bkg_500", "amount": eur(100), "delivery": {"payment.captured": {"twice": True}}}
        gateway.wait_for_count(1)
        assert stand_in.platform.storage.deliveries_summary()["held"] == 2
        assert stand_in.platform.do("release", {})["released"] == 2
        gateway.wait_for_count(3)
        stand_in.platform.do("capture-payment", capture)
        gateway.wait_for_count(5)
    assert gateway.kinds()[1:] == [
        "booking.created",
        "booking.discount_applied",
        "payment.captured",
        "payment.captured",
    ]


def test_a_payment_overtakes_the_booking_that_was_sent_behind_it() -> None:
    gateway = Gateway()
    with platform_before(gateway) as stand_in:
        sold(stand_in.platform, delivery={"booking.created": {"behind": True}})
        stand_in.platform.do("capture-payment", {"booking_id": "bkg_500"})
        gateway.wait_for_count(3)
    assert [kind for kind in gateway.kinds() if kind != "experience.created"] == ["payment.captured", "booking.created"]


def test_what_is_owed_survives_a_restart(tmp_path: Path) -> None:
    first = PlatformStandIn(tmp_path)
    sold(first.platform)
    first.close()
    gateway = Gateway()
    with platform_before(gateway, tmp_path) as second:
        gateway.wait_for_count(2)
        assert second.platform.booking("bkg_500")["revision"] == 1
    assert sorted(gateway.kinds()) == ["booking.created", "experience.created"]


@pytest.mark.parametrize("size", [65_536, 65_537])
def test_an_event_can_be_as_long_as_wished(size: int) -> None:
    gateway = Gateway()
    with platform_before(gateway) as stand_in:
        stand_in.platform.do("emit", emitted("exp_31", size=size))
        gateway.wait_for_count(1)
    assert gateway.headers[0]["content-length"] == str(size)


@pytest.mark.parametrize(("secrets", "skew"), [((OLD_SECRET,), 0), ((SECRET,), 301), ((SECRET,), -301)])
def test_a_wrong_key_or_clock_is_noticed_and_put_right(secrets: tuple[str, ...], skew: float) -> None:
    gateway = Gateway()
    with platform_before(gateway) as stand_in:
        stand_in.signing.secrets, stand_in.signing.skew = secrets, skew
        stand_in.platform.do("emit", emitted("exp_31"))
        gateway.wait_for_rejection()
        stand_in.signing.secrets, stand_in.signing.skew = (OLD_SECRET, SECRET), 290
        gateway.wait_for_count(1)
    assert len(gateway.received) == 1


@pytest.fixture
def api() -> Iterator[httpx.Client]:
    stand_in = PlatformStandIn()
    sold(stand_in.platform)
    with running(stand_in) as url, httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client
    stand_in.close()


def do(api: httpx.Client, verb: str, wish: dict[str, Any]) -> Any:
    return api.post(f"/sim/{verb}", json=wish).raise_for_status().json()


def test_the_snapshot_is_read_back_with_its_revision(api: httpx.Client) -> None:
    do(api, "apply-discount", DISCOUNT)
    do(api, "create-plan", {"booking_id": "bkg_500", "id": "plan_50"})
    assert api.get("/v1/bookings/bkg_500").json()["revision"] == 2
    assert api.get("/v1/experiences/exp_31").json()["title"] == "Fin de curso Mallorca"
    assert api.get("/v1/payment_plans/plan_50").json()["total"] == eur(95500)
    listed = api.get("/v1/bookings", params={"experience_id": "exp_31", "status": "confirmed"}).json()
    assert [booking["id"] for booking in listed["items"]] == ["bkg_500"]


def test_payments_are_paged_with_their_refunds(api: httpx.Client) -> None:
    for _ in range(3):
        do(api, "capture-payment", {"booking_id": "bkg_500", "amount": eur(100)})
    do(api, "refund", {"payment_id": "pay_1002", "amount": eur(40)})
    first = api.get("/v1/payments", params={"limit": 2}).json()
    second = api.get("/v1/payments", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [payment["id"] for payment in first["items"] + second["items"]] == ["pay_1001", "pay_1002", "pay_1003"]
    assert [refund["amount"] for refund in first["items"][1]["refunds"]] == [eur(40)]
    assert second["next_cursor"] is None
    day = api.get("/v1/balances").json()["items"]
    assert [(row["processor"], row["captured"], row["refunded"], row["fees"]) for row in day] == [
        ("stripe", eur(300), eur(40), eur(6))
    ]


def test_the_event_log_repairs_a_gap(api: httpx.Client) -> None:
    events = api.get("/v1/events", params={"after_sequence": f"{1:020d}"}).json()
    assert [event["sequence"] for event in events["items"]] == [f"{2:020d}"]
    event_id = events["items"][0]["id"]
    assert api.post(f"/v1/events/{event_id}/redeliver").status_code == 202
    assert api.get("/sim/deliveries").json()["pending"] == 3


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/v1/bookings/bkg_500", "wrong", 401),
        ("/v1/bookings/bkg_99", TOKEN, 404),
        ("/v1/payments?limit=201", TOKEN, 422),
        ("/v1/charges", TOKEN, 422),
    ],
)
def test_errors_are_problems(api: httpx.Client, path: str, token: str, status: int) -> None:
    answer = api.get(path, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


CHARGE = {"plan_id": "plan_50", "installment_id": "ins_502", "merchant_ref": "m-1", "amount": eur(40200)}


def test_a_charge_whose_answer_was_lost_is_found_and_not_repeated(api: httpx.Client) -> None:
    do(api, "create-plan", {"booking_id": "bkg_500", "id": "plan_50"})
    api.post("/control/faults", json={"operation": "charges.create", "kind": "drop-after"}).raise_for_status()
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/v1/charges", json=CHARGE)
    found = api.get("/v1/charges", params={"merchant_ref": "m-1"}).json()["items"]
    again = api.post("/v1/charges", json=CHARGE)
    assert again.status_code == 201
    assert found == [again.json()]
    assert len(api.get("/v1/payments").json()["items"]) == 1
    assert api.post("/v1/charges", json={**CHARGE, "merchant_ref": "m-2"}).status_code == 409


def test_faults_of_the_platform_speak_problem_json(api: httpx.Client) -> None:
    for kind, status in (("throttle", 429), ("error-before", 500), ("refuse", 422)):
        api.post("/control/faults", json={"operation": "bookings.get", "kind": kind, "seconds": 7})
        answer = api.get("/v1/bookings/bkg_500")
        assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert api.get("/control/state").json()["booking"]["bkg_500"]["revision"] == 1


def test_the_target_is_remembered(tmp_path: Path) -> None:
    first = PlatformStandIn(tmp_path)
    sold(first.platform)
    gateway = Gateway()
    with running(gateway) as target:
        with running(first) as url:
            httpx.post(f"{url}/sim/target", json={"url": f"{target}/events"}).raise_for_status()
            gateway.wait_for_count(2)
        first.close()
        second = PlatformStandIn(tmp_path, schedule=QUICK)
        second.sender.start()
        second.platform.do("apply-discount", DISCOUNT)
        gateway.wait_for_count(3)
        second.close()
    assert gateway.kinds()[-1] == "booking.discount_applied"


def test_an_address_that_is_none_is_refused(api: httpx.Client) -> None:
    for url in ("gateway", "ftp://gateway", "http://gateway:port"):
        assert api.post("/sim/target", json={"url": url}).status_code == 422


def test_a_gateway_that_is_not_there_yet_gets_everything_when_it_comes() -> None:
    early = PlatformStandIn(None, "http://127.0.0.1:9", schedule=QUICK)
    early.sender.start()
    sold(early.platform)
    gateway = Gateway()
    with running(gateway) as url:
        early.sender.point_at(url)
        gateway.wait_for_count(2)
        early.close()
    assert sorted(gateway.kinds()) == ["booking.created", "experience.created"]
