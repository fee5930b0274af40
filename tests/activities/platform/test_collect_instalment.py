"""Collecting an instalment: charged once, never more than is due, never on a cancelled booking (money-rules 1.7, F-P)."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.platform.activities import PlatformActivities
from activities.platform.mapping import still_due, what_to_charge
from activities.platform.settings import PlatformAccount
from domain.money import Money
from domain.platform import Chargeback, Payment, PaymentPlan, Refund
from domain.steps import ChargeResult
from store.installation import PlatformSettings
from tests.activities.platform import trip
from tests.activities.platform.world import World, collecting


@pytest.fixture
def ready(world: World) -> World:
    world.sell()
    world.deliver()
    return world


def eur(cents: int) -> Money:
    return Money(amount=cents, currency="EUR")


def test_automatic_instalment_is_charged_under_its_merchant_reference(ready: World) -> None:
    result = ready.cells.collect_instalment(collecting())
    (charge,) = ready.charges()
    assert result == ChargeResult(status="captured", payment_id=charge["payment_id"])
    assert (charge["merchant_ref"], charge["amount"]["amount"]) == ("plan_50-1-1", 30000)


def test_same_attempt_is_one_charge(ready: World) -> None:
    first = ready.cells.collect_instalment(collecting())
    assert ready.cells.collect_instalment(collecting()) == first
    assert len(ready.charges()) == 1


@pytest.mark.parametrize("kind", ["drop-after", "error-after", "malformed"])
def test_lost_answer_to_a_charge_is_looked_up_by_its_reference(kind: str, ready: World) -> None:
    ready.fault("charges.create", kind)
    with pytest.raises(ApplicationError) as caught:
        ready.cells.collect_instalment(collecting())
    assert caught.value.type == "UnknownOutcome"
    assert ready.cells.collect_instalment(collecting()).status == "captured"
    assert len(ready.charges()) == 1


@pytest.mark.parametrize("kind", ["drop-before", "error-before", "page-503", "late"])
def test_charge_that_did_not_arrive_is_made_once(kind: str, ready: World) -> None:
    ready.fault("charges.create", kind, seconds=0.05)
    result = None
    for _ in range(5):
        try:
            result = ready.cells.collect_instalment(collecting())
            break
        except ApplicationError as error:
            if error.type != "UnknownOutcome":
                raise
    assert result is not None
    assert result.status == "captured"
    assert len(ready.charges()) == 1


@pytest.mark.parametrize(
    ("outcome", "category"),
    [("soft", "soft"), ("hard", "hard"), ("authentication_required", "authentication_required"), ("technical", "soft")],
)
def test_decline_is_an_answer_and_the_next_attempt_a_new_charge(outcome: str, category: str, ready: World) -> None:
    ready.do("script-charges", target="plan_50", outcomes=[outcome])
    declined = ready.cells.collect_instalment(collecting())
    assert (declined.status, declined.category) == ("declined", category)
    assert declined.message
    assert ready.cells.collect_instalment(collecting()) == declined
    assert len(ready.charges()) == 1


def test_second_attempt_after_a_soft_decline_is_captured(ready: World) -> None:
    ready.do("script-charges", target="plan_50", outcomes=["soft"])
    ready.cells.collect_instalment(collecting())
    ready.deliver()
    assert ready.cells.collect_instalment(collecting(attempt=2)).status == "captured"


def test_instalment_paid_by_the_customer_is_not_charged(ready: World) -> None:
    paid = ready.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501")
    ready.deliver()
    assert ready.cells.collect_instalment(collecting()) == ChargeResult(status="already_paid", payment_id=paid["id"])
    assert not ready.charges()


def test_instalment_paid_before_its_event_arrived_is_found_out_at_the_processor(ready: World) -> None:
    paid = ready.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501")
    assert ready.cells.collect_instalment(collecting()) == ChargeResult(status="already_paid", payment_id=paid["id"])
    assert not ready.charges()


@pytest.mark.covers("F-P16", "F-P15")
def test_a_transfer_that_is_short_leaves_only_the_rest_to_be_charged(ready: World) -> None:
    ready.do("capture-payment", booking_id="bkg_500", amount=trip.eur(20000), method="transfer")
    ready.deliver()
    assert ready.cells.collect_instalment(collecting()).status == "captured"
    assert [charge["amount"]["amount"] for charge in ready.charges()] == [10000]
    ready.deliver()
    paid = ready.store.facts.payments_of(trip.AGENCY, "bkg_500")
    assert sum(each.amount.amount for each in paid) == 30000, "together the first instalment"


@pytest.mark.covers("F-P16")
def test_a_transfer_that_is_over_pays_of_the_next_instalment_too(ready: World) -> None:
    ready.do("capture-payment", booking_id="bkg_500", amount=trip.eur(35000), method="transfer")
    ready.deliver()
    assert ready.cells.collect_instalment(collecting()).status == "already_paid"
    assert ready.cells.collect_instalment(collecting(seq=2)).status == "captured"
    assert [charge["amount"]["amount"] for charge in ready.charges()] == [35000]


@pytest.mark.covers("F-P10", "1.7.9")
@pytest.mark.parametrize(
    ("stages", "status"),
    [(["opened"], "frozen"), (["opened", "funds_withdrawn"], "frozen"), (["funds_withdrawn", "won"], "captured")],
)
def test_nothing_is_charged_while_a_payment_of_the_booking_is_disputed(
    ready: World, stages: list[str], status: str
) -> None:
    paid = ready.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501")["id"]
    disputed = None
    for stage in stages:
        made = ready.do("chargeback", payment_id=paid, chargeback_id=disputed, stage=stage)
        disputed = made["chargebacks"][-1]["id"]
    ready.deliver()
    assert ready.cells.collect_instalment(collecting(seq=2)).status == status


def test_cancelled_booking_freezes_its_instalments(ready: World) -> None:
    ready.do("cancel-booking", booking_id="bkg_500")
    ready.deliver()
    assert ready.cells.collect_instalment(collecting()).status == "frozen"
    assert not ready.charges()


def test_cancellation_that_has_not_arrived_freezes_at_the_processor(ready: World) -> None:
    ready.do("cancel-booking", booking_id="bkg_500")
    assert ready.cells.collect_instalment(collecting()).status == "frozen"
    assert not ready.charges()


def test_charge_in_flight_when_the_booking_was_cancelled_is_not_hidden(ready: World) -> None:
    ready.fault("charges.create", "drop-after")
    with pytest.raises(ApplicationError):
        ready.cells.collect_instalment(collecting())
    ready.do("cancel-booking", booking_id="bkg_500")
    ready.deliver()
    (charge,) = ready.charges()
    result = ready.cells.collect_instalment(collecting())
    assert (result.status, result.payment_id) == ("captured", charge["payment_id"])
    assert not ready.store.effects.unsettled(trip.AGENCY)


def test_plan_on_notice_sends_a_link_and_charges_nothing(world: World) -> None:
    world.sell(collection="on_notice")
    world.deliver()
    assert world.cells.collect_instalment(collecting()).status == "link_sent"
    assert not world.charges()


def test_refusal_of_the_processor_goes_to_a_person(ready: World) -> None:
    ready.fault("charges.create", "refuse")
    with pytest.raises(ApplicationError) as caught:
        ready.cells.collect_instalment(collecting())
    assert caught.value.type == "Refused"


def test_throttled_charge_waits_as_long_as_it_is_told(ready: World) -> None:
    ready.fault("charges.create", "throttle", seconds=9)
    with pytest.raises(ApplicationError) as caught:
        ready.cells.collect_instalment(collecting())
    assert caught.value.next_retry_delay is not None
    assert caught.value.next_retry_delay.total_seconds() == 9
    assert ready.cells.collect_instalment(collecting()).status == "captured"


def test_plan_without_its_booking_waits(world: World) -> None:
    world.sell()
    world.deliver(without=("booking.created",))
    with pytest.raises(ApplicationError) as caught:
        world.cells.collect_instalment(collecting())
    assert caught.value.type == "Transient"


def test_agency_without_an_address_cannot_charge_and_says_so(ready: World) -> None:
    account = PlatformAccount.open(PlatformSettings(source=ready.settings.source), "test")
    with pytest.raises(ApplicationError, match="no address in the settings"):
        PlatformActivities(ready.store, {trip.AGENCY: account}).collect_instalment(collecting())


def decided(plan: trip.Doc, due: int = 100500, seq: int = 2, paid: dict[str, str] | None = None, **booking: Any) -> Any:
    return what_to_charge(
        PaymentPlan.model_validate(plan),
        "plan_50",
        f"ins_0{seq}",
        trip.as_booking(trip.booking(**booking)),
        paid or {},
        eur(due),
    )


def test_never_more_than_what_is_due() -> None:
    _, amount = decided(trip.plan(), due=10000)
    assert amount == eur(10000)


@pytest.mark.parametrize(
    ("verdict", "status", "category"),
    [
        (decided(trip.plan(), due=0), "already_paid", None),
        (decided(trip.plan(), seq=1), "already_paid", None),
        (decided(trip.plan(), paid={"ins_02": "pay_1002"}), "already_paid", None),
        (decided(trip.plan(), status="cancelled"), "frozen", None),
        (decided(trip.plan(("paid", "cancelled", "scheduled"))), "frozen", None),
        (decided(trip.plan(("paid", "waived", "scheduled"))), "frozen", None),
        (decided(trip.plan(id="plan_51")), "frozen", None),
        (decided(trip.plan(), seq=9), "frozen", None),
    ],
)
def test_reasons_not_to_charge(verdict: ChargeResult, status: str, category: str | None) -> None:
    assert (verdict.status, verdict.category) == (status, category)


def refund(cents: int) -> Refund:
    return Refund.model_validate(
        {
            "id": "ref_09",
            "payment_id": "pay_1001",
            "booking_id": "bkg_500",
            "amount": trip.eur(cents),
            "cause": "duplicate",
            "status": "declared",
            "processor": {"name": "stripe"},
            "requested_at": "2027-03-02T08:00:00Z",
        }
    )


def chargeback(stage: str) -> Chargeback:
    return Chargeback.model_validate(
        {
            "id": "cbk_02",
            "payment_id": "pay_1001",
            "booking_id": "bkg_500",
            "amount": trip.eur(30000),
            "kind": "card_dispute",
            "stage": stage,
            "reason_code": "13.7",
            "opened_at": "2027-02-01T00:00:00Z",
        }
    )


@pytest.mark.parametrize(
    ("snapshot_captured", "payments", "refunds", "stages", "due"),
    [
        (0, 0, [], [], 100500),
        (30000, 1, [], [], 70500),
        (0, 1, [], [], 70500),
        (30000, 0, [], [], 70500),
        (30000, 1, [10000], [], 70500),
        (0, 1, [10000], [], 80500),
        (0, 1, [], ["funds_withdrawn"], 100500),
        (0, 1, [], ["funds_withdrawn", "won"], 70500),
        (0, 1, [], ["opened"], 70500),
    ],
)
def test_due_is_the_more_cautious_of_snapshot_and_facts(
    snapshot_captured: int, payments: int, refunds: list[int], stages: list[str], due: int
) -> None:
    booking = trip.as_booking(trip.booking(captured=snapshot_captured))
    captured = [Payment.model_validate(trip.payment())] * payments
    back = [refund(cents) for cents in refunds]
    assert still_due(booking, captured, back, [chargeback(stage) for stage in stages]) == eur(due)
