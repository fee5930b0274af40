"""The Temporal Schedule of a payment plan: one calendar entry for every open due date (contracts: money-rules 1.7, F-P*)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
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
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.failures import implements, implements_async
from activities.signatures import (
    OFFICE_ARRANGE_PLAN,
    OFFICE_DUE_INSTALMENTS,
    OFFICE_FREEZE_PLAN,
    OFFICE_ORDER_PLAN,
    OFFICE_THAW_PLAN,
)
from domain import naming
from domain.allocation import open_amounts
from domain.collecting import PlanRules, begins_on, meets_the_next, taken_back
from domain.duplicates import NONE, Duplicates
from domain.effects import EffectState
from domain.errors import Transient
from domain.plan_orders import PlanOrder
from domain.plan_steps import PlanOrderStep
from domain.platform import Payment, PaymentPlan, Refund
from domain.steps import BookingQuestion, Done, DueInstalment, PlanArrangement, PlanStep
from store import Store

COLLECTING_HOUR = 9
"""Local hour at which a due day starts to collect."""
CATCH_UP = timedelta(days=365)
NO_RULES = PlanRules()


def open_instalments(
    plan: PaymentPlan,
    payments: Sequence[Payment],
    refunds: Sequence[Refund],
    returned: frozenset[str] = frozenset(),
    duplicates: Duplicates = NONE,
) -> tuple[DueInstalment, ...]:
    """The instalments that still want money, with what is left of each after what was paid (money-rules F-P16)."""
    wanted = open_amounts(plan, payments, refunds, returned, duplicates)
    return tuple(
        DueInstalment(instalment_id=item.id, due_on=item.due_on, amount=wanted[item.id])
        for item in sorted(plan.installments, key=lambda item: item.seq)
        if item.id in wanted
    )


class PlanActivities:
    """Owns the Schedules; `zones` gives each agency's time zone, `now` its local time."""

    def __init__(
        self,
        store: Store,
        client: Client,
        zones: Mapping[str, str],
        now: Callable[[ZoneInfo], datetime] = datetime.now,
        rules: Mapping[str, PlanRules] | None = None,
    ) -> None:
        self._store = store
        self._client = client
        self._zones = zones
        self._now = now
        self._rules = rules or {}

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
        returned = taken_back(facts.chargebacks_of(agency, booking_id))
        duplicates = self._store.payment_sync.duplicates_of(agency, booking_id)
        return plan, open_instalments(plan, payments, refunds, returned, duplicates)

    def _begins(self, agency: str, plan: PaymentPlan, due_on: date) -> date:
        return begins_on(plan, due_on, self._rules.get(agency, NO_RULES))

    @implements(OFFICE_DUE_INSTALMENTS)
    def due_instalments(self, step: PlanStep) -> PlanArrangement:
        """What is to be collected by today, oldest first; what people hold back is left out."""
        plan, due = self._open(step.agency, step.booking_id)
        today, stands = self._today(step.agency), self._store.plan_orders.standing(step.agency, plan)
        free = [item for item in self._known(step.agency, plan, due) if stands.holds(item.instalment_id) is None]
        agreed_on = plan.mandate.signed_at.date() if plan.mandate else today
        late = [
            item.instalment_id
            for item in free
            if plan.collection == "automatic"
            and meets_the_next(item.due_on, agreed_on, today, (other.due_on for other in free))
        ]
        return PlanArrangement(
            collection=plan.collection,
            due=tuple(
                item.model_copy(update={"ask_first": item.instalment_id in late})
                for item in free
                if self._begins(step.agency, plan, item.due_on) <= today
            ),
        )

    def _known(self, agency: str, plan: PaymentPlan, due: Sequence[DueInstalment]) -> list[DueInstalment]:
        """With which attempt comes next, and how long the agency is patient."""
        tried, rules = self._tried(agency, plan), self._rules.get(agency, NO_RULES)
        return [
            item.model_copy(
                update={"next_attempt": tried.get(item.instalment_id, 0) + 1, "grace_days": rules.grace_days}
            )
            for item in due
        ]

    def _tried(self, agency: str, plan: PaymentPlan) -> dict[str, int]:
        """The last attempt at each instalment; an attempt without an answer is gone on with, not followed by another (F-P4)."""
        sequences = {str(item.seq): item.id for item in plan.installments}
        tried: dict[str, int] = {}
        for record in self._store.effects.of_booking(agency, plan.booking_id, "platform"):
            of_plan, _, rest = record.key.business_id.rpartition("-")
            of_plan, _, seq = of_plan.rpartition("-")
            if record.key.entity == "charge" and of_plan == plan.id and seq in sequences and rest.isdecimal():
                settled = record.state is EffectState.DONE
                own = sequences[seq]
                tried[own] = max(tried.get(own, 0), int(rest) if settled else int(rest) - 1)
        return tried

    @implements_async(OFFICE_ARRANGE_PLAN)
    async def arrange(self, step: PlanStep) -> PlanArrangement:
        """Bring the Schedule in line with the newest revision; days that have already come are collected at once.

        A Schedule that holds the days that are still to come already is left alone: after a collected instalment that is so.
        """
        plan, due = await asyncio.to_thread(self._open, step.agency, step.booking_id)
        stands = await asyncio.to_thread(self._store.plan_orders.standing, step.agency, plan)
        name = naming.plan_schedule(step.agency, step.plan_id)
        today = self._today(step.agency)
        free = [item for item in due if item.instalment_id not in stands.held]
        days = {self._begins(step.agency, plan, item.due_on) for item in free}
        # A debit that was announced is looked at again on its own day, whatever became of the announcement.
        coming = sorted(day for day in days | {item.due_on for item in free} if day > today)
        if not due:
            await self._delete(name)
        elif step.shown is None or coming != [day for day in step.shown if day > today]:
            await self._schedule(name, step, coming, stands.paused)
        if step.start_due and stands.paused is None and any(day <= today for day in days):
            await self._client.get_schedule_handle(name).trigger()
        return PlanArrangement(
            collection=plan.collection,
            due=due,
            paused=stands.paused.why if stands.paused else None,
            held={own: order.why for own, order in stands.held.items()},
            days=tuple(coming),
        )

    @implements_async(OFFICE_ORDER_PLAN)
    async def order(self, step: PlanOrderStep) -> PlanArrangement:
        """Write an order down; a pause and its end are shown at the Schedule too, with who and why."""
        plan, due = await asyncio.to_thread(self._open, step.agency, step.booking_id)
        order = PlanOrder(
            order=step.order,
            by=step.by,
            why=step.why,
            instalment_id=step.instalment_id,
            amount=step.amount,
            at=datetime.now(UTC),
        )
        await asyncio.to_thread(
            self._store.plan_orders.give, step.agency, step.plan_id, step.order_id, step.booking_id, order
        )
        if step.instalment_id is None and step.order in ("pause", "resume"):
            await self._switch(step, on=step.order == "resume")
        known = await asyncio.to_thread(self._known, step.agency, plan, due)
        return PlanArrangement(collection=plan.collection, due=tuple(known))

    async def _switch(self, step: PlanOrderStep, *, on: bool) -> None:
        handle = self._client.get_schedule_handle(naming.plan_schedule(step.agency, step.plan_id))
        note = f"{step.by}: {step.why}"
        try:
            await (handle.unpause(note=note) if on else handle.pause(note=note))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise Transient(f"Temporal: {error.status.name}", system="office") from None

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
        """Go on charging after a dispute; what fell due meanwhile is collected now. A cancelled booking stays frozen, and so
        does a plan that a person paused."""
        if await asyncio.to_thread(self._store.facts.plan, question.agency, question.booking_id) is None:
            return Done(outcome="skipped", note="no plan")
        plan, due = await asyncio.to_thread(self._open, question.agency, question.booking_id)
        if not due:
            return Done(outcome="skipped", note="nothing is due any more")
        stands = await asyncio.to_thread(self._store.plan_orders.standing, question.agency, plan)
        if stands.paused is not None:
            return Done(outcome="skipped", note=f"paused by {stands.paused.by}")
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

    async def _schedule(self, name: str, step: PlanStep, days: list[date], paused: PlanOrder | None) -> None:
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
            # One pursuit of an instalment runs at a time, so no due day needs to wait for a dunning one. A day that was
            # missed is caught up with however late; what is too late to be charged unasked is decided then (F-P7).
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL, catchup_window=CATCH_UP),
            state=ScheduleState(
                note=f"{paused.by}: {paused.why}" if paused else f"plan of {step.booking_id}, revision {step.revision}",
                paused=paused is not None,
            ),
        )

        def renewed(known: ScheduleUpdateInput) -> ScheduleUpdate:
            """What a person or a dispute paused, here or in Temporal UI, stays paused when the dates change."""
            state = known.description.schedule.state
            return ScheduleUpdate(schedule=replace(wanted, state=state) if state.paused else wanted)

        try:
            await self._client.create_schedule(name, wanted)
        except ScheduleAlreadyRunningError:
            await self._client.get_schedule_handle(name).update(renewed)

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
