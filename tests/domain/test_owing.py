"""What the mailbox knows of a booking's money: who may be refunded, what is owed, when somebody is asked (contracts:
money-rules 1.4.4, 1.7.9, C5, F-R3, F-R5, F-R10, F-P16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.mailbox import BookingState
from domain.money import Money
from domain.moves import Chase, Run, Wait
from domain.owing import GRACE, working_days_after
from tests.domain.test_mailbox import CREATED, NOW, PAID, REFUNDED, run_to_rest, state, told

KEPT = Money(amount=3000, currency="EUR")
ENDED = told(
    "booking.cancelled",
    4,
    cancellation_id="cxl_1",
    scope="full",
    amount=KEPT,
    effective_at=NOW,
    refund_by=NOW + timedelta(days=14),
)
BACK = REFUNDED.model_copy(update={"amount": Money(amount=27000, currency="EUR")})
BOUNCED = told("payment.refund_failed", 2, "ref_1:failed", payment_id="pay_1", amount=BACK.amount)


def box_with(*notices: object) -> BookingState:
    box = state()
    for notice in notices:
        box.deliver(notice, NOW)  # type: ignore[arg-type]
        run_to_rest(box)
    return box


@pytest.mark.covers("1.4.4", "C5")
def test_a_refund_that_is_owed_wakes_the_mailbox_on_day_7_and_not_before() -> None:
    box = box_with(CREATED, PAID, ENDED)
    assert box.owed == 27000
    day_7 = NOW + timedelta(days=7)
    assert box.next_move(NOW) == Wait(day_7)
    assert box.next_move(day_7 - timedelta(seconds=1)) == Wait(day_7)
    assert box.next_move(day_7) == Chase(ENDED)
    box.chasing("booking/demo/bkg_500/chase/1")
    assert box.next_move(day_7) == Wait(), "one who asks is enough"


@pytest.mark.covers("1.4.4", "C5")
def test_a_refund_in_time_stops_the_clock() -> None:
    assert box_with(CREATED, PAID, ENDED, BACK).next_move(NOW + timedelta(days=30)) == Wait()


@pytest.mark.covers("F-R3", "C5")
def test_a_refund_that_fails_opens_the_duty_again_with_the_clock_of_the_cancellation() -> None:
    box = box_with(CREATED, PAID, ENDED, BACK, BOUNCED)
    assert (box.refunded, box.owed) == (0, 27000)
    assert box.next_move(NOW + timedelta(days=8)) == Chase(ENDED)
    again = BACK.model_copy(update={"fact_id": "ref_2"})
    box.deliver(again, NOW)
    run_to_rest(box)
    assert (box.owed, box.next_move(NOW + timedelta(days=30))) == (0, Wait())


def test_a_failure_that_is_told_before_its_refund_counts_nothing_as_given_back() -> None:
    assert box_with(CREATED, PAID, ENDED, BOUNCED, BACK).owed == 27000


def test_a_person_s_word_that_nothing_is_due_holds_until_a_refund_fails() -> None:
    box = box_with(CREATED, PAID, ENDED)
    late = NOW + timedelta(days=20)
    box.chasing("chase")
    box.chased("partial")
    assert box.next_move(late) == Wait()
    box.deliver(BOUNCED, late)
    run_to_rest(box)
    assert box.next_move(late) == Chase(ENDED)


@pytest.mark.covers("F-P16", "M9")
def test_money_beyond_the_price_is_a_case_after_a_moment_of_grace() -> None:
    twice = told("payment.captured", 1, "pay_2", payment_id="pay_2")
    box = box_with(CREATED, PAID, twice)
    assert box.owed == 30000
    assert box.next_move(NOW) == Wait(NOW + GRACE)
    assert box.next_move(NOW + GRACE) == Chase(twice)
    dearer = told("booking.service_changed", 3, amount=Money(amount=60000, currency="EUR"))
    box.deliver(dearer, NOW)
    run_to_rest(box)
    assert box.next_move(NOW + GRACE) == Wait(), "the price has followed the money"


def test_money_that_comes_long_after_a_settled_part_cancellation_has_no_old_clock() -> None:
    part = ENDED.model_copy(update={"scope": "partial"})
    box = box_with(CREATED, PAID, part, BACK)
    later = NOW + timedelta(days=60)
    box.deliver(told("payment.captured", 1, "pay_2", payment_id="pay_2", occurred_at=later), later)
    move = box.next_move(later)
    assert isinstance(move, Run)
    box.start(move, "payment/demo/pay_2")
    box.finish(move, outcome="done", now=later)
    assert box.next_move(later) == Wait(later + GRACE)


@pytest.mark.covers("1.7.9", "F-X14")
@pytest.mark.parametrize("stage", ["inquiry", "opened", "funds_withdrawn", "under_review", "lost", "accepted"])
def test_nobody_refunds_a_payment_alone_while_a_dispute_of_it_stands(stage: str) -> None:
    notice = told("payment.chargeback", 2, f"cbk_1:{stage}", payment_id="pay_1", stage=stage)
    assert box_with(CREATED, PAID, notice).owing.disputed_payments == ("pay_1",)
    won = told("payment.chargeback", 3, "cbk_1:won", payment_id="pay_1", stage="won")
    assert box_with(CREATED, PAID, notice, won).owing.disputed_payments == ()
    assert box_with(CREATED, PAID, won, notice).owing.disputed_payments == (), "an older stage that comes late"


def test_a_dispute_waits_for_no_parked_change_and_holds_none_back() -> None:
    box = box_with(CREATED, PAID)
    for kind, fact, workflow_id in (
        ("booking.modified", "bkg_500@2", "booking/demo/bkg_500/modify/2"),
        ("payment.chargeback", "cbk_1:opened", "booking/demo/bkg_500/dispute/cbk_1:opened"),
    ):
        box.deliver(told(kind, 2, fact, payment_id="pay_1", stage="opened" if "cbk" in fact else None), NOW)
        move = box.next_move(NOW)
        assert isinstance(move, Run)
        box.start(move, workflow_id)
        box.finish(move, outcome="parked", now=NOW)
    box.settle("booking/demo/bkg_500/modify/2", kind="modify", outcome="done", now=NOW)
    box.deliver(told("booking.modified", 3), NOW)
    assert run_to_rest(box) == ["modify:bkg_500@3"]


@pytest.mark.covers("F-R10")
@pytest.mark.parametrize(("outcome", "owed"), [("done", 0), ("partial", 27000)])
def test_a_voucher_counts_as_given_back_only_once_it_was_accepted(outcome: str, owed: int) -> None:
    box = box_with(CREATED, PAID, ENDED)
    box.deliver(BACK.model_copy(update={"destination": "voucher"}), NOW)
    move = box.next_move(NOW)
    assert isinstance(move, Run)
    box.start(move, "booking/demo/bkg_500/refund/ref_1")
    box.finish(move, outcome="parked", now=NOW)
    assert box.owed == 27000
    box.settle("booking/demo/bkg_500/refund/ref_1", kind="refund", outcome=outcome, now=NOW)
    assert box.owed == owed


@pytest.mark.covers("F-R5")
def test_a_declared_refund_is_looked_for_after_five_working_days() -> None:
    declared = BACK.model_copy(update={"refund_status": "declared", "destination": "original_method"})
    box = box_with(CREATED, PAID, ENDED, declared)
    friday = NOW  # 20 November 2026
    assert box.next_move(NOW) == Wait(friday + timedelta(days=7))
    assert box.next_move(friday + timedelta(days=7)) == Chase(declared, confirm=True)
    box.confirming(declared)
    assert box.next_move(friday + timedelta(days=7)) == Wait()


def test_working_days_leave_weekends_out() -> None:
    wednesday = datetime(2026, 11, 18, 15, tzinfo=UTC)
    assert working_days_after(wednesday, 5) == datetime(2026, 11, 25, 15, tzinfo=UTC)
    assert working_days_after(datetime(2026, 11, 21, 15, tzinfo=UTC), 1) == datetime(2026, 11, 23, 15, tzinfo=UTC)
