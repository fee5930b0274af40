"""The cell that tells a payer about an instalment, once for each occasion (contracts: money-rules 1.7, F-P1 to F-P3)."""

from __future__ import annotations

from activities.failures import implements
from activities.mailing.client import SYSTEM
from activities.mailing.to_payer import ToPayer, name_of
from activities.signatures import OFFICE_TELL_PAYER
from domain.errors import Transient
from domain.plan_letters import MailSettings, Told, composed, letter_key
from domain.plan_steps import TellStep
from domain.steps import Done


class InstalmentLetters(ToPayer):
    """Letters about a plan. When one went out counts: for a debit the notice period begins with it."""

    @implements(OFFICE_TELL_PAYER)
    def tell_payer(self, step: TellStep) -> Done:
        facts = self._store.facts
        booking, plan = facts.booking(step.agency, step.booking_id), facts.plan(step.agency, step.booking_id)
        if booking is None or plan is None:
            raise Transient("the booking or its plan is not in the store yet", system=SYSTEM, operation="tell payer")
        instalment = next((one for one in plan.installments if one.id == step.instalment_id), None)
        places = {"booking": booking.id, "locator": booking.locator, "instalment": step.instalment_id}

        def letter(settings: MailSettings, language: str) -> tuple[str, str]:
            told = Told(
                occasion=step.occasion,
                name=name_of(booking),
                locator=booking.locator,
                amount=step.amount or (instalment.amount if instalment else plan.total),
                agency=self._agency(step.agency),
                on=step.on,
                link=settings.payment_url.format(**places) if settings.payment_url else None,
                mandate=plan.mandate.reference if plan.mandate else "",
            )
            return composed(told, language)

        amount = step.amount
        key = letter_key(step.agency, step.plan_id, step.instalment_id, step.occasion, step.number, amount)
        said = f": {step.occasion}, {step.instalment_id}{f', {amount}' if amount else ''}{f', {step.on}' if step.on else ''}"
        return self._tell(step.agency, booking, key, said, letter)
