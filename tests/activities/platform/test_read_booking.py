"""Reading the truth back: what was never delivered comes in as if it had been (platform-events 4, 7)."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError

from activities.platform.activities import PlatformActivities
from activities.platform.mapping import event_of, told_by_snapshot
from activities.platform.settings import PlatformAccount
from domain.money import Money
from store.installation import PlatformSettings
from tests.activities.platform.trip import AGENCY
from tests.activities.platform.world import World, reading


def test_lost_booking_comes_in_with_its_own_event(world: World) -> None:
    world.sell()
    world.do("capture-payment", booking_id="bkg_500")
    world.deliver(without=("booking.created", "booking.modified"))
    world.cells.read_booking(reading(world.event_id("payment.captured")))
    assert world.store.facts.booking(AGENCY, "bkg_500") is not None
    delivered = {document["id"] for document in world.log()}
    assert {event.event_id for event in world.store.inbox.list()} <= delivered


def test_later_delivery_of_what_was_read_is_a_duplicate(world: World) -> None:
    world.sell()
    world.cells.read_booking(reading())
    assert "booking.created" in world.kinds()
    before = world.kinds()
    world.deliver()
    assert world.kinds() == before
    assert not world.store.parked.list()


def test_reading_twice_takes_nothing_twice(world: World) -> None:
    world.sell()
    world.cells.read_booking(reading())
    before = world.kinds()
    assert world.cells.read_booking(reading()).note == "the newest revision was known"
    assert world.kinds() == before


def test_events_of_other_bookings_are_left_alone(world: World) -> None:
    world.sell()
    other = {"payer": {"id": "cus_78", "kind": "person", "name": "Eva"}, "lines": [{"service_id": "svc_hotel"}]}
    travellers = [{"first_name": "Eva", "last_name": "Prueba"}]
    world.do("create-booking", id="bkg_501", experience_id="exp_31", travellers=travellers, **other)
    world.cells.read_booking(reading())
    assert world.store.facts.booking(AGENCY, "bkg_501") is None


def test_log_of_several_pages_is_read_to_its_end(world: World) -> None:
    world.sell()
    for _ in range(201):
        world.do(
            "emit", kind="booking.noted", partition="bkg_9", data={"aggregate": {"type": "booking", "id": "bkg_9"}}
        )
    world.do("capture-payment", booking_id="bkg_500")
    world.cells.read_booking(reading())
    assert world.kinds().count("payment.captured") == 1


class WithoutLog(httpx.HTTPTransport):
    """A platform that keeps no event log."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(404) if request.url.path == "/v1/events" else super().handle_request(request)


def test_platform_without_a_log_is_read_by_its_snapshots(world: World) -> None:
    world.sell()
    account = PlatformAccount.open(world.settings, "test", WithoutLog())
    PlatformActivities(world.store, {AGENCY: account}).read_booking(reading())
    assert world.kinds() == ["experience.created", "booking.created"]
    assert world.store.facts.booking(AGENCY, "bkg_500") is not None


def test_log_that_is_down_is_waited_for(world: World) -> None:
    world.sell()
    world.fault("events.list", "page-503")
    with pytest.raises(ApplicationError) as caught:
        world.cells.read_booking(reading())
    assert caught.value.type == "Transient"
    world.cells.read_booking(reading())
    assert "booking.created" in world.kinds()


def test_snapshot_newer_than_every_event_makes_its_own_event(world: World) -> None:
    world.sell()
    world.deliver()
    assert world.account.client is not None
    snapshot = world.account.client.booking("bkg_500")
    assert snapshot is not None
    known = Money(amount=90000, currency="EUR")
    newer = told_by_snapshot(world.account, "booking", {**snapshot, "revision": 9}, known)
    event = event_of(world.account, AGENCY, newer, datetime.now(UTC))
    assert (event.kind, event.problem, event.sequence) == ("booking.modified", None, None)
    assert event.data is not None
    assert event.data.price_effect is not None
    assert event.data.price_effect.delta == Money(amount=10000, currency="EUR")
    assert world.store.inbox.accept(event) == "new"
    assert world.store.inbox.accept(event) == "duplicate"
    assert world.store.facts.booking_revision(AGENCY, "bkg_500") == 9


def test_unknown_booking_is_refused(world: World) -> None:
    with pytest.raises(ApplicationError) as caught:
        world.cells.read_booking(reading())
    assert caught.value.type == "Refused"
    assert "does not know booking bkg_500" in str(caught.value)


def test_agency_that_only_imports_is_told_so(world: World) -> None:
    account = PlatformAccount.open(PlatformSettings(source=world.settings.source), "test")
    with pytest.raises(ApplicationError, match="no address in the settings") as caught:
        PlatformActivities(world.store, {AGENCY: account}).read_booking(reading())
    assert caught.value.type == "Refused"


def test_wrong_token_stops_without_naming_it(world: World) -> None:
    settings = world.settings.model_copy(update={"token": SecretStr("wrong-token")})
    account = PlatformAccount.open(settings, "test")
    with pytest.raises(ApplicationError) as caught:
        PlatformActivities(world.store, {AGENCY: account}).read_booking(reading())
    assert caught.value.type == "Unauthorised"
    assert "wrong-token" not in f"{caught.value} {account!r}"


def test_events_of_another_environment_are_parked(world: World) -> None:
    world.sell()
    live = PlatformAccount.open(world.settings, "live")
    PlatformActivities(world.store, {AGENCY: live}).read_booking(reading())
    assert world.store.facts.booking(AGENCY, "bkg_500") is None
    assert world.store.parked.list()
