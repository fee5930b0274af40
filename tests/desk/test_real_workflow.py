"""The desk speaks to the workflow itself: commands, refusals and versions as Temporal carries them (contracts: payment-sync 7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from domain.errors import Refused as SaidNo
from domain.payment_sync import Kind, State, Verdict
from domain.people import Person, Role
from starter.desk.acting import Acting, BackOffice
from starter.desk.payment_commands import Said, command
from starter.desk.refusals import MovedOn, NotAllowed, Refused
from store import Store
from tests.databases import hurried, migrated_url
from tests.starter.agency import installation
from tests.workflows.conftest import office, skipping
from tests.workflows.office import working
from tests.workflows.test_payment_sync import POST, Payment, payment, seen

__all__ = ["office", "payment", "skipping"]

OLGA = Acting(Person("olga", Role.OPERATOR, None), "api")
SOFIA = Acting(Person("sofia", Role.SUPERVISOR, None), "api")
WHY = "seen in the ERP with the accountant"


class Desk:
    """The desk of a store that knows what the workflow has told it."""

    def __init__(self, store: Store, payment: Payment) -> None:
        async def connect() -> Client:
            return payment.client

        self._payment = payment
        self.desk = BackOffice(installation(Path("unused")), store, connect)

    async def command(self, acting: Acting, kind: Kind, said: Said) -> State:
        payment = self._payment
        version = (await payment.view()).sync.version
        while payment.office.logged[-1].sync.version < version:  # noqa: ASYNC110 the workflow writes its moves by itself
            await asyncio.sleep(0.02)
        for log in payment.office.logged:
            self.desk.store.payment_sync.moved(log)
        done = await command(self.desk, acting, "demo", f"pay_{payment.name}", kind, said)
        return done.state


@pytest.fixture
async def desk(tmp_path: Path, payment: Payment) -> AsyncIterator[Desk]:
    store = hurried(Store.open(migrated_url("sqlite", tmp_path)))
    yield Desk(store, payment)
    store.close()


@pytest.mark.covers("F-P17", "K2")
async def test_a_payment_is_decided_by_people_of_different_rights(payment: Payment, desk: Desk) -> None:
    office = payment.office
    office.fails[POST] = [SaidNo("the series is closed", system="giav")]
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        seen_by_both = (await payment.view()).sync.version
        office.answers["giav.probe_payment"] = seen(Verdict.PAID_OTHERWISE)
        assert await desk.command(OLGA, Kind.CLAIM, Said(expected_version=seen_by_both)) is State.IN_REVIEW
        with pytest.raises(MovedOn):
            await desk.command(SOFIA, Kind.SYNC_NOW, Said(expected_version=seen_by_both))
        with pytest.raises(Refused, match="olga is looking at it"):
            await desk.command(SOFIA, Kind.SYNC_NOW, Said())
        with pytest.raises(Refused, match="paid_otherwise") as refusal:
            await desk.command(OLGA, Kind.SYNC_NOW, Said())
        assert refusal.value.outcome is not None
        assert refusal.value.outcome.evidence is not None
        with pytest.raises(NotAllowed):
            await desk.command(OLGA, Kind.SYNC_MANUALLY, Said(explanation=WHY, override="the bank has confirmed it"))
        assert await desk.command(SOFIA, Kind.RELEASE, Said()) is State.UNSYNCED
        overruling = Said(explanation=WHY, override="the bank has confirmed it")
        assert await desk.command(SOFIA, Kind.SYNC_MANUALLY, overruling) is State.SYNCED_MANUAL
    deeds = [(line.deed.actor, line.deed.outcome) for line in reversed(desk.desk.store.audit_trail.list())]
    assert deeds == [
        ("olga", "done"),
        ("sofia", "refused"),
        ("sofia", "refused"),
        ("olga", "refused"),
        ("olga", "refused"),
        ("sofia", "done"),
        ("sofia", "done"),
    ]
