from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.effects import EffectKey
from domain.errors import ContractBroken
from domain.notices import EventNotice
from domain.steps import DecisionTaken, Parking
from store import Store
from store.inbox import AcceptedEvent, EventFilter
from store.parked import ParkedItem
from tests import stories
from tests.stories import AGENCY, captured, created, eur, event


def only_item(store: Store) -> ParkedItem:
    (item,) = store.parked.list(AGENCY)
    return item


def answer(item: ParkedItem, decision: str) -> DecisionTaken:
    return DecisionTaken.model_validate(
        {"item_id": item.item_id, "decision": decision, "by": "marta", "explanation": "seen with the planner"}
    )


def waiting(store: Store) -> list[str]:
    return [row.event_id for row in store.inbox.undispatched(100)]


def test_an_accepted_event_is_stored_projected_and_waits_for_its_workflow(store: Store) -> None:
    told = created()
    assert store.inbox.accept(told) == "new"
    stored = store.inbox.get(AGENCY, told.event_id)
    assert stored is not None
    assert (stored.body, stored.kind, stored.state) == (told.body, "booking.created", "applied")
    assert stored.data["booking"]["locator"] == "KX7Q2P"
    assert store.facts.booking(AGENCY, "bkg_500") == told.data.booking if told.data else False
    (row,) = store.inbox.undispatched(10)
    assert EventNotice.model_validate_json(row.notice_json) == told.notice


def test_second_delivery_of_an_event_changes_nothing(store: Store) -> None:
    assert store.inbox.accept(created()) == "new"
    assert store.inbox.accept(created()) == "duplicate"
    assert len(waiting(store)) == 1
    assert store.parked.list() == []


def test_of_many_simultaneous_deliveries_one_is_new_and_the_others_are_duplicates(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: store.inbox.accept(captured()), range(24)))
    assert sorted(answers) == ["duplicate"] * 23 + ["new"]
    assert len(waiting(store)) == 1
    assert len(store.facts.payments_of(AGENCY, "bkg_500")) == 1


def test_another_body_under_the_same_id_is_kept_and_parked_and_the_first_stands(store: Store) -> None:
    store.inbox.accept(created())
    other = replace(created(), body=b'{"data": {"other": 1}}')
    assert store.inbox.accept(other) == "conflict"
    assert store.inbox.accept(other) == "conflict"
    item = only_item(store)
    assert (item.reason, item.booking_id, item.decisions) == ("event_conflict", "bkg_500", ("skip",))
    stored = store.inbox.get(AGENCY, other.event_id)
    assert stored is not None
    assert stored.body == created().body


def test_dispatched_events_wait_no_more_and_can_be_sent_again_by_hand(store: Store) -> None:
    for told in (created(1), captured(2)):
        store.inbox.accept(told)
    first, second = waiting(store)
    store.inbox.dispatch_failed(AGENCY, first, "Temporal is away")
    assert store.inbox.undispatched(1)[0].last_reason == "Temporal is away"
    store.inbox.mark_dispatched(AGENCY, first)
    store.inbox.mark_dispatched(AGENCY, second)
    assert waiting(store) == []
    assert store.inbox.redispatch(EventFilter(agency=AGENCY, kind="payment.captured")) == 1
    assert waiting(store) == [second]


def test_only_what_has_waited_long_enough_is_swept(store: Store) -> None:
    store.inbox.accept(created())
    assert store.inbox.undispatched(10, older_than=timedelta(minutes=5)) == []
    assert len(store.inbox.undispatched(10, older_than=timedelta(0))) == 1


def test_an_event_whose_data_is_unusable_is_stored_and_parked_and_not_handed_on(store: Store) -> None:
    told = replace(captured(), data=None, notice=None, problem="payment/amount: missing")
    assert store.inbox.accept(told) == "new"
    assert (only_item(store).reason, only_item(store).detail) == ("unusable_event", "payment/amount: missing")
    assert waiting(store) == []


def test_an_event_of_unknown_type_is_stored_and_parked(store: Store) -> None:
    told = replace(created(), kind="example.planner.booking.teleported.v1", data=None, notice=None, problem="unhandled")
    store.inbox.accept(told)
    item = only_item(store)
    assert item.reason == "unhandled_type"
    with pytest.raises(ContractBroken):
        store.inbox.decide(answer(item, "retry"))
    assert only_item(store).state == "open"
    store.inbox.decide(answer(item, "skip"))
    assert store.parked.list() == []


def test_an_event_that_became_usable_is_applied_after_it_was_examined_again(store: Store) -> None:
    store.inbox.accept(replace(captured(), data=None, notice=None, problem="payment/method: literal_error"))
    item = only_item(store)
    with pytest.raises(ContractBroken, match="examined"):
        store.inbox.decide(answer(item, "retry"))
    with pytest.raises(ContractBroken, match="environment"):
        store.inbox.decide(answer(item, "retry"), lambda _: replace(captured(), data=None, problem="environment test"))
    assert waiting(store) == []
    store.inbox.decide(answer(item, "retry"), lambda _: captured())
    assert [p.id for p in store.facts.payments_of(AGENCY, "bkg_500")] == ["pay_1001"]
    assert [found.state for found in store.inbox.list(EventFilter(booking_id="bkg_500"))] == ["applied"]
    assert len(waiting(store)) == 1


def test_an_event_that_lacks_what_its_type_must_carry_is_parked(store: Store) -> None:
    told = replace(created(), kind="booking.cancelled")
    store.inbox.accept(told)
    assert only_item(store).detail == "data lacks cancellation"
    assert store.facts.booking(AGENCY, "bkg_500") is None


def test_twins_are_answered_without_any_workflow_and_other_items_are_not(store: Store) -> None:
    key = EffectKey(AGENCY, "giav", "invoice", "pay_1001", "create")
    store.effects.intend(key, booking_id=None, request=None)
    store.effects.twins(key, ["1", "2"])
    store.inbox.decide(answer(only_item(store), "skip"))
    assert store.parked.list() == []
    parking = Parking(
        agency=AGENCY,
        item_id="prk_1",
        workflow_id="booking/sol/bkg_500",
        verb="giav.record_payment",
        reason="Refused",
        detail="",
        fault="Refused",
        decisions=("skip",),
        since=stories.START,
    )
    store.parked.open(parking, "operations", stories.START)
    with pytest.raises(ContractBroken):
        store.inbox.decide(answer(only_item(store), "skip"))


def one_cent_off() -> dict[str, object]:
    snapshot = stories.booking()
    snapshot["totals"]["due"] = eur(100499)
    return stories.data("booking/bkg_500", booking=snapshot)


@pytest.mark.covers("F-C14")
def test_totals_that_do_not_add_up_are_parked_and_never_projected(store: Store) -> None:
    store.inbox.accept(event(1, "booking.created", one_cent_off()))
    item = only_item(store)
    assert (item.reason, item.booking_id) == ("totals_mismatch", "bkg_500")
    assert item.detail == "/booking/totals/due: told 1,004.99 EUR, recomputed 1,005.00 EUR"
    assert store.facts.booking(AGENCY, "bkg_500") is None
    assert waiting(store) == []


@pytest.mark.covers("F-C14")
def test_payments_flow_while_the_booking_is_parked(store: Store) -> None:
    store.inbox.accept(event(1, "booking.created", one_cent_off()))
    store.inbox.accept(captured(2))
    assert [p.id for p in store.facts.payments_of(AGENCY, "bkg_500")] == ["pay_1001"]
    assert waiting(store) == [f"evt_{2:020d}"]


@pytest.mark.covers("F-C14")
@pytest.mark.parametrize("beside", [{"booking": one_cent_off()["booking"]}, {"payment_plan": stories.plan(balance=1)}])
def test_a_payment_flows_whatever_snapshot_comes_with_it(store: Store, beside: dict[str, object]) -> None:
    told = stories.data("payment/pay_1001", payment=stories.payment(), **beside)
    store.inbox.accept(event(1, "payment.captured", told))
    assert [p.id for p in store.facts.payments_of(AGENCY, "bkg_500")] == ["pay_1001"]
    assert store.parked.list() == []


def test_a_person_may_let_wrong_totals_pass(store: Store) -> None:
    store.inbox.accept(event(1, "booking.created", one_cent_off()))
    item = only_item(store)
    for _ in range(2):
        store.inbox.decide(answer(item, "retry"))
    assert store.facts.booking(AGENCY, "bkg_500") is not None
    assert waiting(store) == [f"evt_{1:020d}"]
    closed = store.parked.get(item.item_id)
    assert closed is not None
    assert [(made.taken.decision, made.taken.by) for made in closed.taken] == [("retry", "marta")]


def known(store: Store, item_id: str) -> ParkedItem:
    item = store.parked.get(item_id)
    assert item is not None
    return item


def wrong(revision: int, kind: str = "booking.modified", **members: object) -> AcceptedEvent:
    """A snapshot with one cent too little."""
    told = one_cent_off() | {"aggregate": {"type": "booking", "id": "bkg_500", "revision": revision}} | members
    return event(100 + revision, kind, told | {"price_effect": stories.NO_EFFECT})


@pytest.mark.covers("F-C14")
def test_a_newer_snapshot_that_is_right_closes_the_item_of_the_wrong_one_with_the_reason(store: Store) -> None:
    store.inbox.accept(event(1, "booking.created", one_cent_off()))
    store.inbox.accept(wrong(2))
    items = [item.item_id for item in store.parked.list(AGENCY)]
    assert len(items) == 2
    store.inbox.accept(stories.modified(3, 3))
    assert store.parked.list(AGENCY) == []
    taken = [made.taken for item_id in items for made in known(store, item_id).taken]
    assert [(each.decision, each.by) for each in taken] == [("skip", "system")] * 2
    assert {each.explanation for each in taken} == {
        f"revision {revision} was wrong in its totals; revision 3 is right and takes its place" for revision in (1, 2)
    }
    assert waiting(store) == [f"evt_{3:020d}"]


@pytest.mark.covers("F-C14")
def test_an_older_snapshot_does_not_close_the_item_of_a_newer_wrong_one(store: Store) -> None:
    store.inbox.accept(wrong(3))
    store.inbox.accept(stories.modified(2, 2))
    assert only_item(store).reason == "totals_mismatch"


@pytest.mark.covers("F-C14")
def test_a_wrong_snapshot_that_comes_after_a_newer_right_one_asks_nobody(store: Store) -> None:
    store.inbox.accept(stories.modified(3, 3))
    store.inbox.accept(wrong(2))
    assert store.parked.list(AGENCY) == []
    assert store.facts.booking_revision(AGENCY, "bkg_500") == 3


@pytest.mark.covers("F-C14")
def test_facts_that_came_only_with_the_wrong_snapshot_keep_its_item_open(store: Store) -> None:
    store.inbox.accept(wrong(2, "booking.cancelled", cancellation=stories.cancellation("none")))
    store.inbox.accept(wrong(3, payment_plan=stories.plan()))
    store.inbox.accept(stories.modified(4, 4))
    assert len(store.parked.list(AGENCY)) == 2


@pytest.mark.covers("M2")
def test_a_second_payment_with_the_same_processor_reference_is_parked_with_its_amount(store: Store) -> None:
    store.inbox.accept(captured(1, payment_id="pay_1001", ref="pi_1"))
    store.inbox.accept(captured(2, payment_id="pay_1002", ref="pi_1", amount=38200))
    item = only_item(store)
    assert (item.reason, item.payment_id) == ("payment_ref_clash", "pay_1002")
    assert item.amount is not None
    assert item.amount.amount == 38200
    assert [p.id for p in store.facts.payments_of(AGENCY, "bkg_500")] == ["pay_1001"]
    assert waiting(store) == [f"evt_{1:020d}"]


def test_two_payments_racing_with_one_processor_reference_end_as_one_payment_and_one_parked_item(store: Store) -> None:
    events = [captured(n, payment_id=f"pay_10{n}", ref="pi_1") for n in range(10, 18)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.inbox.accept, events))
    assert len(store.facts.payments_of(AGENCY, "bkg_500")) == 1
    assert len(store.parked.list(AGENCY)) == 7


def test_agencies_do_not_see_each_other(store: Store) -> None:
    store.inbox.accept(captured(1))
    other = replace(captured(1), agency="luna", source="https://platform.example/planners/pl_other")
    assert store.inbox.accept(other) == "new"
    assert store.facts.payments_of("mar", "bkg_500") == []
    assert len(store.facts.payments_of("luna", "bkg_500")) == 1


def test_the_same_fact_in_another_event_is_told_once(store: Store) -> None:
    store.inbox.accept(captured(1))
    assert store.inbox.accept(captured(2)) == "new"
    again = store.inbox.get(AGENCY, f"evt_{2:020d}")
    assert again is not None
    assert again.state == "repeated"
    assert len(waiting(store)) == 1


def test_a_fact_that_contradicts_itself_is_parked(store: Store) -> None:
    store.inbox.accept(captured(1, amount=30000))
    store.inbox.accept(captured(2, amount=30001))
    assert only_item(store).reason == "fact_contradiction"
    (kept,) = store.facts.payments_of(AGENCY, "bkg_500")
    assert kept.amount.amount == 30000


def test_missing_sequence_numbers_are_found(store: Store) -> None:
    for number in (1, 2, 5, 9):
        store.inbox.accept(stories.modified(number, revision=number))
    assert store.inbox.gaps(AGENCY) == [(3, 4), (6, 8)]


def test_events_are_listed_and_counted(store: Store) -> None:
    store.inbox.accept(created(1, revision=2))
    store.inbox.accept(stories.modified(2, revision=1))
    store.inbox.accept(captured(3))
    assert store.inbox.counts() == {"applied": 2, "superseded": 1, "waiting": 3}
    listed = store.inbox.list(EventFilter(agency=AGENCY, booking_id="bkg_500", state="applied"))
    assert [found.kind for found in listed] == ["booking.created", "payment.captured"]
    later = store.inbox.list(EventFilter(since=captured(3).received_at, after_position=listed[0].position))
    assert [found.kind for found in later] == ["payment.captured"]


@pytest.mark.covers("F-P16")
def test_money_without_a_name_is_told_to_the_plan_of_its_booking(store: Store) -> None:
    def told(number: int, **changes: object) -> str | None:
        event = captured(number, **changes)
        store.inbox.accept(event)
        (notice,) = [row.notice_json for row in store.inbox.undispatched(100) if row.event_id == event.event_id]
        return EventNotice.model_validate_json(notice).plan_id

    store.inbox.accept(created())
    assert told(2) is None
    store.inbox.accept(
        event(3, "payment_plan.created", stories.data("payment_plan/plan_50", payment_plan=stories.plan()))
    )
    assert told(4, payment_id="pay_1002", ref="trf_1") == "plan_50"
