"""The journal's cells of the verbs table: post each fact once (contracts: money-rules 2, DESIGN 3)."""

from __future__ import annotations

from collections.abc import Mapping

from activities.accounting import mapping
from activities.accounting.settings import JournalSettings
from activities.effects import Effect, Effects
from activities.failures import implements
from activities.signatures import (
    JOURNAL_AMEND_BOOKING,
    JOURNAL_CANCEL_BOOKING,
    JOURNAL_RECORD_CHARGEBACK,
    JOURNAL_RECORD_PAYMENT,
    JOURNAL_RECORD_REFUND,
)
from domain.effects import EffectKey
from domain.errors import ContractBroken, Transient
from domain.ledger import Entry, Fact, Movement, entry_of, key_of, reversal
from domain.platform import Payment
from domain.steps import BookingStep, CancellationStep, ChargebackStep, Done, PaymentStep, RefundStep
from store import Store

SYSTEM = "journal"
WAIT_FOR_PAYMENT = 60.0
"""Seconds until a refund or chargeback looks again for its payment (platform-events 4)."""


class JournalActivities:
    """Posts to `store.journal`; everything it needs is in the store, so a step carries keys only."""

    def __init__(self, store: Store, settings: Mapping[str, JournalSettings]) -> None:
        self._store = store
        self._settings = settings
        self._effects = Effects(store.effects)

    @implements(JOURNAL_RECORD_PAYMENT)
    def record_payment(self, step: PaymentStep) -> Done:
        """Cobro and invoice of a captured payment; while the booking is unknown the money is in suspense."""
        settings = self._of(step.agency)
        payment = self._store.facts.payment(step.agency, step.payment_id)
        if payment is None:
            raise ContractBroken(f"{step.payment_id} is not among the captured payments", system=SYSTEM)
        suspended = self._store.journal.find(step.agency, key_of("sus", payment.id)) is not None
        if not step.known_booking:
            if self._store.journal.find(step.agency, key_of("cob", payment.id)) is not None:
                return Done(outcome="skipped", note="the payment is posted already")
            movements = [mapping.collection(payment, settings.zone, Fact.SUSPENSE)]
            return self._post(step.agency, "suspend", movements)
        money = mapping.collection(payment, settings.zone, Fact.MATCH if suspended else Fact.COLLECTION)
        movements = [money, mapping.invoice(payment, settings.zone)]
        return self._post(step.agency, "match" if suspended else "post", movements)

    @implements(JOURNAL_AMEND_BOOKING)
    def amend_booking(self, step: BookingStep) -> Done:
        """Credit notes and re-issued invoices that the ERP made for this change."""
        return self._post_documents(step)

    @implements(JOURNAL_CANCEL_BOOKING)
    def cancel_booking(self, step: CancellationStep) -> Done:
        """Rectifying invoices and the penalty document that the ERP made for this cancellation."""
        return self._post_documents(step)

    @implements(JOURNAL_RECORD_REFUND)
    def record_refund(self, step: RefundStep) -> Done:
        """Money given back; when it is known to have failed, its entry is reversed (money-rules F-R3)."""
        settings = self._of(step.agency)
        refund = self._store.facts.refund(step.agency, step.refund_id)
        if refund is None:
            # The failure came before the announcement: whoever posts the announcement finds the failure.
            return Done(outcome="skipped", note="the refund was never announced: nothing to reverse")
        if refund.destination == "voucher":
            return Done(outcome="skipped", note="a voucher moves no money")
        movement = mapping.refund(refund, self._payment(step.agency, refund.payment_id), settings.zone)
        done = self._post(step.agency, "post", [movement])
        if not self._store.facts.refund_failed(step.agency, refund.id):
            return done
        back = reversal(entry_of(movement, settings.accounts), on=movement.on, text=f"refund {refund.id} failed")
        return self._append(step.agency, "reverse", [back])

    @implements(JOURNAL_RECORD_CHARGEBACK)
    def record_chargeback(self, step: ChargebackStep) -> Done:
        """The stages at which money leaves, comes back, or a claim becomes doubtful."""
        settings = self._of(step.agency)
        if step.stage not in mapping.CHARGEBACK_FACTS:
            return Done(outcome="skipped", note=f"nothing is posted at stage {step.stage}")
        told = self._store.facts.chargeback(step.agency, step.chargeback_id, step.stage)
        event = self._store.inbox.get(step.agency, step.event_id)
        if told is None or event is None:
            raise ContractBroken(f"{step.chargeback_id} was never told at stage {step.stage}", system=SYSTEM)
        payment = self._payment(step.agency, told.payment_id)
        movement = mapping.chargeback(told, payment, event.occurred_at, settings.zone)
        entries = [entry_of(movement, settings.accounts)]
        lost = self._store.journal.find(step.agency, key_of("dev", told.id, "lost"))
        if movement.fact is Fact.WON and lost is not None:
            # Won after it was written off: first the write-off is taken back (money-rules F-P12).
            entries.append(reversal(lost.entry, on=movement.on, text=f"{told.id} won after it was lost"))
        return self._append(step.agency, "post", entries)

    def _post_documents(self, step: BookingStep) -> Done:
        """Post what the ERP issued for the booking and is not posted yet, each document once by its own key."""
        settings = self._of(step.agency)
        issued = self._store.documents.of_booking(step.agency, step.booking_id, settings.documents_from)
        ids: dict[str, str] = {}
        for document in issued:
            movement = mapping.document(
                document,
                self._payer_of(step.agency, step.booking_id, document.payment_id),
                fee=document.kind == "penalty" and self._is_fee(step),
            )
            if movement is not None:
                ids |= self._post(step.agency, "post", [movement]).ids
        if not ids:
            return Done(outcome="skipped", note="no correcting document was issued")
        return Done(ids=ids)

    def _is_fee(self, step: BookingStep) -> bool:
        told = self._store.facts.event_data(step.agency, step.event_id).cancellation
        return getattr(getattr(told, "penalty", None), "treatment", None) == "taxable_fee"

    def _payer_of(self, agency: str, booking_id: str, payment_id: str | None) -> str:
        """The payer of the payment behind a document, else of the booking."""
        payment = self._store.facts.payment(agency, payment_id) if payment_id else None
        if payment is not None:
            return payment.payer_id
        booking = self._store.facts.booking(agency, booking_id)
        return booking.payer.id if booking else ""

    def _payment(self, agency: str, payment_id: str) -> Payment:
        payment = self._store.facts.payment(agency, payment_id)
        if payment is None:
            raise Transient(f"{payment_id} has not arrived yet", system=SYSTEM, retry_after=WAIT_FOR_PAYMENT)
        return payment

    def _post(self, agency: str, operation: str, movements: list[Movement]) -> Done:
        accounts = self._of(agency).accounts
        return self._append(agency, operation, [entry_of(movement, accounts) for movement in movements])

    def _append(self, agency: str, operation: str, entries: list[Entry]) -> Done:
        """One effect for entries that belong together: they are appended in one transaction."""
        first = entries[0]
        journal = self._store.journal

        def append(_reference: str) -> str:
            return str(journal.append(agency, *entries)[0])

        def look_up(_reference: str) -> list[str]:
            posted = journal.find(agency, first.key)
            return [str(posted.number)] if posted else []

        number = self._effects.perform(
            Effect(
                EffectKey(agency, SYSTEM, "entry", first.key, operation),
                act=append,
                look_up=look_up,
                booking_id=first.booking_id,
            )
        )
        return Done(ids={first.key: number})

    def _of(self, agency: str) -> JournalSettings:
        return self._settings.get(agency) or JournalSettings()
