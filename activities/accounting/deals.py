"""The journal's cells for deals that belong to no booking, and for money that nobody asked for (contracts: money-rules 2, P2)."""

from __future__ import annotations

from datetime import datetime

from activities.accounting.posting import SYSTEM, Posting
from activities.failures import implements
from activities.signatures import JOURNAL_RECORD_DEAL, JOURNAL_REFUND_DEAL
from domain.deal_steps import DealMoneyStep, DealRefundStep
from domain.deals import refund_id
from domain.errors import Refused
from domain.ledger import Fact, Movement, key_of, reversal
from domain.money import Money
from domain.steps import Done

PROCESSOR = "easycount"


class DealJournal(Posting):
    """A deal without a booking has accounts of its own: `deal:{id}` is its payer and its trip."""

    @implements(JOURNAL_RECORD_DEAL)
    def record_deal(self, step: DealMoneyStep) -> Done:
        """`suspend`: it waits in 555 for a person or for its booking; `return`: it left 555 again; `record`: it is a sale."""
        held = key_of("sus", step.payment_id)
        suspended = self._store.journal.find(step.agency, held) is not None
        match step.what:
            case "suspend":
                return self._post(step.agency, "suspend", [self._movement(step, Fact.SUSPENSE, held)], step.booking_id)
            case "return":
                posted = self._store.journal.find(step.agency, held)
                if posted is None:
                    return Done(outcome="skipped", note="it was never in suspense")
                day = self._today(step.agency).date()
                back = reversal(posted.entry, on=day, text=f"{step.payment_id} was given back")
                return self._append(step.agency, "return", [back], step.booking_id)
            case "record":
                if step.booking_id is not None:
                    return Done(outcome="skipped", note="the booking's own payment posts it")
                money = Fact.MATCH if suspended else Fact.COLLECTION
                movements = [
                    self._movement(step, money, key_of("mat" if suspended else "cob", step.payment_id)),
                    self._movement(step, Fact.INVOICE, key_of("inv", step.payment_id)),
                ]
                return self._post(step.agency, "match" if suspended else "post", movements, step.booking_id)

    @implements(JOURNAL_REFUND_DEAL)
    def refund_deal(self, step: DealRefundStep) -> Done:
        """Money of a sale without a booking went back: its credit and its way out."""
        if step.booking_id is not None:
            return Done(outcome="skipped", note="the booking's own refund posts it")
        refund = refund_id(step.agency, step.payment_id, step.reference)
        given = self._store.payment_requests.refunds(step.agency, step.deal_id)
        kept = next((each for each in given if each.refund_id == refund), None)
        if kept is None:
            raise Refused(f"{refund} was not credited", system=SYSTEM)
        movements = [
            self._of_deal(step, Fact.REFUND, key_of("dev", refund), step.amount, kept.at),
            self._of_deal(step, Fact.RECTIFYING, key_of("rect", refund), step.amount, kept.at),
        ]
        return self._post(step.agency, "refund", movements, step.booking_id)

    def _movement(self, step: DealMoneyStep, fact: Fact, key: str) -> Movement:
        paid = self._store.payment_requests.payment(step.agency, step.payment_id)
        return self._of_deal(step, fact, key, paid.amount, paid.seen_at)

    def _of_deal(
        self, step: DealMoneyStep | DealRefundStep, fact: Fact, key: str, amount: Money, moment: datetime
    ) -> Movement:
        whose = f"deal:{step.deal_id}"
        return Movement(
            fact=fact,
            key=key,
            on=moment.astimezone(self._of(step.agency).zone).date(),
            booking_id=step.booking_id or whose,
            text=f"{fact.value} {step.payment_id}",
            amount=amount,
            payer_id=whose,
            payment_id=step.payment_id,
            processor=PROCESSOR,
            method="card",
        )
