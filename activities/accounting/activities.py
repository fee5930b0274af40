"""The journal's cells of the verbs table: post each fact once (contracts: money-rules 2, DESIGN 3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import takewhile

from activities.accounting import mapping
from activities.accounting.posting import SYSTEM, Posting
from activities.failures import implements
from activities.signatures import (
    JOURNAL_AMEND_BOOKING,
    JOURNAL_CANCEL_BOOKING,
    JOURNAL_RECOGNISE_REVENUE,
    JOURNAL_RECORD_CHARGEBACK,
    JOURNAL_RECORD_PAYMENT,
    JOURNAL_RECORD_REFUND,
    JOURNAL_SETTLE_CLAIM,
)
from domain.errors import ContractBroken, Transient
from domain.ledger import Entry, Fact, entry_of, key_of, purchases_of, reversal
from domain.money import Money
from domain.platform import Payment, Refund
from domain.refunding import beyond_decision
from domain.steps import (
    BookingStep,
    CancellationStep,
    ChargebackStep,
    ClaimStep,
    Done,
    PaymentStep,
    RefundStep,
    RevenueStep,
)
from store.documents import Document

WAIT_FOR_PAYMENT = 60.0
"""Seconds until a refund or chargeback looks again for its payment (platform-events 4)."""


class JournalActivities(Posting):
    """Posts to `store.journal`; everything it needs is in the store, so a step carries keys only."""

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
        """Credit notes and re-issued invoices that the ERP made for this change, and what suppliers have invoiced."""
        billed = self._post_supplier_bills(step)
        documents = self._post_documents(step)
        return Done(ids=documents.ids | billed) if billed else documents

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
        beyond = self._beyond_decision(step.agency, refund)
        movement = mapping.refund(refund, self._payment(step.agency, refund.payment_id), settings.zone, beyond)
        done = self._post(step.agency, "post", [movement])
        failure = self._store.facts.refund_failure_event(step.agency, refund.id)
        if failure is None:
            return done.model_copy(update={"ids": done.ids | {"beyond": str(beyond.amount)}}) if beyond else done
        told = self._store.inbox.get(step.agency, failure)
        on = told.occurred_at.astimezone(settings.zone).date() if told else movement.on
        posted = (movement.key, key_of("set", refund.id))
        return self._append(
            step.agency, "reverse", self._reversed(step.agency, posted, on, f"refund {refund.id} failed")
        )

    @implements(JOURNAL_SETTLE_CLAIM)
    def settle_claim(self, step: ClaimStep) -> Done:
        """Money that is gone is owed by the payer, or lost, as a person says (money-rules F-R7, F-P11)."""
        payment = self._payment(step.agency, step.payment_id)
        movement = mapping.settled(step, payment, self._of(step.agency).zone)
        if movement is None:
            return Done(outcome="skipped", note="the claim stands in 436")
        return self._post(step.agency, "post", [movement])

    def _beyond_decision(self, agency: str, refund: Refund) -> Money:
        facts = self._store.facts
        cancellation = facts.cancellation(agency, refund.cancellation_id) if refund.cancellation_id else None
        earlier = takewhile(lambda each: each.id != refund.id, facts.refunds_of(agency, refund.booking_id))
        return beyond_decision(refund, cancellation, earlier, facts.payments_of(agency, refund.booking_id))

    def _reversed(self, agency: str, keys: Iterable[str], on: date, why: str) -> list[Entry]:
        """The entries that take back what is posted under these keys."""
        found = (self._store.journal.find(agency, key) for key in keys)
        return [reversal(posted.entry, on=on, text=why) for posted in found if posted is not None]

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
        if movement.fact is Fact.WON:
            # Won after it was lost, perhaps written off: what was posted of that is taken back (money-rules F-P12).
            keys = (key_of("dev", told.id, "lost"), key_of("set", told.id))
            entries += self._reversed(step.agency, keys, movement.on, f"{told.id} won after it was lost")
        return self._append(step.agency, "post", entries)

    @implements(JOURNAL_RECOGNISE_REVENUE)
    def recognise_revenue(self, step: RevenueStep) -> Done:
        """What is still in 438 for trips that have started becomes revenue; a later correction follows the next night."""
        advances = self._of(step.agency).accounts.advances
        posted: dict[str, str] = {}
        for row in self._store.journal.trial_balance(step.agency):
            if row.account == advances and row.balance and self._has_started(step.agency, row.sub, step.day):
                posted |= self._render(step, row.sub, -row.balance)
        if not posted:
            return Done(outcome="skipped", note="no advance of a trip that has started")
        return Done(note=f"{len(posted)} bookings")

    def _render(self, step: RevenueStep, booking_id: str, left: Money) -> dict[str, str]:
        kinds = (Fact.RENDERED, Fact.RENDERED_LESS)
        before = [p for p in self._store.journal.entries_of(step.agency, booking_id) if p.entry.fact in kinds]
        movement = mapping.rendered(booking_id, left, step.day, len(before) + 1)
        return self._post(step.agency, "post", [movement]).ids

    def _has_started(self, agency: str, booking_id: str, day: date) -> bool:
        booking = self._store.facts.booking(agency, booking_id)
        trip = self._store.facts.experience(agency, booking.experience_id) if booking else None
        return trip is not None and trip.starts_on <= day

    def _post_supplier_bills(self, step: BookingStep) -> dict[str, str]:
        """Lines whose cost is invoiced: the difference between that cost and what is posted for the line.

        Money that corrects invoices comes without a booking, and so without costs.
        """
        settings = self._of(step.agency)
        told = self._store.facts.event_data(step.agency, step.event_id).booking
        event = self._store.inbox.get(step.agency, step.event_id)
        ids: dict[str, str] = {}
        if told is None or event is None:
            return ids
        for line in told.lines:
            if line.cost.status != "invoiced":
                continue
            posted = self._store.journal.balance(
                step.agency,
                settings.accounts.purchases,
                purchases_of(told.id, line.id),
                currency=line.cost.total.currency,
            )
            if difference := line.cost.total - posted:
                day = event.occurred_at.astimezone(settings.zone).date()
                ids |= self._post(
                    step.agency, "post", [mapping.supplier_bill(told, step.revision, line, difference, day)]
                ).ids
        return ids

    def _post_documents(self, step: BookingStep) -> Done:
        """Post what the ERP issued for the booking and is not posted yet, each document once by its own key."""
        settings = self._of(step.agency)
        issued = self._store.documents.of_booking(step.agency, step.booking_id, settings.documents_from)
        ids: dict[str, str] = {}
        for document in issued:
            if document.kind == "penalty" and document.amount.amount < 0:
                ids |= self._post_penalty_credit(step.agency, document)
                continue
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

    def _post_penalty_credit(self, agency: str, credit: Document) -> dict[str, str]:
        """A penalty that was too high is taken back as it was posted: as indemnity or as fee (money-rules F-X6)."""
        about = f"penalty credited by {credit.number}"
        entries = self._reversed(agency, [key_of(credit.refers_to or "")], credit.issued_on, about)
        return self._append(agency, "reverse", entries).ids if entries else {}

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
