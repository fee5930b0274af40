"""ResendBooking: a person has a booking sent to the mid-office again (contracts: midoffice 3.6)."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import MIDOFFICE_RESEND
    from domain.steps import BookingQuestion, Done
    from workflows.stepping import Stepping


@workflow.defn
class ResendBooking(Stepping):
    """One step; a refusal is on the list again, with the same answers as before."""

    @workflow.init
    def __init__(self, order: BookingQuestion) -> None:
        super().__init__()

    @workflow.run
    async def run(self, order: BookingQuestion) -> Done | None:
        step = order.model_copy(update={"lifecycle": workflow.info().workflow_id})
        about = f"send {order.booking_id} again"
        return await self.step(MIDOFFICE_RESEND, step, about=about, decisions=("retry", "skip", "adopt"))
