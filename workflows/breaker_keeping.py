"""The breaker of a connector as it is kept: where everybody sees it, with who waits behind it (contracts: payment-sync 3, 7)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.signatures import OFFICE_KEEP_BREAKER, OFFICE_WAITING_PAYMENTS
    from domain.connector_steps import (
        BreakerKept,
        BreakerReport,
        ConnectorState,
        ConnectorStep,
        FailureReport,
        GoOn,
        Incident,
        WaitingPayment,
        WaitingQuestion,
    )
    from domain.money import Money
    from domain.payment_sync import State
    from domain.payment_sync.breaker import Breaker
    from workflows.stepping import Stepping, perform


class KeepsBreaker(Stepping):
    """What a connector knows, and how it speaks to the store and to payments."""

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

    async def _waiting(self, states: tuple[State, ...], limit: int) -> tuple[WaitingPayment, ...]:
        question = WaitingQuestion(states=states, limit=limit, **self._step().model_dump())
        return (await perform(OFFICE_WAITING_PAYMENTS, question, about="who waits?")).payments

    async def _signal(self, payment: WaitingPayment, signal: str, told: GoOn | Incident) -> bool:
        try:
            await workflow.get_external_workflow_handle(payment.workflow_id).signal(signal, told)
        except ApplicationError:
            return False
        return True

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

    def _step(self) -> ConnectorStep:
        return ConnectorStep(
            agency=self._state.agency, lifecycle=workflow.info().workflow_id, connector=self._state.connector
        )
