"""The platform as a gateway: what it shows of money, and refunds that a planner declares (contracts: payment-sync 6.2)."""

from __future__ import annotations

import pytest

from activities.platform.gateway import PlatformGateway
from domain.errors import ContractBroken, Refused
from domain.money import Money
from tests.activities.platform import trip
from tests.activities.platform.world import World

PART = Money(amount=10000, currency="EUR")


def gateway(world: World) -> PlatformGateway:
    assert world.account.client is not None
    return PlatformGateway(world.account.client, world.store, trip.AGENCY)


def captured(world: World) -> str:
    world.sell()
    paid = str(world.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501")["id"])
    world.deliver()
    return paid


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


def test_no_more_is_asked_for_than_is_left_and_nothing_of_what_is_unknown(world: World) -> None:
    paid, port = captured(world), gateway(world)
    with pytest.raises(Refused, match="300"):
        port.request_refund(paid, Money(amount=30001, currency="EUR"), "paid twice", "dup_2")
    with pytest.raises(Refused, match="no payment"):
        port.request_refund("pay_nobody", PART, "paid twice", "dup_3")
    assert port.get_payment("pay_nobody") is None
    with pytest.raises(ContractBroken):
        port.get_refund("what is this")
