"""RecogniseRevenue: one step for a day; what fails is parked and done again when a person says so."""

from __future__ import annotations

from datetime import date

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from domain.naming import Queue
from domain.steps import RevenueOrder
from tests.workflows.office import Office, working
from workflows.recognise_revenue import RecogniseRevenue


async def test_the_day_is_the_one_that_was_ordered(dev_server: Client, office: Office) -> None:
    async with working(dev_server, office):
        await dev_server.execute_workflow(
            RecogniseRevenue.run,
            RevenueOrder(agency="a1", day=date(2027, 6, 20)),
            id="revenue/a1",
            task_queue=Queue.WORKFLOWS,
        )
    assert [step.day for step in office.of("journal.recognise_revenue")] == [date(2027, 6, 20)]


async def test_without_a_day_it_is_that_of_the_night(skipping: WorkflowEnvironment, office: Office) -> None:
    tonight = (await skipping.get_current_time()).date()
    async with working(skipping.client, office):
        await skipping.client.execute_workflow(
            RecogniseRevenue.run, RevenueOrder(agency="a2"), id="revenue/a2", task_queue=Queue.WORKFLOWS
        )
    (step,) = office.of("journal.recognise_revenue")
    assert (step.day - tonight).days in (0, 1)
