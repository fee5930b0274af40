"""Schedules that follow from settings, created and reconciled when a worker starts (DESIGN section 7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.service import RPCError, RPCStatusCode

from domain import naming
from domain.check_steps import CheckOrder
from domain.connector_steps import ErpName, ReconcileOrder
from domain.steps import RevenueOrder, TamaraOrder, TamaraRetention
from domain.tamara_steps import TamaraAnswersOrder
from store.installation import Installation

EXPORT_HOUR, EXPORT_MINUTE = 2, 30
"""Agency-local time of the nightly AirPlus files (contracts: tamara 3.12)."""
RETENTION_HOUR = 4
"""Agency-local hour at which old AirPlus files are destroyed (contracts: tamara 4.7)."""
CARD_SEARCH_DAY = 0
"""Sunday: the day of the weekly search for account numbers (contracts: tamara 5.3)."""
INVOICE_ALARM = "23:00"
"""Madrid's time at which payments of the day without an invoice are put on the list (contracts: money-rules 1.1.3)."""
REVENUE_HOUR = 3
"""Agency-local hour at which advances of trips that start today become revenue (contracts: money-rules 2)."""
Kind = Literal["BSP", "MA"]


async def reconcile_schedules(client: Client, installation: Installation) -> None:
    """Create what is missing and bring the rest in line with the settings; may be repeated."""
    for name, agency in installation.agencies.items():
        await bring_in_line(client, naming.revenue_schedule(name), _nightly_revenue(name, agency.timezone))
        if agency.reconcile_at:
            nightly = _reconciliation(name, agency.erp, agency.reconcile_at)
            await bring_in_line(client, naming.reconciliation_schedule(name), nightly)
        else:
            await _remove(client, naming.reconciliation_schedule(name))
        invoices = _check(name, "invoices", INVOICE_ALARM, "Europe/Madrid")
        await bring_in_line(client, naming.check_schedule(name, "invoices"), invoices)
        if agency.check_files_at:
            files = _check(name, "files", agency.check_files_at, agency.timezone)
            await bring_in_line(client, naming.check_schedule(name, "files"), files)
        else:
            await _remove(client, naming.check_schedule(name, "files"))
        if agency.tamara is not None and agency.tamara.get("producer") != "midoco":
            for kind in _kinds(agency.tamara):
                wanted = _nightly_export(name, agency.timezone, kind)
                await bring_in_line(client, naming.tamara_schedule(name, kind), wanted)
            await bring_in_line(client, naming.tamara_answers_schedule(name), _hourly_answers(name))
            await bring_in_line(client, naming.tamara_retention(name), _nightly_retention(name, agency.timezone))
            await bring_in_line(client, naming.card_search(name), _weekly_card_search(name, agency.timezone))


def _kinds(section: dict[str, Any]) -> Iterator[Kind]:
    """A BSP file names the agency's IATA number; an agency without one sends its own sales only (V026)."""
    yield "MA"
    if section.get("iata_no"):
        yield "BSP"


def _hourly_answers(agency: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "ReadTamaraAnswers",
            TamaraAnswersOrder(agency=agency),
            id=naming.tamara_answers_schedule(agency),
            task_queue=naming.Queue.WORKFLOWS,
            static_summary=f"AirPlus' answers to {agency}",
        ),
        spec=ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(0, 23)], minute=[ScheduleRange(15)])]),
        policy=SchedulePolicy(catchup_window=timedelta(hours=1)),
    )


def _nightly_retention(agency: str, timezone: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "RetireTamara",
            TamaraRetention(agency=agency),
            id=naming.tamara_retention(agency),
            task_queue=naming.Queue.WORKFLOWS,
            static_summary=f"old AirPlus files of {agency}",
        ),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(RETENTION_HOUR)])], time_zone_name=timezone
        ),
        policy=SchedulePolicy(catchup_window=timedelta(hours=20)),
    )


def _weekly_card_search(agency: str, timezone: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "SearchCards",
            TamaraRetention(agency=agency),
            id=naming.card_search(agency),
            task_queue=naming.Queue.WORKFLOWS,
            static_summary=f"account numbers of {agency} where none may stand",
        ),
        spec=ScheduleSpec(
            calendars=[
                ScheduleCalendarSpec(
                    day_of_week=[ScheduleRange(CARD_SEARCH_DAY)], hour=[ScheduleRange(RETENTION_HOUR + 1)]
                )
            ],
            time_zone_name=timezone,
        ),
        policy=SchedulePolicy(catchup_window=timedelta(days=3)),
    )


def _nightly_export(agency: str, timezone: str, kind: Kind) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "ExportTamara",
            TamaraOrder(agency=agency, kind=kind),
            id=f"tamara/{agency}/{kind}",
            task_queue=naming.Queue.WORKFLOWS,
            static_summary=f"nightly AirPlus file {kind} of {agency}",
        ),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(EXPORT_HOUR)], minute=[ScheduleRange(EXPORT_MINUTE)])],
            time_zone_name=timezone,
        ),
        # A night that is parked takes no later night with it: that one is sealed, and waits for its turn.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL, catchup_window=timedelta(hours=20)),
    )


def _nightly_revenue(agency: str, timezone: str) -> Schedule:
    """A night that was missed is made up for by the next one, whatever the day: nothing is caught up twice."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "RecogniseRevenue",
            RevenueOrder(agency=agency),
            id=f"revenue/{agency}",
            task_queue=naming.Queue.WORKFLOWS,
            static_summary=f"advances of {agency} whose trips have started become revenue",
        ),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(REVENUE_HOUR)])], time_zone_name=timezone
        ),
        policy=SchedulePolicy(catchup_window=timedelta(hours=20)),
    )


def _check(agency: str, what: Literal["files", "invoices"], at: str, timezone: str) -> Schedule:
    hour, minute = (int(part) for part in at.split(":"))
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "CheckFiles",
            CheckOrder(agency=agency, what=what),
            id=naming.check_schedule(agency, what),
            task_queue=naming.Queue.WORKFLOWS,
            static_summary=f"check of GIAV's {what} for {agency}",
        ),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(hour)], minute=[ScheduleRange(minute)])],
            time_zone_name=timezone,
        ),
        policy=SchedulePolicy(catchup_window=timedelta(hours=20)),
    )


def _reconciliation(agency: str, connector: ErpName, at: str) -> Schedule:
    """In UTC, as the days that it adds up: a night that was missed is made up for by the next one, whose window is a month."""
    hour, minute = (int(part) for part in at.split(":"))
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "Reconcile",
            ReconcileOrder(agency=agency, connector=connector),
            id=naming.reconciliation_schedule(agency),
            task_queue=naming.Queue.WORKFLOWS,
            static_summary=f"payments of {agency} against the receipts in {connector}",
        ),
        spec=ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(hour)], minute=[ScheduleRange(minute)])]),
        policy=SchedulePolicy(catchup_window=timedelta(hours=20)),
    )


async def _remove(client: Client, name: str) -> None:
    try:
        await client.get_schedule_handle(name).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def bring_in_line(client: Client, name: str, wanted: Schedule) -> None:
    """Create the Schedule, or make it what is wanted."""
    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(lambda _: ScheduleUpdate(schedule=wanted))
