"""Bookings and deals renew themselves (continue-as-new) without losing what they have seen or doing anything twice."""

from __future__ import annotations

import asyncio

from temporalio.client import WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from domain.deal_steps import DealView
from domain.mailbox import BookingState
from domain.naming import SEARCH_ATTRIBUTES
from tests.workflows.conftest import KEYS, binary
from tests.workflows.crm import Crm, order, started, until_renewed
from tests.workflows.office import Office, deliver, told, working

PAYMENTS = 12


async def test_what_was_seen_is_carried_through_every_renewal(office: Office) -> None:
    booking = "bkg_n1"
    payments = [
        told("payment.captured", booking, fact=f"pay_n{i}", payment_id=f"pay_n{i}", method="card")
        for i in range(PAYMENTS)
    ]
    environment = await impatient_server()
    async with environment, working(environment.client, office):
        handle = await deliver(environment.client, told("booking.created", booking))
        for payment in payments:
            await deliver(environment.client, payment, payment)
        state = BookingState(agency="demo", booking_id=booking)
        while len(state.payments) < PAYMENTS:
            await asyncio.sleep(0.05)
            state = await handle.query("view", result_type=BookingState)
        first = await environment.client.get_workflow_handle(
            handle.id, run_id=handle.first_execution_run_id or handle.result_run_id
        ).describe()
        await deliver(environment.client, *payments, told("booking.modified", booking, 2))
        while state.revision < 2:
            await asyncio.sleep(0.05)
            state = await handle.query("view", result_type=BookingState)
    assert first.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
    assert office.count("giav.record_payment") == PAYMENTS
    assert office.count("giav.register_booking") == 1
    assert state.captured == PAYMENTS * 30000


async def test_a_deal_that_was_renewed_asks_no_second_time_and_knows_its_orders(office: Office) -> None:
    environment = await impatient_server()
    crm = Crm(office)
    async with environment, working(environment.client, office):
        handle = await started(environment.client, crm)
        await order(handle, "poll", key="p0")
        await until_renewed(environment.client, handle, lambda: office.count("easycount.check_links"))
        newest = environment.client.get_workflow_handle(handle.id)
        assert await order(newest, "poll", key="p0") == "poll: accepted before"
        crm.pays()
        await newest.signal("look")
        await newest.result()
        view = await newest.query("view", result_type=DealView)
    assert (view.state, view.revision, view.payments) == ("paid", 1, 1)
    assert office.count("easycount.issue_document") == office.count("easycount.make_link") == 1
    assert office.count("easycount.issue_receipt") == 1


async def impatient_server() -> WorkflowEnvironment:
    """A server that suggests a new run after a few events."""
    return await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=binary("temporal"),
        search_attributes=[KEYS[kind](name) for name, kind in SEARCH_ATTRIBUTES.items()],
        dev_server_extra_args=["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=20"],
    )
