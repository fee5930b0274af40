"""The mid-office column of the verbs × systems table (contracts: midoffice 1.3, 3.3 to 3.6)."""

from __future__ import annotations

from collections.abc import Mapping

from activities.effects import Effect, Effects, Queued
from activities.failures import implements
from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.answers import Answers, outstanding
from activities.midoffice.door import Door
from activities.midoffice.payments import payment_key, payment_of
from activities.midoffice.told import GONE, Chain, chains, is_armed
from activities.midoffice.transfer import NOTHING_BELONGS, Transfer, taken
from activities.signatures import (
    MIDOFFICE_AMEND_BOOKING,
    MIDOFFICE_CANCEL_BOOKING,
    MIDOFFICE_READ_ANSWERS,
    MIDOFFICE_RECORD_PAYMENT,
    MIDOFFICE_REGISTER_BOOKING,
    MIDOFFICE_UNDO_REGISTER_BOOKING,
)
from domain.effects import EffectKey, EffectState
from domain.errors import Refused, Transient
from domain.platform import Booking
from domain.steps import AnswersStep, BookingStep, CancellationStep, Done, PaymentStep
from store import Store

NO_MIDOFFICE = Done(outcome="skipped", note="the agency has no mid-office")


class MidOfficeActivities:
    """`accounts` holds the mid-office of every agency that has one."""

    def __init__(self, store: Store, accounts: Mapping[str, MidOfficeAccount]) -> None:
        self._store = store
        self._accounts = accounts
        self._effects = Effects(store.effects)

    @implements(MIDOFFICE_REGISTER_BOOKING)
    def register_booking(self, step: BookingStep) -> Done:
        """Transfer the hotel orders; list every other line as not transferred."""
        return self._follow(step)

    @implements(MIDOFFICE_AMEND_BOOKING)
    def amend_booking(self, step: BookingStep) -> Done:
        """Send again what changed, under a higher version; cancel a hotel that is gone. Nothing changed, nothing sent."""
        return self._follow(step)

    @implements(MIDOFFICE_CANCEL_BOOKING)
    def cancel_booking(self, step: CancellationStep) -> Done:
        """Cancel the services, with the fee as price; what was never transferred and costs nothing stays away."""
        return self._follow(step)

    @implements(MIDOFFICE_UNDO_REGISTER_BOOKING)
    def undo_register_booking(self, step: BookingStep) -> Done:
        """Cancel with fee 0 whatever of the booking stands there."""
        account = self._accounts.get(step.agency)
        if account is None:
            return NO_MIDOFFICE
        return self._transfer(account, step.agency, self._told(step)).undo()

    @implements(MIDOFFICE_RECORD_PAYMENT)
    def record_payment(self, step: PaymentStep) -> Done:
        """Announce the payment on the booking's first order there; skipped when none of its lines belongs there."""
        account = self._accounts.get(step.agency)
        if account is None:
            return NO_MIDOFFICE
        system = account.adapter.system
        payment = self._store.facts.payment(step.agency, step.payment_id)
        if payment is None:
            raise Transient("the payment is not in the store yet", system=system, operation="announce payment")
        told = chains(self._store, step.agency, system, step.booking_id)
        key = payment_key(step.agency, system, step.payment_id)
        # An attempt that may have arrived has chosen the order; on another one it would be a second payment.
        chosen = str((self._store.effects.last_request(key) or {}).get("order", ""))
        orders = {chain.order_id: chain for chain in told.values() if chain.order_id}
        chain = orders.get(chosen) or next(iter(orders.values()), None)
        if not account.adapter.capabilities.payment:
            return Done(outcome="skipped", note=f"{system} is not told of payments")
        if chain is None:
            return self._payment_without_order(account, step, told)
        booking, announced = chain.ref, payment_of(payment)
        adapter = self._for_payment(account, key)

        def act(_: str) -> str:
            return taken(adapter.push_payment(booking, announced))

        # A payment is known there by its transaction number, so the same announcement may be sent again.
        request = {"order": booking.external_ref, "amount": payment.amount.model_dump()}
        done = self._effects.perform(Effect(key, act, booking_id=step.booking_id, request=request))
        if isinstance(done, Queued):
            return Done(ids={"transaction": payment.id}, awaiting=(str(key),))
        return Done(ids={"order": done, "transaction": payment.id})

    @implements(MIDOFFICE_READ_ANSWERS)
    def read_answers(self, step: AnswersStep) -> Done:
        """Settle what they have answered by now; the rest is still awaited, whatever keeps us from asking."""
        account = self._accounts.get(step.agency)
        if account is None:
            return NO_MIDOFFICE
        answers = Answers(self._store, account.adapter)
        waiting = []
        for record in outstanding(self._store, step.agency, step.booking_id, account.adapter.system):
            if str(record.key) not in step.effects:
                continue
            try:
                settled = answers.settle(record) or (step.chase and answers.ask(record))
            except Transient:
                # The clock that ends the waiting is the lifecycle's; it must not stand still while they are away.
                settled = False
            if not settled:
                waiting.append(str(record.key))
        return Done(awaiting=tuple(waiting))

    def _for_payment(self, account: MidOfficeAccount, key: EffectKey) -> Door:
        """The way for a payment: past its refusal if it is to be sent once more. Reads the answer if one is outstanding."""
        record = self._store.effects.get(key)
        if record is not None and record.state is EffectState.QUEUED:
            Answers(self._store, account.adapter).settle(record)
            record = self._store.effects.get(key)
        return account.adapter.anew() if record is not None and is_armed(record) else account.adapter

    def _payment_without_order(self, account: MidOfficeAccount, step: PaymentStep, told: Mapping[str, Chain]) -> Done:
        system = account.adapter.system
        booking = self._store.facts.booking(step.agency, step.booking_id)
        if booking is None:
            raise Transient("the booking is not known yet", system=system, operation="announce payment")
        records = self._transfer(account, step.agency, booking).sorted_out().records.values()
        if all(record.status in GONE for record in records):
            return Done(outcome="skipped", note=NOTHING_BELONGS)
        if told and all(chain.refused for chain in told.values()):
            raise Refused("the booking itself was refused there, so it has no order to pay", system=system)
        raise Transient("the booking is not registered there yet", system=system, operation="announce payment")

    def _follow(self, step: BookingStep) -> Done:
        account = self._accounts.get(step.agency)
        if account is None:
            return NO_MIDOFFICE
        return self._transfer(account, step.agency, self._told(step)).follow()

    def _told(self, step: BookingStep) -> Booking:
        told = self._store.facts.booking_in(step.agency, step.event_id)
        return self._store.supplier_orders.confirmed_in(step.agency, told)

    def _transfer(self, account: MidOfficeAccount, agency: str, booking: Booking) -> Transfer:
        return Transfer(self._store, self._effects, account, agency, booking)
