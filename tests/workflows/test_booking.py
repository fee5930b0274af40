"""The booking's mailbox and its lifecycles on a real Temporal server (dev server)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.errors import Refused, Transient, UnknownOutcome
from domain.mailbox import BookingState
from domain.money import Money
from domain.steps import DecisionTaken, Done, MoneyAtStake
from tests.workflows.office import Office, deliver, told, working


async def settled(handle: WorkflowHandle[Any, Any], when: Callable[[BookingState], bool]) -> BookingState:
    """Poll the mailbox's own view until `when` holds; the test's time limit ends a wait in vain."""
    while True:
        state = BookingState.model_validate(await handle.query("view", result_type=BookingState))
        if when(state):
            return state
        await asyncio.sleep(0.02)


async def test_create_pay_and_cancel_reach_every_system_once(dev_server: Client, office: Office) -> None:
    booking = "bkg_w1"
    async with working(dev_server, office):
        handle = await deliver(
            dev_server,
            told("booking.created", booking),
            told("payment.captured", booking, fact="pay_w1", payment_id="pay_w1", method="airplus"),
            told("booking.cancelled", booking, 2, cancellation_id="cxl_w1"),
            told("payment.refunded", booking, fact="ref_w1", payment_id="pay_w1"),
        )
        state = await settled(handle, lambda s: len(s.done) == 4)
    assert (state.captured, state.refunded) == (30000, 30000)
    assert sorted(office.names) == sorted(
        [
            "giav.register_booking",
            "midoffice.register_booking",
            "office.admit_payment",
            "giav.probe_payment",
            "giav.record_payment",
            "midoffice.record_payment",
            "journal.record_payment",
            "tamara.record_payment",
            "office.freeze_plan",
            "ratehawk.plan_orders",
            "midoffice.cancel_booking",
            "giav.cancel_booking",
            "journal.cancel_booking",
            "tamara.cancel_booking",
            "giav.record_refund",
            "journal.record_refund",
            "tamara.record_refund",
        ]
    )
    assert office.names.index("giav.record_payment") < office.names.index("tamara.record_payment")
    assert office.names.index("office.freeze_plan") < office.names.index("giav.cancel_booking")


@pytest.mark.covers("M2")
async def test_second_delivery_of_a_payment_changes_nothing(dev_server: Client, office: Office) -> None:
    booking, paid = "bkg_w2", told("payment.captured", "bkg_w2", fact="pay_w2", payment_id="pay_w2")
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", booking), paid, paid)
        await settled(handle, lambda s: len(s.done) == 2)
        await deliver(dev_server, paid, told("booking.modified", booking, 2))
        await settled(handle, lambda s: len(s.done) == 3)
    assert office.count("giav.record_payment") == 1


@pytest.mark.covers("F-C1")
async def test_transient_and_unknown_faults_are_retried_until_done(dev_server: Client, office: Office) -> None:
    office.fails["giav.register_booking"] = [
        Transient("connection refused", system="giav", retry_after=0.01),
        UnknownOutcome("timeout", system="giav", retry_after=0.01),
    ]
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", "bkg_w3"))
        await settled(handle, lambda s: s.registered)
    assert office.count("giav.register_booking") == 1
    assert not office.parked


@pytest.mark.covers("F-C4")
async def test_a_refusal_before_money_takes_everything_back_and_is_on_the_list(
    dev_server: Client, office: Office
) -> None:
    office.fails["giav.register_booking"] = [Refused("No existe el proveedor", system="giav")]
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", "bkg_w4"))
        state = await settled(handle, lambda s: bool(s.parked))
        assert office.names.index("midoffice.undo_register_booking") < office.names.index("giav.undo_register_booking")
        assert [item.reason for item in office.parked] == ["booking_undone"]
        assert "No existe el proveedor" in office.parked[0].detail
        child = dev_server.get_workflow_handle(state.parked[0])
        taken = DecisionTaken(item_id=office.parked[0].item_id, decision="retry", by="ana")
        await child.execute_update("decide", taken)
        state = await settled(handle, lambda s: s.registered)
    assert office.count("giav.register_booking") == 1
    assert not state.parked


@pytest.mark.covers("F-C5", "F-C8b")
async def test_a_refusal_after_money_parks_and_the_next_payment_still_reaches_the_journal(
    dev_server: Client, office: Office
) -> None:
    office.answers["office.money_at_stake"] = lambda _: MoneyAtStake(captured=Money(amount=30000, currency="EUR"))
    office.fails["giav.amend_booking"] = [Refused("expediente cerrado", system="giav", effect="k/1")]
    booking = "bkg_w5"
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", booking), told("booking.modified", booking, 2))
        state = await settled(handle, lambda s: bool(s.parked))
        await deliver(dev_server, told("payment.captured", booking, fact="pay_w5", payment_id="pay_w5"))
        await deliver(dev_server, told("booking.cancelled", booking, 3, cancellation_id="cxl_w5"))
        await settled(handle, lambda s: "pay_w5" in s.payments)
        assert office.count("journal.record_payment") == 1
        assert office.count("giav.cancel_booking") == 0
        child = dev_server.get_workflow_handle(state.parked[0])
        item = office.parked[0]
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await child.execute_update("decide", DecisionTaken(item_id=item.item_id, decision="skip", by="ana"))
        assert isinstance(refused.value.cause, ApplicationError)
        assert "explain" in refused.value.cause.message
        await child.execute_update("decide", DecisionTaken(item_id=item.item_id, decision="retry", by="ana"))
        await settled(handle, lambda s: not s.parked and s.revision == 3)
    assert office.unparked[0].effect == "k/1"
    assert office.count("giav.amend_booking") == 1
    assert office.count("giav.cancel_booking") == 1


async def test_what_was_left_out_is_on_record(dev_server: Client, office: Office) -> None:
    office.answers["midoffice.register_booking"] = lambda _: Done(outcome="partial", note="1 line is not a hotel")
    async with working(dev_server, office):
        handle = await deliver(dev_server, told("booking.created", "bkg_w6"))
        await settled(handle, lambda s: s.registered)
    (ended,) = office.of("office.close_lifecycle")
    assert ended.outcome == "partial"
    assert "not a hotel" in ended.notes[0]


async def test_every_task_may_be_replayed_from_the_start(dev_server: Client, office: Office) -> None:
    booking = "bkg_w7"
    async with working(dev_server, office, max_cached_workflows=0):
        handle = await deliver(
            dev_server,
            told("booking.created", booking),
            told("payment.captured", booking, fact="pay_w7", payment_id="pay_w7"),
            told("booking.cancelled", booking, 2, cancellation_id="cxl_w7"),
        )
        state = await settled(handle, lambda s: len(s.done) == 3)
    assert [line.split(":")[-1].strip() for line in state.done] == ["done"] * 3
