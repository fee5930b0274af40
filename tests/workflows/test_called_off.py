"""The calendar of a trip that is called off: its file is looked at until it closes (money-rules F-X11), on a skipped clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.errors import Refused, Transient
from domain.mailbox import BookingState
from domain.naming import Queue
from domain.steps import DecisionTaken, Done
from domain.superseding import ExperienceState
from tests.workflows.office import Office, deliver, told, working

LEFT_OPEN = Done(ids={"expediente": "7"}, note="left open: waits for bkg_3")
CLOSED = Done(ids={"expediente": "7", "closed": "7"})


def answers(*looks: Done) -> Callable[[Any], Done]:
    """Each look at the file in turn; the last answer stands."""
    left = list(looks)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


async def called_off(environment: WorkflowEnvironment, own: str, *more: str) -> WorkflowHandle[Any, Any]:
    """Created, called off, and told whatever else in `more`."""
    ends = ((await environment.get_current_time()) + timedelta(days=10)).date()
    created = told("experience.created", own, experience_id=own, booking_id=None, ends_on=ends, stage="on_sale")
    handle = await environment.client.start_workflow(
        "Experience",
        ExperienceState(agency="demo", experience_id=own),
        id=created.workflow_id,
        task_queue=Queue.WORKFLOWS,
        start_signal="deliver",
        start_signal_args=[created],
    )
    for revision, stage in enumerate(("cancelled", *more), 2):
        kind = "experience.cancelled" if revision == 2 else "experience.updated"
        told_now = {"revision": revision, "kind": kind, "stage": stage, "event_id": f"evt_{own}_{revision}"}
        await handle.signal("deliver", created.model_copy(update=told_now))
    return handle


@pytest.mark.covers("F-X11")
async def test_the_file_is_looked_at_until_the_last_booking_is_through(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    office.answers["giav.close_experience"] = answers(LEFT_OPEN, LEFT_OPEN, LEFT_OPEN, CLOSED)
    async with working(skipping.client, office):
        handle = await called_off(skipping, "exp_t7")
        await skipping.sleep(timedelta(minutes=30))
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert office.count("giav.close_experience") == 4
    assert office.names[-1] == "giav.close_experience"


async def test_looks_become_rarer_and_end_with_the_trip(skipping: WorkflowEnvironment, office: Office) -> None:
    office.answers["giav.close_experience"] = answers(LEFT_OPEN)
    async with working(skipping.client, office):
        handle = await called_off(skipping, "exp_t8")
        await skipping.sleep(timedelta(hours=24))
        assert 20 < office.count("giav.close_experience") < 35
        before = office.count("giav.close_experience")
        await handle.signal("look_now")
        await skipping.sleep(timedelta(seconds=5))
        assert office.count("giav.close_experience") == before + 1


async def test_a_trip_on_sale_again_is_not_closed(skipping: WorkflowEnvironment, office: Office) -> None:
    office.answers["giav.close_experience"] = answers(CLOSED)
    async with working(skipping.client, office):
        handle = await called_off(skipping, "exp_t9", "on_sale")
        await skipping.sleep(timedelta(days=5))
        state = ExperienceState.model_validate(await handle.query("view", result_type=ExperienceState))
    assert (state.cancelled, state.closed, office.count("giav.close_experience")) == (False, False, 0)


@pytest.mark.covers("F-M3")
async def test_a_confirmed_supplier_order_is_kept_while_giav_refuses_the_amendment(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    booking = "bkg_t9"
    office.fails["giav.amend_booking"] = [
        Transient("busy", system="giav"),
        Transient("busy", system="giav"),
        Refused("No existe el registro", system="giav", effect="demo/giav/reserva/bkg_t9/amend#2"),
    ]
    async with working(skipping.client, office):
        mailbox = await deliver(skipping.client, told("booking.created", booking), told("booking.modified", booking, 2))
        await skipping.sleep(timedelta(minutes=5))
        (item,) = office.parked
        assert (item.reason, item.decisions) == ("giav_refused", ("retry", "skip", "adopt"))
        assert office.count("midoffice.amend_booking") == 1
        change = skipping.client.get_workflow_handle(f"{mailbox.id}/modify/2")
        taken = DecisionTaken(item_id=item.item_id, decision="retry", by="ana")
        await change.execute_update("decide", taken)
        await change.result()
        state = BookingState.model_validate(await mailbox.query("view", result_type=BookingState))
    assert state.parked == []
    assert office.count("midoffice.amend_booking") == 1
    assert not [name for name in office.names if "undo" in name or "cancel" in name]
    assert office.count("giav.amend_booking") == 1
