"""What every child lifecycle of a booking shares: its steps' inputs, its report to the mailbox, its end."""

from __future__ import annotations

from typing import ClassVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import OFFICE_CLOSE_LIFECYCLE, OFFICE_MONEY_AT_STAKE
    from domain.moves import LifecycleKind
    from domain.steps import BookingQuestion, BookingStep, CancellationStep, LifecycleOutcome
    from workflows.messages import LifecycleInput, LifecycleResult, Outcome, ParkedReport
    from workflows.stepping import Fault, Stepping, perform


class BookingLifecycle(Stepping):
    """A saga on behalf of one event of one booking."""

    kind: ClassVar[LifecycleKind]

    def __init__(self, given: LifecycleInput) -> None:
        super().__init__()
        self.given = given
        self.in_erp = False
        self._reported = False

    async def on_parked(self) -> None:
        """Tell the mailbox, once, that this lifecycle waits for a person and money may pass."""
        if not self._reported:
            self._reported = True
            await self._report(None)

    async def conclude(self, outcome: Outcome) -> LifecycleResult:
        """End with an outcome; what is not simply done goes on record."""
        if outcome == "done" and self.notes:
            outcome = "partial"
        result = LifecycleResult(outcome=outcome, notes=tuple(self.notes))
        if outcome != "done":
            await perform(
                OFFICE_CLOSE_LIFECYCLE,
                LifecycleOutcome(
                    agency=self.given.notice.agency,
                    workflow_id=workflow.info().workflow_id,
                    kind=self.kind,
                    booking_id=self.given.booking_id,
                    experience_id=self.given.experience_id,
                    payment_id=self.given.notice.payment_id,
                    outcome=outcome,
                    notes=result.notes,
                ),
            )
        if self._reported:
            await self._report(result)
        return result

    async def _report(self, result: LifecycleResult | None) -> None:
        report = ParkedReport(
            workflow_id=workflow.info().workflow_id, kind=self.kind, result=result, registered=self.in_erp
        )
        await workflow.get_external_workflow_handle(self.given.mailbox).signal("lifecycle_parked", report)

    async def nothing_paid(self, fault: Fault) -> bool:
        """Whether a refusal may be answered by compensation: no money was captured for this booking (money-rules P1)."""
        question = BookingQuestion(agency=self.given.notice.agency, booking_id=self.given.booking_id)
        stake = await perform(OFFICE_MONEY_AT_STAKE, question)
        return fault.kind in ("Refused", "UnsupportedProduct") and stake.captured is None

    def booking_step(self) -> BookingStep:
        notice = self.given.notice
        return BookingStep(
            agency=notice.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
            experience_id=self.given.experience_id,
            event_id=notice.event_id,
            revision=notice.revision,
        )

    def cancellation_step(self) -> CancellationStep:
        notice = self.given.notice
        cancellation_id = notice.cancellation_id or notice.fact_id
        return CancellationStep(**self.booking_step().model_dump(), cancellation_id=cancellation_id)

    def note(self, name: str, done: object) -> None:
        """Keep what a cell left out."""
        outcome, note = getattr(done, "outcome", "done"), getattr(done, "note", "")
        if outcome == "partial":
            self.notes.append(f"{name}: {note}")
