"""Refunds as the platform tells them: declared by a planner, shown by the processor, or shown without anybody's word
(contracts: platform-events 5.6; money-rules F-R5, F-R6)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from activities.office.desk import DeskActivities
from domain.desk import Desk
from domain.notices import EventNotice
from domain.steps import RefundStep
from store import Store
from store.events import events
from tests.activities.platform import trip
from tests.activities.platform.world import World


def notices(world: World) -> list[EventNotice]:
    """What workflows would be told of refunds, in the order of arrival."""
    query = select(events.c.notice).where(events.c.kind == "payment.refunded").order_by(events.c.position)
    with world.store.database.read() as connection:
        return [EventNotice.model_validate_json(row) for row in connection.scalars(query)]


def given_back(world: World, **wish: object) -> RefundStep:
    """100.00 of a payment of 300.00."""
    world.sell()
    paid = world.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501")["id"]
    made = world.do("refund", payment_id=paid, amount=trip.eur(10000), **wish)["refunds"][0]
    world.deliver()
    (notice,) = notices(world)
    assert notice.amount is not None
    return RefundStep(
        agency=trip.AGENCY,
        booking_id="bkg_500",
        payment_id=paid,
        refund_id=made["id"],
        amount=notice.amount,
        event_id=notice.event_id,
    )


@pytest.mark.covers("F-R6")
@pytest.mark.parametrize(
    ("wish", "undeclared"),
    [({}, False), ({"status": "succeeded"}, False), ({"undeclared": True}, True)],
    ids=["declared", "declared and confirmed", "nobody's"],
)
def test_a_refund_is_nobody_s_when_the_processor_shows_it_and_no_planner_registered_it(
    world: World, wish: dict[str, object], undeclared: bool
) -> None:
    given_back(world, **wish)
    assert [notice.undeclared for notice in notices(world)] == [undeclared]


@pytest.mark.covers("F-R5")
def test_a_declared_refund_counts_as_shown_once_the_processor_says_so(world: World) -> None:
    step = given_back(world)
    desk = DeskActivities(world.store)
    assert desk.refund_shown(step).outcome == "partial"
    world.do("confirm-refund", payment_id=step.payment_id, refund_id=step.refund_id)
    world.deliver()
    assert desk.refund_shown(step).outcome == "done"
    refund = world.store.facts.refund(trip.AGENCY, step.refund_id)
    assert refund is not None
    assert refund.status == "succeeded"


@pytest.mark.covers("F-R5", "F-R3")
def test_a_declared_refund_that_failed_is_looked_for_no_more(world: World) -> None:
    step = given_back(world)
    world.do("fail-refund", payment_id=step.payment_id, refund_id=step.refund_id)
    world.deliver()
    assert DeskActivities(world.store).refund_shown(step).outcome == "done"


def test_an_agency_whose_platform_never_confirms_may_waive_the_warning(world: World) -> None:
    step = given_back(world)
    waiving = Store(world.store.database, desks={trip.AGENCY: Desk(waived=("refund_unconfirmed",))})
    assert DeskActivities(waiving).refund_shown(step).outcome == "done"
