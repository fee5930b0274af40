"""Parking, decisions and the ends of lifecycles (contracts: money-rules P10)."""

from __future__ import annotations

from activities.failures import implements
from activities.office.late_money import alert
from activities.signatures import (
    OFFICE_CLOSE_LIFECYCLE,
    OFFICE_LOG_TRANSITION,
    OFFICE_MONEY_AT_STAKE,
    OFFICE_PARK,
    OFFICE_REFUND_SHOWN,
    OFFICE_UNPARK,
)
from domain.money import total
from domain.payment_steps import TransitionLog
from domain.steps import BookingQuestion, Done, LifecycleOutcome, MoneyAtStake, Parked, Parking, RefundStep, Unparking
from store import Store
from store.connectors import WRITING
from store.parked import BY_ITSELF


class DeskActivities:
    """Writes only to our own store; every method may be repeated."""

    def __init__(self, store: Store, console: str = "") -> None:
        """`console` is its public address, for links to parked items."""
        self._store = store
        self._console = console

    @implements(OFFICE_PARK)
    def park(self, parking: Parking) -> Parked:
        """Put an item on the list; owner and deadline come from the agency's desk."""
        desk = self._store.parked.desk(parking.agency)
        owner, deadline = desk.assign(parking.since, parking.reason, parking.fault)
        parked = self._store.parked.open(parking, owner, parking.deadline or deadline)
        return parked.model_copy(update={"page": f"{self._console}/parked/{parked.item_id}"} if self._console else {})

    @implements(OFFICE_REFUND_SHOWN)
    def refund_shown(self, step: RefundStep) -> Done:
        """Whether the processor has shown a declared refund by now, in whatever way; `partial` while it has not (F-R5)."""
        refund = self._store.facts.refund(step.agency, step.refund_id)
        waived = "refund_unconfirmed" in self._store.parked.desk(step.agency).waived
        declared = refund is not None and refund.status == "declared"
        if waived or not declared or self._store.facts.refund_failed(step.agency, step.refund_id):
            return Done()
        return Done(outcome="partial", note="the processor has not shown it")

    @implements(OFFICE_UNPARK)
    def unpark(self, unparking: Unparking) -> Done:
        """Take an item off the list; arm the refused effect again, or settle it with the record that a person named."""
        taken = unparking.taken
        # An answer that came by itself has settled its effect; only a person may have it sent again.
        if unparking.effect and taken.decision == "retry" and taken.by != BY_ITSELF:
            self._store.effects.rearm(unparking.effect)
        if unparking.effect and taken.decision == "adopt" and taken.outside_id:
            self._store.effects.adopt(unparking.effect, taken.outside_id)
        self._store.parked.close(taken.item_id, taken)
        return Done()

    @implements(OFFICE_MONEY_AT_STAKE)
    def money_at_stake(self, question: BookingQuestion) -> MoneyAtStake:
        """What was captured for a booking, which forbids forgetting it (money-rules P2)."""
        payments = self._store.facts.payments_of(question.agency, question.booking_id)
        if not payments:
            return MoneyAtStake()
        return MoneyAtStake(captured=total((p.amount for p in payments), payments[0].amount.currency))

    @implements(OFFICE_CLOSE_LIFECYCLE)
    def close_lifecycle(self, outcome: LifecycleOutcome) -> Done:
        """Keep the end of a lifecycle that was not simply done."""
        self._store.lifecycles.close(outcome)
        return Done()

    @implements(OFFICE_LOG_TRANSITION)
    def log_transition(self, log: TransitionLog) -> Done:
        """Keep where a payment stands on its way into the ERP, and every move that led there."""
        self._store.payment_sync.moved(log)
        alert(self._store, log)
        if any(line.before in WRITING and line.after not in WRITING for line in log.lines):
            self._store.connectors.give_back(log.agency, log.sync.payment_id)
        return Done()
