"""What the lifecycles make of a supplier's orders: the order of things, who is asked, and what goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain import naming
from domain.errors import NeedsPerson, Refused, Transient
from domain.mailbox import BookingState
from domain.money import Money
from domain.steps import DecisionTaken
from domain.supplier_steps import (
    FeedPage,
    FeedState,
    HandedOver,
    OrderAtStake,
    OrderCancelled,
    OrderState,
    OrderVerdict,
    SupplierOrderStep,
    SupplierPlan,
)
from tests.workflows.office import Office, deliver, told, working

EUR = Money(amount=4000, currency="EUR")
DEADLINE = datetime(2027, 6, 1, tzinfo=UTC)


async def until(true: Callable[[], bool]) -> None:
    """The test's time limit ends a wait in vain."""
    while not true():  # noqa: ASYNC110 what is asked for happens in other tasks, which know nothing of us
        await asyncio.sleep(0.02)


async def settled(handle: WorkflowHandle[Any, Any], when: Callable[[BookingState], bool]) -> BookingState:
    while True:
        state = BookingState.model_validate(await handle.query("view", result_type=BookingState))
        if when(state):
            return state
        await asyncio.sleep(0.02)


async def decide(client: Client, office: Office, decision: str, number: int = -1) -> None:
    item = office.parked[number]
    taken = DecisionTaken(item_id=item.item_id, decision=decision, by="Ana", explanation="as agreed by telephone")  # type: ignore[arg-type]
    await client.get_workflow_handle(item.workflow_id).execute_update("decide", taken, result_type=str)


def replacing(office: Office) -> None:
    """The newest snapshot replaces one order by another."""
    plan = SupplierPlan(
        confirm=(OrderAtStake(partner_order_id="new"),),
        cancel=(OrderAtStake(partner_order_id="old", price=EUR, dearer_at=DEADLINE),),
    )
    office.answers["ratehawk.plan_orders"] = lambda _: plan


def order_changed(booking: str, revision: int = 1, order: int = 7) -> Any:
    fact = f"ratehawk:{order}@{revision}"
    return told("supplier.order_changed", booking, revision, fact=fact, aggregate_id=str(order), amount=EUR)


# Cancelling ---------------------------------------------------------------------------------------------------------------


async def test_a_cancellation_reaches_the_supplier_beside_the_books(dev_server: Client, office: Office) -> None:
    booking = "bkg_s1"
    office.answers["ratehawk.plan_orders"] = lambda _: SupplierPlan(cancel=(OrderAtStake(partner_order_id="one"),))
    office.answers["ratehawk.cancel_order"] = lambda _: OrderCancelled(charged=EUR, expected=EUR)
    async with working(dev_server, office):
        handle = await deliver(
            dev_server,
            told("booking.created", booking),
            told("booking.cancelled", booking, 2, cancellation_id="cxl_s1"),
        )
        await settled(handle, lambda s: len(s.done) == 2)
    assert [step.partner_order_id for step in office.of("ratehawk.cancel_order")] == ["one"]
    assert [(step.charged, step.cancellation_id) for step in office.of("ratehawk.weigh_charge")] == [(EUR, "cxl_s1")]
    assert office.names.index("office.freeze_plan") < office.names.index("ratehawk.cancel_order")


@pytest.mark.covers("S2")
async def test_a_booking_hears_of_the_fee_from_its_own_cancellation_where_every_webhook_is_lost(
    dev_server: Client, office: Office
) -> None:
    booking = "bkg_s12"
    office.answers["ratehawk.plan_orders"] = lambda _: SupplierPlan(cancel=(OrderAtStake(partner_order_id="one"),))

    async def hand_over(_: Any) -> HandedOver:
        is_cancelled = office.count("ratehawk.cancel_order") == 1
        if is_cancelled:
            await deliver(dev_server, order_changed(booking, 2))
        return HandedOver(to_bookings=int(is_cancelled))

    office.answers["ratehawk.hand_over"] = hand_over
    async with working(dev_server, office):
        handle = await deliver(
            dev_server,
            told("booking.created", booking),
            order_changed(booking),
            told("booking.cancelled", booking, 2, cancellation_id="cxl_s12"),
        )
        state = await settled(handle, lambda s: len(s.done) == 4)
    assert [done.split()[0] for done in state.done] == ["create", "supplier", "cancel", "supplier"]
    # The books' last word is the fee, not the price of the order that was alive.
    books = [name for name in office.names if name in ("giav.cancel_booking", "giav.confirm_costs")]
    assert books == ["giav.confirm_costs", "giav.cancel_booking", "giav.confirm_costs"]
    assert office.of("giav.confirm_costs")[-1].revision == 2


@pytest.mark.covers("F-X2")
async def test_a_supplier_that_cannot_be_reached_holds_up_nobodys_books_and_is_parked_with_its_deadline(
    dev_server: Client, office: Office
) -> None:
    booking = "bkg_s2"
    plan = SupplierPlan(cancel=(OrderAtStake(partner_order_id="one", price=EUR, dearer_at=DEADLINE),))
    office.answers["ratehawk.plan_orders"] = lambda _: plan
    office.fails["ratehawk.cancel_order"] = [
        Transient("away", system="ratehawk", retry_after=0.01),
        NeedsPerson("soon that costs more", system="ratehawk", code="supplier_cancellation"),
    ]
    async with working(dev_server, office):
        handle = await deliver(
            dev_server,
            told("booking.created", booking),
            told("booking.cancelled", booking, 2, cancellation_id="cxl_s2"),
        )
        await until(lambda: bool(office.parked) and "tamara.cancel_booking" in office.names)
        assert office.parked[0].reason == "supplier_cancellation"
        assert (office.parked[0].deadline, office.parked[0].amount) == (DEADLINE, EUR)
        await decide(dev_server, office, "retry")
        await settled(handle, lambda s: not s.parked and len(s.done) == 3)
    assert office.count("ratehawk.cancel_order") == 1


@pytest.mark.covers("F-X3")
async def test_a_charge_above_the_penalty_is_borne_by_the_agency_when_nobody_answers(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    booking = "bkg_s3"
    office.answers["ratehawk.plan_orders"] = lambda _: SupplierPlan(cancel=(OrderAtStake(partner_order_id="one"),))
    office.answers["ratehawk.cancel_order"] = lambda _: OrderCancelled(charged=EUR)
    office.fails["ratehawk.weigh_charge"] = [NeedsPerson("more than the penalty", code="supplier_charge")]
    async with working(skipping.client, office):
        handle = await deliver(
            skipping.client,
            told("booking.created", booking),
            told("booking.cancelled", booking, 2, cancellation_id="cxl_s3"),
        )
        await until(lambda: bool(office.parked))
        await skipping.sleep(timedelta(hours=73))
        await settled(handle, lambda s: not s.parked)
    (item,) = office.parked
    assert (item.reason, item.amount) == ("supplier_charge", EUR)
    assert [(one.taken.decision, one.taken.by) for one in office.unparked] == [("skip", "system")]
    (outcome,) = office.of("office.close_lifecycle")
    assert outcome.notes == ("the agency bears the supplier's charge: nobody answered, so the agency bears it",)


@pytest.mark.covers("F-X3")
async def test_a_charge_is_weighed_again_after_it_was_passed_on(dev_server: Client, office: Office) -> None:
    booking = "bkg_s4"
    office.answers["ratehawk.plan_orders"] = lambda _: SupplierPlan(cancel=(OrderAtStake(partner_order_id="one"),))
    office.answers["ratehawk.cancel_order"] = lambda _: OrderCancelled(charged=EUR)
    office.fails["ratehawk.weigh_charge"] = [NeedsPerson("more than the penalty", code="supplier_charge")]
    async with working(dev_server, office):
        handle = await deliver(
            dev_server,
            told("booking.created", booking),
            told("booking.cancelled", booking, 2, cancellation_id="cxl_s4"),
        )
        await until(lambda: bool(office.parked))
        await decide(dev_server, office, "retry")
        state = await settled(handle, lambda s: not s.parked and len(s.done) == 3)
    assert state.done[-1].endswith(": done")
    assert office.count("ratehawk.weigh_charge") == 1


# Changing -----------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("F-M4")
async def test_the_old_order_is_cancelled_only_after_the_new_one_is_confirmed(
    dev_server: Client, office: Office
) -> None:
    booking = "bkg_s5"
    replacing(office)
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", booking), told("booking.modified", booking, 2))
        await settled(handle, lambda s: len(s.done) == 2)
    order = [name for name in office.names if name.startswith("ratehawk.")]
    steps = ("plan_orders", "confirm_order", "cancel_order", "hand_over")
    assert order == [f"ratehawk.{step}" for step in steps]
    assert office.names.index("ratehawk.confirm_order") < office.names.index("giav.amend_booking")
    assert [step.partner_order_id for step in office.of("ratehawk.cancel_order")] == ["old"]


@pytest.mark.covers("F-M4")
async def test_two_live_orders_are_parked_before_the_old_one_gets_dearer(dev_server: Client, office: Office) -> None:
    booking = "bkg_s6"
    replacing(office)
    office.fails["ratehawk.cancel_order"] = [NeedsPerson("not cancelled", code="supplier_cancellation")]
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", booking), told("booking.modified", booking, 2))
        await until(lambda: bool(office.parked))
        assert (office.parked[0].reason, office.parked[0].deadline) == ("supplier_cancellation", DEADLINE)
        await decide(dev_server, office, "retry")
        await settled(handle, lambda s: not s.parked and len(s.done) == 3)
    assert office.count("giav.amend_booking") == 1


@pytest.mark.covers("F-M2")
async def test_a_change_that_the_supplier_refuses_moves_nothing_and_may_be_given_up(
    dev_server: Client, office: Office
) -> None:
    booking = "bkg_s7"
    replacing(office)
    office.fails["ratehawk.confirm_order"] = [NeedsPerson("not confirmed", code="supplier_order_failed")]
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", booking), told("booking.modified", booking, 2))
        await until(lambda: bool(office.parked))
        await decide(dev_server, office, "abandon")
        state = await settled(handle, lambda s: not s.parked and len(s.done) == 3)
    assert state.done[-1].endswith(": abandoned")
    for untouched in ("giav.amend_booking", "midoffice.amend_booking", "ratehawk.cancel_order"):
        assert office.count(untouched) == 0


@pytest.mark.covers("F-M3")
async def test_the_new_order_stays_when_the_erp_refuses_the_change(dev_server: Client, office: Office) -> None:
    booking = "bkg_s8"
    replacing(office)
    office.fails["giav.amend_booking"] = [Refused("expediente cerrado", system="giav")]
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", booking), told("booking.modified", booking, 2))
        await until(lambda: bool(office.parked) and "ratehawk.cancel_order" in office.names)
        await decide(dev_server, office, "retry")
        await settled(handle, lambda s: not s.parked and len(s.done) == 3)
    assert [step.partner_order_id for step in office.of("ratehawk.cancel_order")] == ["old"]


# Orders that changed at the supplier ---------------------------------------------------------------------------------------


@pytest.mark.covers("F-M14")
async def test_a_confirmed_cost_goes_to_the_erp_and_the_mid_office_once(dev_server: Client, office: Office) -> None:
    booking = "bkg_s9"
    async with working(dev_server, office):
        handle = await deliver(
            dev_server, order_changed(booking), told("booking.created", booking), order_changed(booking)
        )
        await settled(handle, lambda s: len(s.done) == 2)
        await deliver(dev_server, order_changed(booking), told("booking.modified", booking, 2))
        await settled(handle, lambda s: len(s.done) == 3)
    assert (office.count("giav.confirm_costs"), office.count("midoffice.confirm_costs")) == (1, 1)
    assert office.of("giav.confirm_costs")[0].order_id == 7
    assert office.names.index("giav.register_booking") < office.names.index("giav.confirm_costs")


@pytest.mark.covers("F-M14")
@pytest.mark.parametrize(("decision", "taken_over"), [("approve", True), ("decline", False)])
async def test_a_cost_outside_the_tolerance_is_a_persons_and_holds_nothing_up(
    dev_server: Client, office: Office, decision: str, taken_over: bool
) -> None:
    booking = f"bkg_s10{decision}"
    verdict = OrderVerdict(verdict="cost_differs", words="costs 700.00, estimated were 660.00", amount=EUR)
    office.answers["ratehawk.judge_order"] = lambda _: verdict
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", booking), order_changed(booking))
        await until(lambda: bool(office.parked))
        assert office.parked[0].decisions == ("approve", "decline", "retry")
        await deliver(dev_server, told("booking.modified", booking, 2))
        await settled(handle, lambda s: s.revision == 2)
        await decide(dev_server, office, decision)
        await settled(handle, lambda s: not s.parked)
    assert office.parked[0].reason == "supplier_cost"
    assert (office.count("ratehawk.accept_cost"), office.count("giav.confirm_costs")) == (taken_over, taken_over)


@pytest.mark.covers("F-C6", "F-C6b")
async def test_an_order_that_failed_waits_for_a_person_until_the_booking_answers_it(
    dev_server: Client, office: Office
) -> None:
    booking = "bkg_s11"
    failed = OrderVerdict(verdict="order_failed", words="no room", amount=EUR)
    office.answers["ratehawk.judge_order"] = lambda _: failed
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", booking), order_changed(booking))
        await until(lambda: bool(office.parked))
        assert office.parked[0].reason == "supplier_order_failed"
        office.answers["ratehawk.judge_order"] = lambda _: OrderVerdict(verdict="nothing")
        await deliver(dev_server, told("booking.cancelled", booking, 2, cancellation_id="cxl_s11"))
        await settled(handle, lambda s: not s.parked and s.revision == 2)
    assert len(office.parked) == 1
    assert office.unparked[0].taken.by == "system"


# The feed -----------------------------------------------------------------------------------------------------------------


async def feed(client: Client, agency: str) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        "SupplierFeed",
        FeedState(agency=agency, supplier="ratehawk", poll_minutes=15),
        id=naming.supplier_feed(agency, "ratehawk"),
        task_queue=naming.Queue.WORKFLOWS,
    )


async def test_the_feed_turns_pages_then_hands_over_then_waits_for_its_clock(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    office.answers["ratehawk.read_page"] = lambda step: FeedPage(next_page=step.page + 1 if step.page < 3 else None)
    async with working(skipping.client, office):
        handle = await feed(skipping.client, "feed1")
        await until(lambda: office.count("ratehawk.hand_over") == 1)
        assert [step.page for step in office.of("ratehawk.read_page")] == [1, 2, 3]
        await skipping.sleep(timedelta(minutes=16))
        await until(lambda: office.count("ratehawk.hand_over") == 2)
        assert office.count("ratehawk.read_page") == 6
        await handle.terminate()


async def test_a_nudge_reads_what_was_named_at_once_and_turns_no_page(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    async with working(skipping.client, office):
        handle = await feed(skipping.client, "feed2")
        await until(lambda: office.count("ratehawk.hand_over") == 1)
        office.answers["ratehawk.read_nudged"] = lambda _: FeedPage(seen=1, changed=1)
        await handle.signal("nudge")
        await until(lambda: office.count("ratehawk.hand_over") == 2)
        assert office.count("ratehawk.read_page") == 1
        await handle.signal("sweep")
        await until(lambda: office.count("ratehawk.read_page") == 2)
        await handle.terminate()


async def test_a_feed_renews_itself_and_goes_on(dev_server: Client, office: Office) -> None:
    async with working(dev_server, office):
        handle = await dev_server.start_workflow(
            "SupplierFeed",
            FeedState(agency="feed3", supplier="ratehawk", sweeps=199),
            id=naming.supplier_feed("feed3", "ratehawk"),
            task_queue=naming.Queue.WORKFLOWS,
        )
        first = (await handle.describe()).run_id
        await until(lambda: office.count("ratehawk.hand_over") == 1)
        await handle.signal("sweep")
        await until(lambda: office.count("ratehawk.hand_over") == 2)
        newest = dev_server.get_workflow_handle(handle.id)
        assert (await newest.describe()).run_id != first
        await newest.terminate()


async def test_an_order_without_a_booking_is_transferred_by_one_writer_until_it_holds_the_newest(
    dev_server: Client, office: Office
) -> None:
    step = SupplierOrderStep(agency="demo", supplier="ratehawk", order_id=7, supplier_code="sup_rh")
    office.fails["midoffice.transfer_order"] = [Transient("away", retry_after=0.2)]
    async with working(dev_server, office):
        for revision in (1, 2, 2):
            handle = await dev_server.start_workflow(
                "TransferOrder",
                OrderState(step=step),
                id=naming.supplier_order("demo", "ratehawk", 7),
                task_queue=naming.Queue.WORKFLOWS,
                start_signal="changed",
                start_signal_args=[revision],
            )
        await handle.result()
    assert 1 <= office.count("midoffice.transfer_order") <= 2
