"""From the supplier's page to the one writer of each order, with a real supplier stand-in and a real Temporal server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from activities.ratehawk.activities import RateHawkActivities
from domain import naming
from domain.supplier import RATEHAWK
from domain.supplier_steps import FeedStep
from sandbox.ratehawk.stand_in import RateHawkStandIn
from sandbox.running import running
from store import Store
from tests import stories
from tests.activities.ratehawk.house import Clock, House
from tests.databases import migrated_url
from tests.workflows.office import Office, deliver, told, working

NAMED = [{"system": "ratehawk", "order_ref": "B2B-1/1", "partner_order_ref": "bkg_500-lin_01"}]


@pytest.fixture
def house() -> Iterator[House]:
    clock = Clock()
    stand_in = RateHawkStandIn(limits={}, now=clock)
    with running(stand_in) as url:
        yield House(stand_in, clock, url)


@pytest.fixture
def store(tmp_path: Path, house: House) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path), clock=house.clock)
    yield opened
    opened.close()


async def until(true: Callable[[], bool]) -> None:
    """The test's time limit ends a wait in vain."""
    while not true():  # noqa: ASYNC110 what is asked for happens in other tasks, which know nothing of us
        await asyncio.sleep(0.02)


class Feeding:
    """One agency's feed, swept by hand."""

    def __init__(self, store: Store, house: House, client: Client, agency: str) -> None:
        self.agency = agency
        self.cells = RateHawkActivities(store, {agency: house.account()}, client, now=house.clock)
        self.step = FeedStep(agency=agency, supplier=RATEHAWK)

    async def sweep(self) -> tuple[int, int, int]:
        await asyncio.to_thread(self.cells.read_page, self.step)
        done = await self.cells.hand_over(self.step)
        return done.to_bookings, done.on_their_own, done.left


def fate(store: Store, agency: str, partner: str) -> str:
    known = store.supplier_orders.called(agency, RATEHAWK, partner)
    assert known is not None
    return known.state


async def test_a_changed_order_of_a_booking_reaches_its_mailbox_and_an_unchanged_one_starts_nothing(
    dev_server: Client, office: Office, store: Store, house: House
) -> None:
    feeding = Feeding(store, house, dev_server, "hand1")
    told_of = stories.data("booking/bkg_500", booking=stories.booking(external_orders=NAMED))
    store.inbox.accept(stories.event(1, "booking.created", told_of, agency="hand1"))
    house.place("bkg_500-lin_01", amount="660.00")
    async with working(dev_server, office):
        await deliver(dev_server, told("booking.created", "bkg_500", agency="hand1"))
        assert await feeding.sweep() == (1, 0, 0)
        await until(lambda: office.count("giav.confirm_costs") == 1)
        house.clock.later(minutes=10)
        assert await feeding.sweep() == (0, 0, 0)
        house.orders.change("bkg_500-lin_01", {"amount": "661.00"})
        assert await feeding.sweep() == (1, 0, 0)
        await until(lambda: office.count("giav.confirm_costs") == 2)
    assert [step.revision for step in office.of("giav.confirm_costs")] == [1, 2]
    assert fate(store, "hand1", "bkg_500-lin_01") == "booking"


@pytest.mark.covers("S1")
async def test_an_order_made_without_the_platform_waits_for_a_claim_and_is_then_transferred_once(
    dev_server: Client, office: Office, store: Store, house: House
) -> None:
    feeding = Feeding(store, house, dev_server, "hand2")
    house.place("web-1", source="b2b-site")
    async with working(dev_server, office):
        assert await feeding.sweep() == (0, 0, 1)
        house.clock.later(minutes=31)
        assert await feeding.sweep() == (0, 1, 0)
        await until(lambda: office.count("midoffice.transfer_order") == 1)
        house.clock.later(minutes=15)
        assert await feeding.sweep() == (0, 0, 0)
        await dev_server.get_workflow_handle(
            naming.supplier_order("hand2", RATEHAWK, house.orders.known("web-1")["order_id"])
        ).result()
    assert office.count("midoffice.transfer_order") == 1
    assert fate(store, "hand2", "web-1") == "own"


async def test_a_booking_that_comes_after_its_order_still_gets_it(
    dev_server: Client, office: Office, store: Store, house: House
) -> None:
    feeding = Feeding(store, house, dev_server, "hand3")
    house.place("bkg_500-lin_01", amount="660.00")
    async with working(dev_server, office):
        assert await feeding.sweep() == (0, 0, 1)
        told_of = stories.data("booking/bkg_500", booking=stories.booking(external_orders=NAMED))
        store.inbox.accept(stories.event(1, "booking.created", told_of, agency="hand3"))
        await deliver(dev_server, told("booking.created", "bkg_500", agency="hand3"))
        assert await feeding.sweep() == (1, 0, 0)
        await until(lambda: office.count("midoffice.confirm_costs") == 1)
    assert office.count("midoffice.transfer_order") == 0


async def test_a_change_that_was_handed_over_and_not_marked_is_counted_once(
    dev_server: Client, office: Office, store: Store, house: House
) -> None:
    feeding = Feeding(store, house, dev_server, "hand4")
    told_of = stories.data("booking/bkg_500", booking=stories.booking(external_orders=NAMED))
    store.inbox.accept(stories.event(1, "booking.created", told_of, agency="hand4"))
    house.place("bkg_500-lin_01", amount="660.00")
    marked = store.supplier_orders.handled
    async with working(dev_server, office):
        await deliver(dev_server, told("booking.created", "bkg_500", agency="hand4"))
        store.supplier_orders.handled = lambda *_, **__: None  # type: ignore[method-assign]
        assert await feeding.sweep() == (1, 0, 0)
        store.supplier_orders.handled = marked  # type: ignore[method-assign]
        assert await feeding.sweep() == (1, 0, 0)
        await until(lambda: office.count("giav.confirm_costs") == 1)
        await deliver(dev_server, told("booking.modified", "bkg_500", 2, agency="hand4"))
        await until(lambda: office.count("giav.amend_booking") == 1)
    assert office.count("giav.confirm_costs") == 1
