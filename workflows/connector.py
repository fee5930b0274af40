"""Connector: the breaker of one ERP of an agency, and one item for the trouble of many payments (payment-sync 3, 6.1, 7).

Payments tell it of their failures and go on when they are told. It looks at the ERP by itself: hourly for the contract,
ever less often while it is away. People open and close it, or accept a changed contract.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.signatures import OFFICE_AGE_PAYMENTS, OFFICE_KEEP_BREAKER, OFFICE_WAITING_PAYMENTS
    from domain.connector_steps import (
        BreakerKept,
        BreakerOrder,
        BreakerReport,
        ConnectorState,
        ConnectorStep,
        Described,
        DescribeStep,
        FailureReport,
        GoOn,
        Incident,
        WaitingPayment,
        WaitingQuestion,
    )
    from domain.money import Money
    from domain.payment_sync import Failing, State, sort_failure
    from domain.payment_sync.breaker import OUT_OF_REACH, Breaker, Failure, Phase, names
    from workflows.erps import ERPS
    from workflows.renewing import Renewable, must_renew, renew
    from workflows.stepping import Fault, Stepping, perform

HOURLY = timedelta(hours=1)
AT_A_TIME, PACE = 5, timedelta(seconds=2)
"""So many payments are told to go on, then it waits: an ERP that has just come back is not stormed."""
RECOUNT = timedelta(minutes=1)
"""How often it is counted who waits behind an item."""
TRY = timedelta(minutes=3)
"""How long the payment that is let through may take to tell how it fared."""
AT_ONCE = 20
"""Payments that are looked up at a time."""
MOST = 500
"""Payments that hear of an incident by name; others hear of it when they ask."""
ONE_LOOK = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=2)
HELD_BACK = (State.CAPTURED, State.RETRY_WAIT)
RESUMED = (*HELD_BACK, State.SYNC_UNKNOWN)
INCIDENTS: dict[Failing, str] = {
    Failing.TRANSIENT: "erp_unreachable",
    Failing.UNKNOWN: "erp_unclear",
    Failing.CONTRACT: "erp_contract",
    Failing.AUTH: "erp_unauthorised",
}
CHANGED = "erp_contract_changed"


@workflow.defn
class Connector(Stepping, Renewable):
    """For ever, one per agency and ERP. What it knows is in the store too, for whoever only asks."""

    @workflow.init
    def __init__(self, state: ConnectorState) -> None:
        super().__init__()
        self._state = state
        self._heard: list[FailureReport] = []
        self._fared: FailureReport | None = None
        self._fared_well = False
        self._item: asyncio.Task[None] | None = None
        self._batch_by = ""
        self._nudges = 0
        self._kept = BreakerKept()

    @property
    def _breaker(self) -> Breaker:
        return self._state.breaker

    @_breaker.setter
    def _breaker(self, after: Breaker) -> None:
        self._state.breaker = after

    # What payments say ------------------------------------------------------------------------------------------------

    @workflow.signal(description="A payment could not be synchronised")
    def failed(self, report: FailureReport) -> None:
        if report.tried and report.payment_id == self._breaker.trying:
            # A refusal for the payment's own sake is an answer of an ERP that works.
            self._fared, self._fared_well = report, report.failing not in OUT_OF_REACH
        self._heard.append(report)

    @workflow.signal(description="The payment that was let through was synchronised")
    def succeeded(self, report: FailureReport) -> None:
        if report.payment_id == self._breaker.trying:
            self._fared, self._fared_well = report, True

    # What people say --------------------------------------------------------------------------------------------------

    @workflow.update(description="No payment passes until somebody closes it again")
    async def open_breaker(self, order: BreakerOrder) -> Breaker:
        self._breaker = self._breaker.opened_by(order.by, order.why, workflow.now())
        await self._keep()
        return self._breaker

    @workflow.update(description="Payments pass again; those that wait go on, the oldest first")
    async def close_breaker(self, order: BreakerOrder) -> Breaker:
        self._close(order.by, order.why)
        await self._keep()
        return self._breaker

    @workflow.update(description="The contract that the ERP shows is the one we work by from now on")
    async def accept_contract(self, order: BreakerOrder) -> Described:
        described = await self._describe(accepted_by=order.by, why=order.why)
        if described is None:
            raise ApplicationError("the ERP does not answer: nothing can be accepted now", type="Forbidden")
        if self._breaker.drift:
            self._close(order.by, order.why)
        await self._keep()
        return described

    @open_breaker.validator
    def _check_open(self, order: BreakerOrder) -> None:
        _explained(order)
        if not self._breaker.is_closed and self._breaker.failing is None:
            raise ApplicationError(f"it is open already: {self._breaker.by}", type="Forbidden")

    @close_breaker.validator
    def _check_close(self, order: BreakerOrder) -> None:
        _explained(order)
        if self._breaker.is_closed:
            raise ApplicationError("it is closed", type="Forbidden")
        if self._breaker.drift:
            raise ApplicationError("the contract changed: accept it with 'payment breakers accept'", type="Forbidden")

    @accept_contract.validator
    def _check_accept(self, order: BreakerOrder) -> None:
        _explained(order)

    @workflow.query(description="The breaker, and what the connector is about")
    def view(self) -> ConnectorState:
        return self._state

    # For ever ---------------------------------------------------------------------------------------------------------

    @workflow.run
    async def run(self, state: ConnectorState) -> ConnectorState:
        await self._keep()
        while True:
            await self._hear()
            if self._is_due():
                await self._look(hourly=True)
                await self._age()
            elif self._breaker.look_at is not None and workflow.now() >= self._breaker.look_at:
                await self._look()
            self._stand()
            if self._state.resuming and self._breaker.is_closed:
                await self._resume()
            await self._wait()
            if self._may_renew():
                await renew(self._state)

    async def _wait(self) -> None:
        described = self._state.described_at or workflow.now()
        due = [described + HOURLY, *([self._breaker.look_at] if self._breaker.look_at else [])]
        if self._item is not None:
            due.append(workflow.now() + (RECOUNT if self._breaker.is_closed else 5 * RECOUNT))
        version, nudges = self._breaker.version, self._nudges
        try:
            await workflow.wait_condition(
                lambda: (
                    bool(self._heard)
                    or self._breaker.version != version
                    or self._nudges != nudges
                    or (self._state.resuming and self._breaker.is_closed)
                    or self._may_renew()
                ),
                timeout=max(timedelta(milliseconds=100), min(due) - workflow.now()),
                timeout_summary="until the next look",
            )
        except TimeoutError:
            if self._item is not None:
                await self._keep()

    def _may_renew(self) -> bool:
        # An item that is open belongs to this run.
        return must_renew() and not self._heard and self._item is None

    async def _hear(self) -> None:
        """Everything that payments told, in its order."""
        while self._heard:
            reports, self._heard = self._heard, []
            await self._keep()
            for report in reports:
                failure = Failure.model_validate(report.model_dump(include={"payment_id", "at", "failing", "words"}))
                self._breaker = self._breaker.heard(failure, self._kept.at_work)
            await self._keep()
            if self._state.incident:
                await self._tell_incident([_waiting(report) for report in reports])

    async def _keep(self) -> None:
        """Where everybody sees it, and back with who waits."""
        item = next(iter(self._open), "")
        report = BreakerReport(
            breaker=self._breaker,
            item_id=item,
            words=self._words() if item else "",
            amount=self._money(),
            **self._step().model_dump(),
        )
        self._kept = await perform(OFFICE_KEEP_BREAKER, report, about=f"the breaker is {self._breaker.phase.value}")

    # Looks ------------------------------------------------------------------------------------------------------------

    async def _look(self, *, hourly: bool = False) -> None:
        """Does it answer, and as it was accepted? Behind an open breaker one payment is let through to see."""
        was_away = self._breaker.away
        described = await self._describe()
        if described is None:
            return
        now = workflow.now()
        if described.drifted and not self._breaker.drift:
            words = f"its contract changed: {'; '.join(described.differs[:20])}"
            self._breaker = self._breaker.opened(Failing.CONTRACT, words, now, drift=True)
            self._state.incident = True
            await self._keep()
            return
        by_person = not self._breaker.is_closed and self._breaker.failing is None
        if by_person or (self._breaker.drift and described.drifted):
            return
        if self._breaker.is_closed:
            if was_away:
                self._state.resuming = True
            if not hourly or was_away:
                self._breaker = self._breaker.looked(now)
            return
        if hourly and self._breaker.look_at is not None and now < self._breaker.look_at:
            return
        await self._let_one_through()

    async def _describe(self, accepted_by: str = "", why: str = "") -> Described | None:
        """None when it does not answer, which the breaker remembers."""
        step = DescribeStep(accepted_by=accepted_by, why=why, **self._step().model_dump())
        self._state.described_at = workflow.now()
        try:
            verb = ERPS[self._state.connector].describe
            return await perform(verb, step, about="does it answer, and as we know it?", policy=ONE_LOOK)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            fault = Fault.of(error)
        if fault.kind in ("NotYet", "NeedsPerson", "Defect"):
            # It is not in use, or we cannot ask: nothing is known of it, and the next payment will tell.
            return Described()
        failing, now = sort_failure(fault.kind, fault.code), workflow.now()
        if self._breaker.failing is None and failing in (Failing.CONTRACT, Failing.AUTH) and self._breaker.is_closed:
            self._breaker = self._breaker.opened(failing, fault.words, now)
        self._breaker = self._breaker.looked_in_vain(
            fault.words, now, away=failing in (Failing.TRANSIENT, Failing.UNKNOWN)
        )
        self._state.incident = self._state.incident or not self._breaker.is_closed
        await self._keep()
        return None

    async def _let_one_through(self) -> None:
        """The oldest that waits; when nobody does, the next one that comes will show it."""
        waiting = await self._waiting(HELD_BACK, 1)
        if not waiting:
            self._close("system", "it answers, and as we know it")
            await self._keep()
            return
        one = waiting[0]
        self._fared = None
        self._breaker = self._breaker.letting(one.payment_id)
        await self._keep()
        tells = await self._signal(one, "go_on", GoOn(tried=True))
        if tells:
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._fared is not None or self._breaker.phase is not Phase.TRYING, timeout=TRY
                )
        if self._breaker.phase is not Phase.TRYING:
            return
        if self._fared is not None and self._fared_well:
            self._close("system", f"{one.payment_id} was let through and synchronised")
        else:
            words = self._fared.words if self._fared is not None else ""
            self._breaker = self._breaker.looked_in_vain(words, workflow.now(), away=self._breaker.away)
            self._state.incident = True
        await self._keep()

    def _close(self, by: str, why: str) -> None:
        self._breaker = self._breaker.closed(by, why, workflow.now())
        self._state.resuming = True

    # Going on ---------------------------------------------------------------------------------------------------------

    async def _resume(self) -> None:
        """Whoever waits goes on, the oldest first and one after the other; a new failure stops it."""
        gone: set[str] = set()
        states = (*RESUMED, State.UNSYNCED) if self._batch_by else RESUMED
        while self._breaker.is_closed and not self._heard:
            waiting = [each for each in await self._waiting(states, len(gone) + AT_ONCE) if each.payment_id not in gone]
            if not waiting:
                self._state.resuming, self._batch_by = False, ""
                await self._keep()
                return
            for number, each in enumerate(waiting, 1):
                gone.add(each.payment_id)
                await self._signal(each, "go_on", GoOn(by=self._batch_by if each.state is State.UNSYNCED else ""))
                if number % AT_A_TIME == 0:
                    await workflow.sleep(PACE)
                if self._heard or not self._breaker.is_closed:
                    break

    async def _waiting(self, states: tuple[State, ...], limit: int) -> tuple[WaitingPayment, ...]:
        question = WaitingQuestion(states=states, limit=limit, **self._step().model_dump())
        return (await perform(OFFICE_WAITING_PAYMENTS, question, about="who waits?")).payments

    async def _signal(self, payment: WaitingPayment, signal: str, told: GoOn | Incident) -> bool:
        try:
            await workflow.get_external_workflow_handle(payment.workflow_id).signal(signal, told)
        except ApplicationError:
            return False
        return True

    # The one item -----------------------------------------------------------------------------------------------------

    def _stand(self) -> None:
        """One item stands for all while the breaker is open, and as long as payments wait for a person behind it."""
        if not self._breaker.is_closed and self._breaker.failing is not None and self._is_incident():
            self._state.incident = True
        if self._state.incident and self._item is None:
            self._item = asyncio.create_task(self._stands())

    def _is_incident(self) -> bool:
        """A broken contract that one payment met is looked at first."""
        alone = self._breaker.failing is Failing.CONTRACT and not self._breaker.drift
        return not alone or self._breaker.looks > 0 or len(names(self._breaker.failures, self._breaker.failing)) > 1

    async def _stands(self) -> None:
        """The item, until nothing is behind it any more; its answer tries at once, or sends the whole batch."""
        reason = INCIDENTS[Failing.TRANSIENT]
        while self._state.incident:
            drift, failing = self._breaker.drift, self._breaker.failing
            if failing is not None:
                reason = CHANGED if drift else INCIDENTS[failing]
            await self._tell_incident(await self._waiting((State.UNSYNCED,), MOST))
            taken = await self.park(
                f"connector.{self._state.connector}",
                self._step(),
                Fault(kind=reason, words=self._words()),
                amount=self._money(),
                decisions=("approve", "retry") if drift else ("retry",),
                solved=partial(self._is_another, drift),
            )
            if taken.by != "system":
                await self._answered(taken.decision, taken.by, taken.explanation)
            if self._is_over():
                self._state.incident = False
        for each in await self._waiting((State.UNSYNCED,), MOST):
            # Who is still not synchronised asks a person for itself again.
            await self._signal(each, "incident_stands", Incident(standing=False))
        self._item = None
        self._nudges += 1

    def _is_another(self, drift: bool) -> bool:
        return self._is_over() or self._breaker.drift != drift

    def _is_over(self) -> bool:
        return self._breaker.is_closed and not self._state.resuming and self._kept.unsynced == 0

    async def _answered(self, decision: str, by: str, why: str) -> None:
        if self._breaker.drift and decision == "approve":
            if await self._describe(accepted_by=by, why=why) is not None:
                self._close(by, why)
        elif not self._breaker.is_closed:
            self._breaker = self._breaker.model_copy(
                update={"look_at": workflow.now(), "version": self._breaker.version + 1}
            )
        if self._breaker.is_closed:
            # Whoever answers for all commands "sync now" for each, with its own look.
            self._batch_by, self._state.resuming = by, True
        await self._keep()

    def _words(self) -> str:
        kept, breaker = self._kept, self._breaker
        sums = ", ".join(
            f"{Money(amount=amount, currency=currency)}" for currency, amount in sorted(kept.money.items())
        )
        many = f"{kept.waiting} payments of {sums} wait" if kept.waiting else "no payment waits yet"
        if breaker.is_closed:
            rest = f"{kept.unsynced} of them for a person: retry sends them, the oldest first"
            return f"{self._state.connector} answers again; {many}, {rest}"
        return f"{many} behind the breaker of {self._state.connector}: {breaker.words}"

    def _money(self) -> Money | None:
        if len(self._kept.money) != 1:
            return None
        (currency, amount), *_ = self._kept.money.items()
        return Money(amount=amount, currency=currency)

    async def _tell_incident(self, payments: Iterable[WaitingPayment]) -> None:
        incident = Incident(standing=True, words=self._breaker.words)
        for each in payments:
            await self._signal(each, "incident_stands", incident)

    # Ageing -----------------------------------------------------------------------------------------------------------

    async def _age(self) -> None:
        """Payments that nobody has synchronised for long are named to a supervisor."""
        await perform(OFFICE_AGE_PAYMENTS, self._step(), about="who waits for too long?")

    def _is_due(self) -> bool:
        described = self._state.described_at
        return described is None or workflow.now() >= described + HOURLY

    def _step(self) -> ConnectorStep:
        return ConnectorStep(
            agency=self._state.agency, lifecycle=workflow.info().workflow_id, connector=self._state.connector
        )


def _waiting(report: FailureReport) -> WaitingPayment:
    return WaitingPayment(payment_id=report.payment_id, workflow_id=report.workflow_id, state=State.RETRY_WAIT)


def _explained(order: BreakerOrder) -> None:
    if order.by.strip() in ("", "system"):
        raise ApplicationError("say who commands", type="Forbidden")
    if len(order.why.strip()) < 10:
        raise ApplicationError("explain it in at least 10 characters", type="Forbidden")
