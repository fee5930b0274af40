"""Refunds and disputes that nobody may settle alone, on a real Temporal server (contracts: money-rules 1.7.9, 4.4 to 4.6)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from domain.mailbox import BookingState
from domain.money import Money
from domain.steps import Decision, DecisionTaken, Done, Parking
from tests.workflows.office import Office, deliver, told, working
from tests.workflows.test_booking import settled

MONEY_CELLS = ("giav.record_refund", "journal.record_refund", "tamara.record_refund")
DISPUTE_CELLS = ("giav.record_chargeback", "journal.record_chargeback")


async def item(office: Office, reason: str) -> Parking:
    """The item of this reason, once it is on the list."""
    while True:
        found = [each for each in office.parked if each.reason == reason]
        if found:
            return found[-1]
        await asyncio.sleep(0.02)


def at_rest(state: BookingState) -> bool:
    return state.running is None and not state.queue and not state.parked


async def asked(office: Office, cell: str) -> None:
    while cell not in office.names:  # noqa: ASYNC110 the workers ask it
        await asyncio.sleep(0.02)


async def closed(office: Office, parked: Parking) -> None:
    while parked.item_id not in [each.taken.item_id for each in office.unparked]:  # noqa: ASYNC110 the workers close it
        await asyncio.sleep(0.02)


async def answer(client: Client, parked: Parking, decision: Decision) -> None:
    taken = DecisionTaken(item_id=parked.item_id, decision=decision, by="ana", explanation="agreed with the payer")
    await client.get_workflow_handle(parked.workflow_id).execute_update("decide", taken)


async def paid(client: Client, booking: str) -> WorkflowHandle[Any, Any]:
    """Registered and paid."""
    payment = told("payment.captured", booking, fact=f"pay_{booking}", payment_id=f"pay_{booking}")
    handle = await deliver(client, told("booking.created", booking), payment)
    await settled(handle, lambda s: bool(s.payments))
    return handle


def dispute(booking: str, stage: str, revision: int, **more: Any) -> Any:
    known: dict[str, Any] = {"dispute_kind": "card_dispute", "payment_id": f"pay_{booking}", "stage": stage}
    known |= more
    return told("payment.chargeback", booking, revision, fact=f"cbk_{booking}:{stage}", **known)


def refund(booking: str, **more: Any) -> Any:
    return told("payment.refunded", booking, **{"fact": f"ref_{booking}", "payment_id": f"pay_{booking}"} | more)


def bounced(booking: str, **more: Any) -> Any:
    fact = f"ref_{booking}:failed"
    return told("payment.refund_failed", booking, 3, fact=fact, payment_id=f"pay_{booking}", **more)


def cancelled(booking: str, **more: Any) -> Any:
    ended: dict[str, Any] = {"cancellation_id": "cxl_1", "scope": "full", "effective_at": datetime.now(UTC)}
    return told("booking.cancelled", booking, 2, **ended | more)


def booked(office: Office, cells: tuple[str, ...] = MONEY_CELLS) -> list[int]:
    return [office.count(cell) for cell in cells]


@pytest.mark.covers("1.7.9", "F-X14")
@pytest.mark.parametrize(("decision", "times"), [("approve", [1, 1, 1]), ("decline", [0, 0, 0])])
async def test_a_disputed_payment_of_a_cancelled_booking_is_refunded_only_when_a_person_says_so(
    dev_server: Client, office: Office, decision: Decision, times: list[int]
) -> None:
    booking = f"bkg_m1{decision}"
    async with working(dev_server, office):
        handle = await paid(dev_server, booking)
        await deliver(dev_server, dispute(booking, "opened", 2))
        await item(office, "chargeback_opened")
        await deliver(dev_server, told("booking.cancelled", booking, 2, cancellation_id="cxl_1"))
        await settled(handle, lambda s: s.revision == 2)
        await deliver(dev_server, refund(booking))
        parked = await item(office, "refund_disputed")
        assert booked(office) == [0, 0, 0]
        assert office.count("giav.cancel_booking") == 1, "the cancellation itself waits for nobody"
        assert parked.decisions == ("approve", "decline")
        await answer(dev_server, parked, decision)
        await settled(handle, lambda s: s.running is None and not any("/refund/" in each for each in s.parked))
    assert booked(office) == times


@pytest.mark.covers("1.7.9")
async def test_a_refund_goes_on_by_itself_once_its_dispute_is_won(dev_server: Client, office: Office) -> None:
    booking = "bkg_m2"
    async with working(dev_server, office):
        handle = await paid(dev_server, booking)
        await deliver(dev_server, dispute(booking, "funds_withdrawn", 2))
        await item(office, "chargeback_opened")
        await deliver(dev_server, refund(booking))
        await item(office, "refund_disputed")
        await deliver(dev_server, dispute(booking, "won", 3))
        await settled(handle, at_rest)
    assert booked(office) == [1, 1, 1]
    assert {unparked.taken.by for unparked in office.unparked} == {"system"}


@pytest.mark.covers("F-P10")
async def test_an_opened_dispute_freezes_the_plan_asks_for_evidence_in_time_and_rectifies_nothing(
    dev_server: Client, office: Office
) -> None:
    booking, by = "bkg_m3", datetime(2026, 12, 10, tzinfo=UTC)
    async with working(dev_server, office):
        handle = await paid(dev_server, booking)
        await deliver(dev_server, dispute(booking, "opened", 2, answer_by=by))
        parked = await item(office, "chargeback_opened")
        assert (parked.deadline, parked.decisions) == (by, ("skip",))
        await asked(office, "giav.record_chargeback")
        assert office.names.index("office.freeze_plan") < office.names.index("giav.record_chargeback")
        assert booked(office, DISPUTE_CELLS) == [1, 0], "a task, and no money"
        await deliver(dev_server, told("booking.modified", booking, 2), dispute(booking, "funds_withdrawn", 3))
        await settled(handle, lambda s: s.revision == 2 and s.refunded == 30000)
        assert len([each for each in office.parked if each.reason == "chargeback_opened"]) == 1, "asked once"
        await deliver(dev_server, dispute(booking, "won", 4))
        await settled(handle, lambda s: at_rest(s) and s.refunded == 0)
    assert office.count("office.thaw_plan") == 1
    assert not {"giav.cancel_booking", "journal.amend_booking", "journal.cancel_booking"} & set(office.names)


@pytest.mark.covers("F-P9")
async def test_a_returned_debit_is_a_debt_to_be_asked_for_and_not_argued(dev_server: Client, office: Office) -> None:
    booking = "bkg_m4"
    async with working(dev_server, office):
        await paid(dev_server, booking)
        await deliver(dev_server, dispute(booking, "funds_withdrawn", 2, dispute_kind="sepa_return"))
        await item(office, "debit_returned")
        for cell in DISPUTE_CELLS:
            await asked(office, cell)
    assert booked(office, DISPUTE_CELLS) == [1, 1]


@pytest.mark.covers("F-P11", "1.3 bad debt")
@pytest.mark.parametrize("decision", ["claim", "write_off"])
async def test_a_lost_dispute_is_claimed_or_written_off_by_a_person_and_never_alone(
    dev_server: Client, office: Office, decision: Decision
) -> None:
    booking = f"bkg_m5{decision}"
    async with working(dev_server, office):
        handle = await paid(dev_server, booking)
        await deliver(dev_server, dispute(booking, "funds_withdrawn", 2), dispute(booking, "lost", 3))
        parked = await item(office, "chargeback_lost")
        assert parked.decisions == ("claim", "write_off")
        assert office.count("journal.settle_claim") == 0
        await answer(dev_server, parked, decision)
        await settled(handle, at_rest)
    (claim,) = office.of("journal.settle_claim")
    assert (claim.about, claim.decision, claim.amount.amount) == ("dispute", decision, 30000)
    assert office.count("office.thaw_plan") == 1, "the trip is still on"


@pytest.mark.covers("F-P11")
async def test_cancelling_for_non_payment_answers_a_lost_dispute(dev_server: Client, office: Office) -> None:
    booking = "bkg_m6"
    async with working(dev_server, office):
        handle = await paid(dev_server, booking)
        await deliver(dev_server, dispute(booking, "funds_withdrawn", 2), dispute(booking, "lost", 3))
        await item(office, "chargeback_lost")
        await deliver(dev_server, cancelled(booking))
        await settled(handle, at_rest)
    assert office.count("giav.cancel_booking") == 1
    assert office.count("journal.settle_claim") == 0


@pytest.mark.covers("F-R9")
async def test_a_dispute_asks_to_stop_a_refund_that_no_processor_has_shown(dev_server: Client, office: Office) -> None:
    office.answers["office.refund_shown"] = lambda _: Done(outcome="partial")
    booking = "bkg_m7"
    async with working(dev_server, office):
        handle = await paid(dev_server, booking)
        await deliver(dev_server, refund(booking, refund_status="declared", destination="original_method"))
        await settled(handle, lambda s: bool(s.refunds))
        await deliver(dev_server, dispute(booking, "opened", 2))
        parked = await item(office, "refund_while_disputed")
        assert "stop it at the processor" in parked.detail
        await deliver(dev_server, bounced(booking))
        await settled(handle, lambda s: not s.refunds)
        await closed(office, parked)


@pytest.mark.covers("F-R6")
@pytest.mark.parametrize(("decision", "rectified"), [("approve", [False, True]), ("decline", [False])])
async def test_a_refund_that_nobody_declared_is_booked_at_once_and_rectified_when_its_cause_is_known(
    dev_server: Client, office: Office, decision: Decision, rectified: list[bool]
) -> None:
    booking = f"bkg_m8{decision}"
    async with working(dev_server, office):
        handle = await paid(dev_server, booking)
        await deliver(dev_server, refund(booking, undeclared=True, refund_status="succeeded"))
        parked = await item(office, "refund_undeclared")
        assert booked(office) == [1, 1, 0], "the money is booked before anybody is asked"
        await answer(dev_server, parked, decision)
        await settled(handle, at_rest)
    assert [step.rectify for step in office.of("giav.record_refund")] == rectified
    assert office.count("journal.record_refund") == 1


@pytest.mark.covers("F-R7")
async def test_what_goes_beyond_a_decision_is_settled_by_a_person(dev_server: Client, office: Office) -> None:
    office.answers["journal.record_refund"] = lambda _: Done(ids={"beyond": "1000"})
    booking = "bkg_m9"
    async with working(dev_server, office):
        handle = await paid(dev_server, booking)
        await deliver(dev_server, refund(booking))
        parked = await item(office, "refund_differs")
        assert (parked.amount, parked.decisions) == (Money(amount=1000, currency="EUR"), ("claim", "write_off"))
        await asked(office, "giav.record_refund")
        await answer(dev_server, parked, "claim")
        await settled(handle, at_rest)
    (claim,) = office.of("journal.settle_claim")
    assert (claim.about, claim.decision, claim.amount.amount) == ("refund", "claim", 1000)


@pytest.mark.covers("F-R10")
@pytest.mark.parametrize(("decision", "given_back"), [("approve", 30000), ("decline", 0)])
async def test_a_voucher_waits_until_the_traveller_has_accepted_it(
    dev_server: Client, office: Office, decision: Decision, given_back: int
) -> None:
    booking = f"bkg_m10{decision}"
    async with working(dev_server, office):
        handle = await paid(dev_server, booking)
        await deliver(dev_server, refund(booking, destination="voucher"))
        parked = await item(office, "voucher_unaccepted")
        await answer(dev_server, parked, decision)
        state = await settled(handle, at_rest)
    assert booked(office) == [0, 0, 0], "no money moves either way"
    assert state.refunded == given_back


@pytest.mark.covers("F-R3")
async def test_a_refund_that_failed_is_taken_back_everywhere_and_the_item_ends_with_the_refund_that_replaces_it(
    dev_server: Client, office: Office
) -> None:
    booking, kept = "bkg_m11", Money(amount=3000, currency="EUR")
    back = Money(amount=27000, currency="EUR")
    async with working(dev_server, office):
        handle = await paid(dev_server, booking)
        await deliver(dev_server, cancelled(booking, amount=kept))
        await settled(handle, lambda s: s.revision == 2)
        await deliver(dev_server, refund(booking, amount=back))
        await settled(handle, lambda s: s.owed == 0)
        await deliver(dev_server, bounced(booking, amount=back))
        await item(office, "refund_failed")
        state = BookingState.model_validate(await handle.query("view", result_type=BookingState))
        assert booked(office) == [2, 2, 2]
        assert office.count("journal.cancel_booking") == 1
        await deliver(dev_server, refund(booking, fact="ref_again", amount=back))
        state = await settled(handle, at_rest)
    assert state.owed == 0
    assert office.unparked[-1].taken.by == "system"
