"""What the lifecycles of money that went back share: the payment it belongs to, and what the mailbox knows by now."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.money import Money
    from domain.steps import BookingQuestion, RefundStep
    from workflows.lifecycle import BookingLifecycle
    from workflows.messages import Known, LifecycleInput
    from workflows.stepping import Fault


class MoneyBackLifecycle(BookingLifecycle):
    """Money that left, or may leave, the agency again; it left before we heard of it."""

    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self._payment_is_known = given.known_payment
        self.known = given.known
        self.most_owed = 0

    @workflow.signal(description="What the mailbox knows by now")
    def look_again(self, known: Known) -> None:
        self._payment_is_known = self._payment_is_known or self.given.notice.payment_id in known.payments
        self.known = known
        self.most_owed = max(self.most_owed, known.owed)

    async def wait_for_payment(self) -> None:
        """Money that went back without ever having come is on the list until its payment is told."""
        if self._payment_is_known:
            return
        notice = self.given.notice
        words = f"{notice.fact_id} gives back money of {notice.payment_id}, which was never told as captured"
        await self.park(
            f"lifecycle.{self.kind}",
            self.refund_step(),
            Fault(kind="unknown_payment", words=words),
            amount=self.amount,
            decisions=("retry",),
            solved=lambda: self._payment_is_known,
        )

    @property
    def amount(self) -> Money:
        return self.given.notice.amount or Money.zero("EUR")

    @property
    def own_id(self) -> str:
        """The id of the refund or chargeback, without stage."""
        return self.given.notice.fact_id.partition(":")[0]

    def question(self) -> BookingQuestion:
        return BookingQuestion(
            agency=self.given.notice.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
        )

    def refund_step(self) -> RefundStep:
        notice = self.given.notice
        return RefundStep(
            agency=notice.agency,
            lifecycle=workflow.info().workflow_id,
            booking_id=self.given.booking_id,
            payment_id=notice.payment_id or "",
            refund_id=self.own_id,
            amount=self.amount,
            cancellation_id=notice.cancellation_id,
            event_id=notice.event_id,
        )
