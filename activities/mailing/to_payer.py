"""How a payer is written to: once under the letter's key, or a person is asked to tell them (money-rules 1.7; payment-sync 19)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from activities.effects import Effect, Effects
from activities.mailing.client import SYSTEM, UNSEEN, send
from activities.mailing.letters import enveloped
from domain.effects import EffectKey
from domain.errors import NeedsPerson
from domain.plan_letters import MailSettings, language_of
from domain.platform import Booking
from domain.steps import Done
from store import Store

Composed = Callable[[MailSettings, str], tuple[str, str]]
"""Subject and text of a letter, for the agency's settings and the payer's language."""


class ToPayer:
    """Without a mail server, or without an address of the payer, a person is asked to tell them: `message_unsent`.

    A letter whose delivery is in doubt goes out again under the same message id: rather twice than never.
    """

    def __init__(self, store: Store, settings: Mapping[str, MailSettings], names: Mapping[str, str]) -> None:
        self._store = store
        self._settings = settings
        self._names = names
        self._effects = Effects(store.effects)

    def _tell(self, agency: str, booking: Booking, key: EffectKey, said: str, composed: Composed) -> Done:
        """`said` is what a person would have to tell, without names. The effect remembers when the letter went out."""

        def act(reference: str) -> str:
            settings = self._settings.get(agency)
            address = booking.payer.email or booking.booker.email
            if settings is None or not address:
                lacking = "no e-mail address" if settings else "the agency has no mail server (settings section mail)"
                raise NeedsPerson(
                    f"tell the payer of {booking.id}{said} ({lacking})",
                    system=SYSTEM,
                    operation="tell the payer",
                    code="message_unsent",
                )
            subject, text = composed(settings, language_of(booking.payer.language, settings.language))
            send(enveloped(subject, text, address, reference, settings), settings)
            return reference

        self._effects.perform(Effect(key, act=act, booking_id=booking.id, unseen=UNSEEN))
        return Done()

    def _agency(self, agency: str) -> str:
        """What the agency is called."""
        return self._names.get(agency, agency)


def name_of(booking: Booking) -> str:
    """How the payer is addressed."""
    return booking.payer.first_name or booking.payer.name
