"""CreateBooking: client, reserva and nested costs in the ERP, hotel lines in the mid-office (contracts: giav 4, F-C*)."""

from __future__ import annotations

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_REGISTER_BOOKING,
        GIAV_UNDO_REGISTER_BOOKING,
        MIDOFFICE_REGISTER_BOOKING,
        MIDOFFICE_UNDO_REGISTER_BOOKING,
    )
    from domain.steps import BookingStep
    from workflows.lifecycle import BookingLifecycle
    from workflows.messages import LifecycleInput, LifecycleResult
    from workflows.stepping import Abandoned, Fault, Saga, Undoable


@workflow.defn
class CreateBooking(BookingLifecycle):
    """Before money came a refusal takes everything back; after that it stops for a person."""

    kind = "create"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        while True:
            saga = Saga()
            try:
                await self._register(saga)
            except (Abandoned, Undoable) as stopped:
                standing = await saga.unwind()
                self.notes.append(str(stopped))
                self.notes += [f"{name} still stands" for name in standing]
                ended = "partly_undone" if standing else "undone"
                if isinstance(stopped, Undoable) and await self._try_again(str(stopped)):
                    self.notes.clear()
                    continue
                return await self.conclude("partly_undone" if ended == "partly_undone" else "undone")
            return await self.conclude("done")

    async def _register(self, saga: Saga) -> None:
        step = self.booking_step()
        saga.before(
            "reserva in GIAV",
            lambda: self.step(GIAV_UNDO_REGISTER_BOOKING, step, about="take back", decisions=("retry", "skip")),
        )
        saga.before(
            "booking in the mid-office",
            lambda: self.step(MIDOFFICE_UNDO_REGISTER_BOOKING, step, about="take back", decisions=("retry", "skip")),
        )
        in_erp, in_midoffice = await asyncio.gather(
            self._register_in_erp(step),
            self.step(MIDOFFICE_REGISTER_BOOKING, step, about=f"transfer {step.booking_id}"),
            return_exceptions=True,
        )
        for ended in (in_erp, in_midoffice):
            if isinstance(ended, BaseException):
                raise ended
        self.note("mid-office", in_midoffice)

    async def _register_in_erp(self, step: BookingStep) -> None:
        done = await self.step(
            GIAV_REGISTER_BOOKING,
            step,
            about=f"register {step.booking_id}",
            amount=self.given.notice.amount,
            undo_instead=self.nothing_paid,
        )
        self.in_erp = done is not None

    async def _try_again(self, why: str) -> bool:
        """A booking that was taken back is on the list until a person tries again or closes it."""
        fault = Fault(kind="booking_undone", words=why)
        taken = await self.park(
            "lifecycle.create",
            self.booking_step(),
            fault,
            amount=self.given.notice.amount,
            decisions=("retry", "abandon"),
        )
        return taken.decision == "retry"
