"""How a payment stands at its connector: it asks before it writes, tells of its failures, and goes on when it is told
(contracts: payment-sync 3, 4 row 4, 7)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.signatures import OFFICE_ADMIT_PAYMENT
    from domain import naming
    from domain.connector_steps import Admission, AdmitStep, ErpName, FailureReport, GoOn, Happening, Incident
    from domain.payment_sync import Failing, PaymentSync
    from domain.payment_sync.breaker import OUT_OF_REACH
    from workflows.lifecycle import BookingLifecycle
    from workflows.messages import LifecycleInput
    from workflows.stepping import perform

HELD = timedelta(minutes=30)
"""After this a payment asks again by itself whether the breaker is closed: nobody waits for a signal that got lost."""
TURNS = tuple(timedelta(seconds=each) for each in (5, 10, 20, 40, 80, 160, 300))
"""Waits for the receivable while another payment of it is being written; the last one is repeated."""
COVERED = timedelta(hours=24)
"""After this a payment asks a person for itself, although one item stands for many."""
WORD = timedelta(seconds=5)
"""How long a payment that failed waits for the connector to say whether one item stands for many."""


class AtConnector(BookingLifecycle):
    """What the connector says to a payment, and the payment to it."""

    sync: PaymentSync

    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self.connector: ErpName = "giav"
        self.incident = ""
        self.happenings: list[Happening] = []
        self.answered_by = ""
        self.calls = 0
        self._tried = False
        self._alone = False
        self._telling: set[asyncio.Task[None]] = set()

    @workflow.signal(description="The connector works again, or lets this payment through to see")
    def go_on(self, told: GoOn) -> None:
        self._tried = told.tried
        self.answered_by = told.by
        self.calls += 1

    @workflow.signal(description="One item stands for the trouble of many payments, or no longer does")
    def incident_stands(self, incident: Incident) -> None:
        self.incident = (incident.words or "an incident") if incident.standing else ""

    async def admitted(self, *, first: bool = False) -> Admission:
        """Whether it may be written now; if so, its receivable is its own until it has been. The `first` time it is asked,
        too, whether anybody still wanted the money."""
        notice = self.given.notice
        step = AdmitStep(
            agency=notice.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
            payment_id=self.sync.payment_id,
            first=first,
        )
        admission = await perform(OFFICE_ADMIT_PAYMENT, step, about="may it be written now?")
        self.connector = admission.connector
        if admission.permitted:
            # Whatever item stood for many, it stands for this one no more.
            self.incident = ""
        return admission

    async def rests(self, within: timedelta) -> bool:
        """Until the payment moves, is told to go on, or so much time is over; True when it moved."""
        version, calls = self.sync.version, self.calls
        try:
            await workflow.wait_condition(
                lambda: self.sync.version != version or self.calls != calls or bool(self.happenings), timeout=within
            )
        except TimeoutError:
            return False
        return self.sync.version != version

    def tell_failure(self, failing: Failing, words: str) -> None:
        """Tell the connector; nobody waits for it, and a connector that does not run is not missed."""
        if failing in OUT_OF_REACH or self._tried:
            self._say("failed", failing, words)

    def tell_success(self) -> None:
        """Only the payment that was let through to see is waited for."""
        if self._tried:
            self._say("succeeded", Failing.TRANSIENT, "")

    def _say(self, signal: str, failing: Failing, words: str) -> None:
        report = FailureReport(
            payment_id=self.sync.payment_id,
            workflow_id=workflow.info().workflow_id,
            at=workflow.now(),
            failing=failing,
            words=words[:300],
            tried=self._tried,
        )
        self._tried = False
        task = asyncio.create_task(self._signal(signal, report))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _signal(self, signal: str, report: FailureReport) -> None:
        own = naming.connector_workflow(self.given.notice.agency, self.connector)
        try:
            await workflow.get_external_workflow_handle(own).signal(signal, report)
        except ApplicationError:
            self._alone = True

    async def told(self) -> None:
        """Until everything is told."""
        if self._telling:
            await asyncio.wait(set(self._telling))

    async def one_of_many(self) -> bool:
        """Whether one item stands for this payment's trouble, too; the connector has a moment to say so."""
        version = self.sync.version
        if not self.incident and not self._alone:
            try:
                await workflow.wait_condition(
                    lambda: bool(self.incident) or self._alone or self.sync.version != version, timeout=WORD
                )
            except TimeoutError:
                return False
        return bool(self.incident) and self.sync.version == version
