"""What a payment of a deal sets off: documents, books, the deal's state, or a person's question (contracts: easycount 3, 4;
payment-sync; money-rules P2, F-C18)."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        EASYCOUNT_CHECK_LINKS,
        EASYCOUNT_CREDIT,
        EASYCOUNT_HAND_OVER,
        EASYCOUNT_HAND_OVER_REFUND,
        EASYCOUNT_ISSUE_RECEIPT,
        EASYCOUNT_SETTLE_PAYMENT,
        JOURNAL_RECORD_DEAL,
        JOURNAL_REFUND_DEAL,
    )
    from domain.deal_steps import DealCommand, DealMoneyStep, DealPayment, DealRefundStep
    from domain.deals import UNWANTED, RequestState, Role
    from domain.money import Money
    from domain.steps import Decision, DecisionTaken
    from workflows.stepping import FORWARD, Fault, perform

if TYPE_CHECKING:
    from workflows.request_payment import RequestPayment


def _mark(reference: str) -> str:
    """Names a refund in a note's marker without telling its reference."""
    return hashlib.sha256(reference.encode()).hexdigest()[:8]


LOOK_FOR_BOOKING = timedelta(minutes=10)
"""How often a booking that nobody knows is looked for (money-rules F-C13)."""

QUESTIONS: dict[Role, tuple[str, str, tuple[Decision, ...]]] = {
    "duplicate": (
        "deal_paid_twice",
        "{amount} came although nothing is owed any more; it waits in the suspense account. Approve to keep it as another "
        "payment, decline when it was given back",
        ("approve", "decline"),
    ),
    "after_cancel": (
        "deal_paid_cancelled",
        "{amount} came although the request was cancelled; it waits in the suspense account. Approve to take it as the "
        "payment of the deal, decline when it was given back",
        ("approve", "decline"),
    ),
    "late": (
        "deal_paid_late",
        "{amount} came after the page had expired; it is recorded. Approve when the price still holds",
        ("approve",),
    ),
    "partial": (
        "deal_paid_partly",
        "{amount} came, which is less than was asked for; it is recorded. Approve when that is all, decline to ask for the rest",
        ("approve", "decline"),
    ),
    "over": (
        "deal_paid_over",
        "{amount} came, which is more than is asked for by now; it is recorded. Approve to leave it so, or refund the "
        "difference with 'bookings deal refund' first",
        ("approve",),
    ),
}
"""Reason, words and answers for what is not simply the payment that was asked for."""


class DealMoney:
    """Money is a pivot: it is documented and booked, or it stands in the suspense account with a person."""

    def __init__(self, deal: RequestPayment) -> None:
        self._deal = deal
        self._under_way: set[str] = set()
        self._asked_about: set[str] = set()

    def over(self, base: RequestState) -> RequestState:
        """Where the request stands, with payments that are on their way or waiting for a person laid over it."""
        return "review" if self._asked_about else "paid_unsynced" if self._under_way else base

    async def follow(self, payment: DealPayment) -> None:
        """From the page into the books, whatever the payment is to its deal."""
        if payment.role in UNWANTED:
            await self._suspend_and_ask(payment)
        else:
            await self._record(payment)
            await self._conclude(payment)

    async def _record(self, payment: DealPayment) -> None:
        """Documents and books go side by side: neither waits for a refusal of the other."""
        deal, step = self._deal, self._step(payment)
        self._under_way.add(payment.payment_id)
        deal.show(f"received:{payment.link}", f"{payment.amount} were paid.")
        await asyncio.gather(
            self._document(step),
            self._into_the_books(step) if step.booking_id else self._into_the_journal(step),
        )
        await self._settle(step)
        self._under_way.discard(payment.payment_id)

    async def _document(self, step: DealMoneyStep) -> None:
        about = f"invoice and receipt of {step.payment_id}"
        done = await self._deal.step(EASYCOUNT_ISSUE_RECEIPT, step, about=about, amount=step.amount, decisions=FORWARD)
        if done is not None and done.outcome == "partial":
            self._deal.notes.append(done.note)

    async def _into_the_journal(self, step: DealMoneyStep) -> None:
        await self._deal.step(JOURNAL_RECORD_DEAL, step, about="post the sale", amount=step.amount, decisions=FORWARD)

    async def _into_the_books(self, step: DealMoneyStep) -> None:
        """The booking's mailbox records it in every system. A booking that nobody knows leaves it in the suspense account."""
        if await self._handed_over(step):
            return
        await self._suspend(step)
        words = (
            f"payment {step.payment_id} names booking {step.booking_id}, which nobody knows; correct it, or wait for it"
        )
        found = asyncio.create_task(self._until_handed_over(step))
        taken = await self._deal.park(
            EASYCOUNT_HAND_OVER.name,
            step,
            Fault(kind="unknown_booking", words=words),
            amount=step.amount,
            decisions=("retry", "skip"),
            solved=found.done,
            otherwise=("retry", "the booking is there"),
        )
        found.cancel()
        if taken.decision == "skip":
            self._deal.notes.append(f"{step.payment_id} stays in the suspense account: {taken.explanation}")
        elif not found.done():
            await self._into_the_books(step)

    async def _handed_over(self, step: DealMoneyStep) -> bool:
        done = await self._deal.step(
            EASYCOUNT_HAND_OVER, step, about="tell the booking", amount=step.amount, decisions=FORWARD
        )
        return done is None or done.outcome == "done"

    async def _until_handed_over(self, step: DealMoneyStep) -> None:
        while True:
            await workflow.sleep(LOOK_FOR_BOOKING, summary=f"look for {step.booking_id} again")
            if (await perform(EASYCOUNT_HAND_OVER, step, about="is the booking there")).outcome == "done":
                return

    async def _suspend(self, step: DealMoneyStep) -> None:
        held = step.model_copy(update={"what": "suspend"})
        await self._deal.step(JOURNAL_RECORD_DEAL, held, about="to suspense", amount=step.amount, decisions=FORWARD)

    async def _suspend_and_ask(self, payment: DealPayment) -> None:
        """Nobody asked for it: in 555 until a person keeps it or gave it back (P2, F-C18)."""
        deal, step = self._deal, self._step(payment)
        await self._suspend(step)
        taken = await self._ask(payment, f"unasked:{payment.link}", f"{payment.amount} were paid and are not owed.")
        if taken.decision == "approve":
            await self._record(payment)
            deal.become("paid", f"kept:{payment.link}", f"{payment.amount} were kept.", move_to="paid")
            return
        back = step.model_copy(update={"what": "return"})
        await deal.step(JOURNAL_RECORD_DEAL, back, about="out of suspense", amount=step.amount, decisions=FORWARD)
        await self._settle(back)
        deal.show(f"returned:{payment.link}", f"{payment.amount} were given back.")

    async def _conclude(self, payment: DealPayment) -> None:
        """Simply paid, or a question about it."""
        deal = self._deal
        if payment.role != "first":
            words = f"{payment.amount} were paid ({payment.role})."
            taken = await self._ask(payment, f"review:{payment.link}", words)
            if taken.decision == "decline" and payment.role == "partial" and (rest := self._rest()) is not None:
                await deal.asking.ask_for_the_rest(rest)
                return
        deal.become("paid", f"paid:{payment.link}", "Invoice and receipt are issued.", move_to="paid")

    async def _ask(self, payment: DealPayment, mark: str, told: str) -> DecisionTaken:
        reason, words, decisions = QUESTIONS[payment.role]
        fault = Fault(kind="NeedsPerson", words=words.format(amount=payment.amount), code=reason)
        self._asked_about.add(payment.payment_id)
        self._deal.show(mark, told)
        taken = await self._deal.park(
            EASYCOUNT_CHECK_LINKS.name, self._step(payment), fault, amount=payment.amount, decisions=decisions
        )
        self._asked_about.discard(payment.payment_id)
        return taken

    def _rest(self) -> Money | None:
        standing = self._deal.standing
        assert standing is not None
        if standing.amount is None:
            return None
        paid = sum(p.amount.amount for p in standing.payments if p.role not in UNWANTED)
        rest = standing.amount.amount - paid
        return Money(amount=rest, currency=standing.amount.currency) if rest > 0 else None

    async def _settle(self, step: DealMoneyStep) -> None:
        await self._deal.step(EASYCOUNT_SETTLE_PAYMENT, step, about="it is settled", decisions=("retry",))

    # Money back -------------------------------------------------------------------------------------------------------

    def refund_refusal(self, command: DealCommand) -> str:
        payment = self._payment_of(command)
        if payment is None:
            return "no payment of this deal is in the books; name one of 'bookings deal show' with --payment"
        wanted = command.amount or payment.amount
        if wanted.currency != payment.amount.currency or not 0 < wanted.amount <= payment.amount.amount:
            return f"the payment is {payment.amount}: give back more than zero and at most that"
        return ""

    def _payment_of(self, command: DealCommand) -> DealPayment | None:
        """The one that is named, or the only one."""
        standing = self._deal.standing
        payments = [p for p in (standing.payments if standing is not None else ()) if p.handled]
        if command.payment_id is not None:
            payments = [p for p in payments if p.payment_id == command.payment_id]
        return payments[0] if len(payments) == 1 or (payments and command.payment_id is not None) else None

    async def refund(self, command: DealCommand) -> None:
        """The money went back already; now its documents, then the books (easycount 4: money, 330, negative 400)."""
        deal, payment = self._deal, self._payment_of(command)
        assert payment is not None
        assert deal.standing is not None
        step = DealRefundStep(
            agency=deal.agency,
            lifecycle=workflow.info().workflow_id,
            deal_id=deal.deal_id,
            payment_id=payment.payment_id,
            link=payment.link,
            amount=command.amount or payment.amount,
            reference=command.reference,
            by=command.by,
            booking_id=deal.standing.booking_id,
        )
        credited = await deal.step(
            EASYCOUNT_CREDIT,
            step,
            about=f"credit {step.amount}",
            amount=step.amount,
            decisions=("retry", "skip", "adopt"),
        )
        if step.booking_id is not None:
            await deal.step(EASYCOUNT_HAND_OVER_REFUND, step, about="tell the booking", decisions=FORWARD)
        else:
            await deal.step(JOURNAL_REFUND_DEAL, step, about="post the refund", decisions=FORWARD)
        words = f"{step.amount} were refunded ({step.reference})"
        if credited is not None:
            words += f": credit {credited.credit}, receipt {credited.receipt}"
        state = "refunded" if credited is not None and not credited.left else deal.base
        deal.become(state, f"refunded:{payment.link}:{_mark(step.reference)}", f"{words}.")

    def _step(self, payment: DealPayment) -> DealMoneyStep:
        standing = self._deal.standing
        assert standing is not None
        return DealMoneyStep(
            agency=self._deal.agency,
            lifecycle=workflow.info().workflow_id,
            deal_id=self._deal.deal_id,
            link=payment.link,
            payment_id=payment.payment_id,
            amount=payment.amount,
            booking_id=standing.booking_id,
        )
