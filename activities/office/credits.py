"""What a duplicate could pay of its booking's plan, from the read model (payment-sync 6.1 `next_instalments`, 20)."""

from __future__ import annotations

from activities.failures import implements
from activities.signatures import OFFICE_PLAN_CREDIT
from domain.allocation import credit_plan
from domain.collecting import taken_back
from domain.duplicates import CreditPlan
from domain.errors import ContractBroken
from domain.steps import PaymentStep
from store import Store


class CreditActivities:
    """Reads only."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @implements(OFFICE_PLAN_CREDIT)
    def plan_credit(self, step: PaymentStep) -> CreditPlan:
        """The open instalments of the same booking that it would pay, oldest first; none of a booking that is cancelled."""
        facts = self._store.facts
        payment = facts.payment(step.agency, step.payment_id)
        if payment is None:
            raise ContractBroken(f"no payment {step.payment_id}", system="store")
        booking = facts.booking(step.agency, step.booking_id)
        if booking is None or booking.status == "cancelled":
            return CreditPlan(remainder=payment.amount)
        return credit_plan(
            facts.plan(step.agency, step.booking_id),
            payment,
            facts.payments_of(step.agency, step.booking_id),
            facts.refunds_of(step.agency, step.booking_id),
            taken_back(facts.chargebacks_of(step.agency, step.booking_id)),
            self._store.payment_sync.duplicates_of(step.agency, step.booking_id),
        )
