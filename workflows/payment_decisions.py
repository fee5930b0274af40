"""What people decide about a payment: the items it is on the list with, and their answers as the commands that they mean
(contracts: payment-sync 4, 5)."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.signatures import Verb
    from domain.payment_sync import Forbidden, Kind, Role, State, Verdict, sort_failure
    from domain.payment_sync.breaker import OUT_OF_REACH
    from domain.steps import Decision, DecisionTaken, Done, PaymentStep
    from workflows.at_connector import COVERED
    from workflows.duplicate_payment import SettlesDuplicate
    from workflows.erps import ERPS
    from workflows.stepping import FORWARD, Fault

ITEMS: dict[Verdict, str] = {
    Verdict.SAME_PAYMENT: "payment_in_erp",
    Verdict.PAID_OTHERWISE: "payment_paid_otherwise",
    Verdict.INCONCLUSIVE: "payment_inconclusive",
    Verdict.PARTIAL: "payment_partly_open",
    Verdict.NO_TARGET: "payment_without_target",
    Verdict.MISMATCH: "payment_mismatch",
}
"""Reasons of items that a look at the ERP gives, not a failure."""
ASKS: dict[State, tuple[str, tuple[Decision, ...]]] = {
    State.DUPLICATE: ("payment_duplicate", ("approve", "decline")),
    State.AWAITING_CUSTOMER: ("payment_duplicate", ("approve", "decline")),
    State.REFUND_REQUESTED: ("payment_refund", ("approve", "decline")),
    State.REFUND_FAILED: ("payment_refund_failed", ("retry",)),
}
"""Reason and answers of the items behind a duplicate: give it back, or credit it; it went back, or it did not."""


class DecidesPayment(SettlesDuplicate):
    """On the list until somebody has decided, or until the cause is gone."""

    @property
    def _about(self) -> str:
        return f"record {self.given.notice.payment_id}"

    @property
    def _post(self) -> Verb[PaymentStep, Done]:
        return ERPS[self.connector].post

    async def ask(self, step: PaymentStep, *, words: str = "", deadline: datetime | None = None) -> None:
        """Until a person has decided, by an answer to the item or by a command; `words` are added to its own."""
        if self.sync.state is State.UNSYNCED and await self._goes_with_many(step):
            return
        state, unanswered = self.sync.state, self.unanswered
        reason, decisions = ASKS.get(state, ("", FORWARD))
        reason = "payment_unanswered" if state is State.AWAITING_CUSTOMER and unanswered else reason
        said = " ".join(each for each in (self._words(state), words and f"({words})") if each) if reason else ""
        fault = Fault(kind="Verdict", code=reason, words=said) if reason else self._fault()
        review = (State.UNSYNCED, State.IN_REVIEW)
        stays = review if state in review else (state,)
        taken = await self.park(
            self._post.name,
            step,
            fault,
            amount=step.amount,
            decisions=decisions if fault.effect or "adopt" not in decisions else ("retry", "skip"),
            deadline=deadline,
            solved=lambda: self.sync.state not in stays or self.unanswered != unanswered or bool(self.incident),
            otherwise=self._became,
        )
        if self.sync.state in stays and taken.by != "system":
            try:
                await self._carry_out(taken, step)
            except Forbidden as refusal:
                self.fault = self._fault().model_copy(update={"words": f"{taken.decision} was refused: {refusal}"})

    async def _goes_with_many(self, step: PaymentStep) -> bool:
        """One item stands for many payments: this one waits for its answer, or for a command of its own."""
        failing = sort_failure(self.fault.kind, self.fault.code) if self.fault else None
        if failing not in OUT_OF_REACH or not await self.one_of_many():
            return False
        await self.on_parked()
        version = self.sync.version
        try:
            await workflow.wait_condition(
                lambda: not self.incident or bool(self.answered_by) or self.sync.version != version, timeout=COVERED
            )
        except TimeoutError:
            self.incident = ""
        by, self.answered_by = self.answered_by, ""
        if by and self.sync.state is State.UNSYNCED:
            try:
                await self._again(by, step)
            except Forbidden as refusal:
                self.fault = self._fault().model_copy(update={"words": f"sync_now was refused: {refusal}"})
                self.incident = ""
        return True

    def _fault(self) -> Fault:
        words = self.sync.reason or "asked for by a person"
        return self.fault or Fault(kind="UnknownOutcome", words=words)

    def _words(self, state: State) -> str:
        said = self.sync.evidence.words if self.sync.evidence else ""
        return {
            State.DUPLICATE: f"paid twice ({said}): approve gives this payment back, decline credits it",
            State.AWAITING_CUSTOMER: f"paid twice ({said}); the customer "
            + ("has not answered in 10 days" if self.unanswered else "says")
            + ": approve gives it back, decline credits it",
            State.REFUND_REQUESTED: "give it back at the processor; approve when it is back, decline when it was refused",
            State.REFUND_FAILED: f"it was not given back ({self.sync.reason}); retry asks again",
        }[state]

    def _became(self) -> tuple[Decision, str, str]:
        """What an item is closed with when a command, or the ERP, has settled it."""
        kind, by = self.last.kind, self.last.actor or "system"
        if kind is Kind.SYNC_NOW:
            return "retry", kind.value, by
        if kind is Kind.SYNC_MANUALLY:
            return "skip", self.sync.explanation, by
        return "retry", kind.value, "system"

    async def _carry_out(self, taken: DecisionTaken, step: PaymentStep) -> None:
        """An answer to the item, as the command that it means. Raises `Forbidden`."""
        who = {"actor": taken.by, "role": Role.OPERATOR, "explanation": taken.explanation}
        match self.sync.state, taken.decision:
            case State.DUPLICATE | State.AWAITING_CUSTOMER, "approve":
                self.move(Kind.CHOOSE_REFUND, **who)
            case State.DUPLICATE | State.AWAITING_CUSTOMER, _:
                evidence = await self.look(step)
                if self.sync.state is State.DUPLICATE:
                    self.move(Kind.ASK_CUSTOMER, **who)
                self.move(Kind.CHOOSE_CREDIT, **who, evidence=evidence, **await self.may_be_credited(evidence))
            case State.REFUND_REQUESTED, "approve":
                self.move(Kind.REFUND_DONE, **who, amount=step.amount, case_id=taken.outside_id)
            case State.REFUND_REQUESTED, _:
                self.move(Kind.REFUND_REFUSED, text=taken.explanation, actor=taken.by, explanation=taken.explanation)
            case State.REFUND_FAILED, _:
                self.move(Kind.RETRY_REFUND, **who)
            case _, "skip" | "adopt":
                await self._mark(taken, step)
            case _:
                await self._again(taken.by, step)

    async def _mark(self, taken: DecisionTaken, step: PaymentStep) -> None:
        """Left out, or taken over: a person says in writing why nothing is to be posted by us.

        The answer to an item names no role: until the settings know people's roles it counts as a supervisor's, and the
        item as what is overruled.
        """
        evidence = await self.look(step)
        who = {"actor": taken.by, "role": Role.SUPERVISOR, "explanation": taken.explanation}
        override = f"{taken.decision} in answer to {taken.item_id} ({self._fault().words})"
        self.move(Kind.SYNC_MANUALLY, **who, override=override, evidence=evidence)
        if taken.decision == "adopt":
            # What hangs on the cobro is finished on the record that the person named.
            await self.step(self._post, step, about=self._about, amount=step.amount, decisions=FORWARD)
        else:
            self.notes.append(f"{self._post.name} left out: {taken.explanation}")

    async def _again(self, by: str, step: PaymentStep) -> None:
        """`sync_now`, after a look with the patience that a machine has."""
        try:
            evidence = await self.probe(step)
        except ActivityError as error:
            self.fault = Fault.of(error)
            return
        if evidence.ours:
            self.move(Kind.PROBED, evidence=evidence)
            return
        if evidence.verdict in ITEMS:
            self.fault = Fault(kind="Verdict", code=ITEMS[evidence.verdict], words=evidence.words)
        told = await self.may_write()
        self.move(Kind.SYNC_NOW, actor=by, role=Role.OPERATOR, evidence=evidence, **told)
