"""Breaker, incident and recovery of a connector with payments behind it, on the time-skipping server (contracts: payment-sync 3, 4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from activities.failures import as_failure
from activities.office.connectors import ConnectorActivities
from activities.office.desk import DeskActivities
from activities.office.happenings import Happenings
from domain import naming
from domain.connector_steps import BreakerOrder, ConnectorState, Described, Happening, TellPayment
from domain.errors import BackOfficeError, ContractBroken, Refused, Transient
from domain.payment_steps import TransitionLog
from domain.payment_sync import Command, CommandOutcome, Kind, State
from domain.payment_sync.breaker import Breaker, Phase
from domain.steps import DecisionTaken, Done
from store import Store
from tests.workflows.office import Office, deliver, told, working

POST, PROBE, DESCRIBE = "giav.record_payment", "giav.probe_payment", "giav.describe"
WHY = "spoken with GIAV on the telephone"
KNOWN = Described(contract="a", accepted="a")


def away() -> BackOfficeError:
    return Transient("not connected", system="giav", retry_after=0.01)


class Kept(list[TransitionLog]):
    """What the payments tell goes into a store, as the desk does it."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._desk = DeskActivities(store)

    def append(self, log: TransitionLog) -> None:
        super().append(log)
        self._desk.log_transition(log)


class Hall:
    """An ERP that can be switched off, payments in front of it, and the connector between them."""

    def __init__(self, skipping: WorkflowEnvironment, office: Office, store: Store) -> None:
        self.skipping, self.office, self.store = skipping, office, store
        self.down: Callable[[], BackOfficeError] | None = None
        self.shows: Described | Callable[[], BackOfficeError] = KNOWN
        self.payments: list[str] = []
        cells = ConnectorActivities(store, {})
        office.answers["office.admit_payment"] = cells.admit_payment
        office.answers["office.keep_breaker"] = cells.keep_breaker
        office.answers["office.waiting_payments"] = cells.waiting_payments
        office.answers[DESCRIBE] = self._describe
        office.logged = Kept(store)
        for name in (POST, PROBE):
            office.answers[name] = self._answering(office.answers[name])

    @property
    def client(self) -> Client:
        return self.skipping.client

    @property
    def connector(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(naming.connector_workflow("demo", "giav"))

    def _answering(self, answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def ask(step: Any) -> Any:
            if self.down is not None:
                raise as_failure(self.down())
            return answer(step)

        return ask

    def _describe(self, _: Any) -> Described:
        if not isinstance(self.shows, Described):
            raise as_failure(self.shows())
        if self.down is not None and isinstance(self.down(), Transient):
            raise as_failure(self.down())
        return self.shows

    def off(self, error: Callable[[], BackOfficeError] = away) -> None:
        self.down = error

    def on(self) -> None:
        self.down = None

    async def start(self) -> None:
        state = ConnectorState(agency="demo", connector="giav", breaker=Breaker(agency="demo", connector="giav"))
        own = naming.connector_workflow("demo", "giav")
        await self.client.start_workflow("Connector", state, id=own, task_queue=naming.Queue.WORKFLOWS)

    async def captured(self, number: int, booking: int | None = None) -> None:
        for _ in range(number):
            name = f"pay_c{len(self.payments)}"
            sale = f"bkg_c{len(self.payments) if booking is None else booking}"
            self.payments.append(name)
            paid = told("payment.captured", sale, fact=name, payment_id=name)
            await deliver(self.client, told("booking.created", sale), paid)
        while self.state(self.payments[-1]) is None:  # noqa: ASYNC110 the workers make it so
            await asyncio.sleep(0.02)

    def state(self, payment: str) -> State | None:
        known = self.store.payment_sync.get("demo", payment)
        return None if known is None else known.sync.state

    @property
    def states(self) -> list[State | None]:
        return [self.state(each) for each in self.payments]

    @property
    def breaker(self) -> Breaker:
        found = self.store.connectors.breaker("demo", "giav")
        assert found is not None
        return found

    async def until(self, holds: Callable[[], bool], step: timedelta = timedelta(seconds=5)) -> None:
        """Let time pass until it is so; the test's time limit ends a wait in vain."""
        while not holds():
            await self.skipping.sleep(step)

    @property
    def open_items(self) -> list[Any]:
        closed = [each.taken.item_id for each in self.office.unparked]
        return [each for each in self.office.parked if each.item_id not in closed]

    async def order(self, update: str) -> Any:
        return await self.connector.execute_update(update, BreakerOrder(by="ana", why=WHY))

    async def answer(self, decision: str) -> None:
        item = self.open_items[-1]
        taken = DecisionTaken.model_validate(
            {"item_id": item.item_id, "decision": decision, "by": "ana", "explanation": WHY}
        )
        await self.client.get_workflow_handle(item.workflow_id).execute_update("decide", taken)


@pytest.fixture
async def hall(skipping: WorkflowEnvironment, office: Office, tmp_path: Path) -> AsyncIterator[Hall]:
    store = Store.open(f"sqlite:///{tmp_path}/store.db")
    store.database.migrate()
    yield Hall(skipping, office, store)
    store.close()


@pytest.mark.covers("F-P17", "F-P6")
async def test_an_outage_is_one_item_and_ends_by_itself_when_the_erp_is_back(hall: Hall) -> None:
    """Five payments meet it, a sixth waits without a call; the first is let through, the rest follow."""
    async with working(hall.client, hall.office):
        await hall.start()
        hall.off()
        await hall.captured(5)
        await hall.until(lambda: hall.breaker.phase is Phase.OPEN)
        await hall.until(lambda: bool(hall.open_items))
        asked = hall.office.count(PROBE)
        await hall.captured(1)
        await hall.until(
            lambda: "breaker" in (hall.store.payment_sync.get("demo", hall.payments[-1]) or _none()).sync.reason
        )
        assert hall.states[-1] is State.CAPTURED
        assert hall.office.count(PROBE) == asked, "nobody asks an ERP whose breaker is open"
        (item,) = hall.open_items
        assert item.reason == "erp_unreachable"
        assert "payments of" in item.detail
        hall.on()
        await hall.until(lambda: set(hall.states) == {State.SYNCED_AUTO})
        await hall.until(lambda: not hall.open_items)
    assert hall.breaker.is_closed
    assert {each.reason for each in hall.office.parked} == {"erp_unreachable"}
    assert hall.office.count(POST) == 6


async def test_a_payment_that_waits_its_ten_minutes_goes_on_when_the_erp_comes_back_sooner(hall: Hall) -> None:
    async with working(hall.client, hall.office):
        await hall.start()
        hall.off()
        await hall.captured(1)
        await hall.until(lambda: _failures(hall, 0) >= 3, timedelta(seconds=20))
        await hall.until(lambda: hall.breaker.away)
        known = hall.store.payment_sync.get("demo", hall.payments[0])
        assert known is not None
        waiting_since = known.sync.since
        hall.on()
        await hall.until(lambda: hall.states[0] is State.SYNCED_AUTO, timedelta(seconds=20))
        moved = hall.office.moves[-1].at
    assert moved - waiting_since < timedelta(minutes=10)
    assert not hall.office.parked


@pytest.mark.covers("F-P17")
async def test_behind_a_broken_contract_payments_go_to_a_person_without_a_call_and_one_answer_sends_them(
    hall: Hall,
) -> None:
    async with working(hall.client, hall.office):
        await hall.start()
        hall.off(lambda: ContractBroken("unknown element", system="giav"))
        hall.shows = lambda: ContractBroken("the description is no XML", system="giav")
        await hall.captured(1)
        await hall.until(lambda: [each.reason for each in hall.open_items] == ["erp_contract"])
        asked = hall.office.count(PROBE)
        await hall.captured(2)
        await hall.until(lambda: hall.states == [State.UNSYNCED] * 3)
        assert hall.office.count(PROBE) == asked
        assert [each.reason for each in hall.open_items] == ["erp_contract"]
        hall.on()
        hall.shows = KNOWN
        await hall.order("close_breaker")
        await hall.until(lambda: hall.breaker.is_closed and bool(hall.open_items))
        await hall.answer("retry")
        await hall.until(lambda: set(hall.states) == {State.SYNCED_AUTO})
        await hall.until(lambda: not hall.open_items)
    batch = [line for line in hall.office.moves if line.row == 16]
    assert [line.actor for line in batch] == ["ana"] * 3


async def test_a_single_payment_that_is_not_understood_keeps_its_own_item_when_the_erp_is_in_order(hall: Hall) -> None:
    async with working(hall.client, hall.office):
        await hall.start()
        hall.off(lambda: ContractBroken("unknown element", system="giav"))
        await hall.captured(1)
        await hall.until(lambda: hall.states == [State.UNSYNCED])
        hall.on()
        await hall.until(lambda: bool(hall.open_items))
        await hall.captured(1)
        await hall.until(lambda: hall.states == [State.UNSYNCED, State.SYNCED_AUTO])
    assert [each.reason for each in hall.open_items] == ["giav_contract"]
    assert hall.breaker.is_closed


@pytest.mark.covers("F-P17")
async def test_a_changed_contract_stops_posts_until_a_person_accepts_it(hall: Hall) -> None:
    async with working(hall.client, hall.office):
        hall.shows = Described(contract="b", accepted="a", differs=("changed: element Cobro_POST",))
        await hall.start()
        await hall.until(lambda: bool(hall.open_items))
        (item,) = hall.open_items
        assert (item.reason, "Cobro_POST" in item.detail) == ("erp_contract_changed", True)
        await hall.captured(1)
        await hall.until(lambda: hall.states == [State.UNSYNCED])
        assert (hall.office.count(PROBE), hall.office.count(POST)) == (0, 0)
        # Until the item has counted who waits behind it: a payment that it does not know asks a person for itself.
        await hall.skipping.sleep(timedelta(minutes=6))
        with pytest.raises(WorkflowUpdateFailedError):
            await hall.order("close_breaker")
        hall.shows = Described(contract="b", accepted="b")
        await hall.order("accept_contract")
        assert hall.breaker.is_closed
        await hall.until(lambda: any(each.decisions == ("retry",) for each in hall.open_items))
        await hall.answer("retry")
        await hall.until(lambda: hall.states == [State.SYNCED_AUTO])


async def test_what_a_person_opens_stays_open_until_a_person_closes_it(hall: Hall) -> None:
    async with working(hall.client, hall.office):
        await hall.start()
        await hall.until(lambda: hall.store.connectors.breaker("demo", "giav") is not None)
        await hall.order("open_breaker")
        await hall.captured(2)
        await hall.skipping.sleep(timedelta(hours=3))
        assert set(hall.states) == {State.CAPTURED}
        assert hall.office.count(PROBE) == 0
        await hall.order("close_breaker")
        await hall.until(lambda: set(hall.states) == {State.SYNCED_AUTO})
    assert not hall.office.parked


async def happens(hall: Hall, payment: str, kind: Kind, text: str = "") -> Done:
    told = TellPayment(
        agency="demo",
        payment_id=payment,
        happening=Happening.model_validate({"kind": kind, "text": text, "case_id": "cbk_1"}),
    )
    done: Done = await Happenings(hall.store, hall.client).tell_payment(told)
    return done


@pytest.mark.covers("F-P17")
async def test_a_receipt_that_is_gone_brings_an_ended_payment_back_to_a_person_who_sends_it_again(hall: Hall) -> None:
    async with working(hall.client, hall.office):
        await hall.captured(1)
        (payment,) = hall.payments
        await hall.client.get_workflow_handle(f"payment/demo/{payment}").result()
        assert hall.states == [State.SYNCED_AUTO]
        await happens(hall, payment, Kind.REVERSED, "cobro 501 was in GIAV and is not there any more")
        await hall.until(lambda: bool(hall.open_items))
        (item,) = hall.open_items
        assert (item.reason, hall.states) == ("payment_reversed", [State.UNSYNCED])
        assert hall.office.count("journal.record_payment") == 1, "the other systems still have it"
        await hall.answer("retry")
        await hall.until(lambda: hall.states == [State.SYNCED_AUTO])
        await hall.client.get_workflow_handle(f"payment/demo/{payment}").result()
    assert [line.row for line in hall.office.moves] == [1, 4, 5, 6, 28, 16, 5, 6]
    assert hall.office.count(POST) == 2


@pytest.mark.covers("F-P9")
async def test_a_chargeback_ends_a_payment_wherever_it_is_and_nothing_is_posted_behind_it(hall: Hall) -> None:
    async with working(hall.client, hall.office):
        await hall.captured(1)
        await hall.until(lambda: hall.states == [State.SYNCED_AUTO])
        await hall.client.get_workflow_handle(f"payment/demo/{hall.payments[0]}").result()
        await happens(hall, hall.payments[0], Kind.CHARGEBACK)
        assert hall.states == [State.CHARGED_BACK]
        hall.off()
        await hall.captured(1)
        await hall.until(lambda: hall.states[-1] is State.RETRY_WAIT)
        await happens(hall, hall.payments[1], Kind.CHARGEBACK)
        await hall.until(lambda: hall.states[-1] is State.CHARGED_BACK)
        again = await happens(hall, hall.payments[1], Kind.CHARGEBACK)
        assert again.outcome == "skipped"
    assert hall.office.count(POST) == 1


async def test_two_payments_of_one_sale_are_never_written_at_once(hall: Hall) -> None:
    """The first waits for a person while the second is being posted: then "sync now" is refused, in words."""
    posting, go = asyncio.Event(), asyncio.Event()

    async def slowly(_: Any) -> Done:
        posting.set()
        await go.wait()
        return Done(ids={"cobro": "502"})

    async with working(hall.client, hall.office):
        hall.office.fails[POST] = [Refused("periodo cerrado", system="giav")]
        await hall.captured(1, booking=7)
        await hall.until(lambda: hall.states == [State.UNSYNCED] and bool(hall.open_items))
        hall.office.answers[POST] = slowly
        await hall.captured(1, booking=7)
        await posting.wait()
        first = hall.client.get_workflow_handle(f"payment/demo/{hall.payments[0]}")
        command = Command(command_id="c1", actor="ana")
        refused: CommandOutcome = await first.execute_update("sync_now", command, result_type=CommandOutcome)
        assert (refused.accepted, "same receivable" in refused.reason) == (False, True)
        go.set()
        await hall.until(lambda: hall.states[1] is State.SYNCED_AUTO)
        command = Command(command_id="c2", actor="ana")
        done: CommandOutcome = await first.execute_update("sync_now", command, result_type=CommandOutcome)
        assert done.accepted, done.reason
        await hall.until(lambda: hall.states[0] is State.SYNCED_AUTO)


def _failures(hall: Hall, number: int) -> int:
    known = hall.store.payment_sync.get("demo", hall.payments[number])
    return known.sync.failures if known is not None else 0


def _none() -> Any:
    raise AssertionError("the payment is not kept")
