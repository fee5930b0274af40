"""The cell that asks the payer of a duplicate what they prefer, and tells them what became of it (payment-sync 4, rows 19-27)."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage

from activities.effects import Effect, Effects
from activities.failures import implements
from activities.mailing.client import SYSTEM, UNSEEN, send
from activities.mailing.letters import one_line
from activities.signatures import OFFICE_TELL_OF_DUPLICATE
from domain.duplicate_letters import DuplicateTold, composed, duplicate_letter_key
from domain.duplicates import CreditPlan, DuplicateLetter
from domain.errors import NeedsPerson, Transient
from domain.plan_letters import MailSettings, language_of
from domain.platform import Booking
from domain.steps import Done
from store import Store


class DuplicateLetters:
    """Without a mail server, or without an address of the payer, a person is asked to tell them: `message_unsent`."""

    def __init__(self, store: Store, settings: Mapping[str, MailSettings], names: Mapping[str, str]) -> None:
        self._store = store
        self._settings = settings
        self._names = names
        self._effects = Effects(store.effects)

    @implements(OFFICE_TELL_OF_DUPLICATE)
    def tell_of_duplicate(self, step: DuplicateLetter) -> Done:
        """Send the letter, once for each occasion and number."""
        booking = self._store.facts.booking(step.agency, step.booking_id)
        if booking is None:
            raise Transient("the booking is not in the store yet", system=SYSTEM, operation="tell of duplicate")

        def act(reference: str) -> str:
            settings = self._settings.get(step.agency)
            address = booking.payer.email or booking.booker.email
            if settings is None or not address:
                lacking = "no mail server (settings section mail)" if settings is None else "no e-mail address"
                raise NeedsPerson(
                    f"tell the payer of {step.booking_id} about {step.payment_id} ({step.amount}, paid twice): "
                    f"{step.occasion}; {lacking}",
                    system=SYSTEM,
                    operation="tell of duplicate",
                    code="message_unsent",
                )
            send(self._letter(step, booking, address, reference, settings), settings)
            return reference

        key = duplicate_letter_key(step.agency, step.payment_id, step.occasion, step.number)
        self._effects.perform(Effect(key, act=act, booking_id=step.booking_id, unseen=UNSEEN))
        return Done()

    def _letter(
        self, step: DuplicateLetter, booking: Booking, address: str, reference: str, settings: MailSettings
    ) -> EmailMessage:
        told = DuplicateTold(
            occasion=step.occasion,
            name=booking.payer.first_name or booking.payer.name,
            locator=booking.locator,
            amount=step.amount,
            agency=self._names.get(step.agency, step.agency),
            credit=step.credit or CreditPlan(remainder=step.amount),
        )
        subject, text = composed(told, language_of(booking.payer.language, settings.language))
        message = EmailMessage()
        message["Subject"] = one_line(subject)
        message["From"] = settings.sender
        message["To"] = one_line(address)
        message["Message-ID"] = f"<{reference.lower()}@{settings.sender.rpartition('@')[2].rstrip('>')}>"
        message.set_content(text)
        return message
