"""Every row of recurring payments, provoked; the fixture's auditor proves M1-M9 after each (contracts: money-rules 4.6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.office.plans import PlanActivities
from domain.money import Money
from domain.payment_steps import ProbeStep
from domain.payment_sync import Verdict
from domain.steps import ClaimStep, DecisionTaken, Parking, PlanStep
from sandbox.faults import Kind
from tests.activities.platform.trip import AGENCY
from tests.activities.platform.world import collecting
from tests.money.house import MADRID, House

PAID = [("Cobro", 30000)]


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def paid_first(house: House) -> str:
    """The first instalment is charged; its payment's id."""
    return str(house.collect().payment_id)


def instalments(house: House) -> list[int]:
    """What the plan that we know asks for, in minor units."""
    plan = house.world.store.facts.plan(AGENCY, "bkg_500")
    assert plan is not None
    return [each.amount.amount for each in plan.installments]


def due(house: House) -> int:
    """What is still to be paid, as the platform says, in minor units."""
    booking = house.world.store.facts.booking(AGENCY, "bkg_500")
    assert booking is not None
    return booking.totals.due.amount


def fails(house: House, operation: str, kind: Kind, times: int | None = 1) -> None:
    house.giav.faults.set({"operation": operation, "kind": kind.value, "times": times})


@pytest.mark.covers("F-P1")
def test_p1_a_soft_decline_is_followed_by_another_attempt_and_one_payment(house: House) -> None:
    house.do("script-charges", target="ins_501", outcomes=["soft"])
    first = house.collect()
    assert (first.status, first.category) == ("declined", "soft")
    assert house.collect(attempt=2).status == "captured"
    assert house.in_giav() == PAID


@pytest.mark.covers("F-P2")
def test_p2_after_a_hard_decline_the_card_is_not_tried_again_and_another_means_pays(house: House) -> None:
    house.do("script-charges", target="ins_501", outcomes=["hard", "captured"])
    assert house.collect().category == "hard"
    again = house.collect(attempt=2)
    assert (again.status, len(house.world.charges())) == ("declined", 1), "nothing more was sent"
    house.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501", method="transfer")
    assert house.collect(attempt=3).status == "already_paid"
    assert house.in_giav() == PAID


@pytest.mark.covers("F-P3")
def test_p3_a_payer_who_has_to_agree_pays_by_themselves(house: House) -> None:
    house.do("script-charges", target="ins_501", outcomes=["authentication_required"])
    assert house.collect().category == "authentication_required"
    house.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501", initiation="cit")
    assert house.in_giav() == PAID


@pytest.mark.covers("F-P4")
def test_p4_a_charge_whose_answer_was_lost_is_looked_up_and_never_made_twice(house: House) -> None:
    house.world.fault("charges.create", "drop-after")
    # Whoever sent it again would be told so: the processor alone does not make this test pass.
    house.world.fault("charges.create", "refuse", times=None, skip=1)
    assert house.collect().status == "captured"
    assert [each["merchant_ref"] for each in house.world.charges()] == ["plan_50-1-1"]
    assert house.in_giav() == PAID


@pytest.mark.covers("F-P5")
def test_p5_what_was_charged_twice_is_posted_twice_and_the_second_given_back(house: House) -> None:
    paid_first(house)
    second = house.do("capture-payment", booking_id="bkg_500", amount=eur(30000))["id"]
    assert house.unsound() == []
    house.do("refund", payment_id=second, amount=eur(30000), cause="duplicate", status="succeeded")
    assert house.in_giav() == [("Cobro", 30000), ("Cobro", 30000), ("Reembolso", 30000)]


@pytest.mark.covers("F-P6")
def test_p6_captured_while_giav_is_away_and_invoiced_when_it_is_back(house: House) -> None:
    fails(house, "Cobro_POST", Kind.DROP_BEFORE)
    fails(house, "Cobro_SEARCH", Kind.PAGE_503, times=2)
    paid_first(house)
    assert house.in_giav() == PAID
    assert [each.total for each in house.books().invoices] == [30000]


@pytest.mark.covers("F-P7")
def test_p7_days_late_and_near_the_next_one_a_person_is_asked_before_anything_is_charged(house: House) -> None:
    plan = house.world.store.facts.plan(AGENCY, "bkg_500")
    assert plan is not None
    second = next(each for each in plan.installments if each.seq == 2)
    step = PlanStep(agency=AGENCY, plan_id="plan_50", booking_id="bkg_500", event_id="", revision=1)

    def due(before: timedelta) -> list[tuple[str, bool]]:
        """What is due so long before the second one, and whether somebody is asked first."""
        moment = datetime.combine(second.due_on, datetime.min.time(), MADRID) - before
        client: Any = None
        office = PlanActivities(
            house.world.store, client, {AGENCY: "Europe/Madrid"}, now=lambda zone: moment.astimezone(zone)
        )
        return [(each.instalment_id, each.ask_first) for each in office.due_instalments(step).due]

    assert due(timedelta(days=2)) == [("ins_501", True)]
    assert due(timedelta(days=30)) == [("ins_501", False)], "late, and the next one is far: it is caught up with"
    assert house.world.charges() == []


@pytest.mark.covers("F-P8", "F-M8")
def test_p8_the_charge_reads_the_plan_of_its_own_moment_and_what_was_paid_stays_as_it_was(house: House) -> None:
    paid_first(house)
    house.do("apply-discount", booking_id="bkg_500", kind="amount", value=eur(5000))
    assert house.collect(2).status == "captured"
    assert house.collect(3).status == "captured"
    assert [each["amount"]["amount"] for each in house.world.charges()] == [30000, 38000, 27000], "40 % of 950.00"


@pytest.mark.covers("F-P9")
def test_p9_a_debit_that_came_back_is_posted_and_no_invoice_is_touched(house: House) -> None:
    paid = paid_first(house)
    house.do("chargeback", payment_id=paid, stage="funds_withdrawn", kind="sepa_return", reason_code="AM04")
    assert house.in_giav() == [("Cobro", 30000), ("Reembolso", 30000)]
    assert [each.kind for each in house.books().invoices] == ["original"]
    assert house.balance("4309") == 30000


@pytest.mark.covers("F-P10")
def test_p10_while_a_bank_decides_nothing_is_charged_and_nothing_rectified(house: House) -> None:
    paid = paid_first(house)
    for stage in ("opened", "funds_withdrawn"):
        house.do("chargeback", payment_id=paid, stage=stage, chargeback_id="cbk_1001")
    assert house.collect(2).status == "frozen"
    assert [each.kind for each in house.books().invoices] == ["original"]


def lost(house: House) -> str:
    paid = paid_first(house)
    for stage in ("opened", "funds_withdrawn", "lost"):
        house.do("chargeback", payment_id=paid, stage=stage, chargeback_id="cbk_1001")
    return paid


def written_off(house: House) -> None:
    claim = ClaimStep(
        agency=AGENCY,
        booking_id="bkg_500",
        payment_id=lost(house),
        fact_id="cbk_1001",
        about="dispute",
        decision="write_off",
        amount=Money(amount=30000, currency="EUR"),
        decided_at=datetime.now(UTC),
    )
    house.insist(house.journal.settle_claim, claim)


@pytest.mark.covers("F-P11")
def test_p11_a_lost_dispute_is_a_doubtful_debt_until_somebody_writes_it_off(house: House) -> None:
    written_off(house)
    assert (house.balance("436"), house.balance("650")) == (0, 30000)
    assert [each.kind for each in house.books().invoices] == ["original"]


@pytest.mark.covers("F-P12")
def test_p12_won_after_it_was_written_off_everything_is_reversed(house: House) -> None:
    written_off(house)
    house.do("chargeback", payment_id=house.told("payment.captured").payment_id, stage="won", chargeback_id="cbk_1001")
    assert {account: house.balance(account) for account in ("436", "650", "4309")} == {"436": 0, "650": 0, "4309": 0}


@pytest.mark.covers("F-P13", "C6")
def test_p13_a_timer_that_is_still_armed_charges_nothing_of_a_cancelled_booking(house: House) -> None:
    paid = paid_first(house)
    house.do("cancel-booking", booking_id="bkg_500", cause="customer_choice")
    assert house.collect(2).status == "frozen"
    house.do("refund", payment_id=paid, amount=eur(30000), cause="cancellation")
    assert len(house.world.charges()) == 1


@pytest.mark.covers("F-P13", "F-X1", "C6")
def test_p13_what_was_in_flight_when_the_booking_was_cancelled_is_posted_in_full_and_goes_back(house: House) -> None:
    house.world.fault("charges.create", "drop-after")
    with pytest.raises(ApplicationError):
        house.world.cells.collect_instalment(collecting())
    house.world.do("cancel-booking", booking_id="bkg_500", cause="customer_choice")
    house.live()
    assert house.collect().status == "captured", "what became of it is looked up"
    house.do("refund", booking_id="bkg_500", cause="cancellation")
    assert house.in_giav() == [("Cobro", 30000), ("Reembolso", 30000)]
    assert len(house.world.charges()) == 1


@pytest.mark.covers("F-P14")
@pytest.mark.parametrize("terms", [{"max_amount": eur(100)}, {"expires_on": "2020-01-01"}], ids=["amount", "expired"])
def test_p14_beyond_its_mandate_nothing_is_charged_before_a_new_one_is_signed(
    house: House, terms: dict[str, Any]
) -> None:
    house.do("change-plan", plan_id="plan_50", sign_mandate=terms)
    refused = house.collect()
    assert (refused.status, refused.category, house.world.charges()) == ("declined", "authentication_required", [])
    house.do("change-plan", plan_id="plan_50", sign_mandate=True)
    assert house.collect(attempt=2).status == "captured"


@pytest.mark.covers("F-P15")
def test_p15_never_more_is_charged_than_is_due_although_the_plan_says_so(house: House) -> None:
    paid_first(house)
    house.collect(2)
    house.do("apply-discount", booking_id="bkg_500", kind="amount", value=eur(5000), leaves_plan=True)
    assert (instalments(house)[-1], due(house)) == (30000, 25000)
    assert house.collect(3).status == "captured"
    assert [each["amount"]["amount"] for each in house.world.charges()] == [30000, 40000, 25000]
    assert any(words.startswith("M8") for words in house.unsound()), "the plan is still to be mended"
    house.do("change-plan", plan_id="plan_50", amounts={"ins_503": 25000})


@pytest.mark.covers("F-P16")
def test_p16_a_transfer_that_is_short_pays_the_oldest_and_the_rest_is_charged(house: House) -> None:
    house.do("capture-payment", booking_id="bkg_500", amount=eur(20000), method="transfer")
    assert house.collect().status == "captured"
    assert house.in_giav() == [("Cobro", 20000), ("Cobro", 10000)]


@pytest.mark.covers("F-P16", "M9")
def test_p16_a_transfer_that_is_over_is_a_case_until_the_rest_went_back(house: House) -> None:
    for _ in range(3):
        over = house.do("capture-payment", booking_id="bkg_500", amount=eur(35000), method="transfer")["id"]
    assert any(words.startswith("M9") for words in house.unsound()), "somebody has to see it"
    assert house.collect().status == "already_paid"
    house.do("refund", payment_id=over, amount=eur(5000), cause="overpayment")
    assert house.in_giav() == [*[("Cobro", 35000)] * 3, ("Reembolso", 5000)]


@pytest.mark.covers("F-P17")
def test_p17_after_an_upgrade_that_refuses_it_the_payment_waits_and_is_synchronised_once(house: House) -> None:
    fails(house, "Cobro_POST", Kind.REFUSE)
    with pytest.raises(ApplicationError) as refused:
        paid_first(house)
    assert refused.value.type == "Refused"
    told = house.told("payment.captured")
    step = house.payment_step(told)
    seen = house.cells.probe_payment(ProbeStep(**step.model_dump()))
    assert seen.verdict is Verdict.UNPAID
    _answered(house, str(refused.value.details[0]["effect"]))
    house.record(step)
    assert house.in_giav() == PAID


def _answered(house: House, effect: str) -> None:
    """A person says: again."""
    parking = Parking(
        agency=AGENCY,
        item_id="PK-1",
        workflow_id="w",
        verb="giav.record_payment",
        reason="giav_refused",
        detail="",
        fault="Refused",
        effect=effect,
        decisions=("retry",),
        since=datetime.now(UTC),
    )
    house.world.store.parked.open(parking, "operations", datetime.now(UTC))
    taken = DecisionTaken(item_id="PK-1", decision="retry", by="ana", explanation="the upgrade was mended")
    house.world.store.effects.rearm(effect)
    house.world.store.parked.close("PK-1", taken)
