"""Z.I.E.L. through real workflows and real cells, everything else as told: files, timers, acknowledgements, money (midoffice 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.midoffice.activities import MidOfficeActivities
from domain.naming import Queue
from domain.steps import DecisionTaken
from sandbox.ziel.stand_in import ZielStandIn
from store import Store
from tests.activities.midoffice.systems.ziel import ziel
from tests.activities.midoffice.under_test import UnderTest
from tests.activities.platform import trip
from tests.databases import migrated_url
from tests.workflows.office import Office, deliver, told, working
from workers.wiring import implementations

KEY = "bkg_500-lin_01"


class WithFiles(Office):
    """The mid-office's cells are the real ones, over real SFTP, and run in threads as in production."""

    def __init__(self, store: Store, system: UnderTest) -> None:
        super().__init__()
        self._real = MidOfficeActivities(store, {trip.AGENCY: system.account})

    def cells(self, queue: str) -> list[Callable[..., Any]]:
        if queue != Queue.MIDOFFICE:
            return super().cells(queue)
        return implementations(self._real)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path))
    trip.tell(opened, "experience.created", experience=trip.experience())
    yield opened
    opened.close()


@pytest.fixture
def system() -> Iterator[UnderTest]:
    with ziel() as opened:
        yield opened


def read_files(system: UnderTest) -> None:
    assert isinstance(system.stand_in, ZielStandIn)
    system.stand_in.run()


async def test_a_booking_and_its_payment_are_there_once_although_the_acknowledgement_was_late(
    skipping: WorkflowEnvironment, store: Store, system: UnderTest
) -> None:
    event = trip.tell(store, "booking.created", booking=trip.booking())
    paid = trip.tell(store, "payment.captured", payment=trip.payment())
    office = WithFiles(store, system)
    async with working(skipping.client, office):
        await deliver(
            skipping.client,
            told("booking.created", "bkg_500", agency=trip.AGENCY, event_id=event),
            told(
                "payment.captured", "bkg_500", agency=trip.AGENCY, event_id=paid, fact="pay_1001", payment_id="pay_1001"
            ),
        )
        await skipping.sleep(timedelta(minutes=20))
        assert office.count("giav.record_payment") == 1
        assert not system.held()
        for _ in range(4):
            read_files(system)
            await skipping.sleep(timedelta(minutes=11))
    assert list(system.held()) == [KEY]
    assert [one.transaction_id for one in system.paid()] == ["pay_1001"]
    assert not office.parked
    assert [one["result"] for one in system.stand_in.state()["files"]] == ["OK", "OK"]


async def test_a_refused_file_waits_for_a_person_with_its_field_and_is_sent_under_another_name(
    skipping: WorkflowEnvironment, store: Store, system: UnderTest
) -> None:
    assert isinstance(system.stand_in, ZielStandIn)
    system.stand_in.wish("E32")
    event = trip.tell(store, "booking.created", booking=trip.booking(id="bkg_501"))
    office = WithFiles(store, system)
    async with working(skipping.client, office):
        await deliver(skipping.client, told("booking.created", "bkg_501", agency=trip.AGENCY, event_id=event))
        await skipping.sleep(timedelta(minutes=1))
        read_files(system)
        await skipping.sleep(timedelta(minutes=5))
        (item,) = office.parked
        assert (item.reason, item.verb) == ("midoffice_refused", "midoffice.register_booking")
        assert "E32: VORG[1].revision" in item.detail
        # The desk is as told here, so what it does to the ledger is done by hand.
        store.effects.rearm(item.effect)
        taken = DecisionTaken(item_id=item.item_id, decision="retry", by="eva", explanation="mended there")
        await skipping.client.get_workflow_handle(item.workflow_id).execute_update("decide", taken, result_type=str)
        await skipping.sleep(timedelta(minutes=1))
        read_files(system)
        await skipping.sleep(timedelta(minutes=5))
    assert [one["code"] for one in system.stand_in.state()["files"]] == ["E32", ""]
    assert list(system.held()) == [KEY]
