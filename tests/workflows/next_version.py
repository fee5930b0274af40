"""A version of the program whose bookings cannot replay the histories of this one."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.mailbox import BookingState
    from workflows.booking import Booking


@workflow.defn(name="Booking")
class NextBooking(Booking):
    """Begins with a timer that histories of the earlier version do not have."""

    @workflow.init
    def __init__(self, state: BookingState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: BookingState) -> BookingState:
        await workflow.sleep(timedelta(milliseconds=1))
        return await Booking.run(self, state)
