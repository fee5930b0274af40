"""A payment's way into the ERP by the table of moves, on the time-skipping server (contracts: payment-sync 3, 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain.closing import Closing
from domain.connector_steps import Admission, AdmitStep
from domain.errors import BackOfficeError, ContractBroken, Refused, Transient, Unauthorised, UnknownOutcome
from domain.money import Money
from domain.payment_sync import Command, CommandOutcome, Evidence, Kind, Role, State, SyncView, Verdict
from domain.steps import Decision, DecisionTaken
from tests.workflows.office import WHEN, Office, deliver, told, working

WHY = "seen in the ERP with the accountant"
POST = "giav.record_payment"
ATTEMPTS = 6
"""How often a cell is asked within one attempt of the machine."""


def seen(verdict: Verdict, *, ours: bool = False) -> Callable[[Any], Evidence]:
    """What the ERP shows whenever it is asked; our own ledger knows of nothing."""

    def probe(step: Any) -> Evidence:
        nothing = Evidence(verdict=Verdict.UNPAID, at=datetime.now(UTC), words="nothing is there")
        if step.in_ledger and not ours:
            return nothing
        receipt = "77" if ours else None
        return Evidence(verdict=verdict, at=datetime.now(UTC), words=verdict.value, ours=ours, receipt_id=receipt)

    return probe


def failing(error: Callable[[], BackOfficeError], times: int) -> list[BackOfficeError]:
    return [error() for _ in range(times * ATTEMPTS)]


def refused_connection() -> BackOfficeError:
    return Transient("connection refused", system="giav", retry_after=0.01)


def lost_answer() -> BackOfficeError:
    return UnknownOutcome("no answer", system="giav", retry_after=0.01, effect="k/cobro")


class Payment:
    """A captured payment of a registered booking, and the people around it."""

    def __init__(self, skipping: WorkflowEnvironment, office: Office, name: str) -> None:
        self.skipping, self.office, self.name = skipping, office, name
        self._commands = 0

    @property
    def client(self) -> Client:
        return self.skipping.client

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(f"payment/demo/pay_{self.name}")

    async def captured(self) -> None:
        booking = f"bkg_{self.name}"
        paid = told("payment.captured", booking, fact=f"pay_{self.name}", payment_id=f"pay_{self.name}")
        await deliver(self.client, told("booking.created", booking), paid)
        while not self.office.moves:  # noqa: ASYNC110 the workers make the first one
            await asyncio.sleep(0.02)

    async def view(self) -> SyncView:
        return SyncView.model_validate(await self.handle.query("view", result_type=SyncView))

    async def reaches(self, state: State, by: timedelta = timedelta(seconds=20)) -> None:
        """Let time pass `by` and by until the payment stands there; the test's time limit ends a wait in vain."""
        while True:
            if self.office.moves and self.office.moves[-1].after is state:
                return
            await self.skipping.sleep(by)

    async def command(self, kind: Kind, actor: str = "ana", **told: Any) -> CommandOutcome:
        self._commands += 1
        given = Command(command_id=f"c{self._commands}", actor=actor, **told)
        done: CommandOutcome = await self.handle.execute_update(kind.value, given, result_type=CommandOutcome)
        return done

    async def answer(self, decision: Decision) -> None:
        taken = DecisionTaken(item_id=self.office.parked[-1].item_id, decision=decision, by="ana", explanation=WHY)
        await self.handle.execute_update("decide", taken)

    @property
    def rows(self) -> list[int]:
        return [line.row for line in self.office.moves]

    async def ended(self) -> str:
        result = asyncio.create_task(self.handle.result())
        while not result.done():
            await self.skipping.sleep(timedelta(seconds=20))
        return str(result.result()["outcome"])


@pytest.fixture
def payment(skipping: WorkflowEnvironment, office: Office) -> Payment:
    return Payment(skipping, office, "s1")


async def test_a_payment_is_looked_for_posted_and_acknowledged_and_every_move_is_kept(payment: Payment) -> None:
    office = payment.office
    async with working(payment.client, office):
        await payment.captured()
        assert await payment.ended() == "done"
        assert (await payment.view()).sync.state is State.SYNCED_AUTO
    assert payment.rows == [1, 4, 5, 6]
    assert [line.version for line in office.moves] == [1, 2, 3, 4]
    assert office.names.index("giav.probe_payment") < office.names.index(POST)
    assert (office.count("giav.probe_payment"), office.count(POST)) == (1, 1)
    assert office.logged[-1].sync.receipt_id == "501"


@pytest.mark.covers("F-X1")
async def test_money_for_a_request_that_was_closed_opens_it_again_and_is_synchronised_as_any_other(
    payment: Payment,
) -> None:
    office, closed_at = payment.office, WHEN - timedelta(days=1)
    words = "booking bkg_1 was cancelled"

    def admitted(step: AdmitStep) -> Admission:
        return Admission(closing=Closing(kind=Kind.CANCELLED, at=closed_at, words=words) if step.first else None)

    office.answers["office.admit_payment"] = admitted
    office.fails[POST] = failing(refused_connection, 1)
    async with working(payment.client, office):
        await payment.captured()
        assert await payment.ended() == "done"
    assert payment.rows == [2, 3, 4, 5, 10, 4, 5, 6], "late once, not at every attempt"
    closed, late = office.moves[:2]
    assert (closed.at, closed.before, closed.after) == (closed_at, State.REQUESTED, State.CANCELLED)
    assert (late.at, late.after, late.reason) == (WHEN, State.CAPTURED, words)


@pytest.mark.covers("F-P17")
async def test_an_erp_that_comes_back_gets_the_payment_without_a_person(payment: Payment) -> None:
    office = payment.office
    office.fails[POST] = failing(refused_connection, 2)
    async with working(payment.client, office):
        await payment.captured()
        assert await payment.ended() == "done"
    assert payment.rows == [1, 4, 5, 10, 4, 5, 10, 4, 5, 6]
    assert not office.parked
    waits = [b.at - a.at for a, b in zip(office.moves, office.moves[1:], strict=False) if b.event is Kind.START][1:]
    assert [wait >= least for wait, least in zip(waits, (timedelta(seconds=30), timedelta(minutes=2)), strict=True)]


@pytest.mark.covers("F-P17", "K2")
async def test_an_erp_that_stays_away_ends_on_the_list_and_sync_now_goes_on_from_there(payment: Payment) -> None:
    office = payment.office
    office.fails[POST] = failing(refused_connection, 6)
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        assert [item.reason for item in office.parked] == ["giav_unreachable"]
        view = await payment.view()
        assert view.shown_as == "Pagado sin sincronizar"
        assert view.offers["sync_now"] == ""
        done = await payment.command(Kind.SYNC_NOW, expected_version=view.sync.version)
        assert done.accepted, done.reason
        assert await payment.ended() == "done"
    assert payment.rows[-4:] == [10, 16, 5, 6]
    assert office.count(POST) == 1
    assert [(each.taken.decision, each.taken.by) for each in office.unparked] == [("retry", "ana")]


@pytest.mark.covers("F-C9")
async def test_a_receipt_whose_answer_was_lost_is_found_by_looking_and_not_posted_again(payment: Payment) -> None:
    office = payment.office
    office.fails[POST] = failing(lost_answer, 1)
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.SYNC_UNKNOWN)
        office.answers["giav.probe_payment"] = seen(Verdict.SAME_PAYMENT, ours=True)
        assert await payment.ended() == "done"
    assert payment.rows == [1, 4, 5, 10, 11]
    assert office.moves[-1].at - office.moves[-2].at >= timedelta(minutes=5)
    assert not office.parked


async def test_what_is_twice_not_there_is_posted_again(payment: Payment) -> None:
    office = payment.office
    office.fails[POST] = failing(lost_answer, 1)
    async with working(payment.client, office):
        await payment.captured()
        assert await payment.ended() == "done"
    assert payment.rows == [1, 4, 5, 10, 12, 12, 4, 5, 6]
    assert not office.parked


@pytest.mark.covers("F-C19", "K2")
async def test_a_cobro_that_a_person_typed_is_marked_by_a_person_and_nothing_is_posted(payment: Payment) -> None:
    office = payment.office
    office.answers["giav.probe_payment"] = seen(Verdict.SAME_PAYMENT)
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        assert [item.reason for item in office.parked] == ["payment_in_erp"]
        short = await payment.command(Kind.SYNC_MANUALLY, explanation="done")
        assert (short.accepted, "10 characters" in short.reason) == (False, True)
        again = await payment.command(Kind.SYNC_NOW)
        assert (again.accepted, again.evidence and again.evidence.verdict) == (False, Verdict.SAME_PAYMENT)
        assert (await payment.command(Kind.SYNC_MANUALLY, explanation=WHY)).accepted
        await payment.reaches(State.SYNCED_MANUAL)
    assert payment.rows == [1, 4, 8, 17]
    assert (office.moves[-1].actor, office.moves[-1].explanation) == ("ana", WHY)
    assert office.moves[-1].evidence is not None
    assert office.count(POST) == 0


@pytest.mark.covers("F-C18")
async def test_what_was_paid_otherwise_is_a_duplicate_that_only_a_person_gives_back(payment: Payment) -> None:
    office = payment.office
    office.answers["giav.probe_payment"] = seen(Verdict.PAID_OTHERWISE)
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        refused = await payment.command(Kind.SYNC_NOW)
        assert (refused.accepted, "paid_otherwise" in refused.reason) == (False, True)
        assert (await payment.command(Kind.CLAIM)).state is State.IN_REVIEW
        assert (await payment.command(Kind.DECLARE_DUPLICATE)).state is State.DUPLICATE
        assert (await payment.command(Kind.CHOOSE_REFUND)).state is State.REFUND_REQUESTED
        while office.parked[-1].reason != "payment_refund":  # noqa: ASYNC110 its gateway takes no orders: by hand
            await asyncio.sleep(0.02)
        unnamed = await payment.command(Kind.REFUND_DONE)
        assert (unnamed.accepted, "reference" in unnamed.reason) == (False, True)
        assert (await payment.command(Kind.REFUND_DONE, reference="re_1")).state is State.REFUNDED
        await payment.ended()
    assert payment.rows == [1, 4, 9, 14, 18, 21, 25]
    assert office.count(POST) == 0


async def test_an_erp_that_says_it_is_paid_is_looked_at_and_believed_only_by_what_it_shows(payment: Payment) -> None:
    office = payment.office
    office.fails[POST] = [Refused("ya está cobrada", system="giav", code="already_paid") for _ in range(2)]
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        assert [item.reason for item in office.parked] == ["giav_refused"]
    assert payment.rows == [1, 4, 5, 10, 5, 10]
    assert [each.in_ledger for each in office.of("giav.probe_payment")].count(False) == 2


async def test_of_two_operators_at_once_the_second_is_refused(payment: Payment) -> None:
    office = payment.office
    office.fails[POST] = [Refused("periodo cerrado", system="giav")]
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        version = (await payment.view()).sync.version
        first, second = await asyncio.gather(
            payment.command(Kind.SYNC_NOW, "ana", expected_version=version),
            payment.command(Kind.SYNC_NOW, "luis", expected_version=version),
            return_exceptions=True,
        )
        outcomes = [each for each in (first, second) if isinstance(each, CommandOutcome) and each.accepted]
        assert len(outcomes) == 1
        assert await payment.ended() == "done"
    assert office.count(POST) == 1


async def test_a_claim_keeps_others_out_and_lapses(payment: Payment) -> None:
    office = payment.office
    office.fails[POST] = [Refused("periodo cerrado", system="giav")]
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        assert (await payment.command(Kind.CLAIM, "ana")).accepted
        other = await payment.command(Kind.SYNC_NOW, "luis")
        assert (other.accepted, other.reason) == (False, "ana is looking at it")
        await payment.skipping.sleep(timedelta(minutes=31))
        assert (await payment.view()).sync.state is State.UNSYNCED
        assert (await payment.command(Kind.SYNC_NOW, "luis")).accepted
        assert await payment.ended() == "done"
    assert len(office.parked) == 1, "one item, whoever looks at it"


async def test_a_command_that_comes_twice_is_carried_out_once(payment: Payment) -> None:
    office = payment.office
    office.fails[POST] = [Refused("periodo cerrado", system="giav")]
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        given = Command(command_id="same", actor="ana")
        first = await payment.handle.execute_update("claim", given, result_type=CommandOutcome)
        again = await payment.handle.execute_update("claim", given, result_type=CommandOutcome)
        assert first == again
    assert payment.rows.count(14) == 1


async def test_while_the_erp_cannot_be_asked_nothing_that_rests_on_it_is_allowed(payment: Payment) -> None:
    office = payment.office
    office.fails[POST] = [Unauthorised("HTTP 401", system="giav")]
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        assert [item.reason for item in office.parked] == ["giav_unauthorised"]
        for kind in (Kind.SYNC_NOW, Kind.SYNC_MANUALLY):
            office.fails["giav.probe_payment"] = [Unauthorised("HTTP 401", system="giav")]
            done = await payment.command(kind, explanation=WHY, override="and I say so twice", role=Role.SUPERVISOR)
            assert (done.accepted, "could not be asked" in done.reason) == (False, True)
            assert done.evidence is not None
            assert done.evidence.verdict is Verdict.UNVERIFIED
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await payment.command(Kind.DECLARE_DUPLICATE)
        assert isinstance(refused.value.cause, ApplicationError)
        assert "unsynced" in refused.value.cause.message


@pytest.mark.covers("F-P17")
async def test_a_broken_contract_is_not_tried_again_and_the_answer_to_its_item_is_sync_now(payment: Payment) -> None:
    office = payment.office
    office.fails[POST] = [ContractBroken("unknown element", system="giav")]
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        assert [(item.reason, item.decisions) for item in office.parked] == [("giav_contract", ("retry", "skip"))]
        await payment.answer("retry")
        assert await payment.ended() == "done"
    assert payment.rows == [1, 4, 5, 10, 16, 5, 6]
    assert office.moves[4].actor == "ana"


async def test_an_item_that_is_left_out_marks_the_payment_and_a_supervisor_may_take_the_mark_back(
    payment: Payment,
) -> None:
    office = payment.office
    office.fails[POST] = [Refused("periodo cerrado", system="giav")]
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.UNSYNCED)
        await payment.answer("skip")
        await payment.reaches(State.SYNCED_MANUAL)
        by_operator = await payment.command(Kind.UNDO_MANUAL, explanation=WHY)
        assert not by_operator.accepted
        assert (await payment.command(Kind.UNDO_MANUAL, role=Role.SUPERVISOR, explanation=WHY)).accepted
        await payment.reaches(State.UNSYNCED)
        assert (await payment.command(Kind.SYNC_NOW)).accepted
        await payment.ended()
    assert payment.rows == [1, 4, 5, 10, 17, 29, 16, 5, 6]
    assert office.count(POST) == 1
    (left_out, *_) = office.of("office.close_lifecycle")
    assert left_out.outcome == "partial"


async def test_a_part_that_is_open_waits_for_a_person(payment: Payment) -> None:
    office = payment.office
    office.answers["giav.probe_payment"] = seen(Verdict.PARTIAL)
    async with working(payment.client, office):
        await payment.captured()
        await payment.reaches(State.IN_REVIEW)
        assert [item.reason for item in office.parked] == ["payment_partly_open"]
        assert office.parked[0].amount == Money(amount=30000, currency="EUR")
    assert payment.rows == [1, 4, 31]


async def test_what_hangs_on_a_cobro_that_stands_is_parked_for_itself(payment: Payment) -> None:
    """The cobro is there and its invoice is not: the payment is synchronised, and its documents wait for a person."""
    office = payment.office
    missing = Refused("no fiscal data", system="giav", code="fiscal_data_missing")
    office.fails[POST] = [missing, missing]

    def probe(step: Any) -> Evidence:
        there = step.in_ledger
        verdict = Verdict.SAME_PAYMENT if there else Verdict.UNPAID
        return Evidence(verdict=verdict, at=datetime.now(UTC), words="-", ours=there, receipt_id="9" if there else None)

    office.answers["giav.probe_payment"] = probe
    async with working(payment.client, office):
        await payment.captured()
        while not office.parked:
            await payment.skipping.sleep(timedelta(seconds=5))
        assert (await payment.view()).shown_as == "Pagado"
        assert [item.reason for item in office.parked] == ["fiscal_data_missing"]
        await payment.answer("retry")
        assert await payment.ended() == "done"
    assert payment.rows == [1, 4, 5, 7]
