"""Booking: the mailbox of one booking (notes of design: receipt and queue; contracts: platform-events 4, 6).

Deliveries only enqueue. `run` alone executes, one lifecycle at a time as a child; what was seen is carried through
continue-as-new; a parked child tells us so and lets captured money pass.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from activities.signatures import PLATFORM_READ_BOOKING
    from domain import naming
    from domain.mailbox import OVER_AFTER, BookingState
    from domain.moves import Ask, Chase, Drop, Run, Wait
    from domain.notices import EventNotice
    from domain.steps import BookingStep
    from workflows import searching
    from workflows.cancel_booking import CancelBooking
    from workflows.create_booking import CreateBooking
    from workflows.follow_dispute import FollowDispute
    from workflows.follow_supplier import FollowSupplier
    from workflows.messages import Known, LifecycleInput, LifecycleResult, ParkedReport
    from workflows.modify_booking import ModifyBooking
    from workflows.record_payment import RecordPayment
    from workflows.refund_booking import RefundBooking
    from workflows.renewing import Renewable, must_renew, renew
    from workflows.stepping import perform

CHILDREN = {
    "create": CreateBooking,
    "modify": ModifyBooking,
    "cancel": CancelBooking,
    "refund": RefundBooking,
    "payment": RecordPayment,
    "dispute": FollowDispute,
    "supplier": FollowSupplier,
}


@workflow.defn
class Booking(Renewable):
    """Lives from the first event to the day when no money of the booking can move any more."""

    @workflow.init
    def __init__(self, state: BookingState) -> None:
        self._state = state
        self._reports: dict[str, ParkedReport] = {}
        self._has_news = False

    @workflow.signal(description="A fact from the platform, by its notice")
    def deliver(self, notice: EventNotice) -> None:
        """Enqueue once; everything else happens in `run`."""
        self._state.deliver(notice, workflow.now())

    @workflow.signal(description="A lifecycle stopped for a person, or went on to its end")
    def lifecycle_parked(self, report: ParkedReport) -> None:
        if report.workflow_id == self._state.owing.chaser:
            if report.result is not None:
                self._state.chased(report.result.outcome)
        elif report.result is None:
            self._reports[report.workflow_id] = report
        else:
            self._settle(report, report.result)

    @workflow.query(description="State of the mailbox: keys and money only")
    def view(self) -> BookingState:
        return self._state

    @workflow.run
    async def run(self, state: BookingState) -> BookingState:
        while not self._state.is_over(workflow.now()):
            if self._has_news:
                await self._tell_parked()
            if must_renew():
                await renew(self._state)
            match self._state.next_move(workflow.now()):
                case Run() as move:
                    await self._run(move)
                case Drop(notice, why):
                    self._state.drop(notice, why)
                case Ask(notice):
                    await self._ask(notice)
                case Chase() as move:
                    await self._chase(move)
                case Wait(until):
                    await self._wait(until or self._state.over_at() or workflow.now() + OVER_AFTER)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    async def _wait(self, until: datetime) -> None:
        """Wait for a delivery, for a report, or for the time given."""
        before = self._pulse()
        try:
            await workflow.wait_condition(
                lambda: self._pulse() != before or must_renew(),
                timeout=max(timedelta(seconds=1), until - workflow.now()),
                timeout_summary="waits for the next event",
            )
        except TimeoutError:
            return

    def _pulse(self) -> tuple[int, int, int, bool]:
        """Changes with every delivery and every report."""
        return len(self._state.queue), len(self._state.parked), len(self._state.done), self._has_news

    async def _run(self, move: Run) -> None:
        """One lifecycle as a child, until it ends or stops for a person."""
        given = self._given(move.notice).model_copy(
            update={
                "known_booking": self._state.registered,
                "known_payment": move.kind not in ("refund", "dispute")
                or (move.notice.payment_id or "") in self._state.payments,
            }
        )
        child_id = self._child_id(move)
        self._state.start(move, child_id)
        self._details(f"{move.kind}: {move.notice.fact_id}")
        self._reports.pop(child_id, None)
        child = asyncio.create_task(self._child(move, child_id, given))
        await workflow.wait_condition(lambda: child.done() or child_id in self._reports)
        outcome = child.result().outcome if child.done() else "parked"
        in_erp = outcome == "parked" and self._reports[child_id].registered
        self._state.finish(move, outcome=outcome, now=workflow.now(), registered=in_erp)
        self._has_news = True
        if move.kind == "payment" and move.notice.plan_id:
            await self._tell_plan()
        self._details("")

    def _given(self, notice: EventNotice) -> LifecycleInput:
        return LifecycleInput(
            notice=notice,
            mailbox=workflow.info().workflow_id,
            booking_id=self._state.booking_id,
            experience_id=notice.experience_id or self._state.experience_id or "",
            known=self._known(notice),
        )

    def _known(self, about: EventNotice | None = None) -> Known:
        state, owing = self._state, self._state.owing
        told = about or owing.cause or owing.ended
        return Known(
            registered=state.registered,
            payments=tuple(state.payments),
            owed=state.owed,
            currency=told.amount.currency if told is not None and told.amount is not None else "EUR",
            cancelled=owing.cancelled,
            disputed=owing.disputed_payments,
            stages=owing.stages,
            declared=owing.unconfirmed,
        )

    async def _chase(self, move: Chase) -> None:
        """Start whoever asks for the money; it goes on by itself and is told of every change."""
        own, notice = naming.booking_workflow(self._state.agency, self._state.booking_id), move.notice
        if move.confirm:
            self._state.confirming(notice)
            name, child_id = "ConfirmRefund", f"{own}/confirm/{notice.fact_id}"
        else:
            since = self._state.owing.since or workflow.now()
            name, child_id = "ChaseRefund", f"{own}/chase/{since:%Y%m%dT%H%M%S}"
            self._state.chasing(child_id)
        await workflow.start_child_workflow(
            name,
            self._given(notice),
            id=child_id,
            parent_close_policy=ParentClosePolicy.ABANDON,
            search_attributes=searching.found_by("chase", notice.agency, booking=self._state.booking_id),
            static_summary=f"money that is owed: {notice.fact_id}",
        )

    async def _child(self, move: Run, child_id: str, given: LifecycleInput) -> LifecycleResult:
        notice = move.notice
        try:
            result: LifecycleResult = await workflow.execute_child_workflow(
                CHILDREN[move.kind].__name__,
                given,
                id=child_id,
                result_type=LifecycleResult,
                parent_close_policy=ParentClosePolicy.ABANDON,
                search_attributes=searching.found_by(
                    move.kind,
                    notice.agency,
                    booking=self._state.booking_id,
                    experience=given.experience_id,
                    amount=notice.amount.amount if notice.amount else None,
                    currency=notice.amount.currency if notice.amount else None,
                ),
                static_summary=f"{move.kind} {notice.fact_id}",
            )
        except ChildWorkflowError as error:
            # Terminated by an operator: the mailbox must outlive it, and the audit finds what is missing.
            workflow.logger.error("lifecycle %s ended abnormally: %s", child_id, type(error.cause).__name__)
            return LifecycleResult(outcome="abandoned", notes=("ended by an operator",))
        return result

    def _child_id(self, move: Run) -> str:
        if move.kind == "payment":
            return naming.payment_workflow(self._state.agency, move.notice.payment_id or move.notice.fact_id)
        own = naming.booking_workflow(self._state.agency, self._state.booking_id)
        match move.kind:
            case "create":
                return f"{own}/create"
            case "modify":
                return f"{own}/modify/{move.notice.revision}"
            case "cancel":
                return f"{own}/cancel/{move.notice.cancellation_id or move.notice.revision}"
            case "dispute":
                return f"{own}/dispute/{move.notice.fact_id}"
            case "supplier":
                return f"{own}/supplier/{move.notice.fact_id}"
            case _:
                return f"{own}/refund/{move.notice.fact_id}"

    async def _ask(self, notice: EventNotice) -> None:
        """Money came and its booking did not: read the platform, which feeds what it knows back to us as an event."""
        self._state.asked = True
        step = BookingStep(
            agency=self._state.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self._state.booking_id,
            experience_id=notice.experience_id or "",
            event_id=notice.event_id,
            revision=notice.revision,
        )
        try:
            await perform(PLATFORM_READ_BOOKING, step, about="ask the platform for the booking")
            # What it found arrives as a delivery; give that a moment before the money goes to suspense.
            await workflow.wait_condition(
                lambda: any(n.kind.startswith("booking.") for n in self._state.queue), timeout=timedelta(seconds=30)
            )
        except (ActivityError, TimeoutError):
            return

    def _settle(self, report: ParkedReport, result: LifecycleResult) -> None:
        self._reports.pop(report.workflow_id, None)
        if report.workflow_id in self._state.parked:
            self._state.settle(report.workflow_id, kind=report.kind, outcome=result.outcome, now=workflow.now())
            self._has_news = True

    async def _tell_parked(self) -> None:
        """Something was registered, recorded or decided: whoever is parked for want of it goes on."""
        self._has_news = False
        waiting = [parked for parked in self._state.parked if _may_wait_for_facts(parked)]
        if self._state.owing.chaser is not None:
            waiting.append(self._state.owing.chaser)
        for workflow_id in waiting:
            try:
                await workflow.get_external_workflow_handle(workflow_id).signal("look_again", self._known())
            except ApplicationError:
                # It has just ended; its report is on its way, or an operator ended it.
                workflow.logger.info("%s waits no more", workflow_id)

    async def _tell_plan(self) -> None:
        """An instalment was paid: its plan may be over."""
        plan = naming.plan_workflow(self._state.agency, self._state.booking_id)
        try:
            await workflow.get_external_workflow_handle(plan).signal("collected")
        except ApplicationError:
            workflow.logger.info("plan %s is already over", plan)

    def _details(self, now: str) -> None:
        state = self._state
        lines = [f"**{now or 'idle'}**", "", f"- registered: {state.registered}, revision {state.revision}"]
        lines.append(f"- captured {state.captured}, refunded {state.refunded} (minor units)")
        lines += [f"- parked: `{workflow_id}`" for workflow_id in state.parked]
        workflow.set_current_details("\n".join(lines))


def _may_wait_for_facts(workflow_id: str) -> bool:
    return workflow_id.startswith("payment/") or any(
        kind in workflow_id for kind in ("/refund/", "/dispute/", "/supplier/")
    )
