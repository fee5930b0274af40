"""How a payment is driven through the machine of `domain.payment_sync` into the ERP (contracts: payment-sync 3, 4, 7).

Every wait is a durable timer, every move a line of the log.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from activities.signatures import OFFICE_LOG_TRANSITION, Verb
    from domain.connector_steps import Happening
    from domain.errors import NOBODY_FAILED
    from domain.payment_steps import ProbeStep, TransitionLog
    from domain.payment_sync import (
        Event,
        Evidence,
        Failing,
        Forbidden,
        Kind,
        PaymentSync,
        Role,
        State,
        Transition,
        Verdict,
        decide,
        sort_failure,
    )
    from domain.payment_sync import Step as Moved
    from domain.payment_sync.guards import CLAIM
    from domain.steps import PaymentStep
    from workflows import searching
    from workflows.at_connector import AtConnector
    from workflows.erps import ERPS
    from workflows.messages import LifecycleInput
    from workflows.stepping import FOREVER, Fault, perform

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)

PATIENCE = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=6,
)
"""One attempt of the machine: about half a minute, in which the effect protocol looks before it sends anything again."""
UNTIL_READY = RetryPolicy(
    initial_interval=FOREVER.initial_interval,
    maximum_interval=FOREVER.maximum_interval,
    non_retryable_error_types=["Transient", "UnknownOutcome", "Breakdown"],
)
"""What waits for something of ours (`NotYet`), or is put off by a limit of ours, waits without end: nothing has failed."""
AT_ONCE = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=2)
"""A person waits for the answer."""
BUSY = (State.REQUESTED, State.SYNCING, State.CREDITING)
"""While a receipt is being written nothing else happens to a payment; it happens right after."""
HAPPENED: dict[Kind, str] = {Kind.REVERSED: "payment_reversed", Kind.SPLIT_DETECTED: "payment_partly_open"}
"""The reasons of items that something in the world gives."""


class SyncsPayment(AtConnector):
    """The machine's state and its moves; people command it (`payment_commands`), `RecordPayment` walks through it."""

    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        notice = given.notice
        assert notice.amount is not None
        assert notice.payment_id is not None
        asked = PaymentSync(payment_id=notice.payment_id, amount=notice.amount, since=notice.occurred_at)
        self.sync = given.resumed or asked
        self.fault: Fault | None = None
        self.last = Event(kind=Kind.CAPTURED, role=Role.GATEWAY, at=notice.occurred_at)
        self._unwritten: list[Transition] = []
        self._writer: asyncio.Task[None] | None = None
        self._lapse: asyncio.Task[None] | None = None
        self._said_paid = False

    @workflow.signal(description="What the world did to this payment")
    def happen(self, happening: Happening) -> None:
        self.happenings.append(happening)
        self.take_happenings()

    # -- moves ---------------------------------------------------------------------------------------------------------

    def move(self, kind: Kind, **told: Any) -> Moved:
        """One move of the table, logged. Raises `Forbidden`."""
        event = Event(kind=kind, **{"at": workflow.now(), **told})
        step = decide(self.sync, event)
        self.sync, self.last = step.after, event
        self._unwritten.append(Transition.of(step, event))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        if kind is Kind.CLAIM:
            self._lapse = asyncio.create_task(self._let_go())
        return step

    async def _write(self) -> None:
        """Bring the moves into the store, several at once while it is slow; nobody waits for it."""
        while self._unwritten:
            lines, self._unwritten = tuple(self._unwritten), []
            workflow.upsert_search_attributes([searching.SYNC_STATE.value_set(self.sync.state.value)])
            log = TransitionLog(
                agency=self.given.notice.agency,
                lifecycle=workflow.info().workflow_id,
                booking_id=self.given.booking_id,
                experience_id=self.given.experience_id,
                connector=self.connector,
                sync=self.sync,
                lines=lines,
            )
            await perform(OFFICE_LOG_TRANSITION, log, about=f"{lines[0].before.value} → {lines[-1].after.value}")

    async def written(self) -> None:
        """Until every move is in the store."""
        await self.told()
        if self._writer is not None:
            await self._writer

    def take_happenings(self) -> None:
        """Move by what happened, unless a receipt is being written just now."""
        while self.happenings and self.sync.state not in BUSY:
            each = self.happenings.pop(0)
            role = Role.GATEWAY if each.kind is Kind.CHARGEBACK else Role.SYSTEM
            try:
                self.move(each.kind, role=role, text=each.text, case_id=each.case_id, evidence=each.evidence)
            except Forbidden as refusal:
                workflow.logger.info("%s: %s", self.sync.payment_id, refusal)
                continue
            if each.kind in HAPPENED:
                self.fault = Fault(kind="Verdict", code=HAPPENED[each.kind], words=each.text, effect=each.effect)

    async def changed(self, within: timedelta | None = None) -> bool:
        """Until the payment moves; False when it did not `within` that time."""
        version = self.sync.version
        try:
            await workflow.wait_condition(lambda: self.sync.version != version, timeout=within)
        except TimeoutError:
            return False
        return True

    async def _let_go(self) -> None:
        """A claim that nobody renews lapses."""
        if not await self.changed(CLAIM) and self.sync.state is State.IN_REVIEW:
            self.move(Kind.RELEASE)

    # -- the ERP -------------------------------------------------------------------------------------------------------

    async def patiently(self, verb: Verb[In, Out], given: In, *, about: str) -> Out:
        """One attempt with the machine's patience. Raises `ActivityError`."""
        policy = PATIENCE
        while True:
            try:
                return await perform(verb, given, about=about, policy=policy)
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                kind = Fault.of(error).kind
                if kind in NOBODY_FAILED:
                    policy = UNTIL_READY
                elif policy is UNTIL_READY and kind in (UNTIL_READY.non_retryable_error_types or ()):
                    policy = PATIENCE
                else:
                    raise

    async def probe(self, step: PaymentStep) -> Evidence:
        """What the ERP shows. Raises `ActivityError`."""
        given = ProbeStep(**step.model_dump())
        return _heard(await self.patiently(ERPS[self.connector].probe, given, about="look at the ERP"))

    async def in_ledger(self, step: PaymentStep) -> Evidence | None:
        """The cobro of ours that is settled in our own ledger, if there is one."""
        given = ProbeStep(**step.model_dump(), in_ledger=True)
        try:
            evidence = await perform(ERPS[self.connector].probe, given, about="look at our ledger")
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return None
        return _heard(evidence) if evidence.ours else None

    async def look(self, step: PaymentStep) -> Evidence:
        """The same for a person who waits: an ERP that does not answer is a verdict too."""
        given = ProbeStep(**step.model_dump())
        try:
            return _heard(await perform(ERPS[self.connector].probe, given, about="look at the ERP", policy=AT_ONCE))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            words = Fault.of(error).words
            return Evidence(verdict=Verdict.UNVERIFIED, at=workflow.now(), words=words)

    def failed(self, error: ActivityError) -> None:
        """Sort a failure, and move by its class. Raises it again when the workflow itself is cancelled."""
        if is_cancelled_exception(error):
            raise error
        self.fault = Fault.of(error)
        failing = sort_failure(self.fault.kind, self.fault.code)
        if failing is Failing.ALREADY_PAID and self._said_paid:
            # It was looked at, and nothing shows that it is paid: a refusal in the ERP's words.
            failing = Failing.BUSINESS
        self._said_paid = failing is Failing.ALREADY_PAID
        self.move(Kind.FAILED, failing=failing, text=self.fault.words)
        self.tell_failure(failing, self.fault.words)

    async def may_write(self) -> dict[str, Any]:
        """The guard that only the connector knows, as an event tells it."""
        admission = await self.admitted()
        return {"permitted": admission.permitted, "because": admission.because}

    def payment_step(self, *, known: bool) -> PaymentStep:
        notice = self.given.notice
        assert notice.amount is not None
        assert notice.payment_id is not None
        return PaymentStep(
            agency=notice.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
            experience_id=notice.experience_id or self.given.experience_id,
            payment_id=notice.payment_id,
            amount=notice.amount,
            method=notice.method or "other",
            known_booking=known,
            event_id=notice.event_id,
        )


def _heard(evidence: Evidence) -> Evidence:
    """Its age is counted by the workflow's clock, whatever the worker's says."""
    return evidence.model_copy(update={"at": workflow.now()})
