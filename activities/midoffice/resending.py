"""Telling the mid-office what it lacks of a booking: because a person says so, or because it is in use only now
(contracts: midoffice 3.5, 3.6)."""

from __future__ import annotations

from collections.abc import Mapping

from activities.effects import Effects
from activities.failures import implements
from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.activities import NO_MIDOFFICE, MidOfficeActivities
from activities.midoffice.payments import payment_key
from activities.midoffice.told import chains
from activities.midoffice.transfer import Transfer
from activities.signatures import MIDOFFICE_RESEND, MIDOFFICE_UNTOLD
from domain.effects import EffectState
from domain.errors import Refused
from domain.platform import Booking, Payment
from domain.steps import BackfillProgress, BookingQuestion, Done, IntegrationBackfill, PaymentStep, UntoldBookings
from store import Store

SETTLED = frozenset({EffectState.DONE, EffectState.REFUSED, EffectState.UNDONE})
PAGE = 25
"""Bookings looked at in one go."""


class MidOfficeResending:
    """`accounts` holds the mid-office of every agency that has one."""

    def __init__(self, store: Store, accounts: Mapping[str, MidOfficeAccount]) -> None:
        self._store = store
        self._accounts = accounts
        self._cells = MidOfficeActivities(store, accounts)

    @implements(MIDOFFICE_RESEND)
    def resend(self, question: BookingQuestion) -> Done:
        """Bring the mid-office to the newest snapshot and its money; what was refused last is sent once more. What they
        have is not.
        """
        account = self._accounts.get(question.agency)
        if account is None:
            return NO_MIDOFFICE
        system = account.adapter.system
        booking = self._store.facts.booking(question.agency, question.booking_id)
        if booking is None:
            raise Refused(f"booking {question.booking_id} is not known", system=system, operation="resend")
        for chain in chains(self._store, question.agency, system, question.booking_id).values():
            if chain.last.state is EffectState.REFUSED:
                self._store.effects.rearm(str(chain.last.key))
        done = Transfer(self._store, Effects(self._store.effects), account, question.agency, booking).follow()
        if done.awaiting or not done.ids:
            return done
        awaiting = [
            key
            for payment in self._untold_payments(question.agency, system, booking.id)
            for key in self._cells.record_payment(_step(question, booking, payment)).awaiting
        ]
        return done.model_copy(update={"awaiting": tuple(awaiting)})

    @implements(MIDOFFICE_UNTOLD)
    def untold(self, step: IntegrationBackfill) -> UntoldBookings:
        """The next bookings of which the mid-office was told nothing, or not all of their money, by id. How far the whole
        list is stands in the store, too.
        """
        before = step.progress
        account = self._accounts[step.agency]
        page = self._store.facts.bookings_after(step.agency, before.cursor, PAGE)
        counts = {"taken": 0, "known": 0, "past": 0}
        wanted = []
        for booking in page:
            kind = self._kind(step.agency, account, booking, before)
            counts[kind] += 1
            wanted += [booking.id] if kind == "taken" else []
        place = {"cursor": page[-1].id} if page else {"phase": "done", "cursor": ""}
        added = {name: getattr(before, name) + number for name, number in counts.items()}
        after = before.model_copy(update={**added, **place, "seen": before.seen + len(page)})
        said = "" if page else "backfilled"
        self._store.integrations.backfilled(step.agency, step.system, after.model_dump(mode="json"), step=said)
        return UntoldBookings(progress=after, bookings=tuple(wanted))

    def _kind(self, agency: str, account: MidOfficeAccount, booking: Booking, progress: BackfillProgress) -> str:
        experience = self._store.facts.experience(agency, booking.experience_id)
        if experience is not None and experience.ends_on < progress.ended_since:
            return "past"
        system = account.adapter.system
        if not chains(self._store, agency, system, booking.id):
            listed = self._store.transfers.list(agency, system, booking.id)
            return "known" if listed else "taken"
        money = account.adapter.capabilities.payment and self._untold_payments(agency, system, booking.id)
        return "taken" if money else "known"

    def _untold_payments(self, agency: str, system: str, booking_id: str) -> list[Payment]:
        """Those that are not settled there in one way or another."""
        payments = self._store.facts.payments_of(agency, booking_id)
        known = {one.id: self._store.effects.get(payment_key(agency, system, one.id)) for one in payments}
        return [one for one in payments if (record := known[one.id]) is None or record.state not in SETTLED]


def _step(question: BookingQuestion, booking: Booking, payment: Payment) -> PaymentStep:
    return PaymentStep(
        agency=question.agency,
        lifecycle=question.lifecycle,
        booking_id=booking.id,
        experience_id=booking.experience_id,
        payment_id=payment.id,
        amount=payment.amount,
        method=payment.method,
    )
