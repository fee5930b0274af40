"""Payments that wait for too long are named to a supervisor, once and then every day (contracts: payment-sync 7 "ageing")."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from activities.failures import implements
from activities.signatures import OFFICE_AGE_PAYMENTS
from domain.connector_steps import ConnectorStep
from domain.desk import item_id
from domain.payment_sync import SHOWN_AS
from domain.payment_sync.ageing import RED, days_red
from domain.steps import DecisionTaken, Done
from store import Store
from store.parked import StoreParking

REASON = "payment_ageing"


class AgeingActivities:
    """Opens and closes items of our own list; nothing else."""

    def __init__(self, store: Store, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._now = now

    @implements(OFFICE_AGE_PAYMENTS)
    def age_payments(self, step: ConnectorStep) -> Done:
        """One item per payment and day from the day that it is red; the one of yesterday goes with today's."""
        now = self._now()
        standing = set()
        for each in self._store.connectors.unsynchronised(step.agency, step.connector, now - RED):
            sync = each.sync
            captured = sync.captured_at or sync.since
            days = days_red(captured, now)
            item = item_id(REASON, step.agency, sync.payment_id, str(days))
            standing.add(item)
            self._store.parked.open_from_store(
                StoreParking(
                    item_id=item,
                    agency=step.agency,
                    reason=REASON,
                    detail=(
                        f"{sync.payment_id} of {sync.amount} was captured on {captured:%Y-%m-%d %H:%M} UTC and is not in "
                        f"{step.connector} for {days} days: {SHOWN_AS[sync.state]}; {sync.reason or sync.state.value}"
                    ),
                    verb=OFFICE_AGE_PAYMENTS.name,
                    decisions=("skip",),
                    booking_id=each.booking_id,
                    experience_id=each.experience_id,
                    payment_id=sync.payment_id,
                    amount=sync.amount,
                )
            )
        for old in self._store.parked.list(step.agency, reason=REASON, limit=10_000):
            if old.item_id not in standing and self._is_of(old.payment_id, step):
                gone = DecisionTaken(item_id=old.item_id, decision="skip", by="system", explanation="no longer so")
                self._store.parked.close(old.item_id, gone)
        return Done()

    def _is_of(self, payment_id: str | None, step: ConnectorStep) -> bool:
        known = self._store.payment_sync.get(step.agency, payment_id or "")
        return known is None or known.connector == step.connector
