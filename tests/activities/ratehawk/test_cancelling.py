"""Orders are cancelled once, in time, whatever happens on the way (contracts: midoffice 2.8, 2.11; money-rules F-M2 to F-X3)."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.effects import EffectState
from domain.money import Money
from domain.supplier import RATEHAWK
from domain.supplier_steps import ChargeStep, FeedStep, OrderCancelled, OrderStep, SupplierPlan
from tests import stories
from tests.activities.ratehawk.office import FIRST, LINES, SECOND, Back, one

CANCEL, INFO = "hotel/order/cancel/", "hotel/order/info/"
FREE = Money(amount=0, currency="EUR")


def insist(back: Back, step: OrderStep, rounds: int = 40) -> OrderCancelled:
    """What Temporal does with retryable failures: it comes again when it was told to, by the stand-in's clock."""
    for _ in range(rounds):
        try:
            return back.cells.cancel_order(step)
        except ApplicationError as error:
            if error.non_retryable:
                raise
            wait = error.next_retry_delay
            back.house.clock.later(seconds=wait.total_seconds() if wait else 60)
    raise AssertionError(f"not done after {rounds} rounds")


def refused(back: Back, step: OrderStep, rounds: int = 400) -> tuple[str, dict[str, Any]]:
    with pytest.raises(ApplicationError) as caught:
        insist(back, step, rounds)
    return str(caught.value.type), caught.value.details[0]


def status(back: Back, partner: str = FIRST) -> str:
    return str(back.house.orders.known(partner)["status"])


# What a snapshot asks for ------------------------------------------------------------------------------------------------


def test_a_cancellation_asks_for_the_orders_of_the_booking_and_their_deadline(back: Back) -> None:
    back.sold()
    placed = back.ordered()
    plan = back.cells.plan_orders(back.cancelled())
    assert [order.partner_order_id for order in plan.cancel] == [FIRST]
    dearer = plan.cancel[0].dearer_at
    assert dearer is not None
    assert f"{dearer:%Y-%m-%dT%H:%M:%S}" == placed["cancellation_info"]["free_cancellation_before"]
    assert plan.confirm == ()


def test_a_change_without_another_order_asks_for_nothing(back: Back) -> None:
    back.sold()
    back.ordered()
    plan = back.cells.plan_orders(back.sold(2, discounts=[]))
    assert (plan.cancel, plan.confirm, plan.notes) == ((), (), ())


def test_a_replaced_order_is_cancelled_after_the_new_one_is_confirmed(back: Back) -> None:
    back.sold()
    back.ordered()
    plan = back.cells.plan_orders(back.sold(2, FIRST, SECOND))
    assert [order.partner_order_id for order in plan.cancel] == [FIRST]
    assert [order.partner_order_id for order in plan.confirm] == [SECOND]


def test_only_orders_of_this_supplier_and_of_agencies_that_have_it_are_touched(back: Back) -> None:
    back.sold()
    back.ordered()
    others = [dict(LINES[0], cost=dict(LINES[0]["cost"], supplier_id="sup_direct")), LINES[1]]
    assert back.cells.plan_orders(back.sold(2, status="confirmed", lines=others)).cancel == ()


def test_an_agency_without_the_supplier_is_told_what_to_cancel_by_hand(back: Back) -> None:
    back.cells._accounts = {}
    assert back.cells.plan_orders(back.sold()) == SupplierPlan()
    plan = back.cells.plan_orders(back.cancelled())
    assert (plan.cancel, plan.confirm) == ((), ())
    assert plan.notes == (f"cancel at RateHawk by hand, where it is not connected: {FIRST}",)
    assert back.house.calls(CANCEL) == 0


def test_an_order_stands_when_nobody_came(back: Back) -> None:
    back.sold()
    back.ordered()
    plan = back.cells.plan_orders(back.cancelled(cause="no_show"))
    assert plan.cancel == ()
    assert plan.notes == ("nobody came, so the orders at RateHawk stand",)


# Confirming ---------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("F-M2")
def test_a_change_that_the_supplier_refuses_asks_before_anything_is_cancelled(back: Back) -> None:
    back.sold()
    back.ordered()
    step = back.sold(2, FIRST, SECOND)
    back.house.place(SECOND, amount="660.00")
    back.house.orders.change(SECOND, {"status": "failed"})
    with pytest.raises(ApplicationError) as caught:
        back.cells.confirm_order(one(step, SECOND))
    assert caught.value.details[0]["code"] == "supplier_order_failed"
    assert status(back, FIRST) == "completed"
    assert back.house.calls(CANCEL) == 0


def test_a_new_order_that_does_not_show_yet_is_waited_for(back: Back) -> None:
    back.sold()
    step = one(back.sold(2, FIRST, SECOND), SECOND)
    with pytest.raises(ApplicationError) as caught:
        back.cells.confirm_order(step)
    assert not caught.value.non_retryable
    back.house.place(SECOND, amount="660.00")
    assert set(back.cells.confirm_order(step).ids) == {"order"}


# Cancelling ---------------------------------------------------------------------------------------------------------------


def test_the_webhook_of_our_own_cancellation_hands_over_what_the_cancellation_has_read(back: Back) -> None:
    back.sold()
    back.ordered()
    back.cells.cancel_order(one(back.cancelled()))
    back.store.supplier_feeds.nudge(stories.AGENCY, RATEHAWK, "token", "cancelled", FIRST)
    assert back.cells.read_nudged(FeedStep(agency=stories.AGENCY, supplier=RATEHAWK)).changed == 1
    assert back.store.supplier_orders.to_hand_over() == 1


def test_an_order_is_cancelled_once_and_the_second_time_nobody_is_asked_to(back: Back) -> None:
    back.sold()
    back.ordered()
    step = one(back.cancelled())
    assert back.cells.cancel_order(step) == OrderCancelled(charged=FREE, expected=FREE)
    assert back.cells.cancel_order(step).charged == FREE
    assert (status(back), back.house.calls(CANCEL)) == ("cancelled", 1)


@pytest.mark.covers("F-X2")
@pytest.mark.parametrize("kind", ["drop-after", "error-after", "malformed"])
def test_a_cancellation_whose_answer_was_lost_is_looked_up_and_not_sent_again(back: Back, kind: str) -> None:
    back.sold()
    back.ordered()
    back.house.fault(CANCEL, kind)
    assert insist(back, one(back.cancelled())).charged == FREE
    assert (status(back), back.house.calls(CANCEL)) == ("cancelled", 1)
    (effect,) = back.store.effects.of_booking(stories.AGENCY, "bkg_500", "ratehawk")
    assert effect.state is EffectState.DONE


@pytest.mark.covers("F-X2")
@pytest.mark.parametrize("kind", ["drop-before", "error-before", "throttle", "page-503"])
def test_a_cancellation_that_did_not_arrive_is_sent_again(back: Back, kind: str) -> None:
    back.sold()
    back.ordered()
    back.house.fault(CANCEL, kind, times=2)
    assert insist(back, one(back.cancelled())).charged == FREE
    assert status(back) == "cancelled"


@pytest.mark.covers("F-X2")
def test_a_supplier_that_stays_away_is_tried_until_a_day_before_the_deadline_and_then_a_person_is_asked(
    back: Back,
) -> None:
    back.sold()
    placed = back.ordered(free_until="2026-11-21T11:00:00+00:00")
    step = one(back.cancelled())
    back.house.fault(CANCEL, "error-before", times=None)
    kind, said = refused(back, step)
    assert (kind, said["code"]) == ("NeedsPerson", "supplier_cancellation")
    assert f"{back.house.clock.now:%d %H}" == "20 11", "a day before the 21st, 11:00, and not sooner"
    assert back.house.calls(CANCEL) > 6
    back.house.stand_in.faults.clear()
    back.store.effects.rearm(said["effect"])
    assert insist(back, step).charged == FREE
    assert placed["status"] == "cancelled"


@pytest.mark.covers("F-X2", "F-M4")
def test_an_order_that_cannot_be_read_any_more_is_urgent_too(back: Back) -> None:
    back.sold()
    back.ordered(free_until="2026-11-21T11:00:00+00:00")
    back.house.fault(INFO, "page-503", times=None)
    assert refused(back, one(back.cancelled()), 2000)[1]["code"] == "supplier_cancellation"


@pytest.mark.covers("F-X2")
def test_after_the_deadline_one_fault_is_enough_to_ask(back: Back) -> None:
    back.sold()
    back.ordered(free_until="2026-11-21T09:00:00+00:00")
    back.house.fault(CANCEL, "drop-before")
    assert refused(back, one(back.cancelled()), 1)[1]["code"] == "supplier_cancellation"


def test_what_the_supplier_refuses_is_a_persons_at_once(back: Back) -> None:
    back.sold()
    back.ordered(refundable=False)
    kind, said = refused(back, one(back.cancelled()), 1)
    assert (kind, said["code"]) == ("Refused", "order_not_cancellable")
    assert back.house.calls(CANCEL) == 1


def test_an_order_that_somebody_cancelled_there_is_cancelled(back: Back) -> None:
    back.sold()
    back.ordered(early_penalty="40.00")
    back.house.orders.change(FIRST, {"status": "cancelled"})
    assert back.cells.cancel_order(one(back.cancelled())).charged == Money(amount=4000, currency="EUR")
    assert back.house.calls(CANCEL) == 0


def test_nothing_is_ever_booked(back: Back) -> None:
    back.sold()
    back.ordered()
    back.house.fault(CANCEL, "error-before", times=3)
    insist(back, one(back.cancelled()))
    asked = {call["operation"] for call in back.house.stand_in.calls}
    assert asked == {CANCEL, INFO}


# The charge ---------------------------------------------------------------------------------------------------------------


def charged(back: Back, amount: int, **changes: Any) -> ChargeStep:
    step = back.cancelled(**changes)
    return ChargeStep(**step.model_dump(), charged=Money(amount=amount, currency="EUR"))


@pytest.mark.covers("F-X3")
@pytest.mark.parametrize(("amount", "asks"), [(0, False), (3000, False), (3001, True)])
def test_a_charge_above_the_penalty_asks_who_bears_it(back: Back, amount: int, asks: bool) -> None:
    back.sold()
    step = charged(back, amount)
    if not asks:
        assert back.cells.weigh_charge(step).outcome == "done"
        return
    with pytest.raises(ApplicationError) as caught:
        back.cells.weigh_charge(step)
    assert (caught.value.type, caught.value.details[0]["code"]) == ("NeedsPerson", "supplier_charge")
    assert "30.01 EUR" in caught.value.message
    assert "30.00 EUR" in caught.value.message


def test_a_charge_is_weighed_once_the_penalty_is_decided(back: Back) -> None:
    back.sold()
    step = charged(back, 3001, penalty={"amount": stories.eur(0), "treatment": "undecided"})
    with pytest.raises(ApplicationError) as caught:
        back.cells.weigh_charge(step)
    assert not caught.value.non_retryable
