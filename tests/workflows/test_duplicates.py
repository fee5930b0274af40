"""A payment of what was paid already: the customer is asked, reminded, credited or refunded (contracts: payment-sync 4, 18-27)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.duplicates import CreditPart, CreditPlan
from domain.errors import NeedsPerson, Refused
from domain.money import Money
from domain.payment_sync import Kind, State, Verdict
from domain.ports import RefundCase
from tests.workflows.office import Office, deliver, told, working
from tests.workflows.test_payment_sync import POST, WHY, Payment, seen

PROOF = "said so on the telephone, 11:40"
TELL, ASIDE, RELEASE = "office.tell_of_duplicate", "journal.set_aside", "journal.release"
ASK_GATEWAY, LOOK_AT_REFUND = "gateway.request_refund", "gateway.get_refund"


@pytest.fixture
def duplicate(skipping: WorkflowEnvironment, office: Office) -> Payment:
    """Captured, and the ERP shows that something else has paid for it."""
    office.answers["giav.probe_payment"] = seen(Verdict.PAID_OTHERWISE)
    return Payment(skipping, office, "d1")


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


async def listed(payment: Payment, reason: str) -> None:
    while payment.office.parked[-1].reason != reason:
        await payment.skipping.sleep(timedelta(seconds=5))


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
        await duplicate.reaches(State.REFUND_FAILED, by=timedelta(hours=6))
        await listed(duplicate, "payment_refund_failed")
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


def answering(*cases: RefundCase) -> Callable[[Any], RefundCase]:
    """What the gateway says each time, the last one for ever."""
    said = list(cases)
    return lambda _: said.pop(0) if len(said) > 1 else said[0]


TAKEN = RefundCase(case_id="ORQ-1", state="requested")
GONE_BACK = RefundCase(case_id="ORQ-1", state="done", words="ref_77")
FAILED = RefundCase(case_id="ORQ-1", state="refused", words="expired_or_canceled_card")


@pytest.mark.covers("F-C18")
async def test_the_gateway_gives_a_duplicate_back_without_a_person_at_the_processor(duplicate: Payment) -> None:
    office = duplicate.office
    office.answers[ASK_GATEWAY] = answering(TAKEN)
    office.answers[LOOK_AT_REFUND] = answering(TAKEN, TAKEN, GONE_BACK)
    async with working(duplicate.client, office):
        await declared(duplicate)
        await duplicate.command(Kind.CHOOSE_REFUND)
        assert await duplicate.ended() == "done"
    assert duplicate.rows == [1, 4, 9, 14, 18, 21, 25]
    (order,) = office.of(ASK_GATEWAY)
    assert (order.amount, order.number) == (eur(30000), 1)
    assert [look.case_id for look in office.of(LOOK_AT_REFUND)] == ["ORQ-1"] * 3
    assert "payment_refund" not in [item.reason for item in office.parked], "nobody has to do it by hand"
    assert office.logged[-1].sync.case_id == "ref_77"
    assert letters(office) == ["refunding", "refunded"]
    assert [step.credited for step in office.of(RELEASE)] == [False]


@pytest.mark.covers("F-R2", "F-R3")
async def test_what_the_gateway_refuses_or_fails_later_is_a_persons_and_asked_for_anew_as_another_refund(
    duplicate: Payment,
) -> None:
    office = duplicate.office
    office.answers[ASK_GATEWAY] = answering(FAILED, TAKEN, GONE_BACK)
    office.answers[LOOK_AT_REFUND] = answering(FAILED)
    async with working(duplicate.client, office):
        await declared(duplicate)
        await duplicate.command(Kind.CHOOSE_REFUND)
        for failures in (1, 2):
            while [move.after for move in office.moves].count(State.REFUND_FAILED) < failures:
                await duplicate.skipping.sleep(timedelta(seconds=20))
            await listed(duplicate, "payment_refund_failed")
            assert "expired_or_canceled_card" in office.parked[-1].detail
            await duplicate.command(Kind.RETRY_REFUND)
        assert await duplicate.ended() == "done"
    assert duplicate.rows[5:] == [21, 26, 27, 26, 27, 25]
    assert [order.number for order in office.of(ASK_GATEWAY)] == [1, 2, 3]


@pytest.mark.covers("F-R1")
async def test_a_refund_that_the_gateway_still_has_in_hand_is_neither_asked_for_twice_nor_credited(
    duplicate: Payment,
) -> None:
    office = duplicate.office
    office.answers["office.plan_credit"] = opens(30000)
    office.answers[ASK_GATEWAY] = answering(TAKEN)
    office.answers[LOOK_AT_REFUND] = answering(TAKEN)
    async with working(duplicate.client, office):
        await declared(duplicate)
        await duplicate.command(Kind.CHOOSE_REFUND)
        await duplicate.reaches(State.REFUND_FAILED, by=timedelta(hours=6))
        await listed(duplicate, "payment_refund_failed")
        assert "no answer in 3 working days" in office.parked[-1].detail
        refused = await duplicate.command(Kind.CHOOSE_CREDIT, explanation=PROOF)
        assert (refused.accepted, "still give the money back" in refused.reason) == (False, True)
        await duplicate.command(Kind.RETRY_REFUND)
        while office.count(ASK_GATEWAY) < 2:  # noqa: ASYNC110 the workers ask
            await asyncio.sleep(0.05)
        assert [order.number for order in office.of(ASK_GATEWAY)] == [1, 1], "the same refund"
        await refunded(duplicate)
        assert await duplicate.ended() == "done"
    assert office.count(POST) == 0


async def test_what_only_a_person_can_clear_up_with_the_gateway_is_on_the_list_with_its_words(
    duplicate: Payment,
) -> None:
    office = duplicate.office
    office.fails[ASK_GATEWAY] = [NeedsPerson("sent 3 times without a clear answer", system="platform")]
    async with working(duplicate.client, office):
        await declared(duplicate)
        await duplicate.command(Kind.CHOOSE_REFUND)
        await listed(duplicate, "payment_refund")
        assert "sent 3 times without a clear answer" in office.parked[-1].detail
        await duplicate.answer("decline")
        await listed(duplicate, "payment_refund_failed")
        await duplicate.command(Kind.RETRY_REFUND)
        await listed(duplicate, "payment_refund")
        await duplicate.answer("approve")
        assert await duplicate.ended() == "done"
    assert [order.number for order in office.of(ASK_GATEWAY)] == [2], "a person looked: the first never arrived"
    assert office.count(LOOK_AT_REFUND) == 0 or office.of(LOOK_AT_REFUND)[0].case_id


async def test_only_what_is_left_of_a_duplicate_is_asked_for_anew(duplicate: Payment) -> None:
    office = duplicate.office
    async with working(duplicate.client, office):
        await declared(duplicate)
        await duplicate.command(Kind.CHOOSE_REFUND)
        await listed(duplicate, "payment_refund")
        await refunded(duplicate, 10000)
        while "giav.record_refund" not in office.names:
            await duplicate.skipping.sleep(timedelta(seconds=5))
        await duplicate.answer("decline")
        await listed(duplicate, "payment_refund_failed")
        office.answers[ASK_GATEWAY] = answering(GONE_BACK)
        await duplicate.command(Kind.RETRY_REFUND)
        assert await duplicate.ended() == "done"
    assert [(order.number, order.amount) for order in office.of(ASK_GATEWAY)] == [(1, eur(30000)), (2, eur(20000))]
