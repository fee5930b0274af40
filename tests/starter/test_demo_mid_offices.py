"""The demo with each mid-office: its settings reach the stand-in, and the judge finds in its books what was written there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from temporalio.exceptions import ApplicationError

from activities.midoffice.accounts import SYSTEMS, MidOfficeAccount
from activities.midoffice.activities import MidOfficeActivities
from domain.errors import BackOfficeError
from domain.platform import Booking
from domain.steps import BookingStep, CancellationStep, Done
from sandbox.season.script import ANNOUNCEMENTS
from starter import demo
from starter.answers import CommandError
from starter.collecting.mid_offices import READINGS, MidOffice, kind_of
from starter.commands import demo as command
from starter.demo import AGENCY, MID_OFFICES, DemoState, Sandbox
from starter.opening import read_settings
from starter.reports import Invariant, SeasonReport
from store import Store
from tests.activities.platform import trip
from tests.databases import migrated_url

S = TypeVar("S")
LINES = [trip.hotel(), trip.bus()]


@pytest.fixture(scope="module")
def state() -> DemoState:
    return DemoState.invent(any_ports=True)


@pytest.fixture(scope="module")
def sandbox(state: DemoState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The stand-ins as the demo starts them."""
    with asyncio.Runner() as runner:
        folder = tmp_path_factory.mktemp("sandbox")
        served = runner.run(demo.start_sandbox(folder, state, lambda _: None))
        yield served
        runner.run(served.child.stop())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path))
    yield opened
    opened.close()


def test_the_demo_the_season_and_its_judge_know_every_mid_office() -> None:
    assert set(MID_OFFICES) == set(ANNOUNCEMENTS) == set(READINGS) == set(SYSTEMS)


@pytest.mark.parametrize("kind", MID_OFFICES)
def test_what_is_booked_and_cancelled_is_found_in_the_books_of_the_mid_office(
    kind: str, state: DemoState, sandbox: Sandbox, store: Store, tmp_path: Path
) -> None:
    settings = demo.write_settings(tmp_path, state.model_copy(update={"midoffice": kind}), sandbox.fingerprints)
    agency = read_settings(settings).agencies[AGENCY]
    assert kind_of(agency) == kind
    cells = MidOfficeActivities(store, {trip.AGENCY: MidOfficeAccount.open(agency.midoffice or {})})
    faults = f"{sandbox.url(kind)}/control/faults"
    wish = {"operation": ANNOUNCEMENTS[kind], "kind": "drop-after"}
    httpx.post(faults, json=wish).raise_for_status()

    trip.tell(store, "experience.created", experience=trip.experience())
    stays, goes = f"bkg_{kind}1", f"bkg_{kind}2"
    done = {booking: insisted(cells.register_booking, created(store, booking)) for booking in (stays, goes)}
    insisted(cells.cancel_booking, cancelled(store, goes))

    assert [fault["fired"] for fault in httpx.get(faults).json()] == [1]
    bookings = [booking for booking in (store.facts.booking(trip.AGENCY, one) for one in done) if booking]
    held = MidOffice(sandbox.url(kind), kind, bookings)
    assert [(order.cancelled, order.price) for order in held.orders(stays)] == [(False, 82500)]
    assert [(order.cancelled, order.price) for order in held.orders(goes)] == [(True, 3000)]
    assert held.strangers() == ()
    assert lost(sandbox, kind, bookings[:1]) == [f"order {order.id}" for order in held.orders(goes)]


def test_a_demo_keeps_the_mid_office_that_it_began_with(tmp_path: Path) -> None:
    DemoState.of(tmp_path, any_ports=True, midoffice="ziel")
    assert DemoState.of(tmp_path).midoffice == DemoState.of(tmp_path, midoffice="ziel").midoffice == "ziel"
    with pytest.raises(CommandError, match="began with ziel and keeps it"):
        command.demo(data=tmp_path, midoffice="tina")


def test_a_mid_office_that_nobody_knows_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="choose one of: midoco"):
        command.demo(data=tmp_path / "new", midoffice="nobody")
    assert not (tmp_path / "new").exists()


def test_a_season_that_left_something_to_a_person_did_not_end_well() -> None:
    kept = SeasonReport((), (Invariant("S1", holds=True),))
    assert command.Played(kept, season_ended_well=True, came_to_rest=True, left_to_people=0).well
    assert not command.Played(kept, season_ended_well=True, came_to_rest=True, left_to_people=1).well


def lost(sandbox: Sandbox, kind: str, known: list[Booking]) -> list[str]:
    """What the judge says of the books when it knows these bookings alone."""
    return list(MidOffice(sandbox.url(kind), kind, known).strangers())


def step(event_id: str, booking: str, revision: int) -> BookingStep:
    return BookingStep(
        agency=trip.AGENCY, booking_id=booking, experience_id="exp_31", event_id=event_id, revision=revision
    )


def created(store: Store, booking: str) -> BookingStep:
    document = trip.booking(LINES, id=booking, external_orders=[])
    return step(trip.tell(store, "booking.created", booking=document), booking, 1)


def cancelled(store: Store, booking: str) -> CancellationStep:
    document = trip.cancelled(LINES, penalty=3000, id=booking, external_orders=[])
    fact = trip.cancellation(["lin_01", "lin_02"], 3000)
    event_id = trip.tell(store, "booking.cancelled", 2, booking=document, cancellation=fact)
    return CancellationStep(**step(event_id, booking, 2).model_dump(), cancellation_id="cxl_12")


def insisted(cell: Callable[[S], Done], what: S) -> Done:
    """Come back as the lifecycles do until nothing is unclear and nothing awaits an answer."""
    for _ in range(200):
        try:
            done = cell(what)
        except (ApplicationError, BackOfficeError) as error:
            if getattr(error, "non_retryable", False):
                raise
            continue
        if not done.awaiting:
            return done
    raise AssertionError(f"{cell} is not settled")
