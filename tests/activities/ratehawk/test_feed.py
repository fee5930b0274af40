"""The feed reads what changed, once, and lists what it cannot use (contracts: midoffice 2.7, 2.9)."""

from __future__ import annotations

from typing import Any

import pytest

from activities.ratehawk.activities import RateHawkActivities
from activities.ratehawk.client import PAGE
from domain.supplier import RATEHAWK
from domain.supplier_steps import FeedPage, FeedStep
from store import Store
from tests.activities.ratehawk.house import House
from tests.stories import AGENCY

INFO = "hotel/order/info/"


@pytest.fixture
def cells(store: Store, house: House) -> RateHawkActivities:
    return RateHawkActivities(store, {AGENCY: house.account()}, now=house.clock)


def sweep(cells: RateHawkActivities, between: Any = lambda: None) -> list[FeedPage]:
    pages, step = [], FeedStep(agency=AGENCY, supplier=RATEHAWK)
    while True:
        page = cells.read_page(step)
        pages.append(page)
        if page.next_page is None:
            return pages
        between()
        step = step.model_copy(update={"page": page.next_page, "since": page.since, "newest": page.newest})


def taken_in(store: Store) -> set[str]:
    return {known.order.partner_order_id for known in store.supplier_orders.list(AGENCY)}


def test_unchanged_orders_cost_one_call_for_each_full_page_and_no_write(
    cells: RateHawkActivities, house: House, store: Store
) -> None:
    for number in range(6 * PAGE):
        house.place(f"bkg_{number}-1")
    assert sum(page.changed for page in sweep(cells)) == 6 * PAGE
    house.clock.later(minutes=5)
    before, revisions = house.calls(INFO), {one.revision for one in store.supplier_orders.list(AGENCY)}
    pages = sweep(cells)
    assert house.calls(INFO) - before == len(pages) == 6
    assert [page.changed for page in pages] == [0] * 6
    assert {one.revision for one in store.supplier_orders.list(AGENCY)} == revisions == {1}


def test_a_sweep_reads_only_the_newest_past_again(cells: RateHawkActivities, house: House) -> None:
    house.place("bkg_old-1")
    house.clock.later(hours=3)
    house.place("bkg_new-1")
    sweep(cells)
    house.clock.later(hours=3)
    assert [page.seen for page in sweep(cells)] == [1]


def test_what_changes_while_pages_are_turned_is_neither_missed_nor_taken_twice(
    cells: RateHawkActivities, house: House, store: Store
) -> None:
    for number in range(3 * PAGE):
        house.place(f"bkg_{number}-1")
        house.clock.later(seconds=1)
    oldest = iter(range(0, 3 * PAGE, 7))

    def staff() -> None:
        house.clock.later(seconds=1)
        for _ in range(5):
            house.orders.change(f"bkg_{next(oldest)}-1", {"guest": "Changed"})
        house.place(f"bkg_late{house.clock.now:%S}-1")

    sweep(cells, staff)
    sweep(cells)
    assert len(taken_in(store)) == 3 * PAGE + 3
    by_revision = {one.order.partner_order_id: one.revision for one in store.supplier_orders.list(AGENCY)}
    changed = {f"bkg_{number}-1" for number in range(0, 15 * 7, 7)}
    named = {one.order.partner_order_id for one in store.supplier_orders.list(AGENCY)
             if one.order.rooms[0].guests[0].last_name == "Changed"}  # fmt: skip
    assert named == changed
    assert max(by_revision.values()) <= 2


def test_a_sweep_that_broke_off_begins_where_the_last_whole_one_ended(
    cells: RateHawkActivities, house: House, store: Store
) -> None:
    for number in range(PAGE + 10):
        house.place(f"bkg_{number}-1")
    cells.read_page(FeedStep(agency=AGENCY, supplier=RATEHAWK))
    feed = store.supplier_feeds.get(AGENCY, RATEHAWK)
    assert feed is not None
    assert feed.watermark is None
    house.clock.later(days=2)
    sweep(cells)
    assert len(taken_in(store)) == PAGE + 10


def test_unusable_orders_are_listed_with_the_field_and_the_rest_is_taken_in(
    cells: RateHawkActivities, house: House, store: Store
) -> None:
    for number in range(4):
        house.place(f"bkg_{number}-1")
    house.orders.change("bkg_1-1", {"raw": {"status": "teleported"}})
    house.orders.change("bkg_2-1", {"raw": {"amount_payable": {"amount": "-3.00", "currency_code": "EUR"}}})
    [page] = sweep(cells)
    assert (page.changed, page.refused) == (2, 2)
    assert taken_in(store) == {"bkg_0-1", "bkg_3-1"}
    items = store.parked.list(AGENCY)
    assert sorted(item.detail.rpartition(": ")[0].rpartition(": ")[2] for item in items) == [
        "amount_payable.amount",
        "status",
    ]
    assert {(item.reason, item.owner) for item in items} == {("unusable_order", "technical")}
    sweep(cells)
    assert len(store.parked.list(AGENCY)) == 2


def test_orders_of_another_agencys_contract_are_left_alone(house: House, store: Store) -> None:
    house.place("bkg_1-1", agreement="B2B-1/1")
    house.place("bkg_2-1", agreement="B2B-2/2")
    sweep(RateHawkActivities(store, {AGENCY: house.account(agreements=["B2B-2/2"])}, now=house.clock))
    assert taken_in(store) == {"bkg_2-1"}


def test_a_burst_of_webhooks_is_one_read(cells: RateHawkActivities, house: House, store: Store) -> None:
    house.place("bkg_1-1")
    house.place("bkg_2-1")
    for number in range(20):
        store.supplier_feeds.nudge(AGENCY, RATEHAWK, f"token-{number}", "updated", f"bkg_{1 + number % 2}-1")
    before = house.calls(INFO)
    page = cells.read_nudged(FeedStep(agency=AGENCY, supplier=RATEHAWK))
    assert (page.seen, page.changed, page.next_page) == (2, 2, None)
    assert cells.read_nudged(FeedStep(agency=AGENCY, supplier=RATEHAWK)).seen == 0
    assert house.calls(INFO) - before == 1


def test_what_a_reader_that_died_has_kept_is_still_to_be_handed_over(
    cells: RateHawkActivities, house: House, store: Store
) -> None:
    house.place("bkg_1-1")
    store.supplier_feeds.nudge(AGENCY, RATEHAWK, "token", "created", "bkg_1-1")
    step = FeedStep(agency=AGENCY, supplier=RATEHAWK)
    cells.read_nudged(step)  # the answer of this attempt is lost
    assert cells.read_nudged(step).changed == 1
    (pending,) = store.supplier_orders.pending(AGENCY, RATEHAWK)
    store.supplier_orders.handled(AGENCY, RATEHAWK, pending.order.order_id, pending.revision, "own")
    assert cells.read_nudged(step) == FeedPage()


def test_an_order_that_shows_late_is_found_by_its_nudge(cells: RateHawkActivities, house: House, store: Store) -> None:
    house.place("bkg_1-1_x_info_delay")
    store.supplier_feeds.nudge(AGENCY, RATEHAWK, "token", "created", "bkg_1-1_x_info_delay")
    step = FeedStep(agency=AGENCY, supplier=RATEHAWK)
    assert cells.read_nudged(step).seen == 0
    for seconds in (2, 5, 15):
        house.clock.later(seconds=seconds)
        page = cells.read_nudged(step)
    assert page.seen == 1
    assert store.supplier_feeds.counts(AGENCY, RATEHAWK)["open"] == 0
