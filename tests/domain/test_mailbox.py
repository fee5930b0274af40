"""The mailbox of a booking: order, once-only, and money that does not wait (contracts: platform-events 4)."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from domain.mailbox import PATIENCE, BookingState
from domain.money import Money
from domain.moves import Ask, Drop, Run, Wait
from domain.notices import EventNotice

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MONEY = Money(amount=30000, currency="EUR")


def state() -> BookingState:
    return BookingState(agency="demo", booking_id="bkg_500")


def told(kind: str, revision: int = 1, fact: str | None = None, **more: object) -> EventNotice:
    return EventNotice.model_validate(
        {
            "agency": "demo",
            "event_id": f"evt_{kind}_{revision}_{fact}",
            "kind": kind,
            "aggregate_id": "bkg_500",
            "revision": revision,
            "fact_id": fact or f"bkg_500@{revision}",
            "occurred_at": NOW,
            "booking_id": "bkg_500",
            "amount": MONEY,
            **more,
        }
    )


CREATED = told("booking.created", 1)
DISCOUNT = told("booking.discount_applied", 2)
CHANGED = told("booking.service_changed", 3)
CANCELLED = told("booking.cancelled", 4, cancellation_id="cxl_1")
PAID = told("payment.captured", 1, "pay_1", payment_id="pay_1")
REFUNDED = told("payment.refunded", 1, "ref_1", payment_id="pay_1")


def run_to_rest(box: BookingState, now: datetime = NOW) -> list[str]:
    """Every lifecycle in order, each ending well."""
    ran: list[str] = []
    while True:
        match box.next_move(now):
            case Run() as move:
                box.start(move, f"wf/{len(ran)}")
                box.finish(move, outcome="done", now=now)
                ran.append(f"{move.kind}:{move.notice.fact_id}")
            case Drop(notice, why):
                box.drop(notice, why)
            case _:
                return ran


def test_the_second_delivery_of_a_fact_changes_nothing() -> None:
    box = state()
    assert box.deliver(CREATED, NOW)
    assert not box.deliver(CREATED, NOW)
    assert run_to_rest(box) == ["create:bkg_500@1"]
    assert not box.deliver(CREATED, NOW)
    assert run_to_rest(box) == []


@pytest.mark.parametrize("order", list(permutations([CREATED, DISCOUNT, PAID])))
def test_any_order_of_delivery_ends_in_the_same_books(order: tuple[EventNotice, ...]) -> None:
    box = state()
    ran: list[str] = []
    for notice in order:
        box.deliver(notice, NOW)
        ran += run_to_rest(box)
    assert ran[0].startswith("create:")
    assert "payment:pay_1" in ran
    assert box.revision == 2
    assert box.payments == {"pay_1": 30000}
    assert not box.queue


@pytest.mark.covers("F-M12")
def test_an_older_revision_is_superseded() -> None:
    box = state()
    box.deliver(CREATED, NOW)
    box.deliver(CHANGED, NOW)
    run_to_rest(box)
    box.deliver(DISCOUNT, NOW)
    move = box.next_move(NOW)
    assert isinstance(move, Drop)
    assert "superseded by revision 3" in move.why


@pytest.mark.covers("F-C13")
def test_money_without_a_booking_waits_then_asks_then_goes_to_suspense() -> None:
    box = state()
    box.deliver(PAID, NOW)
    assert box.next_move(NOW) == Wait(NOW + PATIENCE)
    late = NOW + PATIENCE
    assert isinstance(box.next_move(late), Ask)
    box.asked = True
    assert box.next_move(late) == Run("payment", PAID)


def test_a_refund_waits_for_its_payment() -> None:
    box = state()
    box.deliver(CREATED, NOW)
    box.deliver(REFUNDED, NOW)
    assert run_to_rest(box) == ["create:bkg_500@1"]
    box.deliver(PAID, NOW)
    assert run_to_rest(box) == ["payment:pay_1", "refund:ref_1"]
    assert (box.captured, box.refunded) == (30000, 30000)


@pytest.mark.covers("F-M11")
def test_a_parked_lifecycle_holds_the_next_one_but_lets_money_pass() -> None:
    box = state()
    box.deliver(CREATED, NOW)
    run_to_rest(box)
    box.deliver(DISCOUNT, NOW)
    move = box.next_move(NOW)
    assert isinstance(move, Run)
    box.start(move, "booking/demo/bkg_500/modify/2")
    box.finish(move, outcome="parked", now=NOW)
    box.deliver(CANCELLED, NOW)
    box.deliver(PAID, NOW)
    assert run_to_rest(box) == ["payment:pay_1"]
    assert isinstance(box.next_move(NOW), Wait)
    box.settle("booking/demo/bkg_500/modify/2", kind="modify", outcome="done", now=NOW)
    assert run_to_rest(box) == ["cancel:bkg_500@4"]


def test_a_cancellation_that_comes_first_creates_and_then_cancels() -> None:
    box = state()
    box.deliver(CANCELLED, NOW)
    assert run_to_rest(box) == ["create:bkg_500@4", "cancel:bkg_500@4"]


def test_every_stage_of_a_dispute_is_answered_and_money_moves_only_when_funds_move() -> None:
    box = state()
    box.deliver(CREATED, NOW)
    box.deliver(PAID, NOW)
    run_to_rest(box)
    for stage in ("opened", "funds_withdrawn", "under_review", "won"):
        notice = told("payment.chargeback", 1, f"cbk_1:{stage}", payment_id="pay_1", stage=stage)
        box.deliver(notice, NOW)
    assert run_to_rest(box) == ["dispute:cbk_1:opened", "dispute:cbk_1:funds_withdrawn", "dispute:cbk_1:won"]
    assert box.refunded == 0


def test_a_booking_is_over_when_no_dispute_can_move_its_money() -> None:
    box = state()
    box.deliver(CREATED, NOW)
    run_to_rest(box)
    assert not box.is_over(NOW + timedelta(days=539))
    assert box.is_over(NOW + timedelta(days=540))


def test_an_undone_booking_sends_later_money_to_a_person() -> None:
    box = state()
    box.deliver(CREATED, NOW)
    move = box.next_move(NOW)
    assert isinstance(move, Run)
    box.start(move, "wf")
    box.finish(move, outcome="undone", now=NOW)
    assert not box.registered
    box.deliver(PAID, NOW)
    assert box.next_move(NOW) == Run("payment", PAID)


def test_what_happened_first_is_answered_first() -> None:
    box = state()
    box.deliver(CREATED, NOW)
    later = CANCELLED.model_copy(update={"occurred_at": NOW + timedelta(minutes=5)})
    box.deliver(later, NOW)
    box.deliver(PAID, NOW)
    assert run_to_rest(box) == ["create:bkg_500@1", "payment:pay_1", "cancel:bkg_500@4"]


def test_a_refund_whose_payment_never_came_asks_the_platform_and_then_parks() -> None:
    box = state()
    box.deliver(CREATED, NOW)
    run_to_rest(box)
    box.deliver(REFUNDED, NOW)
    assert box.next_move(NOW) == Wait(NOW + PATIENCE)
    late = NOW + PATIENCE
    assert isinstance(box.next_move(late), Ask)
    box.asked = True
    move = box.next_move(late)
    assert move == Run("refund", REFUNDED)
    assert isinstance(move, Run)
    box.start(move, "booking/demo/bkg_500/refund/ref_1")
    box.finish(move, outcome="parked", now=NOW)
    box.deliver(PAID, late)
    assert run_to_rest(box, late) == ["payment:pay_1"]
