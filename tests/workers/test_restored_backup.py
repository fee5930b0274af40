"""The store and Temporal are lost, and a backup that is older than the last bookings takes their place: nothing is doubled."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from activities.platform.mapping import event_of
from sandbox.giav.stand_in import GiavStandIn
from sandbox.midoco.stand_in import LOGIN, PASSWORD, MidocoStandIn
from sandbox.platform.events import Account
from sandbox.platform.stand_in import TOKEN, PlatformStandIn
from sandbox.running import running
from starter import restoring
from starter.dispatch import Dispatcher
from starter.settling import at_rest
from store import Store
from store.backups import BrokenBackup, checked
from store.installation import Installation
from store.opening import open_store
from tests.activities.giav.desk import section
from tests.databases import migrated_url
from tests.faults.giav_auditing import audited
from tests.sandbox.platform_wishes import BOOKING, EXPERIENCE, eur
from tests.starter.agency import MASTER_KEY
from tests.workflows.conftest import local_server
from workers.catching_up import catching_up
from workers.running import build_workers
from workers.wiring import open_accounts

AGENCY = "sol"
ENTITIES = ("Cliente", "Expediente", "Reserva", "Cobro", "Factura")
PARTNER = "ORQTEST00001"
NOBODY = {
    "host": "127.0.0.1",
    "port": 1,
    "username": "x",
    "password": "x",
    "host_keys": [f"SHA256:{'A' * 43}"],
    "folder": "in",
}
"""AirPlus is not called here."""


@dataclass
class Office:
    """An agency with its outside systems. `url` is GIAV's, for the auditor."""

    giav: GiavStandIn
    midoco: MidocoStandIn
    platform: PlatformStandIn
    installation: Installation
    url: str
    store: Store = field(init=False)

    def open(self) -> None:
        self.store = open_store(self.installation)

    def do(self, verb: str, **wish: Any) -> Any:
        return self.platform.platform.do(verb, wish)

    def sell(self, number: int) -> None:
        self.do("create-booking", **{**BOOKING, "id": f"bkg_{number}", "locator": f"LOC{number}"})
        self.do("capture-payment", booking_id=f"bkg_{number}", amount=eur(40_000))

    def cancel(self, number: int) -> None:
        ended = self.do("cancel-booking", booking_id=f"bkg_{number}", cause="customer_choice")["cancellations"][-1]
        self.do("refund", booking_id=f"bkg_{number}", cause="cancellation", cancellation_id=ended["id"])

    def deliver(self) -> None:
        """The platform's webhooks, each event once."""
        account = open_accounts(self.installation).platform[AGENCY]
        assert account.client is not None
        for document in account.client.events(0):
            self.store.inbox.accept(event_of(account, AGENCY, document, datetime.now(UTC)))

    def held(self) -> dict[str, Any]:
        """What stands outside: every record of GIAV and every order and payment of the mid-office, by id."""
        giav = self.giav.state()
        orders = self.midoco.state()["orders"]
        return {
            **{entity: sorted((one["Id"], str(one.get("Importe", ""))) for one in giav[entity]) for entity in ENTITIES},
            "orders": [len(order["payments"]) for order in orders],
        }

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Client]:
        """An engine that knows nothing yet, and all workers on it."""

        async def the_client() -> Client:
            return environment.client

        async with await local_server() as environment, AsyncExitStack() as stack:
            for worker in build_workers(self.installation, environment.client, stack):
                await stack.enter_async_context(worker)
            self.hand_on = Dispatcher(self.store, the_client).sweep
            yield environment.client


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    giav, midoco, platform = GiavStandIn(), MidocoStandIn(), PlatformStandIn()
    with ExitStack() as stack:
        url, orders, told = (stack.enter_context(running(each)) for each in (giav, midoco, platform))
        stack.callback(platform.close)
        installation = Installation.model_validate(
            {
                "data": tmp_path,
                "store": {"url": migrated_url("sqlite", tmp_path), "master_key": MASTER_KEY},
                "agencies": {
                    AGENCY: {
                        "name": "Viajes Ejemplo, S.L.",
                        "platform": {"source": Account().source, "url": told, "token": TOKEN},
                        "giav": section(url, wait_for_expediente_seconds=0.2),
                        "midoffice": {
                            "kind": "midoco",
                            "url": orders,
                            "login": LOGIN,
                            "password": PASSWORD,
                            "organisation_unit": "4711",
                            "agency_no": "AG01",
                            "supplier_numbers": {"sup_rh": "RATEHAWK"},
                        },
                        "tamara": {"partner_id": PARTNER, "city": "Madrid", "sftp": NOBODY},
                    }
                },
            }
        )
        found = Office(giav, midoco, platform, installation, url)
        found.open()
        stack.callback(lambda: found.store.close())
        yield found


async def test_after_the_loss_of_an_hour_everything_is_found_again_and_nothing_is_doubled(
    office: Office, tmp_path: Path
) -> None:
    office.do("create-experience", **EXPERIENCE)
    async with office.working() as client:
        office.sell(501)
        office.sell(502)
        office.deliver()
        await office.hand_on()
        assert await at_rest(office.store, client, within=200)
        restoring.back_up(office.installation, tmp_path / "night")
        office.sell(503)
        office.do("apply-discount", booking_id="bkg_501", kind="amount", value=eur(5_000), code="TARDE")
        office.cancel(502)
        office.deliver()
        await office.hand_on()
        assert await at_rest(office.store, client, within=200)
    before = office.held()
    effects = {
        row.record.key for number in (501, 502, 503) for row in office.store.effects.history(AGENCY, f"bkg_{number}")
    }
    office.store.close()

    done = restoring.restore(office.installation, tmp_path / "night", "ana")
    assert done.aside is not None
    office.open()
    assert office.store.facts.booking(AGENCY, "bkg_503") is None, "the backup is older"
    async with office.working() as client:
        (read,) = catching_up(office.installation, office.store)
        assert (read.trouble, read.taken > 0) == ("", True)
        await office.hand_on()
        assert await at_rest(office.store, client, within=200)
    assert office.held() == before
    _, wrong = audited(office, AGENCY)  # type: ignore[arg-type]
    assert wrong == []
    known = {
        row.record.key for number in (501, 502, 503) for row in office.store.effects.history(AGENCY, f"bkg_{number}")
    }
    assert {key for key in effects if key.operation == "create"} <= known
    found = {one.system: one.found for one in office.store.restores.since(done.restore.restored_at)}
    assert found["giav"] > 0


def test_a_backup_that_was_altered_is_not_restored_and_nothing_is_changed(office: Office, tmp_path: Path) -> None:
    restoring.back_up(office.installation, tmp_path / "night")
    office.store.close()
    with (tmp_path / "night" / "store.db").open("r+b") as copy:
        copy.seek(-1, 2)
        copy.write(b"\xff")
    with pytest.raises(BrokenBackup, match="not the file that was backed up"):
        checked(tmp_path / "night")
    present = restoring.store_file(office.installation).read_bytes()
    with pytest.raises(Exception, match="nothing was changed"):
        restoring.restore(office.installation, tmp_path / "night", "ana")
    assert restoring.store_file(office.installation).read_bytes() == present
    office.open()
    assert office.store.restores.standing() == []


def test_a_backup_takes_what_is_still_in_the_write_ahead_log(office: Office, tmp_path: Path) -> None:
    office.store.restores.begin(datetime(2026, 11, 20, tzinfo=UTC), "ana", "only in the log yet")
    manifest = restoring.back_up(office.installation, tmp_path / "night")
    assert [file.name for file in manifest.files] == ["store.db"]
    office.store.close()
    restoring.restore(office.installation, tmp_path / "night", "ana")
    office.open()
    assert [one.source for one in office.store.restores.all()] == ["only in the log yet", str(tmp_path / "night")]


def test_files_of_airplus_stop_with_a_restored_store_because_their_numbers_may_have_been_used(
    office: Office, tmp_path: Path
) -> None:
    restoring.back_up(office.installation, tmp_path / "night")
    office.store.close()
    done = restoring.restore(office.installation, tmp_path / "night", "ana")
    office.open()
    assert done.stopped == (f"{PARTNER} (T)",)
    stop = office.store.tamara_stops.standing(PARTNER, "T")
    assert stop is not None
    assert "restored from a backup" in stop.reason


def test_with_the_engine_of_that_moment_only_the_last_events_are_handed_on_again(
    office: Office, tmp_path: Path
) -> None:
    office.do("create-experience", **EXPERIENCE)
    office.sell(501)
    office.deliver()
    rows = office.store.inbox.undispatched(100)
    for row in rows:
        office.store.inbox.mark_dispatched(row.agency, row.event_id)
    with closing(sqlite3.connect(tmp_path / "temporal.db")) as engine:
        engine.execute("CREATE TABLE executions (id TEXT)")
    long_after = datetime.now(UTC) + 2 * restoring.MARGIN
    manifest = restoring.back_up(office.installation, tmp_path / "night", long_after)
    assert [file.name for file in manifest.files] == ["store.db", "temporal.db"]
    office.store.close()
    with_engine = restoring.restore(office.installation, tmp_path / "night", "ana")
    assert (with_engine.with_temporal, with_engine.handed_on_again) == (True, 0)
    assert (tmp_path / "temporal.db").exists()
    alone = restoring.restore(office.installation, tmp_path / "night", "ana", leave_temporal=True)
    assert (alone.with_temporal, alone.handed_on_again) == (False, len(rows))
    assert not (tmp_path / "temporal.db").exists()
    office.open()
