"""Every row of refunds, provoked; the fixture's auditor proves M1-M9 after each (contracts: money-rules 4.5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.office.desk import DeskActivities
from domain.money import Money
from domain.steps import ClaimStep
from sandbox.faults import Kind
from tests.activities.platform.trip import AGENCY
from tests.money.house import House

CAME, WENT = ("Cobro", 30000), ("Reembolso", 30000)


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def fails(house: House, operation: str, kind: Kind, times: int = 1) -> None:
    house.giav.faults.set({"operation": operation, "kind": kind.value, "times": times})


def cancelled(house: House) -> str:
    """Paid 300.00 and cancelled without a penalty: everything is owed. The payment's id."""
    paid = str(house.collect().payment_id)
    house.do("cancel-booking", booking_id="bkg_500", cause="withdrawal_14d")
    return paid


def back(house: House, paid: str, amount: int = 30000, **more: Any) -> str:
    done = house.do("refund", **{"payment_id": paid, "amount": eur(amount), "cause": "cancellation", **more})
    return str(done["id"])


@pytest.mark.covers("F-R1")
def test_r1_a_refund_that_is_told_twice_and_whose_answer_was_lost_is_booked_once(house: House) -> None:
    paid = cancelled(house)
    fails(house, "Cobro_POST", Kind.DROP_AFTER)
    back(house, paid)
    house.give_back(house.refund_step(house.told("payment.refunded")))
    assert house.in_giav() == [CAME, WENT]


@pytest.mark.covers("F-R2")
def test_r2_refused_by_the_processor_it_goes_by_transfer(house: House) -> None:
    paid = cancelled(house)
    first = back(house, paid)
    house.do("fail-refund", payment_id=paid, refund_id=first)
    back(house, paid, destination="transfer")
    assert house.balance("572") == -30000


@pytest.mark.covers("F-R3")
def test_r3_given_back_and_then_failed_the_duty_is_open_again_and_the_credit_note_stands(house: House) -> None:
    paid = cancelled(house)
    first = back(house, paid, status="succeeded")
    house.do("fail-refund", payment_id=paid, refund_id=first)
    assert house.books().reopened == 30000
    assert [each.kind for each in house.books().invoices] == ["original", "credit_note"]


@pytest.mark.covers("F-R4")
def test_r4_paid_and_giav_is_away_the_reembolso_follows(house: House) -> None:
    paid = cancelled(house)
    fails(house, "Cobro_POST", Kind.DROP_BEFORE)
    fails(house, "Cobro_SEARCH", Kind.PAGE_503, times=2)
    back(house, paid)
    assert house.in_giav() == [CAME, WENT]


@pytest.mark.covers("F-R5")
def test_r5_a_declared_refund_is_asked_for_until_the_processor_shows_it(house: House) -> None:
    paid = cancelled(house)
    declared = back(house, paid)
    desk = DeskActivities(house.world.store)
    step = house.refund_step(house.told("payment.refunded"))
    assert desk.refund_shown(step).outcome == "partial"
    house.do("confirm-refund", payment_id=paid, refund_id=declared)
    assert desk.refund_shown(step).outcome == "done"
    assert house.in_giav() == [CAME, WENT]


@pytest.mark.covers("F-R6")
def test_r6_a_refund_that_nobody_declared_is_booked_first_and_rectified_once_its_cause_is_known(house: House) -> None:
    paid = str(house.collect().payment_id)
    house.waiting = 1
    back(house, paid, 10000, cause="goodwill", undeclared=True)
    assert house.in_giav() == [CAME, ("Reembolso", 10000)]
    assert [each.kind for each in house.books().invoices] == ["original"], "no document before the cause is known"
    step = house.refund_step(house.told("payment.refunded")).model_copy(update={"rectify": True})
    house.give_back(step)
    house.waiting = 0


@pytest.mark.covers("F-R7")
def test_r7_another_amount_than_was_decided_is_booked_as_it_went_and_the_difference_stands_in_555(house: House) -> None:
    house.collect()
    paid = house.do("capture-payment", booking_id="bkg_500", instalment_id="ins_502")["id"]
    wish = {"booking_id": "bkg_500", "cause": "customer_choice", "penalty": eur(40000)}
    cancellation = house.do("cancel-booking", **wish)["cancellations"][-1]
    assert cancellation["refund"]["amount"] == eur(30000)
    house.waiting = 1
    back(house, paid, 33000, cancellation_id=cancellation["id"])
    assert house.in_giav()[-1] == ("Reembolso", 33000)
    assert house.balance("555") == 3000
    claim = ClaimStep(
        agency=AGENCY,
        booking_id="bkg_500",
        payment_id=paid,
        fact_id=house.told("payment.refunded").fact_id.partition(":")[0],
        about="refund",
        decision="claim",
        amount=Money(amount=3000, currency="EUR"),
        decided_at=datetime.now(UTC),
    )
    house.insist(house.journal.settle_claim, claim)
    assert (house.balance("555"), house.balance("430")) == (0, 3000)
    house.waiting = 0


@pytest.mark.covers("F-R8")
def test_r8_without_balance_at_the_processor_it_fails_and_is_made_again(house: House) -> None:
    paid = cancelled(house)
    first = back(house, paid)
    house.do("fail-refund", payment_id=paid, refund_id=first)
    back(house, paid, status="succeeded")
    assert house.balance("430") == 0


@pytest.mark.covers("F-R9", "M6")
def test_r9_a_dispute_that_opens_while_a_refund_is_pending_is_not_followed_by_another_one(house: House) -> None:
    paid = cancelled(house)
    back(house, paid, 10000)
    house.do("chargeback", payment_id=paid, stage="opened", chargeback_id="cbk_1001")
    assert house.unsound() == []
    house.do("chargeback", payment_id=paid, stage="won", chargeback_id="cbk_1001")
    assert house.in_giav()[:2] == [CAME, ("Reembolso", 10000)]


@pytest.mark.covers("F-R10")
def test_r10_a_voucher_moves_no_money_and_what_it_stands_for_stays_to_the_payers_credit(house: House) -> None:
    paid = cancelled(house)
    back(house, paid, destination="voucher")
    assert house.in_giav() == [CAME]
    assert house.balance("430") == -30000
