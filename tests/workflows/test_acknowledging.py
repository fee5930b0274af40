"""A mid-office that answers later: soon, late, never, no; on the time-skipping server (midoffice 3.2 QUEUED, 8.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.errors import BackOfficeError, Refused
from domain.mailbox import BookingState
from domain.naming import Queue, resend_workflow
from domain.steps import AnswersStep, BookingQuestion, BookingStep, DecisionTaken, Done
from tests.workflows.office import Office, deliver, told, working
from workflows.acknowledging import pause_after

KEY = "demo/ziel/booking/bkg/announce#1"
REGISTER, READ = "midoffice.register_booking", "midoffice.read_answers"


class Silent:
    """A mid-office that has taken a booking into its queue; `answer` ends its silence."""

    def __init__(self, office: Office) -> None:
        self.acknowledged = False
        office.answers[REGISTER] = self._register
        office.answers[READ] = self._read

    def answer(self) -> None:
        self.acknowledged = True

    def _register(self, _: BookingStep) -> Done:
        return Done(ids={"order": "Z100001"}) if self.acknowledged else Done(awaiting=(KEY,))

    def _read(self, step: AnswersStep) -> Done:
        return Done(awaiting=() if self.acknowledged else step.effects)


@pytest.fixture
def silent(office: Office) -> Silent:
    return Silent(office)


async def state_of(handle: WorkflowHandle[Any, Any]) -> BookingState:
    return BookingState.model_validate(await handle.query("view", result_type=BookingState))


async def created(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether the creation went to its end, after whatever stops."""
    state = await state_of(handle)
    return not state.parked and any(one.startswith("create ") and one.endswith(": done") for one in state.done)


async def test_an_acknowledgement_that_comes_soon_is_waited_for(
    skipping: WorkflowEnvironment, office: Office, silent: Silent
) -> None:
    async with working(skipping.client, office):
        handle = await deliver(skipping.client, told("booking.created", "bkg_k1"))
        await skipping.sleep(timedelta(minutes=3))
        assert not await created(handle)
        silent.answer()
        await skipping.sleep(timedelta(minutes=2))
        assert await created(handle)
    assert office.count(REGISTER) == 2
    assert office.of(READ)[0].effects == (KEY,)
    assert not any(step.chase for step in office.of(READ))
    assert not office.parked


async def test_money_does_not_wait_for_an_acknowledgement_that_is_late(
    skipping: WorkflowEnvironment, office: Office, silent: Silent
) -> None:
    paid = told("payment.captured", "bkg_k2", fact="pay_k2", payment_id="pay_k2")
    async with working(skipping.client, office):
        handle = await deliver(skipping.client, told("booking.created", "bkg_k2"), paid)
        await skipping.sleep(timedelta(minutes=10))
        assert office.count("giav.record_payment") == 0
        await skipping.sleep(timedelta(minutes=10))
        assert office.count("giav.record_payment") == 1
        assert office.of("giav.record_payment")[0].known_booking
        silent.answer()
        await skipping.sleep(timedelta(minutes=40))
        assert await created(handle)
    assert not office.parked


async def test_silence_of_a_day_is_a_persons_business_after_they_were_asked_what_they_hold(
    skipping: WorkflowEnvironment, office: Office, silent: Silent
) -> None:
    async with working(skipping.client, office):
        handle = await deliver(skipping.client, told("booking.created", "bkg_k3"))
        await skipping.sleep(timedelta(minutes=58))
        assert not any(step.chase for step in office.of(READ))
        await skipping.sleep(timedelta(hours=22))
        assert office.of(READ)[-1].chase
        assert not office.parked
        await skipping.sleep(timedelta(hours=2))
        (item,) = office.parked
        assert (item.verb, item.reason, item.effect) == (REGISTER, "midoffice_unacknowledged", KEY)
        assert set(item.decisions) >= {"retry", "skip", "adopt"}

        taken = DecisionTaken(item_id=item.item_id, decision="retry", by="eva", explanation="they lost it")
        silent.answer()
        await skipping.client.get_workflow_handle(item.workflow_id).execute_update("decide", taken, result_type=str)
        await skipping.sleep(timedelta(minutes=1))
        assert await created(handle)
    assert [one.taken.by for one in office.unparked] == ["eva"]
    assert office.count(REGISTER) == 2


async def test_an_acknowledgement_that_comes_while_a_person_is_asked_closes_the_item_by_itself(
    skipping: WorkflowEnvironment, office: Office, silent: Silent
) -> None:
    async with working(skipping.client, office):
        handle = await deliver(skipping.client, told("booking.created", "bkg_k4"))
        await skipping.sleep(timedelta(hours=25))
        assert len(office.parked) == 1
        silent.answer()
        await skipping.sleep(timedelta(hours=2))
        assert await created(handle)
    assert [one.taken.by for one in office.unparked] == ["system"]


async def test_a_negative_acknowledgement_is_parked_with_its_field_and_sent_again_when_a_person_says_so(
    skipping: WorkflowEnvironment, office: Office, silent: Silent
) -> None:
    office.fails[READ] = [_no()]
    async with working(skipping.client, office):
        handle = await deliver(skipping.client, told("booking.created", "bkg_k5"))
        await skipping.sleep(timedelta(minutes=1))
        (item,) = office.parked
        assert (item.verb, item.reason, item.effect) == (REGISTER, "midoffice_refused", KEY)
        assert "VORG[1].waehrung" in item.detail
        silent.answer()
        taken = DecisionTaken(item_id=item.item_id, decision="retry", by="eva", explanation="supplier set up there")
        await skipping.client.get_workflow_handle(item.workflow_id).execute_update("decide", taken, result_type=str)
        await skipping.sleep(timedelta(minutes=1))
        assert await created(handle)


async def test_a_no_that_comes_while_a_person_is_asked_replaces_the_item(
    skipping: WorkflowEnvironment, office: Office, silent: Silent
) -> None:
    async with working(skipping.client, office):
        await deliver(skipping.client, told("booking.created", "bkg_k6"))
        await skipping.sleep(timedelta(hours=25))
        assert [item.reason for item in office.parked] == ["midoffice_unacknowledged"]
        office.fails[READ] = [_no()]
        office.fails[REGISTER] = [_no()]
        await skipping.sleep(timedelta(hours=2))
        assert [item.reason for item in office.parked] == ["midoffice_unacknowledged", "midoffice_refused"]
    assert [one.taken.by for one in office.unparked] == ["system"]


async def test_a_person_may_go_on_without_them(skipping: WorkflowEnvironment, office: Office, silent: Silent) -> None:
    async with working(skipping.client, office):
        handle = await deliver(skipping.client, told("booking.created", "bkg_k7"))
        await skipping.sleep(timedelta(hours=25))
        (item,) = office.parked
        taken = DecisionTaken(item_id=item.item_id, decision="skip", by="eva", explanation="entered by hand")
        await skipping.client.get_workflow_handle(item.workflow_id).execute_update("decide", taken, result_type=str)
        await skipping.sleep(timedelta(hours=3))
        asked = office.count(READ)
        assert (await state_of(handle)).done
        await skipping.sleep(timedelta(hours=12))
        assert office.count(READ) == asked
    assert office.of("office.close_lifecycle")[0].outcome == "partial"


def test_looks_are_soon_at_first_and_few_in_the_end() -> None:
    seconds = [
        pause_after(timedelta(seconds=waited)).total_seconds() for waited in (0, 5, 40, 300, 1200, 7200, 100_000)
    ]
    assert seconds == [5, 5, 40, 60, 300, 1800, 3600]
    assert pause_after(timedelta(days=30)) == timedelta(hours=6)


def _no() -> BackOfficeError:
    return Refused("E32: VORG[1].waehrung: is not of its form", system="ziel", code="E32", effect=KEY)


async def test_a_booking_is_sent_again_on_request_and_waits_like_any_other(
    skipping: WorkflowEnvironment, office: Office, silent: Silent
) -> None:
    office.answers["midoffice.resend"] = office.answers[REGISTER]
    office.fails["midoffice.resend"] = [_no()]
    order = BookingQuestion(agency="demo", booking_id="bkg_k8")
    async with working(skipping.client, office):
        handle = await skipping.client.start_workflow(
            "ResendBooking", order, id=resend_workflow("demo", "bkg_k8"), task_queue=Queue.WORKFLOWS, result_type=Done
        )
        await skipping.sleep(timedelta(minutes=1))
        (item,) = office.parked
        assert item.reason == "midoffice_refused"
        taken = DecisionTaken(item_id=item.item_id, decision="retry", by="eva", explanation="set up there now")
        await handle.execute_update("decide", taken, result_type=str)
        await skipping.sleep(timedelta(minutes=1))
        silent.answer()
        assert (await handle.result()).ids == {"order": "Z100001"}
