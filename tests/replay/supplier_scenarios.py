"""The lives of a supplier's orders that are recorded: keys and money only, nobody's data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from temporalio.client import Client

from domain import naming
from domain.errors import NeedsPerson, Transient
from domain.mailbox import BookingState
from domain.money import Money
from domain.notices import EventNotice
from domain.steps import DecisionTaken
from domain.supplier_steps import (
    FeedPage,
    FeedState,
    OrderAtStake,
    OrderCancelled,
    OrderState,
    OrderVerdict,
    SupplierOrderStep,
    SupplierPlan,
)
from tests.workflows.office import Office, deliver, told

FEE = Money(amount=4000, currency="EUR")
DEARER = datetime(2027, 6, 1, tzinfo=UTC)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 the workers make it true
        await asyncio.sleep(0.02)


async def _answer(client: Client, office: Office, reason: str, decision: str) -> None:
    await _until(lambda: bool(office.parked) and office.parked[-1].reason == reason)
    item = office.parked[-1]
    taken = DecisionTaken.model_validate(
        {"item_id": item.item_id, "decision": decision, "by": "ana", "explanation": "seen and agreed by phone"}
    )
    await client.get_workflow_handle(item.workflow_id).execute_update("decide", taken)


async def _settled(client: Client, booking: str, ended: int) -> None:
    handle = client.get_workflow_handle(naming.booking_workflow("demo", booking))
    while True:
        state = await handle.query("view", result_type=BookingState)
        if len(state.done) >= ended and not state.parked:
            return
        await asyncio.sleep(0.05)


def _changed(booking: str, revision: int) -> EventNotice:
    fact = f"ratehawk:71@{revision}"
    return told("supplier.order_changed", booking, revision, fact=fact, aggregate_id="71", amount=FEE)


async def rebooked(client: Client, office: Office) -> tuple[str, ...]:
    """A cost outside the tolerance, an order that replaces another, and a cancellation whose charge nobody expected."""
    booking = "bkg_r71"
    own = naming.booking_workflow("demo", booking)
    office.answers["ratehawk.judge_order"] = lambda _: OrderVerdict(verdict="cost_differs", words="dearer", amount=FEE)
    await deliver(client, told("booking.created", booking), _changed(booking, 1))
    await _answer(client, office, "supplier_cost", "approve")
    await _settled(client, booking, 3)
    old = OrderAtStake(partner_order_id="old", price=FEE, dearer_at=DEARER)
    plan = SupplierPlan(confirm=(OrderAtStake(partner_order_id="new"),), cancel=(old,))
    office.answers["ratehawk.plan_orders"] = lambda _: plan
    office.answers["ratehawk.cancel_order"] = lambda _: OrderCancelled(charged=FEE, expected=FEE)
    office.fails["ratehawk.confirm_order"] = [Transient("not there yet", retry_after=0.05)]
    office.fails["ratehawk.cancel_order"] = [NeedsPerson("soon dearer", code="supplier_cancellation")]
    await deliver(client, told("booking.modified", booking, 2))
    await _answer(client, office, "supplier_cancellation", "retry")
    await _settled(client, booking, 5)
    office.fails["ratehawk.weigh_charge"] = [NeedsPerson("more than the penalty", code="supplier_charge")]
    await deliver(client, told("booking.cancelled", booking, 3, cancellation_id="cxl_r71"))
    await _answer(client, office, "supplier_charge", "skip")
    await _settled(client, booking, 7)
    return (own, f"{own}/supplier/ratehawk:71@1", f"{own}/modify/2", f"{own}/cancel/cxl_r71")


async def feed(client: Client, office: Office) -> tuple[str, ...]:
    """Two pages, a nudge, and an order that no booking claims."""
    office.answers["ratehawk.read_page"] = lambda step: FeedPage(next_page=2 if step.page == 1 else None, seen=50)
    own = naming.supplier_feed("r72", "ratehawk")
    handle = await client.start_workflow(
        "SupplierFeed",
        FeedState(agency="r72", supplier="ratehawk"),
        id=own,
        task_queue=naming.Queue.WORKFLOWS,
        start_signal="arrange",
        start_signal_args=[FeedState(agency="r72", supplier="ratehawk", poll_minutes=2)],
    )
    await _until(lambda: office.count("ratehawk.hand_over") == 1)
    office.answers["ratehawk.read_nudged"] = lambda _: FeedPage(seen=1, changed=1)
    await handle.signal("nudge")
    await _until(lambda: office.count("ratehawk.hand_over") == 2)
    order = naming.supplier_order("r72", "ratehawk", 72)
    step = SupplierOrderStep(agency="r72", supplier="ratehawk", order_id=72, supplier_code="sup_rh")
    alone = await client.start_workflow(
        "TransferOrder",
        OrderState(step=step, partner_order_id="web-72"),
        id=order,
        task_queue=naming.Queue.WORKFLOWS,
        start_signal="changed",
        start_signal_args=[1],
    )
    await alone.result()
    return (own, order)
