"""The hourly look at each agency's Kommo, whether it stands in the settings file or was activated (docs/integrations/kommo.md)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)

from activities.kommo.wire import SYSTEM
from domain import naming
from domain.steps import Step
from store import Store
from store.installation import Installation
from workers.schedules import bring_in_line

MINUTE = 40


def watched(installation: Installation, store: Store) -> list[str]:
    """Agencies that have Kommo in the settings file or have begun to activate it."""
    begun = {one.agency for one in store.integrations.list() if one.system == SYSTEM}
    return [name for name, agency in installation.agencies.items() if agency.kommo is not None or name in begun]


async def watch_crm(client: Client, agencies: Iterable[str]) -> None:
    """Create the Schedules that are missing; may be repeated. An agency whose Kommo rests costs one look an hour."""
    for agency in agencies:
        schedule = Schedule(
            action=ScheduleActionStartWorkflow(
                "WatchCrm",
                Step(agency=agency),
                id=naming.crm_watch(agency),
                task_queue=naming.Queue.WORKFLOWS,
                static_summary=f"look after Kommo of {agency}",
            ),
            spec=ScheduleSpec(
                calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(0, 23)], minute=[ScheduleRange(MINUTE)])]
            ),
            policy=SchedulePolicy(catchup_window=timedelta(minutes=30)),
        )
        await bring_in_line(client, naming.crm_watch(agency), schedule)
