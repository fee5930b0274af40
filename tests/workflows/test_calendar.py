"""Waiting by the calendar, on the time-skipping server: patience, dunning, settling."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from domain.mailbox import BookingState
from domain.money import Money
from domain.naming import Queue
from domain.steps import ChargeResult, DueInstalment, PlanArrangement, PlanStep
from domain.superseding import ExperienceState
from tests.workflows.office import Office, deliver, told, working
from workflows.experience import SETTLING

COMPLETED = WorkflowExecutionStatus.COMPLETED
PLAN = PlanStep(agency="demo", plan_id="plan_50", booking_id="bkg_500", event_id="evt_1", revision=1)
DUE = DueInstalment(instalment_id="ins_2", due_on=date(2027, 3, 22), amount=Money(amount=38200, currency="EUR"))


@pytest.mark.covers("F-C13")
async def test_money_whose_booking_never_comes_stands_in_suspense_and_on_the_list(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    paid = told("payment.captured", "bkg_t1", fact="pay_t1", payment_id="pay_t1")
    async with working(skipping.client, office):
        handle = await deliver(skipping.client, paid)
        await skipping.sleep(timedelta(minutes=12))
        assert office.names[:3] == ["platform.read_booking", "journal.record_payment", "office.park"]
        assert not office.of("journal.record_payment")[0].known_booking
        assert office.parked[0].reason == "unknown_booking"

        await handle.signal("deliver", told("booking.created", "bkg_t1"))
        await skipping.sleep(timedelta(minutes=1))
        state = BookingState.model_validate(await handle.query("view", result_type=BookingState))
        assert not state.parked
    assert office.unparked[0].taken.by == "system"
    assert [step.known_booking for step in office.of("journal.record_payment")] == [False, True]
    assert office.count("giav.record_payment") == 1


@pytest.mark.covers("F-P1", "1.7.7")
async def test_a_soft_decline_is_tried_on_days_1_4_and_11_and_then_given_to_a_person(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    office.answers["office.due_instalments"] = lambda _: PlanArrangement(collection="automatic", due=(DUE,))
    office.answers["platform.collect_instalment"] = lambda _: ChargeResult(
        status="declined", category="soft", message="insufficient funds"
    )
    async with working(skipping.client, office):
        start = await skipping.get_current_time()
        await skipping.client.start_workflow("CollectInstalment", PLAN, id="collect/t2", task_queue=Queue.WORKFLOWS)
        await skipping.sleep(timedelta(days=12))
        await skipping.client.get_workflow_handle("instalment/demo/ins_2").terminate()
    assert [step.attempt for step in office.of("platform.collect_instalment")] == [1, 2, 3, 4]
    assert office.parked[0].reason == "instalment_declined"
    told = [step.occasion for step in office.of("office.tell_payer")]
    assert told == ["declined", "declined", "declined", "stopped"], "the payer hears of each"
    assert timedelta(days=11) <= office.parked[0].since - start < timedelta(days=11, hours=1)


@pytest.mark.covers("F-P2", "1.7.7")
async def test_a_hard_decline_is_never_tried_again(skipping: WorkflowEnvironment, office: Office) -> None:
    due = DUE.model_copy(update={"instalment_id": "ins_t3"})
    office.answers["office.due_instalments"] = lambda _: PlanArrangement(collection="automatic", due=(due,))
    office.answers["platform.collect_instalment"] = lambda _: ChargeResult(
        status="declined", category="hard", message="stolen card"
    )
    async with working(skipping.client, office):
        await skipping.client.start_workflow("CollectInstalment", PLAN, id="collect/t3", task_queue=Queue.WORKFLOWS)
        await skipping.sleep(timedelta(days=30))
        await skipping.client.get_workflow_handle("instalment/demo/ins_t3").terminate()
    assert office.count("platform.collect_instalment") == 1
    assert [item.reason for item in office.parked] == ["instalment_declined", "payment_overdue"]
    assert office.parked[1].since - office.parked[0].since >= timedelta(days=10)
    assert [step.occasion for step in office.of("office.tell_payer")] == ["stopped"]


async def test_an_expediente_is_opened_once_amended_and_closed_after_settling(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    now = await skipping.get_current_time()
    ends = (now + timedelta(days=10)).date()
    created = told("experience.created", "exp_t4", experience_id="exp_t4", booking_id=None, ends_on=ends)
    updated = created.model_copy(update={"revision": 2, "kind": "experience.updated"})
    async with working(skipping.client, office):
        handle = await skipping.client.start_workflow(
            "Experience",
            ExperienceState(agency="demo", experience_id="exp_t4"),
            id=created.workflow_id,
            task_queue=Queue.WORKFLOWS,
            start_signal="deliver",
            start_signal_args=[created],
        )
        for notice in (created, updated, updated):
            await handle.signal("deliver", notice)
        await skipping.sleep(timedelta(days=9) + SETTLING)
        assert "giav.close_experience" not in office.names
        await skipping.sleep(timedelta(days=2))
        assert (await handle.describe()).status == COMPLETED
    assert office.count("giav.open_experience") == 1
    assert office.count("giav.close_experience") == 1
    assert office.names[-1] == "giav.close_experience"
