"""The Temporal Schedule of a payment plan: one calendar entry for every open due date (contracts: money-rules 1.7, F-P*)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.failures import implements, implements_async
from activities.signatures import OFFICE_ARRANGE_PLAN, OFFICE_DUE_INSTALMENTS, OFFICE_FREEZE_PLAN, OFFICE_THAW_PLAN
from domain import naming
from domain.allocation import open_amounts
from domain.errors import Transient
from domain.platform import Payment, PaymentPlan, Refund
from domain.steps import BookingQuestion, Done, DueInstalment, PlanArrangement, PlanStep
from store import Store

COLLECTING_HOUR = 9
"""Local hour at which a due day starts to collect."""


def open_instalments(
    plan: PaymentPlan, payments: Sequence[Payment], refunds: Sequence[Refund]
) -> tuple[DueInstalment, ...]:
    """The instalments that still want money, with what is left of each after what was paid (money-rules F-P16)."""
    wanted = open_amounts(plan, payments, refunds)
    return tuple(
        DueInstalment(instalment_id=item.id, due_on=item.due_on, amount=wanted[item.id])
        for item in sorted(plan.installments, key=lambda item: item.seq)
        if item.id in wanted
    )


class PlanActivities:
    """Owns the Schedules; `zones` gives each agency's time zone, `today` its local date."""

    def __init__(
        self,
        store: Store,
        client: Client,
        zones: dict[str, str],
        now: Callable[[ZoneInfo], datetime] = datetime.now,
    ) -> None:
        self._store = store
        self._client = client
        self._zones = zones
        self._now = now

    def _today(self, agency: str) -> date:
        return self._now(ZoneInfo(self._zones[agency])).date()

    def _open(self, agency: str, booking_id: str) -> tuple[PaymentPlan, tuple[DueInstalment, ...]]:
        plan = self._store.facts.plan(agency, booking_id)
        if plan is None:
            raise Transient(f"the plan of {booking_id} is not stored yet", system="office", retry_after=1.0)
        booking = self._store.facts.booking(agency, booking_id)
        if booking is not None and booking.status == "cancelled":
            return plan, ()
        facts = self._store.facts
        payments, refunds = facts.payments_of(agency, booking_id), facts.refunds_of(agency, booking_id)
        return plan, open_instalments(plan, payments, refunds)

    @implements(OFFICE_DUE_INSTALMENTS)
    def due_instalments(self, step: PlanStep) -> PlanArrangement:
        """What is due by today, oldest first."""
        plan, due = self._open(step.agency, step.booking_id)
        today = self._today(step.agency)
        return PlanArrangement(collection=plan.collection, due=tuple(item for item in due if item.due_on <= today))

    @implements_async(OFFICE_ARRANGE_PLAN)
    async def arrange(self, step: PlanStep) -> PlanArrangement:
        """Bring the Schedule in line with the newest revision; days that have already come are collected at once."""
        plan, due = await asyncio.to_thread(self._open, step.agency, step.booking_id)
        name = naming.plan_schedule(step.agency, step.plan_id)
        today = self._today(step.agency)
        coming = sorted({item.due_on for item in due if item.due_on > today})
        await (self._schedule(name, step, coming) if due else self._delete(name))
        if step.start_due and any(item.due_on <= today for item in due):
            await self._client.get_schedule_handle(name).trigger()
        return PlanArrangement(collection=plan.collection, due=due)

    @implements_async(OFFICE_FREEZE_PLAN)
    async def freeze(self, question: BookingQuestion) -> Done:
        """Stop charging a booking that is cancelled or disputed; the charge itself reads the facts again as well (F-P13)."""
        plan = await asyncio.to_thread(self._store.facts.plan, question.agency, question.booking_id)
        if plan is None:
            return Done(outcome="skipped", note="no plan")
        handle = self._client.get_schedule_handle(naming.plan_schedule(question.agency, plan.id))
        try:
            await handle.pause(note="the booking is cancelled or disputed")
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise Transient(f"Temporal: {error.status.name}", system="office") from None
            return Done(outcome="skipped", note="no schedule")
        return Done()

    @implements_async(OFFICE_THAW_PLAN)
    async def thaw(self, question: BookingQuestion) -> Done:
        """Go on charging after a dispute; what fell due meanwhile is collected now. A cancelled booking stays frozen."""
        if await asyncio.to_thread(self._store.facts.plan, question.agency, question.booking_id) is None:
            return Done(outcome="skipped", note="no plan")
        plan, due = await asyncio.to_thread(self._open, question.agency, question.booking_id)
        if not due:
            return Done(outcome="skipped", note="nothing is due any more")
        handle = self._client.get_schedule_handle(naming.plan_schedule(question.agency, plan.id))
        try:
            await handle.unpause(note="the dispute is over")
            if any(item.due_on <= self._today(question.agency) for item in due):
                await handle.trigger()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise Transient(f"Temporal: {error.status.name}", system="office") from None
            return Done(outcome="skipped", note="no schedule")
        return Done()

    async def _schedule(self, name: str, step: PlanStep, days: list[date]) -> None:
        wanted = Schedule(
            action=ScheduleActionStartWorkflow(
                "CollectInstalment",
                step,
                id=naming.collection_workflow(step.agency, step.plan_id),
                task_queue=naming.Queue.WORKFLOWS,
                static_summary=f"collect plan {step.plan_id}",
            ),
            spec=ScheduleSpec(
                calendars=[_on(day) for day in days],
                time_zone_name=self._zones[step.agency],
            ),
            # The effects keep two collections of one instalment apart, so none needs to wait for a dunning one.
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
            state=ScheduleState(note=f"plan of {step.booking_id}, revision {step.revision}"),
        )
        try:
            await self._client.create_schedule(name, wanted)
        except ScheduleAlreadyRunningError:
            await self._client.get_schedule_handle(name).update(lambda _: ScheduleUpdate(schedule=wanted))

    async def _delete(self, name: str) -> None:
        try:
            await self._client.get_schedule_handle(name).delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise Transient(f"Temporal: {error.status.name}", system="office") from None


def _on(day: date) -> ScheduleCalendarSpec:
    return ScheduleCalendarSpec(
        year=[ScheduleRange(day.year)],
        month=[ScheduleRange(day.month)],
        day_of_month=[ScheduleRange(day.day)],
        hour=[ScheduleRange(COLLECTING_HOUR)],
    )
