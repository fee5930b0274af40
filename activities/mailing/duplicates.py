"""The cell that asks the payer of a duplicate what they prefer, and tells them what became of it (payment-sync 4, rows 19-27)."""

from __future__ import annotations

from activities.failures import implements
from activities.mailing.client import SYSTEM
from activities.mailing.to_payer import ToPayer, name_of
from activities.signatures import OFFICE_TELL_OF_DUPLICATE
from domain.duplicate_letters import DuplicateTold, composed, duplicate_letter_key
from domain.duplicates import CreditPlan, DuplicateLetter
from domain.errors import Transient
from domain.steps import Done


class DuplicateLetters(ToPayer):
    """Letters about a payment, each once for its occasion and number."""

    @implements(OFFICE_TELL_OF_DUPLICATE)
    def tell_of_duplicate(self, step: DuplicateLetter) -> Done:
        booking = self._store.facts.booking(step.agency, step.booking_id)
        if booking is None:
            raise Transient("the booking is not in the store yet", system=SYSTEM, operation="tell of duplicate")
        told = DuplicateTold(
            occasion=step.occasion,
            name=name_of(booking),
            locator=booking.locator,
            amount=step.amount,
            agency=self._agency(step.agency),
            credit=step.credit or CreditPlan(remainder=step.amount),
        )
        key = duplicate_letter_key(step.agency, step.payment_id, step.occasion, step.number)
        said = f" about {step.payment_id} ({step.amount}, paid twice): {step.occasion}"
        return self._tell(step.agency, booking, key, said, lambda _, language: composed(told, language))
