"""Sending a booking to the mid-office again, because a person says so (contracts: midoffice 3.5, 3.6)."""

from __future__ import annotations

from collections.abc import Mapping

from activities.effects import Effects
from activities.failures import implements
from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.told import chains
from activities.midoffice.transfer import Transfer
from activities.signatures import MIDOFFICE_RESEND
from domain.effects import EffectState
from domain.errors import Refused
from domain.steps import BookingQuestion, Done
from store import Store


class MidOfficeResending:
    """`accounts` holds the mid-office of every agency that has one."""

    def __init__(self, store: Store, accounts: Mapping[str, MidOfficeAccount]) -> None:
        self._store = store
        self._accounts = accounts

    @implements(MIDOFFICE_RESEND)
    def resend(self, question: BookingQuestion) -> Done:
        """Bring the mid-office to the newest snapshot; what was refused last is sent once more. What they have is not."""
        account = self._accounts.get(question.agency)
        if account is None:
            return Done(outcome="skipped", note="the agency has no mid-office")
        system = account.adapter.system
        booking = self._store.facts.booking(question.agency, question.booking_id)
        if booking is None:
            raise Refused(f"booking {question.booking_id} is not known", system=system, operation="resend")
        for chain in chains(self._store, question.agency, system, question.booking_id).values():
            if chain.last.state is EffectState.REFUSED:
                self._store.effects.rearm(str(chain.last.key))
        return Transfer(self._store, Effects(self._store.effects), account, question.agency, booking).follow()
