"""Connector: the breaker of one ERP of an agency, and one item for the trouble of many payments (payment-sync 3, 6.1, 7).

Payments tell it of their failures and go on when they are told. It looks at the ERP by itself: hourly for the contract,
ever less often while it is away. People open and close it, or accept a changed contract.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.signatures import OFFICE_AGE_PAYMENTS
    from domain.connector_steps import BreakerOrder, ConnectorState, Described, FailureReport, WaitingPayment
    from domain.payment_sync import State
    from domain.payment_sync.breaker import OUT_OF_REACH, Breaker, Failure
    from workflows.incident_item import StandsForMany
    from workflows.renewing import Renewable, must_renew, renew
    from workflows.stepping import perform

HOURLY = timedelta(hours=1)
RECOUNT = timedelta(minutes=1)
"""How often it is counted who waits behind an item."""


@workflow.defn
class Connector(StandsForMany, Renewable):
    """For ever, one per agency and ERP. What it knows is in the store too, for whoever only asks."""

    @workflow.init
    def __init__(self, state: ConnectorState) -> None:
        super().__init__(state)

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

    # Ageing -----------------------------------------------------------------------------------------------------------

    async def _age(self) -> None:
        """Payments that nobody has synchronised for long are named to a supervisor."""
        await perform(OFFICE_AGE_PAYMENTS, self._step(), about="who waits for too long?")

    def _is_due(self) -> bool:
        described = self._state.described_at
        return described is None or workflow.now() >= described + HOURLY


def _waiting(report: FailureReport) -> WaitingPayment:
    return WaitingPayment(payment_id=report.payment_id, workflow_id=report.workflow_id, state=State.RETRY_WAIT)


def _explained(order: BreakerOrder) -> None:
    if order.by.strip() in ("", "system"):
        raise ApplicationError("say who commands", type="Forbidden")
    if len(order.why.strip()) < 10:
        raise ApplicationError("explain it in at least 10 characters", type="Forbidden")
