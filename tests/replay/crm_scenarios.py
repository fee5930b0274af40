"""The lives of an agency's Kommo that are recorded: keys only, nobody's data."""

from __future__ import annotations

import asyncio

from temporalio.client import Client

from domain.errors import Unauthorised
from domain.naming import Queue, crm_watch, integration_workflow
from domain.steps import IntegrationOrder, Step
from tests.workflows.office import Office


async def crm(client: Client, office: Office) -> tuple[str, ...]:
    """Kommo is connected as soon as somebody has consented, and looked after from then on."""
    office.fails["kommo.check_account"] = [Unauthorised("nobody has consented yet", system="kommo")]
    own, look = integration_workflow("demo", "kommo"), crm_watch("demo")
    order = IntegrationOrder(agency="demo", system="kommo", by="ana")
    handle = await client.start_workflow("ActivateIntegration", order, id=own, task_queue=Queue.WORKFLOWS)
    while not office.parked:  # noqa: ASYNC110 the workers make it true
        await asyncio.sleep(0.02)
    await handle.signal("changed")
    await handle.result()
    watching = await client.start_workflow("WatchCrm", Step(agency="demo"), id=look, task_queue=Queue.WORKFLOWS)
    await watching.result()
    return (own, look)
