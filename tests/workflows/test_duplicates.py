"""A payment of what was paid already: the customer is asked, reminded, credited or refunded (contracts: payment-sync 4, 18-27)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from domain.duplicates import CreditPart, CreditPlan
from domain.errors import Refused
from domain.money import Money
from domain.payment_sync import Kind, State, Verdict
from tests.workflows.office import Office, deliver, told, working
from tests.workflows.test_payment_sync import POST, WHY, Payment, seen

NUMBERS = itertools.count(1)
PROOF = "said so on the telephone, 11:40"
TELL, ASIDE, RELEASE = "office.tell_of_duplicate", "journal.set_aside", "journal.release"


@pytest.fixture
async def duplicate(skipping: WorkflowEnvironment, office: Office) -> AsyncIterator[Payment]:
    """Captured, and the ERP shows that something else has paid for it."""
    made = Payment(skipping, office, f"d{next(NUMBERS)}")
    office.answers["giav.probe_payment"] = seen(Verdict.PAID_OTHERWISE)
    yield made
    for own in (made.handle, skipping.client.get_workflow_handle(f"booking/demo/bkg_{made.name}")):
        with suppress(RPCError):
            await own.terminate()


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def opens(*amounts: int) -> Any:
    """Later instalments that a payment of 300.00 would pay."""
    parts = tuple(
        CreditPart(instalment_id=f"ins_{n}", due_on=date(2027, n, 22), amount=eur(amount))
        for n, amount in enumerate(amounts, start=3)
    )
    return lambda _: CreditPlan(parts=parts, remainder=eur(30000 - sum(amounts)))


async def declared(payment: Payment) -> None:
    await payment.captured()
    await payment.reaches(State.UNSYNCED)
    assert (await payment.command(Kind.CLAIM)).accepted
    assert (await payment.command(Kind.DECLARE_DUPLICATE)).accepted


async def asked(payment: Payment) -> None:
    await declared(payment)
    assert (await payment.command(Kind.ASK_CUSTOMER)).state is State.AWAITING_CUSTOMER
    while letters(payment.office) != ["asked"]:  # noqa: ASYNC110 the letter goes out beside the answer
        await asyncio.sleep(0.05)


def letters(office: Office) -> list[str]:
    return [step.occasion for step in office.of(TELL)]


async def refunded(payment: Payment, amount: int = 30000) -> None:
    booking, own = f"bkg_{payment.name}", f"pay_{payment.name}"
    more = {"payment_id": own, "refund_cause": "duplicate", "amount": eur(amount), "refund_status": "succeeded"}
    await deliver(payment.client, told("payment.refunded", booking, fact=f"ref_{payment.name}", **more))


@pytest.mark.covers("F-C18", "O2")
async def test_a_credit_pays_the_next_instalments_and_the_plan_and_the_customer_hear_of_it(duplicate: Payment) -> None:
    office = duplicate.office
    office.answers["office.plan_credit"] = opens(20000, 10000)
    async with working(duplicate.client, office):
        await asked(duplicate)
        assert (await duplicate.command(Kind.CHOOSE_CREDIT, explanation=PROOF)).state is State.CREDITING
        assert await duplicate.ended() == "done"
    assert duplicate.rows == [1, 4, 9, 14, 18, 19, 20, 23]
    assert letters(office) == ["asked", "credited"]
    assert [len(step.credit.parts) for step in office.of(TELL)] == [2, 2]
    assert office.count(POST) == 1
    assert office.names.index(ASIDE) < office.names.index(POST) < office.names.index(RELEASE)
    assert [step.credited for step in office.of(RELEASE)] == [True]
    assert {item.reason for item in office.parked} == {"payment_paid_otherwise", "payment_duplicate"}


@pytest.mark.covers("F-C18")
async def test_what_a_credit_leaves_over_is_given_back_and_waits_visibly_until_it_is(duplicate: Payment) -> None:
    office = duplicate.office
    office.answers["office.plan_credit"] = opens(20000)
    async with working(duplicate.client, office):
        await asked(duplicate)
        await duplicate.command(Kind.CHOOSE_CREDIT, explanation=PROOF)
        while office.parked[-1].reason != "payment_remainder":
            await duplicate.skipping.sleep(timedelta(seconds=5))
        assert office.parked[-1].amount == eur(10000)
        await refunded(duplicate, 10000)
        assert await duplicate.ended() == "done"
    assert "giav.record_refund" in office.names
    assert [step.amount for step in office.of("giav.record_refund")] == [eur(10000)]


async def test_credit_is_refused_where_nothing_later_is_open(duplicate: Payment) -> None:
    async with working(duplicate.client, duplicate.office):
        await asked(duplicate)
        refused = await duplicate.command(Kind.CHOOSE_CREDIT, explanation=PROOF)
        assert (refused.accepted, "nothing is open" in refused.reason) == (False, True)
    assert duplicate.office.count(POST) == 0


@pytest.mark.covers("F-C18")
async def test_an_erp_that_refuses_the_credit_leaves_the_choice_to_people_again(duplicate: Payment) -> None:
    office = duplicate.office
    office.answers["office.plan_credit"] = opens(30000)
    office.fails[POST] = [Refused("periodo cerrado", system="giav")]
    async with working(duplicate.client, office):
        await asked(duplicate)
        await duplicate.command(Kind.CHOOSE_CREDIT, explanation=PROOF)
        await duplicate.reaches(State.DUPLICATE)
        await duplicate.command(Kind.CHOOSE_REFUND)
        await refunded(duplicate)
        assert await duplicate.ended() == "done"
    assert duplicate.rows[-4:] == [20, 24, 21, 25]
    assert office.count(ASIDE) == 1, "it is in 555 already"


@pytest.mark.covers("F-C18", "F-R1")
async def test_the_processors_word_ends_a_refund_without_a_person(duplicate: Payment) -> None:
    office = duplicate.office
    async with working(duplicate.client, office):
        await asked(duplicate)
        await duplicate.command(Kind.CHOOSE_REFUND, explanation=PROOF)
        await duplicate.reaches(State.REFUND_REQUESTED)
        await refunded(duplicate)
        assert await duplicate.ended() == "done"
        assert (await duplicate.view()).shown_as == "Devuelto"
    assert duplicate.rows == [1, 4, 9, 14, 18, 19, 21, 25]
    assert letters(office) == ["asked", "refunding", "refunded"]
    assert office.count(POST) == 0
    assert [step.credited for step in office.of(RELEASE)] == [False]
    assert office.logged[-1].sync.case_id == f"ref_{duplicate.name}"


async def test_a_part_that_went_back_does_not_end_a_refund(duplicate: Payment) -> None:
    async with working(duplicate.client, duplicate.office):
        await declared(duplicate)
        await duplicate.command(Kind.CHOOSE_REFUND)
        await duplicate.reaches(State.REFUND_REQUESTED)
        await refunded(duplicate, 10000)
        while "giav.record_refund" not in duplicate.office.names:
            await duplicate.skipping.sleep(timedelta(seconds=5))
        assert (await duplicate.view()).sync.state is State.REFUND_REQUESTED


@pytest.mark.covers("F-C18", "F-R2")
async def test_a_refund_that_nobody_shows_is_refused_and_asked_for_again(duplicate: Payment) -> None:
    office = duplicate.office
    async with working(duplicate.client, office):
        await declared(duplicate)
        await duplicate.command(Kind.CHOOSE_REFUND)
        await duplicate.reaches(State.REFUND_FAILED)
        assert office.parked[-1].reason == "payment_refund_failed"
        waited = office.moves[-1].at - office.moves[-2].at
        assert timedelta(days=3) <= waited <= timedelta(days=6)
        await duplicate.command(Kind.RETRY_REFUND)
        await refunded(duplicate)
        assert await duplicate.ended() == "done"
    assert duplicate.rows[-4:] == [21, 26, 27, 25]
    assert letters(office) == ["refunding", "refunding", "refunded"]


@pytest.mark.covers("F-C18")
async def test_silence_is_reminded_three_times_and_then_a_persons_and_nothing_goes_back_by_itself(
    duplicate: Payment,
) -> None:
    office = duplicate.office
    office.answers["office.plan_credit"] = opens(30000)
    async with working(duplicate.client, office):
        await asked(duplicate)
        began = office.moves[-1].at
        while "payment_unanswered" not in [item.reason for item in office.parked]:
            await duplicate.skipping.sleep(timedelta(hours=6))
        days = [(move.at - began).days for move in office.moves if move.event is Kind.UNANSWERED]
        assert days == [1, 3, 7, 10]
        assert letters(office) == ["asked", "reminded", "reminded", "reminded"]
        assert (await duplicate.view()).sync.state is State.AWAITING_CUSTOMER
        assert "has not answered" in office.parked[-1].detail
        assert office.count(POST) == 0
        await duplicate.answer("approve")
        await duplicate.reaches(State.REFUND_REQUESTED)
        await refunded(duplicate)
        assert await duplicate.ended() == "done"
    assert office.moves[-2].explanation == WHY, "a person said so"


@pytest.mark.covers("F-C18")
async def test_an_answer_stops_the_reminders(duplicate: Payment) -> None:
    office = duplicate.office
    office.answers["office.plan_credit"] = opens(30000)
    async with working(duplicate.client, office):
        await asked(duplicate)
        await duplicate.skipping.sleep(timedelta(days=2))
        await duplicate.answer("decline")
        assert await duplicate.ended() == "done"
    assert duplicate.rows == [1, 4, 9, 14, 18, 19, 22, 20, 23]
    assert letters(office) == ["asked", "reminded", "credited"]
