"""ModifyBooking: price, services, travellers and costs follow the newest snapshot (contracts: giav 4, F-M*)."""

from __future__ import annotations

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import GIAV_AMEND_BOOKING, JOURNAL_AMEND_BOOKING, MIDOFFICE_AMEND_BOOKING
    from workflows.lifecycle import BookingLifecycle
    from workflows.messages import LifecycleInput, LifecycleResult
    from workflows.stepping import FORWARD, Abandoned
    from workflows.supplier_orders import cancel_orders, confirm_orders, plan_orders


@workflow.defn
class ModifyBooking(BookingLifecycle):
    """Forward only: a change that is half done is finished, or stops for a person (F-M1, F-M3)."""

    kind = "modify"

    @workflow.init
    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: LifecycleInput) -> LifecycleResult:
        try:
            # Nothing moves before the supplier stands by the change (F-M2); afterwards its new order is kept, whatever the
            # books say (F-M3), and the old one goes beside them (F-M4).
            step = self.booking_step()
            plan = await confirm_orders(self, step, await plan_orders(self, step))
            await asyncio.gather(cancel_orders(self, step, plan), self._books(), self._midoffice())
        except Abandoned as given_up:
            self.notes.append(str(given_up))
            return await self.conclude("abandoned")
        return await self.conclude("done")

    async def _books(self) -> None:
        step, amount = self.booking_step(), self.given.notice.amount
        about = f"amend {step.booking_id} to revision {step.revision}"
        in_erp = await self.step(GIAV_AMEND_BOOKING, step, about=about, amount=amount, decisions=FORWARD)
        if in_erp is not None and {"credit_note", "invoice"} & in_erp.ids.keys():
            await self.step(JOURNAL_AMEND_BOOKING, step, about=about, amount=amount, decisions=FORWARD)

    async def _midoffice(self) -> None:
        step = self.booking_step()
        done = await self.step(MIDOFFICE_AMEND_BOOKING, step, about=f"amend {step.booking_id}", decisions=FORWARD)
        self.note("mid-office", done)
