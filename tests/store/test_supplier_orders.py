"""Orders are kept by their content: nothing missed, nothing twice, whatever the order and the repetition."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain.money import Money
from domain.supplier import RATEHAWK, SupplierOrder
from store import Store
from tests import stories

T0 = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
AGENCY = stories.AGENCY


def order(number: int = 1, *, partner: str = "", minutes: int = 0, payable: int = 66000, **more: Any) -> SupplierOrder:
    return SupplierOrder(
        order_id=number,
        partner_order_id=partner or f"own-{number}",
        status=more.pop("status", "completed"),
        created_at=T0,
        modified_at=T0 + timedelta(minutes=minutes),
        checkin=date(2027, 6, 20),
        checkout=date(2027, 6, 23),
        hotel_id="hotel_prueba",
        payable=Money(amount=payable, currency="EUR"),
        **more,
    )


def test_every_order_of_arrival_and_repetition_ends_with_the_newest_version(store: Store) -> None:
    versions = [order(minutes=0, payable=1), order(minutes=1, payable=2), order(minutes=2, payable=3)]
    for number, arrival in enumerate(itertools.permutations(versions), start=1):
        for one in (*arrival, *arrival):
            store.supplier_orders.record(AGENCY, RATEHAWK, [one.model_copy(update={"order_id": number})])
        known = store.supplier_orders.get(AGENCY, RATEHAWK, number)
        assert known is not None
        assert known.order.payable.amount == 3


def test_the_same_content_is_no_change_however_often_it_comes(store: Store) -> None:
    page = [order(number) for number in range(1, 51)]
    assert store.supplier_orders.record(AGENCY, RATEHAWK, page) == 50
    touched = [one.model_copy(update={"modified_at": T0 + timedelta(days=1)}) for one in page]
    assert [store.supplier_orders.record(AGENCY, RATEHAWK, again) for again in (page, touched, page)] == [0, 0, 0]
    assert {known.revision for known in store.supplier_orders.list(AGENCY)} == {1}


def test_a_change_is_pending_until_this_very_version_was_handed_over(store: Store) -> None:
    store.supplier_orders.record(AGENCY, RATEHAWK, [order()])
    first = store.supplier_orders.pending(AGENCY, RATEHAWK)[0]
    store.supplier_orders.record(AGENCY, RATEHAWK, [order(minutes=1, payable=70000)])
    store.supplier_orders.handled(AGENCY, RATEHAWK, 1, first.revision, "own")
    second = store.supplier_orders.pending(AGENCY, RATEHAWK)[0]
    assert (first.revision, second.revision, second.order.payable.amount) == (1, 2, 70000)
    store.supplier_orders.handled(AGENCY, RATEHAWK, 1, 2, "own")
    store.supplier_orders.handled(AGENCY, RATEHAWK, 1, 1, "own")
    assert store.supplier_orders.pending(AGENCY, RATEHAWK) == []


def test_an_order_belongs_to_the_booking_whose_snapshot_names_it(store: Store) -> None:
    named = [{"system": "ratehawk", "order_ref": "B2B-1/1", "partner_order_ref": "bkg_500-lin_01"}]
    told = stories.data("booking/bkg_500", booking=stories.booking(external_orders=named))
    store.inbox.accept(stories.event(1, "booking.created", told))
    store.supplier_orders.record(AGENCY, RATEHAWK, [order(7, partner="bkg_500-lin_01"), order(8)])
    claimed = {one.order.order_id: one.booking_id for one in store.supplier_orders.pending(AGENCY, RATEHAWK)}
    assert claimed == {7: "bkg_500", 8: None}
    assert store.supplier_orders.links_of(AGENCY, RATEHAWK, "bkg_500") == ["bkg_500-lin_01"]


def test_a_booking_that_claims_an_order_late_is_still_told_of_it(store: Store) -> None:
    store.supplier_orders.record(AGENCY, RATEHAWK, [order(7, partner="bkg_500-lin_01"), order(8)])
    for number in (7, 8):
        store.supplier_orders.handled(AGENCY, RATEHAWK, number, 1, "transferred")
    named = [{"system": "ratehawk", "order_ref": "B2B-1/1", "partner_order_ref": "bkg_500-lin_01"}]
    told = stories.data("booking/bkg_500", booking=stories.booking(external_orders=named))
    store.inbox.accept(stories.event(1, "booking.created", told))
    assert [(one.order.order_id, one.booking_id) for one in store.supplier_orders.pending(AGENCY, RATEHAWK)] == [
        (7, "bkg_500")
    ]


def test_pages_of_what_is_pending_follow_each_other(store: Store) -> None:
    store.supplier_orders.record(AGENCY, RATEHAWK, [order(number) for number in range(1, 8)])
    first = store.supplier_orders.pending(AGENCY, RATEHAWK, limit=5)
    second = store.supplier_orders.pending(AGENCY, RATEHAWK, limit=5, after=first[-1].order.order_id)
    assert [one.order.order_id for one in (*first, *second)] == [1, 2, 3, 4, 5, 6, 7]


def test_confirmed_costs_take_the_place_of_estimates_and_leave_the_sale(store: Store) -> None:
    named = [{"system": "ratehawk", "order_ref": "B2B-1/1", "partner_order_ref": "bkg_500-lin_01"}]
    told = stories.data("booking/bkg_500", booking=stories.booking(external_orders=named))
    store.inbox.accept(stories.event(1, "booking.created", told))
    store.supplier_orders.record(AGENCY, RATEHAWK, [order(7, partner="bkg_500-lin_01")])
    store.supplier_orders.handled(AGENCY, RATEHAWK, 7, 1, "booking", booking_id="bkg_500")
    booking = store.facts.booking(AGENCY, "bkg_500")
    assert booking is not None
    assert store.supplier_orders.confirmed_in(AGENCY, booking) == booking
    store.supplier_orders.confirm(AGENCY, RATEHAWK, 7, Money(amount=65900, currency="EUR"), booking_id="bkg_500")
    confirmed = store.supplier_orders.confirmed_in(AGENCY, booking)
    assert [(line.cost.total.amount, line.cost.status) for line in confirmed.lines] == [
        (65900, "confirmed"), (13000, "estimated")]  # fmt: skip
    assert confirmed.totals.cost.amount == 78900
    assert confirmed.totals.margin.amount == booking.totals.margin.amount + 100
    assert confirmed.totals.total == booking.totals.total


def test_a_sweep_moves_the_watermark_forward_only(store: Store) -> None:
    feeds = store.supplier_feeds
    assert feeds.get(AGENCY, RATEHAWK) is None
    for minutes, last in ((5, False), (5, True), (3, True)):
        feeds.page_read(AGENCY, RATEHAWK, orders=50, changed=1, swept_to=T0 + timedelta(minutes=minutes), last=last)
    feed = feeds.get(AGENCY, RATEHAWK)
    assert feed is not None
    assert (feed.watermark, feed.sweeps, feed.pages, feed.orders) == (T0 + timedelta(minutes=5), 2, 3, 150)


def test_a_nudge_is_kept_once_and_its_order_read_once(store: Store) -> None:
    feeds = store.supplier_feeds
    kept = [feeds.nudge(AGENCY, RATEHAWK, token, "updated", "bkg_1-1") for token in ("a", "b", "a")]
    assert kept == [True, True, False]
    assert feeds.due_nudges(AGENCY, RATEHAWK, 50) == ["bkg_1-1"]
    feeds.nudged(AGENCY, RATEHAWK, {"bkg_1-1"}, set(), before=datetime.now(UTC) + timedelta(seconds=5))
    assert feeds.due_nudges(AGENCY, RATEHAWK, 50) == []
    assert feeds.counts(AGENCY, RATEHAWK) == {"open": 0, "read": 2, "missing": 0}


def test_an_order_that_does_not_show_is_looked_for_again_and_then_missing(store: Store) -> None:
    feeds = store.supplier_feeds
    feeds.nudge(AGENCY, RATEHAWK, "a", "created", "bkg_1-1")
    later = datetime.now(UTC) + timedelta(seconds=5)
    feeds.nudged(AGENCY, RATEHAWK, set(), {"bkg_1-1"}, before=later)
    assert feeds.due_nudges(AGENCY, RATEHAWK, 50) == []
    assert feeds.next_nudge_at(AGENCY, RATEHAWK) is not None
    for _ in range(5):
        feeds.nudged(AGENCY, RATEHAWK, set(), {"bkg_1-1"}, before=later)
    assert feeds.counts(AGENCY, RATEHAWK) == {"open": 0, "read": 0, "missing": 1}


def test_a_nudge_that_comes_while_its_order_is_read_stays_open(store: Store) -> None:
    feeds = store.supplier_feeds
    feeds.nudge(AGENCY, RATEHAWK, "a", "updated", "bkg_1-1")
    feeds.nudged(AGENCY, RATEHAWK, {"bkg_1-1"}, set(), before=T0)
    assert feeds.due_nudges(AGENCY, RATEHAWK, 50) == ["bkg_1-1"]
