"""RecordPayment: captured money reaches every system once (contracts: money-rules 1.1, 2, P2, F-P17; payment-sync 4)."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        JOURNAL_AMEND_BOOKING,
        JOURNAL_RECORD_PAYMENT,
        MIDOFFICE_RECORD_PAYMENT,
        TAMARA_RECORD_PAYMENT,
    )
    from domain.closing import Closing
    from domain.connector_steps import Admission
    from domain.payment_sync import (
        TERMINAL,
        Effect,
        Evidence,
        Failing,
        Kind,
        Role,
        State,
        Verdict,
    )
    from domain.payment_sync.conditions import PROBES, RETRIES
    from domain.payment_sync.guards import UNDO
    from domain.steps import Done, PaymentStep
    from workflows.at_connector import HELD, TURNS
    from workflows.erps import receipt_of
    from workflows.giving_back import GivesBack
    from workflows.messages import Known, LifecycleInput, LifecycleResult
    from workflows.payment_decisions import ITEMS
    from workflows.stepping import FORWARD, Fault

FOR_A_PERSON = {Failing.CONTRACT: "ContractBroken", Failing.AUTH: "Unauthorised"}
"""Behind a breaker that is open for these a payment goes to a person without a call (payment-sync 3)."""
HOLDS_NOTHING_BACK = timedelta(minutes=10)
"""A wait this long is told to the mailbox, which goes on as it does beside a parked payment."""
TIMED = (State.RETRY_WAIT, State.SYNC_UNKNOWN)


@workflow.defn
class RecordPayment(GivesBack):
    """Captured money is a pivot: it is never undone and never forgotten; each system goes its own way and parks alone."""

    kind = "payment"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self._booking_is_known = given.known_booking
        self._looks = 0
        self._admission: Admission | None = None

    @workflow.signal(description="What the mailbox knows by now")
    def look_again(self, known: Known) -> None:
        self._booking_is_known = self._booking_is_known or known.registered

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        step = self.payment_step(known=True)
        if given.resumed is None:
            await self._record(step)
        else:
            # The other systems have it; something happened to what the ERP has.
            await self.admitted()
            self.take_happenings()
            await self._erp(step)
        result = await self._end()
        while self.sync.state not in TERMINAL or (self.sync.state is State.SYNCED_MANUAL and await self.changed(UNDO)):
            if self.last.kind is Kind.UNDO_MANUAL:
                self.fault = Fault(kind="NeedsPerson", words=f"the manual mark was undone: {self.sync.explanation}")
            self._reported = False
            await self._erp(step)
            result = await self._end()
        await self.letters_sent()
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self.written()
        return result

    async def _record(self, step: PaymentStep) -> None:
        """Each system goes its own way; where the journal is the ERP, it has no other."""
        if self._booking_is_known:
            self._admission = await self.admitted(first=True)
            self._captured(self._admission.closing)
        else:
            self._captured(None)
            await self._hold_in_suspense()
            self._admission = await self.admitted()
        ways = [
            self._erp_then_the_rest(step),
            self.step(MIDOFFICE_RECORD_PAYMENT, step, about=self._about, amount=step.amount, decisions=FORWARD),
        ]
        if self.connector != "journal":
            ways.append(
                self.step(JOURNAL_RECORD_PAYMENT, step, about=self._about, amount=step.amount, decisions=FORWARD)
            )
        await asyncio.gather(*ways)

    def _captured(self, closing: Closing | None) -> None:
        """Row 3 where nobody asked for it any more: the request was closed first, and the money opens it again."""
        if closing is not None:
            self.move(closing.kind, at=closing.at, text=closing.words)
        text = closing.words if closing is not None else ""
        self.move(Kind.CAPTURED, role=Role.GATEWAY, at=self.given.notice.occurred_at, text=text)

    async def _end(self) -> LifecycleResult:
        if self.sync.state is State.SYNCED_MANUAL:
            # The mark may be taken back for a month; the mailbox goes on meanwhile.
            await self.on_parked()
        await self.written()
        return await self.conclude("done")

    async def _erp_then_the_rest(self, step: PaymentStep) -> None:
        done = await self._erp(step)
        if done is not None and "credit_note" in done.ids:
            await self.step(JOURNAL_AMEND_BOOKING, self.booking_step(), about=self._about, decisions=FORWARD)
        if step.method == "airplus":
            await self.step(TAMARA_RECORD_PAYMENT, step, about=self._about, amount=step.amount, decisions=FORWARD)

    # -- the ERP -------------------------------------------------------------------------------------------------------

    async def _erp(self, step: PaymentStep) -> Done | None:
        """Until the payment has come to an end in the ERP; what the cell answered, None when it was left out."""
        done: Done | None = None
        while True:
            self.take_happenings()
            if self.sync.state in TERMINAL:
                break
            match self.sync.state:
                case State.CAPTURED:
                    await self._start()
                case State.SYNCING:
                    done = await self._attempt(step)
                case State.RETRY_WAIT:
                    await self._pause(self._patience)
                case State.SYNC_UNKNOWN:
                    await self._search(step)
                case State.IN_REVIEW if self.sync.returns_to in TIMED and self.sync.claimed_by:
                    await self.changed()
                case State.CREDITING:
                    done = await self._credit(step)
                case State.REFUND_REQUESTED:
                    await self.give_back(step)
                case _:
                    await self.ask(step)
        if self.sync.state is State.SYNCED_AUTO and done is None:
            # The cobro stands; what hangs on it is finished by the same cell, which finds the cobro in its ledger.
            done = await self.step(self._post, step, about=self._about, amount=step.amount, decisions=FORWARD)
        await self.close_duplicate(step)
        return done

    async def _attempt(self, step: PaymentStep) -> Done | None:
        """Look, and post if nothing stands there; a cobro that stands although its documents failed is an end, too."""
        try:
            evidence = await self.probe(step)
        except ActivityError as error:
            self.failed(error)
            return None
        if Effect.POST not in self._seen(evidence):
            self.tell_success()
            return None
        try:
            done = await self.patiently(self._post, step, about=self._about)
        except ActivityError as error:
            ours = await self.in_ledger(step)
            if ours is not None:
                self.move(Kind.PROBED, evidence=ours)
                self.tell_success()
            else:
                self.failed(error)
            return None
        self.move(Kind.ACKNOWLEDGED, receipt_id=receipt_of(done, step.payment_id))
        self.tell_success()
        return done

    async def _start(self) -> None:
        """Row 4: not before the breaker is closed and no other payment of the receivable is being written."""
        for turn in itertools.count():
            admission, self._admission = self._admission or await self.admitted(), None
            if self.sync.state not in (State.CAPTURED, State.RETRY_WAIT):
                return
            if admission.permitted:
                self.move(Kind.START)
                return
            kind = FOR_A_PERSON.get(admission.failing) if admission.failing else None
            if kind is not None:
                self.incident = admission.because
                self.fault = Fault(kind=kind, words=admission.because)
                self.move(Kind.HELD, text=admission.because, failing=admission.failing)
                return
            if self.sync.reason != admission.because:
                self.move(Kind.HELD, text=admission.because)
            await self.on_parked()
            if await self.rests(HELD if admission.breaker_is_open else TURNS[min(turn, len(TURNS) - 1)]):
                return

    @property
    def _patience(self) -> timedelta:
        return RETRIES[min(max(self.sync.failures, 1), len(RETRIES)) - 1]

    def _seen(self, evidence: Evidence) -> tuple[Effect, ...]:
        if evidence.verdict in ITEMS:
            self.fault = Fault(kind="Verdict", code=ITEMS[evidence.verdict], words=evidence.words)
        return self.move(Kind.PROBED, evidence=evidence).effects

    async def _pause(self, wait: timedelta) -> None:
        if wait >= HOLDS_NOTHING_BACK:
            await self.on_parked()
        if not await self.rests(wait):
            await self._start()

    async def _search(self, step: PaymentStep) -> None:
        """A receipt whose sending had no clear end is looked for, ever less often, and never sent again before."""
        await self.on_parked()
        if self._looks >= len(PROBES):
            self._looks = 0
            self.move(Kind.PROBES_EXHAUSTED, text="nobody knows whether it arrived")
            return
        if await self.rests(PROBES[self._looks]):
            return
        self._looks += 1
        version, evidence = self.sync.version, await self.look(step)
        if version == self.sync.version and evidence.verdict is not Verdict.UNVERIFIED:
            self._seen(evidence)
        if self.sync.state is not State.SYNC_UNKNOWN:
            self._looks = 0

    async def _credit(self, step: PaymentStep) -> Done | None:
        """The money goes to what is open of the same sale."""
        await self.begin_credit()
        try:
            done = await self.patiently(self._post, step, about="credit it")
        except ActivityError as error:
            self.failed(error)
            if self.sync.state is State.CREDITING:
                await self.changed(self._patience)
            return None
        self.move(Kind.ACKNOWLEDGED, receipt_id=done.ids.get("cobro") or f"of {step.payment_id}")
        return done

    # -- before the booking is known -----------------------------------------------------------------------------------

    async def _hold_in_suspense(self) -> None:
        """Money without a booking stands in the suspense account and on the list until the booking is there."""
        step = self.payment_step(known=False)
        await self.step(JOURNAL_RECORD_PAYMENT, step, about="to suspense", amount=step.amount, decisions=FORWARD)
        words = f"payment {step.payment_id} belongs to booking {step.booking_id}, which the ERP does not have"
        await self.park(
            "lifecycle.payment",
            step,
            Fault(kind="unknown_booking", words=words),
            amount=step.amount,
            decisions=("retry",),
            solved=lambda: self._booking_is_known,
        )
