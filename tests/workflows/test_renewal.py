"""A booking renews itself (continue-as-new) without losing what it has seen or doing anything twice."""

from __future__ import annotations

import asyncio

from temporalio.client import WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from domain.mailbox import BookingState
from domain.naming import SEARCH_ATTRIBUTES
from tests.workflows.conftest import KEYS, binary
from tests.workflows.office import Office, deliver, told, working

PAYMENTS = 12


async def test_what_was_seen_is_carried_through_every_renewal(office: Office) -> None:
    booking = "bkg_n1"
    payments = [
        told("payment.captured", booking, fact=f"pay_n{i}", payment_id=f"pay_n{i}", method="card")
        for i in range(PAYMENTS)
    ]
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=binary("temporal"),
        search_attributes=[KEYS[kind](name) for name, kind in SEARCH_ATTRIBUTES.items()],
        dev_server_extra_args=["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=20"],
    )
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
