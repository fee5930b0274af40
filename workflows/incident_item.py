"""The one item that stands for the trouble of many payments behind a breaker (contracts: payment-sync 3, "mass failure")."""

from __future__ import annotations

import asyncio
from functools import partial

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.connector_steps import Incident
    from domain.payment_sync import Failing, State
    from domain.payment_sync.breaker import names
    from workflows.breaker_looks import LooksAtErp
    from workflows.stepping import Fault

MOST = 500
"""Payments that hear of an incident by name; others hear of it when they ask."""
INCIDENTS: dict[Failing, str] = {
    Failing.TRANSIENT: "erp_unreachable",
    Failing.UNKNOWN: "erp_unclear",
    Failing.CONTRACT: "erp_contract",
    Failing.AUTH: "erp_unauthorised",
}
CHANGED = "erp_contract_changed"


class StandsForMany(LooksAtErp):
    """Opened once, answered once for all, and gone when nothing is behind it any more."""

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
