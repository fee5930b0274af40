"""The platform's verbs: what each changes and tells."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.platform import REQUIRED, CloudEvent, EventData
from sandbox.platform.amounts import Conflict, Doc, Unknown, Wrong
from sandbox.platform.model import Platform
from tests.sandbox.platform_wishes import BOOKING, DISCOUNT, EXPERIENCE, eur, sold

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def platform() -> Platform:
    return sold(Platform(now=lambda: NOW))


def told(platform: Platform) -> list[Doc]:
    return [json.loads(body) for body in platform.storage.events_after(0, 200)]


def kinds(platform: Platform) -> list[str]:
    return [event["type"].removeprefix("example.planner.").removesuffix(".v1") for event in told(platform)]


def last(platform: Platform, kind: str) -> Doc:
    event: Doc = next(event for event in reversed(told(platform)) if f".{kind}.v1" in event["type"])
    data: Doc = event["data"]
    return data


def totals(platform: Platform) -> dict[str, int]:
    return {name: value["amount"] for name, value in platform.booking("bkg_500")["totals"].items()}


def test_the_contract_s_example_adds_up_to_the_cent(platform: Platform) -> None:
    platform.do("apply-discount", DISCOUNT)
    platform.do("create-plan", {"booking_id": "bkg_500", "id": "plan_50"})
    platform.do("capture-payment", {"booking_id": "bkg_500", "instalment_id": "ins_501"})
    assert totals(platform) == {
        "gross": 100500,
        "discount": 5000,
        "penalty": 0,
        "total": 95500,
        "cost": 79000,
        "margin": 16500,
        "captured": 30000,
        "refunded": 0,
        "disputed": 0,
        "due": 65500,
    }
    assert [item["amount"]["amount"] for item in platform.plan("plan_50")["installments"]] == [30000, 38200, 27300]
    assert platform.plan("plan_50")["installments"][0]["status"] == "paid"


def test_the_contract_s_cancellation_splits_the_captured_money(platform: Platform) -> None:
    platform.do("apply-discount", DISCOUNT)
    platform.do("capture-payment", {"booking_id": "bkg_500", "amount": eur(30000)})
    platform.do("cancel-booking", {"booking_id": "bkg_500"})
    cancellation = last(platform, "booking.cancelled")["cancellation"]
    assert cancellation["penalty"] == {"amount": eur(3000), "treatment": "indemnity_not_subject"}
    assert cancellation["policy_tier"] == {"from_days_before_start": 60, "amount": eur(3000)}
    assert cancellation["refund"] == {"decided": True, "amount": eur(27000), "deadline": "2027-03-15T09:00:00Z"}
    assert totals(platform) | {"due": -27000, "total": 3000, "gross": 0, "discount": 0} == totals(platform)
    platform.do("refund", {"booking_id": "bkg_500", "cause": "cancellation", "cancellation_id": cancellation["id"]})
    assert totals(platform)["due"] == 0
    assert last(platform, "payment.refunded")["payment_ref"]["refunded_total"] == eur(27000)


def test_a_free_cause_forces_the_penalty_to_zero(platform: Platform) -> None:
    platform.do("capture-payment", {"booking_id": "bkg_500"})
    platform.do("cancel-booking", {"booking_id": "bkg_500", "cause": "unavoidable_circumstances"})
    cancellation = last(platform, "booking.cancelled")["cancellation"]
    assert cancellation["penalty"] == {"amount": eur(0), "treatment": "none"}
    assert cancellation["refund"]["amount"] == eur(100500)


def test_one_traveller_leaves_with_the_share_of_every_line(platform: Platform) -> None:
    platform.do("capture-payment", {"booking_id": "bkg_500"})
    platform.do("cancel-booking", {"booking_id": "bkg_500", "traveller_ids": ["trv_02"], "penalty": eur(1000)})
    booking = platform.booking("bkg_500")
    assert [(line["quantity"], line["traveller_ids"]) for line in booking["lines"]] == [(1, ["trv_01"])] * 2
    assert totals(platform) | {"gross": 50250, "total": 51250, "cost": 39500, "due": -49250} == totals(platform)
    assert booking["status"] == "confirmed"
    assert last(platform, "booking.cancelled")["cancellation"]["scope"] == "partial"


def test_removing_a_service_keeps_its_line_and_lowers_price_and_cost(platform: Platform) -> None:
    wish = {"booking_id": "bkg_500", "action": "removed", "line_id": "lin_02", "supplier_charge": eur(500)}
    platform.do("change-service", wish)
    data = last(platform, "booking.service_changed")
    assert (data["price_effect"]["delta"], data["cost_effect"]["delta"]) == (eur(-18000), eur(-12500))
    assert data["service_change"]["line_after"] is None
    assert [line["status"] for line in data["booking"]["lines"]] == ["active", "cancelled"]
    assert data["aggregate"]["revision"] == 2


def test_an_added_hotel_is_ordered_at_the_hotel_supplier(platform: Platform) -> None:
    platform.do(
        "change-service", {"booking_id": "bkg_500", "action": "added", "service_id": "svc_hotel", "quantity": 1}
    )
    orders = platform.booking("bkg_500")["external_orders"]
    assert [order["partner_order_ref"] for order in orders] == ["bkg_500-lin_01", "bkg_500-lin_03"]
    assert (
        last(platform, "booking.service_changed")["service_change"]["line_after"]["cost"]["supplier_ref"]
        == (orders[1]["order_ref"])
    )


def test_a_price_change_moves_the_plan_and_asks_the_customer_if_it_grew(platform: Platform) -> None:
    platform.do("create-plan", {"booking_id": "bkg_500", "id": "plan_50"})
    platform.do("apply-discount", DISCOUNT)
    assert last(platform, "payment_plan.changed")["sca_required"] is False
    wish = {"booking_id": "bkg_500", "action": "repriced", "line_id": "lin_02", "unit_price": eur(20000)}
    platform.do("change-service", wish)
    data = last(platform, "payment_plan.changed")
    assert data["sca_required"] is True
    assert data["payment_plan"]["revision"] == 3
    assert sum(item["amount"]["amount"] for item in data["payment_plan"]["installments"]) == 117500


def test_money_has_its_own_events_and_leaves_the_booking_s_revision(platform: Platform) -> None:
    platform.do("capture-payment", {"booking_id": "bkg_500"})
    assert platform.booking("bkg_500")["revision"] == 1
    assert kinds(platform) == ["experience.created", "booking.created", "payment.captured"]


def test_the_first_money_confirms_a_pending_booking() -> None:
    platform = sold(Platform(now=lambda: NOW), pending=True)
    platform.do("capture-payment", {"booking_id": "bkg_500"})
    assert platform.booking("bkg_500")["status"] == "confirmed"
    assert {"path": "/status", "from": "pending", "to": "confirmed"} in last(platform, "booking.modified")["changes"]


def test_a_dispute_moves_money_only_at_withdrawal_and_when_won(platform: Platform) -> None:
    payment_id = platform.do("capture-payment", {"booking_id": "bkg_500"})["id"]
    due = []
    chargeback_id = None
    for stage in ("opened", "funds_withdrawn", "under_review", "won"):
        wish = {"payment_id": payment_id, "stage": stage, "chargeback_id": chargeback_id}
        chargeback_id = platform.do("chargeback", wish)["chargebacks"][0]["id"]
        due.append(totals(platform)["due"])
    assert due == [0, 100500, 100500, 0]
    revisions = [e["data"]["aggregate"]["revision"] for e in told(platform) if ".payment.chargeback." in e["type"]]
    assert revisions == [2, 3, 4, 5]


def test_a_refund_that_fails_is_owed_again(platform: Platform) -> None:
    payment_id = platform.do("capture-payment", {"booking_id": "bkg_500"})["id"]
    platform.do("apply-discount", DISCOUNT)
    refund_id = platform.do("refund", {"booking_id": "bkg_500", "cause": "discount"})["id"]
    assert totals(platform)["due"] == 0
    platform.do("fail-refund", {"payment_id": payment_id, "refund_id": refund_id})
    assert totals(platform)["due"] == -5000


def test_more_than_was_paid_is_never_given_back(platform: Platform) -> None:
    platform.do("capture-payment", {"booking_id": "bkg_500", "amount": eur(1000)})
    with pytest.raises(Conflict):
        platform.do("refund", {"booking_id": "bkg_500", "amount": eur(1001)})
    assert "payment.refunded" not in kinds(platform)
    assert totals(platform)["refunded"] == 0


@pytest.mark.parametrize(
    ("verb", "wish", "error"),
    [
        ("capture-payment", {"booking_id": "bkg_99"}, Unknown),
        ("capture-payment", {}, Wrong),
        ("capture-payment", {"booking_id": "bkg_500", "amount": {"amount": 10, "currency": "USD"}}, Wrong),
        ("capture-payment", {"booking_id": "bkg_500", "amount": {"amount": 1.5, "currency": "EUR"}}, Wrong),
        ("apply-discount", {**DISCOUNT, "value": eur(100501)}, Wrong),
        ("create-booking", BOOKING, Conflict),
        ("create-experience", EXPERIENCE, Conflict),
        ("sell-everything", {}, Unknown),
    ],
)
def test_a_wish_that_cannot_be_granted_changes_nothing(
    platform: Platform, verb: str, wish: Doc, error: type[Exception]
) -> None:
    with pytest.raises(error):
        platform.do(verb, wish)
    assert kinds(platform) == ["experience.created", "booking.created"]


def test_the_same_key_twice_happens_once(platform: Platform) -> None:
    first = platform.do("capture-payment", {"booking_id": "bkg_500"}, key="k1")
    assert platform.do("capture-payment", {"booking_id": "bkg_500"}, key="k1") == first
    assert kinds(platform).count("payment.captured") == 1


def planned(platform: Platform) -> Doc:
    platform.do("create-plan", {"booking_id": "bkg_500", "id": "plan_50"})
    return {"plan_id": "plan_50", "installment_id": "ins_502", "merchant_ref": "m-1", "amount": eur(40200)}


def test_a_charge_is_made_once_per_merchant_ref(platform: Platform) -> None:
    wish = planned(platform)
    first = platform.do("charge", wish)["charge"]
    assert platform.do("charge", wish)["charge"] == first
    assert first["status"] == "captured"
    payment = last(platform, "payment.captured")["payment"]
    assert (payment["plan_id"], payment["installment_id"], payment["initiation"]) == ("plan_50", "ins_502", "mit")
    assert kinds(platform).count("payment.captured") == 1
    with pytest.raises(Conflict):
        platform.do("charge", {**wish, "merchant_ref": "m-2"})
    with pytest.raises(Conflict):
        platform.do("charge", {**wish, "installment_id": "ins_501"})


def test_scripted_declines_come_in_order_and_tell_the_attempt(platform: Platform) -> None:
    wish = planned(platform)
    platform.do("script-charges", {"target": "plan_50", "outcomes": ["soft", "hard"]})
    answers = [platform.do("charge", {**wish, "merchant_ref": f"m-{at}"})["charge"] for at in (1, 2, 3)]
    assert [answer["status"] for answer in answers] == ["declined", "declined", "captured"]
    failures = [event["data"]["failure"] for event in told(platform) if ".payment.failed." in event["type"]]
    assert [(failure["category"], failure["attempt_no"]) for failure in failures] == [("soft", 1), ("hard", 2)]
    assert "captured_at" not in last(platform, "payment.failed")["payment"]


def test_nothing_is_charged_after_a_cancellation(platform: Platform) -> None:
    wish = planned(platform)
    platform.do("cancel-booking", {"booking_id": "bkg_500"})
    assert last(platform, "payment_plan.changed")["cause"] == "booking_cancelled"
    with pytest.raises(Conflict):
        platform.do("charge", wish)


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    path = tmp_path / "platform.sqlite"
    first = sold(Platform(path, now=lambda: NOW))
    first.do("capture-payment", {"booking_id": "bkg_500"}, key="k1")
    before = (first.booking("bkg_500"), told(first), first.storage.deliveries_summary())
    first.storage.close()
    second = Platform(path, now=lambda: NOW)
    assert (second.booking("bkg_500"), told(second), second.storage.deliveries_summary()) == before
    second.do("capture-payment", {"booking_id": "bkg_500"}, key="k1")
    second.do("apply-discount", DISCOUNT)
    assert [event["sequence"] for event in told(second)] == [f"{at:020d}" for at in range(1, 5)]


def test_every_event_meets_the_contract(platform: Platform) -> None:
    payment_id = platform.do("capture-payment", {"booking_id": "bkg_500", "amount": eur(30000), "method": "bizum"})[
        "id"
    ]
    planned(platform)
    platform.do("fail-payment", {"booking_id": "bkg_500", "category": "authentication_required"})
    discount_id = platform.do("apply-discount", DISCOUNT)["snapshot"]["discounts"][0]["id"]
    platform.do("revoke-discount", {"booking_id": "bkg_500", "discount_id": discount_id})
    platform.do("modify-booking", {"booking_id": "bkg_500", "travellers": [{"id": "trv_02", "first_name": "Marta"}]})
    platform.do("change-service", {"booking_id": "bkg_500", "action": "added", "service_id": "svc_bus", "quantity": 1})
    platform.do("change-plan", {"plan_id": "plan_50", "due_on": {"ins_502": "2027-04-01"}})
    platform.do("chargeback", {"payment_id": payment_id, "stage": "funds_withdrawn", "fee": eur(2000)})
    refund_id = platform.do("refund", {"payment_id": payment_id, "amount": eur(100)})["id"]
    platform.do("fail-refund", {"payment_id": payment_id, "refund_id": refund_id})
    platform.do("update-experience", {"experience_id": "exp_31", "set": {"starts_on": "2027-06-21"}})
    platform.do("cancel-booking", {"booking_id": "bkg_500"})
    platform.do("cancel-experience", {"experience_id": "exp_31", "cause": "min_travellers"})
    assert set(kinds(platform)) == set(REQUIRED)
    for event in told(platform):
        parsed = CloudEvent.model_validate(event)
        data = EventData.model_validate(parsed.data)
        kind = parsed.kind("example.planner")
        assert kind is not None
        assert all(member in parsed.data for member in REQUIRED[kind])
        assert parsed.subject == f"{data.aggregate.type}/{data.aggregate.id}"
        assert parsed.partitionkey == ("exp_31" if kind.startswith("experience.") else "bkg_500")
