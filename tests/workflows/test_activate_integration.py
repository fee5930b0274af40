"""An activation checks, installs, begins and takes in what exists; it stops where only a person can go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.errors import NeedsPerson, Refused, Transient, Unauthorised
from domain.naming import Queue, resend_workflow
from domain.steps import BackfillProgress, DecisionTaken, IntegrationBackfill, IntegrationOrder, UntoldBookings
from tests.workflows.office import Office, working
from workflows.activate_integration import ActivateIntegration

SINCE = date(2026, 11, 22)
PHASES = {"events": "bookings", "bookings": "payments", "payments": "plans", "plans": "done"}


def next_page(step: IntegrationBackfill) -> BackfillProgress:
    """One page for each list, of ten items."""
    told = step.progress
    return told.model_copy(update={"phase": PHASES[told.phase], "seen": told.seen + 10, "taken": told.taken + 10})


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 the workers make it true
        await asyncio.sleep(0.02)


async def started(client: Client, office: Office, agency: str, **more: Any) -> WorkflowHandle[Any, Any]:
    office.answers["integration.activate"] = lambda _: BackfillProgress(ended_since=SINCE)
    office.answers["integration.backfill"] = next_page
    order = IntegrationOrder(agency=agency, system="giav", by="ana", **more)
    handle: WorkflowHandle[Any, Any] = await client.start_workflow(
        ActivateIntegration.run, order, id=f"integration/{agency}/giav", task_queue=Queue.WORKFLOWS
    )
    return handle


async def test_an_activation_goes_its_way_and_counts_what_it_took_in(dev_server: Client, office: Office) -> None:
    async with working(dev_server, office):
        handle = await started(dev_server, office, "a1")
        ended = await handle.result()
        assert await handle.query("progress", result_type=BackfillProgress) == ended
    assert office.names == [
        "integration.check",
        "integration.install_fields",
        "integration.activate",
        *["integration.backfill"] * 4,
    ]
    assert (ended.phase, ended.seen) == ("done", 40)


async def test_a_refused_key_parks_and_goes_on_by_itself_when_another_was_given(
    dev_server: Client, office: Office
) -> None:
    office.fails["integration.check"] = [Unauthorised("apikey", system="giav")]
    async with working(dev_server, office):
        handle = await started(dev_server, office, "a2")
        await until(lambda: bool(office.parked))
        await handle.signal("changed")
        assert (await handle.result()).phase == "done"
    assert [item.reason for item in office.parked] == ["integration_unauthorised"]
    assert [answer.taken.by for answer in office.unparked] == ["system"]


async def test_a_setting_that_cannot_be_guessed_is_tried_again_when_a_person_says_so(
    dev_server: Client, office: Office
) -> None:
    office.fails["integration.check"] = [NeedsPerson("office_id is missing", system="giav")]
    async with working(dev_server, office):
        handle = await started(dev_server, office, "a3", backfill=False)
        await until(lambda: bool(office.parked))
        item = office.parked[0]
        assert item.decisions == ("retry", "abandon")
        taken = DecisionTaken(item_id=item.item_id, decision="retry", by="ana")
        await handle.execute_update("decide", taken)
        await handle.result()
    assert office.count("integration.check") == 1
    assert office.count("integration.backfill") == 0


async def test_an_activation_that_is_given_up_uses_nothing(dev_server: Client, office: Office) -> None:
    office.fails["integration.check"] = [Unauthorised("apikey", system="giav")]
    async with working(dev_server, office):
        handle = await started(dev_server, office, "a4")
        await until(lambda: bool(office.parked))
        answer = {"decision": "abandon", "by": "ana", "explanation": "the agency leaves GIAV"}
        taken = DecisionTaken.model_validate({"item_id": office.parked[0].item_id, **answer})
        await handle.execute_update("decide", taken)
        assert await handle.result() is None
    assert office.count("integration.activate") == 0


async def test_a_page_that_fails_for_a_while_is_taken_again_from_its_place(dev_server: Client, office: Office) -> None:
    office.fails["integration.backfill"] = [Transient("503", system="platform", retry_after=0.01)]
    async with working(dev_server, office):
        ended = await (await started(dev_server, office, "a5")).result()
    assert [step.progress.phase for step in office.of("integration.backfill")] == [*PHASES]
    assert ended.seen == 40


async def test_a_backfill_that_a_person_leaves_out_ends_where_it_was(dev_server: Client, office: Office) -> None:
    office.fails["integration.backfill"] = [NeedsPerson("no address", system="platform")]
    async with working(dev_server, office):
        handle = await started(dev_server, office, "a6")
        await until(lambda: bool(office.parked))
        answer = {"decision": "skip", "by": "ana", "explanation": "imported from a file"}
        taken = DecisionTaken.model_validate({"item_id": office.parked[0].item_id, **answer})
        await handle.execute_update("decide", taken)
        assert (await handle.result()).phase == "events"


async def test_a_new_run_goes_on_at_the_page_where_the_last_one_stopped(dev_server: Client, office: Office) -> None:
    halfway = BackfillProgress(ended_since=SINCE, phase="payments", cursor="200", seen=400)
    async with working(dev_server, office):
        ended = await (await started(dev_server, office, "a7", progress=halfway)).result()
    assert office.names == ["integration.backfill"] * 2
    assert ended.seen == 420


async def test_a_mid_office_waits_until_the_account_manager_was_told(dev_server: Client, office: Office) -> None:
    office.fails["midoffice.confirm_account"] = [NeedsPerson("send this to the account manager", system="tina")]
    order = IntegrationOrder(agency="a8", system="tina", by="ana", backfill=False)
    async with working(dev_server, office):
        handle = await dev_server.start_workflow(
            ActivateIntegration.run, order, id="integration/a8/tina", task_queue=Queue.WORKFLOWS
        )
        await until(lambda: bool(office.parked))
        await handle.signal("changed")
        assert await handle.result() is None
    assert [item.reason for item in office.parked] == ["midoffice_needs_person"]
    cells = [name for name in office.names if name.startswith("midoffice.")]
    assert cells == ["midoffice.check_account", "midoffice.confirm_account", "midoffice.use_account"]


async def test_a_mid_office_is_told_of_what_was_booked_before_page_by_page(dev_server: Client, office: Office) -> None:
    pages = {"": ("bkg_a9x", "bkg_a9y"), "bkg_a9y": ("bkg_a9z",)}

    def untold(step: IntegrationBackfill) -> UntoldBookings:
        found = pages.get(step.progress.cursor, ())
        place = {"cursor": found[-1], "taken": step.progress.taken + len(found)} if found else {"phase": "done"}
        return UntoldBookings(progress=step.progress.model_copy(update=place), bookings=found)

    office.answers["midoffice.untold"] = untold
    order = IntegrationOrder(agency="a9", system="tina", by="ana", ended_since=SINCE)
    async with working(dev_server, office):
        handle = await dev_server.start_workflow(
            ActivateIntegration.run, order, id="integration/a9/tina", task_queue=Queue.WORKFLOWS
        )
        ended = await handle.result()
    assert ended is not None
    assert (ended.phase, ended.taken, ended.ended_since) == ("done", 3, SINCE)
    sent = [step.booking_id for step in office.of("midoffice.resend")]
    assert sorted(sent[:2]) == ["bkg_a9x", "bkg_a9y"]
    assert sent[2:] == ["bkg_a9z"]


async def test_a_booking_that_is_refused_waits_for_a_person_and_holds_up_no_other(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    bookings = tuple(f"bkg_a11{number}" for number in range(7))

    def untold(step: IntegrationBackfill) -> UntoldBookings:
        first = step.progress.cursor == ""
        place = {"cursor": bookings[-1]} if first else {"phase": "done"}
        return UntoldBookings(progress=step.progress.model_copy(update=place), bookings=bookings if first else ())

    office.answers["midoffice.untold"] = untold
    office.fails["midoffice.resend"] = [Refused("creditor 70012 is not known", system="tina")]
    order = IntegrationOrder(agency="a11", system="tina", by="ana")
    # Waiting for a result would skip the years that the server gives a workflow which waits for a person.
    async with working(skipping.client, office):
        handle = await skipping.client.start_workflow(
            ActivateIntegration.run, order, id="integration/a11/tina", task_queue=Queue.WORKFLOWS
        )
        while (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
            await skipping.sleep(timedelta(seconds=20))
        with skipping.auto_time_skipping_disabled():
            ended = await handle.result()
        (item,) = office.parked
        refused = skipping.client.get_workflow_handle(resend_workflow("a11", item.booking_id or ""))
        answer = DecisionTaken(item_id=item.item_id, decision="retry", by="ana")
        await refused.execute_update("decide", answer)
        with skipping.auto_time_skipping_disabled():
            await refused.result()
    assert ended is not None
    assert ended.phase == "done"
    assert sorted(step.booking_id for step in office.of("midoffice.resend")) == list(bookings)


async def test_a_new_run_of_a_mid_offices_activation_goes_on_at_its_page(dev_server: Client, office: Office) -> None:
    office.answers["midoffice.untold"] = lambda step: UntoldBookings(
        progress=step.progress.model_copy(update={"phase": "done"})
    )
    halfway = BackfillProgress(ended_since=SINCE, phase="bookings", cursor="bkg_7", taken=7)
    order = IntegrationOrder(agency="a10", system="tina", by="ana", progress=halfway)
    async with working(dev_server, office):
        ended = await dev_server.execute_workflow(
            ActivateIntegration.run, order, id="integration/a10/tina", task_queue=Queue.WORKFLOWS
        )
    assert office.names == ["midoffice.untold"]
    assert office.of("midoffice.untold")[0].progress == halfway
    assert ended is not None
    assert ended.taken == 7
