"""Money for what nobody asked for any more is told from money that was still wanted, and alerted once (payment-sync 4, row 3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from activities.office.connectors import ConnectorActivities
from activities.office.desk import DeskActivities
from domain.closing import Closing, of_page
from domain.connector_steps import AdmitStep
from domain.money import Money
from domain.payment_steps import TransitionLog
from domain.payment_sync import Event, Kind, PaymentSync, Role, Transition, decide
from domain.platform import Payment
from domain.steps import DecisionTaken
from store import Store
from tests.activities.platform import trip

CANCELLED = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
AFTER, BEFORE = "2027-03-02T11:00:00Z", "2027-02-28T23:00:00Z"


def closing(store: Store, *, first: bool = True) -> Closing | None:
    step = AdmitStep(agency=trip.AGENCY, booking_id="bkg_500", payment_id="pay_1001", first=first)
    return ConnectorActivities(store, {}).admit_payment(step).closing


def sold(store: Store) -> None:
    trip.tell(store, "experience.created", experience=trip.experience())
    trip.tell(store, "booking.created", booking=trip.booking())


def cancelled(store: Store, penalty: int = 0) -> None:
    lines = [trip.hotel(), trip.bus()]
    snapshot = trip.cancelled(lines, penalty)
    cancellation = trip.cancellation([line["id"] for line in lines], penalty)
    trip.tell(store, "booking.cancelled", revision=2, booking=snapshot, cancellation=cancellation)


def captured(store: Store, at: str, cents: int = 30000, **more: object) -> None:
    trip.tell(store, "payment.captured", payment=trip.payment(cents=cents, captured_at=at, **more))


def test_money_that_was_captured_after_its_booking_was_cancelled_is_late(store: Store) -> None:
    sold(store)
    cancelled(store)
    captured(store, AFTER)
    found = closing(store)
    assert found == Closing(
        kind=Kind.CANCELLED, at=CANCELLED, words="booking bkg_500 was cancelled on 2027-03-01 09:00 UTC"
    )
    assert closing(store, first=False) is None, "it is asked once"


def test_money_that_was_in_hand_before_and_told_afterwards_is_not_late(store: Store) -> None:
    sold(store)
    cancelled(store)
    captured(store, BEFORE)
    assert closing(store) is None


@pytest.mark.parametrize(("owed_besides", "late"), [(0, False), (5000, True)])
def test_money_that_pays_a_penalty_is_wanted_until_the_penalty_is_paid(
    store: Store, owed_besides: int, late: bool
) -> None:
    sold(store)
    cancelled(store, penalty=5000)
    if owed_besides:
        trip.tell(store, "payment.captured", payment=trip.payment("pay_1000", owed_besides, captured_at=BEFORE))
    captured(store, AFTER, cents=5000)
    assert (closing(store) is not None) is late


@pytest.mark.parametrize(
    ("status", "late"), [("waived", True), ("cancelled", True), ("scheduled", False), ("paid", False)]
)
def test_money_for_an_instalment_that_was_given_up_is_late(store: Store, status: str, late: bool) -> None:
    sold(store)
    trip.tell(store, "payment_plan.created", payment_plan=trip.plan(("scheduled", "scheduled", "scheduled")))
    changed = trip.plan((status, "scheduled", "scheduled"), revision=2)
    if late:
        # The other instalments add up to the whole again.
        changed["installments"][1]["amount"] = trip.eur(70200)
    trip.tell(store, "payment_plan.changed", revision=2, payment_plan=changed)
    captured(store, AFTER, plan_id="plan_50", installment_id="ins_01")
    found = closing(store)
    assert (found is not None) is late
    if found is not None:
        assert (found.kind, found.at) == (Kind.CANCELLED, trip.MOMENT)
        assert status in found.words


def test_money_of_a_running_booking_is_not_late(store: Store) -> None:
    sold(store)
    captured(store, AFTER)
    assert closing(store) is None


def test_a_page_that_had_come_to_its_term_is_an_expired_request() -> None:
    paid = Payment.model_validate(trip.payment(captured_at=AFTER))
    found = of_page(paid, CANCELLED)
    assert found is not None
    assert found.kind is Kind.EXPIRED
    assert of_page(paid, CANCELLED + timedelta(days=30)) is None


def opened_again() -> TransitionLog:
    """What the workflow writes down of a late capture."""
    sync = PaymentSync(payment_id="pay_1001", amount=Money(amount=30000, currency="EUR"), since=CANCELLED)
    lines = []
    for told in (
        Event(kind=Kind.CANCELLED, at=CANCELLED, text="booking bkg_500 was cancelled"),
        Event(
            kind=Kind.CAPTURED,
            role=Role.GATEWAY,
            at=CANCELLED + timedelta(days=1),
            text="booking bkg_500 was cancelled",
        ),
    ):
        step = decide(sync, told)
        sync = step.after
        lines.append(Transition.of(step, told))
    return TransitionLog(
        agency=trip.AGENCY,
        lifecycle="payment/viajes/pay_1001",
        booking_id="bkg_500",
        experience_id="exp_31",
        connector="giav",
        sync=sync,
        lines=tuple(lines),
    )


def test_a_late_capture_is_one_item_with_its_money_until_a_person_has_seen_it(store: Store) -> None:
    desk, log = DeskActivities(store), opened_again()
    desk.log_transition(log)
    desk.log_transition(log)
    (item,) = store.parked.list(trip.AGENCY, reason="payment_late")
    assert (item.payment_id, item.amount, item.owner) == ("pay_1001", log.sync.amount, "accounting")
    assert "bkg_500 was cancelled" in item.detail
    assert [line.row for line in store.payment_sync.transitions(trip.AGENCY, "pay_1001")] == [2, 3]
    seen = DecisionTaken(item_id=item.item_id, decision="skip", by="ana", explanation="goes back with the refund")
    store.parked.close(item.item_id, seen)
    desk.log_transition(log)
    assert store.parked.list(trip.AGENCY, reason="payment_late") == [], "said once, it is not said again"


def test_a_payment_in_time_is_no_item(store: Store) -> None:
    sync = PaymentSync(payment_id="pay_1001", amount=Money(amount=30000, currency="EUR"), since=CANCELLED)
    told = Event(kind=Kind.CAPTURED, role=Role.GATEWAY, at=CANCELLED)
    step = decide(sync, told)
    log = opened_again().model_copy(update={"sync": step.after, "lines": (Transition.of(step, told),)})
    DeskActivities(store).log_transition(log)
    assert store.parked.list(trip.AGENCY) == []
