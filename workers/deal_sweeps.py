"""The Schedule that looks for deals whose webhook was lost, one for each agency with a CRM (contracts: kommo 4.1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    SchedulePolicy,
    ScheduleSpec,
)

from domain import naming
from domain.deal_steps import DealSweep
from workers.schedules import bring_in_line

EVERY = timedelta(minutes=10)


async def sweep_deals(client: Client, agencies: Iterable[str]) -> None:
    """Create the Schedules that are missing; may be repeated. A sweep that is parked is followed by no other."""
    for agency in agencies:
        schedule = Schedule(
            action=ScheduleActionStartWorkflow(
                "SweepDeals",
                DealSweep(agency=agency),
                id=naming.deal_sweep(agency),
                task_queue=naming.Queue.WORKFLOWS,
                static_summary=f"deals of {agency} whose webhook was lost",
            ),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
            policy=SchedulePolicy(catchup_window=timedelta(minutes=10)),
        )
        await bring_in_line(client, naming.deal_sweep(agency), schedule)
