"""The platform as a gateway: what it shows of money, orders to its processor, cases by hand (contracts: payment-sync 6.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.giving_back import GivingBack
from activities.platform.gateway import PlatformGateway
from activities.platform.settings import PlatformAccount
from domain.duplicates import RefundOrderStep
from domain.errors import ContractBroken, Refused
from domain.money import Money
from domain.ports import RefundCase
from tests.activities.platform import trip
from tests.activities.platform.world import World

PART = Money(amount=10000, currency="EUR")
TRIES = 12


def account(world: World, refunds: str) -> PlatformAccount:
    return replace(world.account, settings=world.account.settings.model_copy(update={"refunds": refunds}))


def gateway(world: World, refunds: str = "by_hand") -> PlatformGateway:
    return PlatformGateway(account(world, refunds), world.store, trip.AGENCY)


def captured(world: World, **more: Any) -> str:
    world.sell()
    paid = str(world.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501", **more)["id"])
    world.deliver()
    return paid


def cells(world: World) -> GivingBack:
    return GivingBack(world.store, lambda agency, _: PlatformGateway(account(world, "processor"), world.store, agency))


def step(paid: str, number: int = 1, amount: Money = PART, case_id: str = "") -> RefundOrderStep:
    return RefundOrderStep(
        agency=trip.AGENCY,
        booking_id="bkg_500",
        experience_id="exp_31",
        payment_id=paid,
        amount=amount,
        method="card",
        number=number,
        case_id=case_id,
    )


def insist(cell: Callable[[RefundOrderStep], RefundCase], given: RefundOrderStep) -> RefundCase:
    """As Temporal does: again and again, while the failure says that it may be tried again."""
    for _ in range(TRIES):
        try:
            return cell(given)
        except ApplicationError as error:
            if error.non_retryable:
                raise
    raise AssertionError(f"no answer in {TRIES} tries")


def orders(world: World) -> list[tuple[int, str]]:
    """Every order that the processor has taken: minor units and how it stands."""
    return [(each["amount"]["amount"], each["status"]) for each in world.stand_in.state()["refund_order"].values()]


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_a_refund_is_a_case_for_a_person_until_the_platform_shows_it(world: World) -> None:
    paid, port = captured(world), gateway(world)
    shown = port.get_payment(paid)
    assert shown is not None
    assert (shown.state, shown.amount.amount, shown.refunded.amount) == ("captured", 30000, 0)
    case = port.request_refund(paid, PART, "paid twice", "dup_1")
    assert (case.state, case.by_hand) == ("requested", True)
    assert port.request_refund(paid, PART, "paid twice", "dup_1").case_id == case.case_id
    assert port.get_refund(case.case_id).state == "requested"
    world.do("refund", payment_id=paid, amount=trip.eur(10000), status="succeeded")
    assert port.get_refund(case.case_id).state == "done"
    shown = port.get_payment(paid)
    assert shown is not None
    assert (shown.state, shown.refunded) == ("partly_refunded", PART)
    assert orders(world) == []


def test_no_more_is_asked_for_than_is_left_and_nothing_of_what_is_unknown(world: World) -> None:
    paid, port = captured(world), gateway(world)
    with pytest.raises(Refused, match="300"):
        port.request_refund(paid, Money(amount=30001, currency="EUR"), "paid twice", "dup_2")
    with pytest.raises(Refused, match="no payment"):
        port.request_refund("pay_nobody", PART, "paid twice", "dup_3")
    assert port.get_payment("pay_nobody") is None
    with pytest.raises(ContractBroken):
        port.get_refund("what is this")


@pytest.mark.parametrize("paid_by", [{"method": "transfer"}, {"method": "cash", "declared": True}, {"declared": True}])
def test_what_has_no_way_back_through_the_processor_is_a_case_for_a_person(
    world: World, paid_by: dict[str, Any]
) -> None:
    paid = captured(world, **paid_by)
    case = cells(world).request_refund(step(paid))
    assert (case.state, case.by_hand) == ("requested", True)
    assert "declare it" in case.words
    assert orders(world) == []


def test_where_the_platform_cannot_be_asked_a_case_ends_with_what_it_told(world: World) -> None:
    paid = captured(world)
    port = PlatformGateway(replace(account(world, "processor"), client=None), world.store, trip.AGENCY)
    case = port.request_refund(paid, PART, "paid twice", "dup_4")
    assert (case.state, case.by_hand) == ("requested", True)
    world.do("refund", payment_id=paid, amount=trip.eur(10000))
    world.deliver()
    assert port.get_refund(case.case_id).state == "done"


# -- by order ----------------------------------------------------------------------------------------------------------


def test_the_processor_gives_back_what_was_ordered_and_the_platform_tells_it_as_a_duplicate(world: World) -> None:
    paid = captured(world)
    case = cells(world).request_refund(step(paid))
    assert (case.state, case.by_hand) == ("done", False)
    assert cells(world).get_refund(step(paid, case_id=case.case_id)) == case
    world.deliver()
    (refund,) = world.store.facts.refunds_of(trip.AGENCY, "bkg_500")
    assert (refund.id, refund.amount, refund.cause, refund.status) == (case.words, PART, "duplicate", "succeeded")


@pytest.mark.covers("F-R1")
@pytest.mark.parametrize(
    "fault", ["drop-after", "error-after", "empty", "malformed", "drop-before", "error-before", "hang"]
)
def test_whatever_becomes_of_the_answer_there_is_one_refund(world: World, fault: str) -> None:
    paid = captured(world)
    world.fault("refunds.create", fault, seconds=0.1)
    case = insist(cells(world).request_refund, step(paid))
    assert (case.state, orders(world)) == ("done", [(10000, "succeeded")])
    assert insist(cells(world).request_refund, step(paid)) == case, "asked again it is the same refund"
    assert orders(world) == [(10000, "succeeded")]


@pytest.mark.covers("F-R1")
def test_an_order_whose_look_ups_fail_too_is_not_sent_again_before_one_has_answered(world: World) -> None:
    paid = captured(world)
    world.fault("refunds.create", "drop-after")
    world.fault("refunds.find", "error-before", times=4)
    assert insist(cells(world).request_refund, step(paid)).state == "done"
    assert orders(world) == [(10000, "succeeded")]


@pytest.mark.covers("F-R2")
def test_a_refusal_stands_under_its_number_and_what_is_asked_anew_is_another_refund(world: World) -> None:
    paid = captured(world)
    world.fault("refunds.create", "refuse")
    refused = cells(world).request_refund(step(paid))
    assert (refused.state, "was refused" in refused.words) == ("refused", True)
    assert cells(world).request_refund(step(paid)).state == "refused", "it is not sent again by itself"
    assert orders(world) == []
    assert cells(world).request_refund(step(paid, number=2)).state == "done"
    assert orders(world) == [(10000, "succeeded")]


@pytest.mark.covers("F-R3")
def test_an_order_that_was_taken_and_failed_later_is_refused_when_it_is_looked_at(world: World) -> None:
    paid = captured(world)
    world.do("script-refund-orders", payment_id=paid, outcomes=["pending"])
    case = cells(world).request_refund(step(paid))
    look = step(paid, case_id=case.case_id)
    assert (case.state, cells(world).get_refund(look).state) == ("requested", "requested")
    world.do("settle-refund-order", payment_id=paid, status="failed")
    seen = cells(world).get_refund(look)
    assert (seen.state, seen.words) == ("refused", "expired_or_canceled_card")
    assert cells(world).request_refund(step(paid)).state == "refused", "the same number is the same refund"
    world.deliver()
    assert world.store.facts.refunds_of(trip.AGENCY, "bkg_500") == []


def test_more_than_is_left_is_refused_by_the_processor(world: World) -> None:
    paid = captured(world)
    world.do("refund", payment_id=paid, amount=trip.eur(25000))
    assert cells(world).request_refund(step(paid)).state == "refused"
    assert orders(world) == []


@pytest.mark.covers("M6", "F-R9")
def test_no_refund_is_ordered_beside_a_dispute(world: World) -> None:
    paid = captured(world)
    opened = world.do("chargeback", payment_id=paid, stage="opened")
    world.deliver()
    beside = cells(world).request_refund(step(paid))
    assert (beside.state, "dispute" in beside.words) == ("refused", True)
    # Nothing was sent: once the bank has decided the same number may be asked for.
    chargeback = opened["chargebacks"][0]["id"]
    world.do("chargeback", payment_id=paid, stage="won", chargeback_id=chargeback)
    world.deliver()
    assert cells(world).request_refund(step(paid)).state == "done"
