"""The cell that sends the customer the payment link, once for each revision of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from activities.effects import Effect, Effects
from activities.failures import implements
from activities.mailing.client import SYSTEM, UNSEEN, send
from activities.mailing.letters import letter
from activities.signatures import OFFICE_MAIL_REQUEST
from domain.deal_steps import RequestStep
from domain.deals import DealRules
from domain.effects import EffectKey
from domain.errors import Refused
from domain.steps import Done
from store import Store


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MailActivities:
    """After a doubtful end the same letter goes out again under the same message id: rather twice than never."""

    def __init__(
        self,
        store: Store,
        rules: Mapping[str, DealRules],
        names: Mapping[str, str],
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._store = store
        self._rules = rules
        self._names = names
        self._now = now
        self._effects = Effects(store.effects)

    @implements(OFFICE_MAIL_REQUEST)
    def mail_request(self, step: RequestStep) -> Done:
        """Send the link; `skipped` where EasyCount does it, or nobody shall."""
        rules = self._rules.get(step.agency) or DealRules()
        settings = rules.smtp
        if rules.mail != "smtp" or settings is None:
            return Done(outcome="skipped", note=f"mail is sent by {rules.mail}")
        said = self._store.payment_requests.asked(step.agency, step.deal_id, step.revision).said
        page = self._store.payment_pages.of_revision(step.agency, step.deal_id, step.revision, step.ordinal)
        if page is None:
            raise Refused("there is no payment page to send", system=SYSTEM)
        place = f"{step.deal_id}/{step.revision}/{step.ordinal}"
        key = EffectKey(step.agency, SYSTEM, "letter", place, "send")

        def act(reference: str) -> str:
            send(letter(said, page.url, reference, settings, self._names.get(step.agency, step.agency)), settings)
            return reference

        self._effects.perform(Effect(key, act=act, booking_id=said.booking_id, unseen=UNSEEN))
        return Done()
