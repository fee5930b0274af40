import itertools

import pytest

from domain.errors import ContractBroken
from store import Store
from tests import stories
from tests.stories import AGENCY, captured, created, event, modified, refunded

B = "bkg_500"


def test_the_latest_revision_wins_whatever_the_order_of_arrival(store: Store) -> None:
    for number, revision in enumerate((2, 4, 1, 3), start=1):
        store.inbox.accept(modified(number, revision, locator=f"R{revision}"))
    newest = store.facts.booking(AGENCY, B)
    assert newest is not None
    assert newest.locator == "R4"
    assert store.facts.booking_revision(AGENCY, B) == 4
    states = [found.state for found in store.inbox.list()]
    assert states == ["applied", "applied", "superseded", "superseded"]


def test_a_superseded_cancellation_is_still_logged(store: Store) -> None:
    store.inbox.accept(modified(1, revision=5))
    store.inbox.accept(stories.cancelled(2, revision=4))
    (found,) = store.facts.cancellations_of(AGENCY, B)
    assert found.id == "cxl_12"
    assert store.facts.cancellation(AGENCY, "cxl_12") == found
    newest = store.facts.booking(AGENCY, B)
    assert newest is not None
    assert newest.status == "pending"


def test_a_cancellation_told_again_with_its_penalty_decided_replaces_the_undecided_one(store: Store) -> None:
    store.inbox.accept(stories.cancelled(1, revision=3, treatment="undecided"))
    store.inbox.accept(stories.cancelled(2, revision=4, treatment="indemnity_not_subject"))
    found = store.facts.cancellation(AGENCY, "cxl_12")
    assert found is not None
    assert found.penalty.treatment == "indemnity_not_subject"


def test_the_snapshot_of_one_event_stays_readable_after_a_newer_one(store: Store) -> None:
    first, second = modified(1, 1, locator="OLD"), modified(2, 2, locator="NEW")
    store.inbox.accept(first)
    store.inbox.accept(second)
    assert store.facts.booking_in(AGENCY, first.event_id).locator == "OLD"
    assert store.facts.event_data(AGENCY, second.event_id) == second.data


def test_an_event_without_booking_or_without_existence_is_a_broken_contract(store: Store) -> None:
    store.inbox.accept(captured(1))
    with pytest.raises(ContractBroken):
        store.facts.booking_in(AGENCY, f"evt_{1:020d}")
    with pytest.raises(ContractBroken):
        store.facts.event_data(AGENCY, "evt_never")


def test_payments_are_listed_by_capture_and_read_by_id(store: Store) -> None:
    store.inbox.accept(captured(1, payment_id="pay_02", captured_at="2027-03-22T08:00:00Z"))
    store.inbox.accept(captured(2, payment_id="pay_01", captured_at="2026-11-20T10:15:00Z"))
    assert [p.id for p in store.facts.payments_of(AGENCY, B)] == ["pay_01", "pay_02"]
    found = store.facts.payment(AGENCY, "pay_02")
    assert found is not None
    assert found.amount.amount == 30000


def test_a_failed_attempt_is_not_a_payment(store: Store) -> None:
    told = stories.data("payment/pay_1001", payment=stories.payment(captured_at=None), failure=stories.FAILURE)
    store.inbox.accept(event(1, "payment.failed", told))
    assert store.facts.payment(AGENCY, "pay_1001") is None
    assert [f.attempt for f in store.facts.failures_of(AGENCY, B)] == ["att_01"]


def test_a_captured_payment_without_a_time_was_captured_when_it_was_told(store: Store) -> None:
    told = captured(1, captured_at=None)
    store.inbox.accept(told)
    found = store.facts.payment(AGENCY, "pay_1001")
    assert found is not None
    assert found.captured_at == told.occurred_at


@pytest.mark.parametrize("order", list(itertools.permutations((refunded(1), stories.refund_failed(2)))))
def test_a_refund_that_failed_does_not_stand_in_whatever_order_it_is_told(
    store: Store, order: tuple[object, ...]
) -> None:
    for told in order:
        store.inbox.accept(told)  # type: ignore[arg-type]
    assert store.facts.refunds_of(AGENCY, B) == []
    assert store.facts.refund(AGENCY, "ref_9") is not None
    assert store.facts.refund_failed(AGENCY, "ref_9")


def test_a_declared_refund_becomes_confirmed_and_stays_one(store: Store) -> None:
    store.inbox.accept(refunded(1, status="declared"))
    store.inbox.accept(refunded(2, status="succeeded"))
    (found,) = store.facts.refunds_of(AGENCY, B)
    assert found.status == "succeeded"


def test_every_stage_of_a_chargeback_is_kept_in_its_order(store: Store) -> None:
    store.inbox.accept(stories.disputed(1, "won", revision=3))
    store.inbox.accept(stories.disputed(2, "funds_withdrawn", revision=2))
    assert [c.stage for c in store.facts.chargebacks_of(AGENCY, B)] == ["funds_withdrawn", "won"]
    found = store.facts.chargeback(AGENCY, "cbk_2", "won")
    assert found is not None
    assert found.amount.amount == 30000


def test_the_newest_plan_of_a_booking_is_its_plan(store: Store) -> None:
    for number, revision in ((1, 3), (2, 2)):
        told = stories.data("payment_plan/plan_50", revision, payment_plan=stories.plan(revision=revision))
        store.inbox.accept(event(number, "payment_plan.changed", told))
    found = store.facts.plan(AGENCY, B)
    assert found is not None
    assert found.revision == 3


def test_a_plan_that_comes_with_its_booking_is_known(store: Store) -> None:
    told = stories.data("booking/bkg_500", booking=stories.booking(discount=5000), payment_plan=stories.plan())
    store.inbox.accept(event(1, "booking.created", told))
    assert store.facts.plan(AGENCY, B) is not None


def test_discounts_and_service_changes_are_logged(store: Store) -> None:
    told = stories.data(
        "booking/bkg_500",
        2,
        booking=stories.booking(discount=5000),
        discount=stories.discount_of(5000),
        action="applied",
        price_effect=stories.NO_EFFECT,
    )
    store.inbox.accept(event(1, "booking.discount_applied", told))
    assert [d.id for d in store.facts.discounts_of(AGENCY, B)] == ["dsc_3"]
    assert store.facts.service_changes_of(AGENCY, B) == []


def test_experiences_and_their_bookings_are_listed(store: Store) -> None:
    cancellation = {"id": "cxl_9", "cause": "min_travellers", "decided_at": "2027-05-30T09:00:00Z"}
    store.inbox.accept(
        event(1, "experience.created", stories.data("experience/exp_31", experience=stories.experience()))
    )
    told = stories.data(
        "experience/exp_31", 2, experience=stories.experience(status="cancelled"), cancellation=cancellation
    )
    store.inbox.accept(event(2, "experience.cancelled", told))
    store.inbox.accept(created(3))
    assert [e.status for e in store.facts.experiences(AGENCY)] == ["cancelled"]
    assert [b.id for b in store.facts.bookings(AGENCY, "exp_31")] == [B]
    assert store.facts.bookings(AGENCY, "exp_99") == []
    found = store.facts.experience_cancellation(AGENCY, "exp_31")
    assert found is not None
    assert found.id == "cxl_9"
