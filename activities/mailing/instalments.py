"""The cell that tells a payer about an instalment, once for each occasion (contracts: money-rules 1.7, F-P1 to F-P3)."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage

from activities.effects import Effect, Effects
from activities.failures import implements
from activities.mailing.client import SYSTEM, UNSEEN, send
from activities.mailing.letters import one_line
from activities.signatures import OFFICE_TELL_PAYER
from domain.errors import NeedsPerson, Transient
from domain.plan_letters import MailSettings, Told, composed, language_of, letter_key
from domain.plan_steps import TellStep
from domain.platform import Booking, PaymentPlan
from domain.steps import Done
from store import Store


class InstalmentLetters:
    """Without a mail server, or without an address of the payer, a person is asked to tell them: `message_unsent`.

    A letter whose delivery is in doubt goes out again under the same message id: rather twice than never.
    """

    def __init__(self, store: Store, settings: Mapping[str, MailSettings], names: Mapping[str, str]) -> None:
        self._store = store
        self._settings = settings
        self._names = names
        self._effects = Effects(store.effects)

    @implements(OFFICE_TELL_PAYER)
    def tell_payer(self, step: TellStep) -> Done:
        """Send the letter; its effect remembers when, which for a debit is what the notice period is counted from."""
        facts = self._store.facts
        booking, plan = facts.booking(step.agency, step.booking_id), facts.plan(step.agency, step.booking_id)
        if booking is None or plan is None:
            raise Transient("the booking or its plan is not in the store yet", system=SYSTEM, operation="tell payer")
        amount = step.amount
        key = letter_key(step.agency, step.plan_id, step.instalment_id, step.occasion, step.number, amount)

        def act(reference: str) -> str:
            settings = self._settings.get(step.agency)
            address = booking.payer.email or booking.booker.email
            if settings is None or not address:
                lacking = (
                    "the agency has no mail server (settings section mail)" if settings is None else "no e-mail address"
                )
                raise NeedsPerson(
                    f"tell the payer of {step.booking_id}: {step.occasion}, {step.instalment_id}"
                    f"{f', {amount}' if amount else ''}{f', {step.on}' if step.on else ''} ({lacking})",
                    system=SYSTEM,
                    operation="tell payer",
                    code="message_unsent",
                )
            send(self._letter(step, booking, plan, address, reference, settings), settings)
            return reference

        self._effects.perform(Effect(key, act=act, booking_id=step.booking_id, unseen=UNSEEN))
        return Done()

    def _letter(
        self,
        step: TellStep,
        booking: Booking,
        plan: PaymentPlan,
        address: str,
        reference: str,
        settings: MailSettings,
    ) -> EmailMessage:
        places = {"booking": booking.id, "locator": booking.locator, "instalment": step.instalment_id}
        instalment = next((one for one in plan.installments if one.id == step.instalment_id), None)
        told = Told(
            occasion=step.occasion,
            name=booking.payer.first_name or booking.payer.name,
            locator=booking.locator,
            amount=step.amount or (instalment.amount if instalment else plan.total),
            agency=self._names.get(step.agency, step.agency),
            on=step.on,
            link=settings.payment_url.format(**places) if settings.payment_url else None,
            mandate=plan.mandate.reference if plan.mandate else "",
        )
        subject, text = composed(told, language_of(booking.payer.language, settings.language))
        message = EmailMessage()
        message["Subject"] = one_line(subject)
        message["From"] = settings.sender
        message["To"] = one_line(address)
        message["Message-ID"] = f"<{reference.lower()}@{settings.sender.rpartition('@')[2].rstrip('>')}>"
        message.set_content(text)
        return message
