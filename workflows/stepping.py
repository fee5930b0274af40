"""How a lifecycle takes a step, stops for a person, and goes back (DESIGN section 4; contracts: money-rules 4.1)."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b32encode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from activities.signatures import MIDOFFICE_READ_ANSWERS, OFFICE_PARK, OFFICE_UNPARK, Verb
    from domain.money import Money
    from domain.steps import AnswersStep, Decision, DecisionTaken, Parked, Parking, Step, Unparking
    from workflows import searching
    from workflows.acknowledging import OVERDUE, Acknowledgement

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)

FOREVER = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=5),
)
"""Transient faults are retried for ever with capped patience (money-rules P5); final ones say so themselves."""

ALL_DECISIONS: tuple[Decision, ...] = ("retry", "skip", "adopt", "abandon")
FORWARD: tuple[Decision, ...] = ("retry", "skip", "adopt")
"""Past a pivot there is no way back (money-rules P1)."""
MUST_EXPLAIN = frozenset(
    {"skip", "adopt", "abandon", "approve", "decline", "take_ours", "keep_theirs", "claim", "write_off"}
)
Otherwise = tuple[Decision, str] | Callable[[], tuple[Decision, str, str]]
"""What became of an item that needs no answer any more: decision, words and, where a person did it, that person."""
GONE: tuple[Decision, str] = ("retry", "the cause is gone")
QUESTIONS: dict[str, tuple[Decision, ...]] = {
    "giav_changed_there": ("take_ours", "keep_theirs", "retry"),
    "payer_replaced": ("approve", "decline"),
    "invoice_data_wrong": ("approve", "decline"),
    "simplified_exchange": ("approve", "decline"),
    "late_change": ("approve", "decline"),
    "credit_differs": ("approve", "decline"),
}
"""Reasons that are questions of a cell: it is asked again with the answer and carries it out, whichever it is."""


class Abandoned(Exception):
    """A person gave the lifecycle up; what stands is taken back."""


class Undoable(Exception):
    """A step was refused and nothing irreversible happened yet: compensate instead of asking (money-rules F-C4)."""


async def perform(verb: Verb[In, Out], step: In, *, about: str = "", policy: RetryPolicy = FOREVER) -> Out:
    """Run one cell of the verbs × systems table until it succeeds, is refused for good, or `policy` has no more patience
    (then `ActivityError`)."""
    done: Out = await workflow.execute_activity(
        verb.name,
        step,
        result_type=verb.gives,
        task_queue=verb.queue,
        start_to_close_timeout=verb.limit,
        heartbeat_timeout=verb.silence,
        retry_policy=policy,
        summary=about or None,
    )
    return done


class Fault(BaseModel):
    """What a cell's failure said, unwrapped."""

    kind: str
    words: str
    effect: str = ""
    code: str = ""

    @classmethod
    def of(cls, error: ActivityError) -> Fault:
        cause = error.cause
        if not isinstance(cause, ApplicationError):
            return cls(kind=type(cause).__name__, words=str(cause) or str(error))
        details = cause.details[0] if cause.details else None
        said = details if isinstance(details, dict) else {}
        return cls(
            kind=cause.type or "ApplicationError",
            words=cause.message,
            effect=str(said.get("effect", "")),
            code=str(said.get("code", "")),
        )


class Stepping:
    """Steps that park: mixed into every lifecycle. The decision arrives as an Update and resumes exactly there."""

    def __init__(self) -> None:
        self._open: dict[str, Parking] = {}
        self._answers: dict[str, DecisionTaken] = {}
        self._items = 0
        self.notes: list[str] = []

    # -- what a person sees and says -------------------------------------------------------------------------------

    @workflow.update(description="A person's answer to a parked item")
    def decide(self, taken: DecisionTaken) -> str:
        """Accept a decision; the lifecycle goes on in its own task."""
        self._answers[taken.item_id] = taken
        return f"{taken.item_id}: {taken.decision}"

    @decide.validator
    def refuse_decision(self, taken: DecisionTaken) -> None:
        item = self._open.get(taken.item_id)
        if item is None:
            raise ApplicationError(f"{taken.item_id} is not open here", type="NotParked", non_retryable=True)
        if taken.item_id in self._answers:
            raise ApplicationError(f"{taken.item_id} is already decided", type="AlreadyDecided", non_retryable=True)
        if taken.decision not in item.decisions:
            allowed = ", ".join(item.decisions)
            raise ApplicationError(f"{taken.decision} is not allowed here; choose {allowed}", type="NotAllowed")
        if taken.by.strip() in ("", "system"):
            raise ApplicationError("say who decides", type="NotAllowed")
        if taken.decision in MUST_EXPLAIN and len(taken.explanation.strip()) < 10:
            raise ApplicationError("explain the decision in at least 10 characters", type="NotAllowed")
        if taken.decision == "adopt" and not taken.outside_id:
            raise ApplicationError("name the outside id to adopt", type="NotAllowed")

    @workflow.query(description="Items that wait for a person")
    def parked(self) -> list[Parking]:
        return list(self._open.values())

    async def on_parked(self) -> None:
        """Called when the lifecycle stops for a person; a child tells its mailbox."""

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def step(
        self,
        verb: Verb[In, Out],
        given: In,
        *,
        about: str = "",
        amount: Money | None = None,
        decisions: tuple[Decision, ...] = ALL_DECISIONS,
        undo_instead: Callable[[Fault], Awaitable[bool]] | None = None,
        deadline: datetime | None = None,
    ) -> Out | None:
        """Perform a cell; on a final refusal park, and do what the person says. None when it was left out.

        `undo_instead` is asked first: true means that compensating needs no person (`Undoable`).
        """
        assert isinstance(given, Step)
        while True:
            silent: Acknowledgement | None = None
            try:
                done = await perform(verb, given, about=about)
                awaiting = getattr(done, "awaiting", ())
                if not awaiting:
                    return done
                # What is dropped now is answered later; asked again then, the cell goes on from there.
                silent = self._acknowledgement(given, awaiting)
                if await silent.comes():
                    continue
                fault = _unanswered(awaiting)
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                silent, fault = None, Fault.of(error)
            if undo_instead is not None and await undo_instead(fault):
                raise Undoable(f"{verb.name}: {fault.words}")
            taken = await self.park(
                verb.name,
                given,
                fault,
                amount=amount,
                decisions=decisions,
                deadline=deadline,
                solved=silent.goes_on() if silent is not None else lambda: False,
            )
            if silent is not None:
                silent.ends()
            match taken.decision:
                case "skip":
                    self.notes.append(f"{verb.name} left out: {taken.explanation}")
                    return None
                case "abandon":
                    raise Abandoned(taken.explanation)
                case _:
                    continue

    def _acknowledgement(self, given: Step, awaiting: tuple[str, ...]) -> Acknowledgement:
        question = AnswersStep(
            agency=given.agency,
            lifecycle=given.lifecycle,
            booking_id=getattr(given, "booking_id", ""),
            effects=awaiting,
        )

        async def ask(chase: bool) -> tuple[str, ...]:
            step = question.model_copy(update={"chase": chase})
            return (await perform(MIDOFFICE_READ_ANSWERS, step, about="ask what they hold" if chase else "")).awaiting

        return Acknowledgement(ask, self.on_parked)

    async def park(
        self,
        verb: str,
        given: Step,
        fault: Fault,
        *,
        amount: Money | None = None,
        decisions: tuple[Decision, ...] = ALL_DECISIONS,
        solved: Callable[[], bool] = lambda: False,
        otherwise: Otherwise = GONE,
        deadline: datetime | None = None,
    ) -> DecisionTaken:
        """Stop with reason, owner and deadline until a person answers, or until `solved` says that the cause is gone.

        `otherwise` tells what is done then, why and by whom. A `deadline` that somebody else sets counts before the desk's own hours.
        """
        self._items += 1
        info = workflow.info()
        reason = reason_of(verb, fault)
        item = Parking(
            agency=given.agency,
            lifecycle=given.lifecycle,
            item_id=_item_id(f"{info.workflow_id}|{info.first_execution_run_id}|{verb}|{self._items}"),
            workflow_id=info.workflow_id,
            booking_id=getattr(given, "booking_id", None),
            experience_id=getattr(given, "experience_id", None),
            payment_id=getattr(given, "payment_id", None),
            verb=verb,
            reason=reason,
            detail=fault.words,
            fault=fault.kind,
            effect=fault.effect,
            amount=amount,
            decisions=QUESTIONS.get(reason, decisions),
            since=workflow.now(),
            deadline=deadline,
        )
        self._open[item.item_id] = item
        stored = await perform(OFFICE_PARK, item, about=f"park {item.reason}")
        self._show(item, stored)
        await self.on_parked()
        await workflow.wait_condition(lambda: item.item_id in self._answers or solved())
        taken = self._answers.pop(item.item_id, None)
        if taken is None:
            decision, words, by = otherwise() if callable(otherwise) else (*otherwise, "system")
            by = by if decision in item.decisions else "system"
            taken = DecisionTaken(item_id=item.item_id, decision=decision, by=by, explanation=words)
        await perform(
            OFFICE_UNPARK,
            Unparking(
                agency=given.agency,
                lifecycle=given.lifecycle,
                workflow_id=item.workflow_id,
                verb=verb,
                effect=item.effect,
                taken=taken,
            ),
            about=f"{taken.decision} by {'system' if taken.by == 'system' else 'a person'}",
        )
        del self._open[item.item_id]
        self._hide()
        return taken

    def _show(self, item: Parking, stored: Parked) -> None:
        workflow.upsert_search_attributes(
            [searching.PARK_REASON.value_set(item.reason), searching.PARKED_SINCE.value_set(item.since)]
        )
        answers = ", ".join(item.decisions)
        workflow.set_current_details(
            f"**Parked: {item.reason}** at `{item.verb}`\n\n{item.detail}\n\n"
            f"- item `{item.item_id}`\n- owner {stored.owner}\n- until {stored.deadline:%Y-%m-%d %H:%M} UTC\n"
            f"- answer with `bookings park decide {item.item_id}`: {answers}"
            + (f", or [in the console]({stored.page})" if stored.page else "")
        )

    def _hide(self) -> None:
        if not self._open:
            workflow.upsert_search_attributes(
                [searching.PARK_REASON.value_unset(), searching.PARKED_SINCE.value_unset()]
            )
            workflow.set_current_details("")


OWN_REASONS = frozenset(
    {
        "booking_undone",
        "unknown_booking",
        "unknown_payment",
        "refund_failed",
        "instalment_declined",
        "instalment_late",
        "payment_overdue",
        "plan_differs",
        "message_unsent",
        "fiscal_data_missing",
        "penalty_undecided",
        "chargeback_opened",
        "chargeback_lost",
        "debit_returned",
        "refund_disputed",
        "refund_while_disputed",
        "refund_undeclared",
        "refund_differs",
        "refund_unconfirmed",
        "voucher_unaccepted",
        "refund_due",
        "refund_pending",
        "refund_breach",
        "overpaid",
        "supplier_cancellation",
        "supplier_charge",
        "supplier_cost",
        "supplier_fee",
        "supplier_order_alive",
        "supplier_order_failed",
        "supplier_order_gone",
        "deal_changed_after_payment",
        "deal_not_shown",
        "deal_paid_cancelled",
        "deal_paid_late",
        "deal_paid_over",
        "deal_paid_partly",
        "deal_paid_twice",
        "erp_unreachable",
        "erp_unclear",
        "erp_contract",
        "erp_contract_changed",
        "erp_unauthorised",
        "payment_reversed",
        "payment_duplicate",
        "payment_in_erp",
        "payment_inconclusive",
        "payment_mismatch",
        "payment_paid_otherwise",
        "payment_partly_open",
        "payment_refund",
        "payment_remainder",
        "payment_unanswered",
        "payment_refund_failed",
        "payment_without_target",
        "tamara_answer_unclear",
        "tamara_file_refused",
        "tamara_lines_refused",
        "tamara_rejected",
        "tamara_unanswered",
        *QUESTIONS,
    }
)
"""Reasons with a desk of their own (`domain.desk`), given by a lifecycle or as the code of an error."""


def _unanswered(awaiting: tuple[str, ...]) -> Fault:
    """They took it into their queue and said nothing."""
    hours = int(OVERDUE.total_seconds() // 3600)
    words = f"not acknowledged within {hours} hours: {', '.join(awaiting)}; ask them, then adopt its number or send it again"
    return Fault(kind="unacknowledged", words=words, effect=awaiting[0])


def reason_of(verb: str, fault: Fault) -> str:
    """The reason of a parked item: one that a desk answers for (`fiscal_data_missing`), else by system and kind of fault
    (`giav_refused`, `tamara_unauthorised`)."""
    for own in (fault.code, fault.kind):
        if own in OWN_REASONS:
            return own
    system = verb.partition(".")[0]
    kinds = {
        "Refused": "refused",
        "UnsupportedProduct": "unsupported",
        "ContractBroken": "contract",
        "Unauthorised": "unauthorised",
        "NeedsPerson": "needs_person",
        "unacknowledged": "unacknowledged",
        "Transient": "unreachable",
        "UnknownOutcome": "unclear",
        "Breakdown": "unclear",
        "TimeoutError": "unclear",
    }
    return f"{system}_{kinds.get(fault.kind, 'defect')}"


def _item_id(seed: str) -> str:
    return "PK-" + b32encode(hashlib.sha256(seed.encode()).digest()).decode()[:10]


class Saga:
    """The way back: compensations are registered before their step and run last in, first out."""

    def __init__(self) -> None:
        self._ways_back: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    def before(self, name: str, undo: Callable[[], Awaitable[object]]) -> None:
        """Register the compensation of the step that follows: a timeout leaves open whether the step happened."""
        self._ways_back.append((name, undo))

    async def unwind(self) -> list[str]:
        """Run every compensation, shielded from cancellation; returns the names of those that were left standing."""
        task = asyncio.create_task(self._unwind())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await task
            raise

    async def _unwind(self) -> list[str]:
        standing: list[str] = []
        while self._ways_back:
            name, undo = self._ways_back.pop()
            if await undo() is None:
                standing.append(name)
        return standing
