"""The clocks of money that must go back, by the calendar of the time-skipping server (contracts: money-rules 1.4.4, C5, F-R5,
F-P16, and the task for an instalment that fails for good, giav 4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.money import Money
from domain.naming import Queue
from domain.steps import ChargeResult, DecisionTaken, Done, PlanArrangement
from tests.workflows.office import Office, deliver, told, working
from tests.workflows.test_calendar import DUE, PLAN

KEPT = Money(amount=3000, currency="EUR")
BACK = Money(amount=27000, currency="EUR")


def reasons(office: Office) -> list[str]:
    return [item.reason for item in office.parked]


async def owing(skipping: WorkflowEnvironment, booking: str) -> tuple[WorkflowHandle[Any, Any], datetime]:
    """300.00 paid, cancelled now with a penalty of 30.00, and nothing given back."""
    now = await skipping.get_current_time()
    paid = told("payment.captured", booking, fact=f"pay_{booking}", payment_id=f"pay_{booking}", occurred_at=now)
    ended = told(
        "booking.cancelled",
        booking,
        2,
        cancellation_id=f"cxl_{booking}",
        scope="full",
        amount=KEPT,
        occurred_at=now + timedelta(seconds=1),
        effective_at=now,
        refund_by=now + timedelta(days=14),
    )
    return await deliver(skipping.client, told("booking.created", booking, occurred_at=now), paid, ended), now


def given_back(booking: str, fact: str = "ref_1", **more: Any) -> Any:
    return told("payment.refunded", booking, fact=fact, payment_id=f"pay_{booking}", amount=BACK, **more)


@pytest.mark.covers("1.4.4", "C5")
async def test_a_refund_that_stays_away_is_an_alarm_on_day_7_a_question_on_day_10_and_a_breach_on_day_14(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    async with working(skipping.client, office):
        handle, ended = await owing(skipping, "bkg_c1")
        await skipping.sleep(timedelta(days=6, hours=23))
        assert reasons(office) == []
        await skipping.sleep(timedelta(hours=2))
        assert reasons(office) == ["refund_due"]
        await skipping.sleep(timedelta(days=3))
        assert reasons(office) == ["refund_due", "refund_pending"]
        await skipping.sleep(timedelta(days=4))
        assert reasons(office) == ["refund_due", "refund_pending", "refund_breach"]
        alarm, question, breach = office.parked
        assert [item.amount for item in office.parked] == [BACK] * 3
        assert (alarm.deadline, question.deadline) == (ended + timedelta(days=10), ended + timedelta(days=14))
        assert timedelta(days=14) <= breach.since - ended < timedelta(days=14, hours=1)
        await handle.signal("deliver", given_back("bkg_c1"))
        await skipping.sleep(timedelta(minutes=1))
    (record,) = office.of("office.close_lifecycle")
    assert "breach" in record.notes[0], "it was late all the same"
    assert {unparked.taken.by for unparked in office.unparked} == {"system"}


@pytest.mark.covers("1.4.4", "C5")
async def test_a_refund_in_time_leaves_nobody_asked_and_nothing_on_record(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    async with working(skipping.client, office):
        handle, _ = await owing(skipping, "bkg_c2")
        await skipping.sleep(timedelta(days=8))
        await handle.signal("deliver", given_back("bkg_c2"))
        await skipping.sleep(timedelta(days=30))
    assert reasons(office) == ["refund_due"]
    assert office.of("office.close_lifecycle") == []


@pytest.mark.covers("F-R3", "C5")
async def test_a_refund_that_fails_after_its_deadline_is_a_breach_at_once(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    booking = "bkg_c3"
    async with working(skipping.client, office):
        handle, _ = await owing(skipping, booking)
        await handle.signal("deliver", given_back(booking))
        await skipping.sleep(timedelta(days=20))
        assert reasons(office) == []
        fact, payment = "ref_1:failed", f"pay_{booking}"
        await handle.signal("deliver", told("payment.refund_failed", booking, 2, fact=fact, payment_id=payment))
        await skipping.sleep(timedelta(hours=2))
    assert sorted(reasons(office)) == ["refund_breach", "refund_failed"]


@pytest.mark.covers("C5")
async def test_a_person_may_say_that_no_refund_is_due(skipping: WorkflowEnvironment, office: Office) -> None:
    async with working(skipping.client, office):
        await owing(skipping, "bkg_c4")
        await skipping.sleep(timedelta(days=11))
        asked = office.parked[-1]
        taken = DecisionTaken(item_id=asked.item_id, decision="skip", by="ana", explanation="moved to another trip")
        await skipping.client.get_workflow_handle(asked.workflow_id).execute_update("decide", taken)
        await skipping.sleep(timedelta(days=60))
    assert reasons(office) == ["refund_due", "refund_pending"]
    assert "moved to another trip" in office.of("office.close_lifecycle")[0].notes[0]


@pytest.mark.covers("F-P16", "M9")
async def test_a_transfer_over_the_price_becomes_a_case_that_its_refund_closes(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    booking = "bkg_c5"
    async with working(skipping.client, office):
        over = told("payment.captured", booking, fact=f"pay_{booking}", payment_id=f"pay_{booking}", method="transfer")
        handle = await deliver(
            skipping.client, told("booking.created", booking, amount=KEPT), over.model_copy(update={"revision": 2})
        )
        await skipping.sleep(timedelta(minutes=50))
        assert reasons(office) == []
        await skipping.sleep(timedelta(minutes=20))
        (case,) = office.parked
        assert (case.reason, case.amount) == ("overpaid", BACK)
        assert office.count("giav.record_payment") == 1, "the money is booked whole"
        await handle.signal("deliver", given_back(booking))
        await skipping.sleep(timedelta(minutes=1))
    assert office.unparked[0].taken.by == "system"
    assert office.count("giav.record_refund") == 1, "the case holds no refund back"


@pytest.mark.covers("F-R5")
async def test_a_declared_refund_that_no_processor_shows_is_a_warning_until_it_does(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    booking, shown = "bkg_c6", [Done(outcome="partial")]
    office.answers["office.refund_shown"] = lambda _: shown[-1]
    async with working(skipping.client, office):
        handle, now = await owing(skipping, booking)
        declared: dict[str, Any] = {"refund_status": "declared", "destination": "original_method", "occurred_at": now}
        await handle.signal("deliver", given_back(booking, **declared))
        await skipping.sleep(timedelta(days=4))
        assert reasons(office) == []
        await skipping.sleep(timedelta(days=4))
        assert reasons(office) == ["refund_unconfirmed"]
        shown.append(Done())
        await skipping.sleep(timedelta(days=1, hours=1))
        assert [unparked.taken.by for unparked in office.unparked] == ["system"]
        await skipping.sleep(timedelta(days=30))
    assert reasons(office) == ["refund_unconfirmed"]


@pytest.mark.covers("giav 4: instalment that fails for good", "F-P2")
async def test_an_instalment_that_fails_for_good_leaves_a_task_on_the_file(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    due = DUE.model_copy(update={"instalment_id": "ins_c7"})
    office.answers["office.due_instalments"] = lambda _: PlanArrangement(collection="automatic", due=(due,))
    office.answers["platform.collect_instalment"] = lambda _: ChargeResult(
        status="declined", category="soft", message="insufficient funds"
    )
    async with working(skipping.client, office):
        await skipping.client.start_workflow("CollectInstalment", PLAN, id="collect/c7", task_queue=Queue.WORKFLOWS)
        await skipping.sleep(timedelta(days=5))
        assert office.count("giav.report_decline") == 0
        await skipping.sleep(timedelta(days=7))
    assert office.count("giav.report_decline") == 1
    assert reasons(office) == ["instalment_declined"]
