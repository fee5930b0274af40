"""The office's cells around connectors: the breaker as everybody sees it, who waits, who may pass (payment-sync 3, 4, 7)."""

from __future__ import annotations

from collections.abc import Mapping

from activities.failures import implements
from activities.office.late_money import closing_of
from activities.signatures import OFFICE_ADMIT_PAYMENT, OFFICE_KEEP_BREAKER, OFFICE_WAITING_PAYMENTS
from domain.connector_steps import (
    Admission,
    AdmitStep,
    BreakerKept,
    BreakerReport,
    ErpName,
    WaitingPayments,
    WaitingQuestion,
)
from domain.payment_sync.breaker import why_held
from store import Store


class ConnectorActivities:
    """`erps` says where an agency's receipts are kept."""

    def __init__(self, store: Store, erps: Mapping[str, ErpName]) -> None:
        self._store = store
        self._erps = erps

    @implements(OFFICE_ADMIT_PAYMENT)
    def admit_payment(self, step: AdmitStep) -> Admission:
        """The guard of row 4: the breaker is closed, and no other payment of the receivable is being written."""
        connector = self._erps.get(step.agency, "giav")
        closing = closing_of(self._store, step.agency, step.booking_id, step.payment_id) if step.first else None
        breaker = self._store.connectors.breaker(step.agency, connector)
        held = why_held(breaker, step.payment_id) if breaker is not None else ""
        if breaker is not None and held:
            return Admission(
                connector=connector,
                permitted=False,
                because=held,
                failing=breaker.failing,
                breaker_is_open=True,
                closing=closing,
            )
        other = self._store.connectors.take(step.agency, connector, step.booking_id, step.payment_id)
        if other is not None:
            words = f"{other} of the same receivable is being written"
            return Admission(connector=connector, permitted=False, because=words, closing=closing)
        return Admission(connector=connector, closing=closing)

    @implements(OFFICE_KEEP_BREAKER)
    def keep_breaker(self, report: BreakerReport) -> BreakerKept:
        if report.item_id:
            self._store.parked.retell(report.item_id, report.words, report.amount)
        return self._store.connectors.keep(report.breaker)

    @implements(OFFICE_WAITING_PAYMENTS)
    def waiting_payments(self, question: WaitingQuestion) -> WaitingPayments:
        found = self._store.connectors.waiting(question.agency, question.connector, question.states, question.limit)
        return WaitingPayments(payments=tuple(found))
