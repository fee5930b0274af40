"""How a connector looks at its ERP, lets one payment through, and sends the rest on (contracts: payment-sync 3, 6.1)."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from domain.connector_steps import Described, DescribeStep, GoOn
    from domain.errors import NOBODY_FAILED
    from domain.payment_sync import Failing, State, sort_failure
    from domain.payment_sync.breaker import Phase
    from workflows.breaker_keeping import KeepsBreaker
    from workflows.erps import ERPS
    from workflows.stepping import Fault, perform

AT_A_TIME, PACE = 5, timedelta(seconds=2)
"""So many payments are told to go on, then it waits: an ERP that has just come back is not stormed."""
TRY = timedelta(minutes=3)
"""How long the payment that is let through may take to tell how it fared."""
AT_ONCE = 20
"""Payments that are looked up at a time."""
ONE_LOOK = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=2)
HELD_BACK = (State.CAPTURED, State.RETRY_WAIT)
RESUMED = (*HELD_BACK, State.SYNC_UNKNOWN)


class LooksAtErp(KeepsBreaker):
    """Does it answer, and as we know it?"""

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
        if fault.kind in (*NOBODY_FAILED, "NeedsPerson", "Defect"):
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
