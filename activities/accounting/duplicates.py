"""The journal's cells for a payment of what was paid already: its money waits in 555 until the customer has chosen
(contracts: money-rules 2, O2, F-C18; payment-sync 18-27)."""

from __future__ import annotations

from activities.accounting import mapping
from activities.accounting.posting import SYSTEM, Posting
from activities.failures import implements
from activities.signatures import JOURNAL_RELEASE, JOURNAL_SET_ASIDE
from domain.duplicates import DuplicateStep
from domain.errors import ContractBroken, NotYet
from domain.ledger import Fact, entry_of, reversal
from domain.platform import Payment
from domain.steps import Done


class DuplicateEntries(Posting):
    """A duplicate is money that was captured and is no sale: no document of it stands in the ERP, so none stands here."""

    @implements(JOURNAL_SET_ASIDE)
    def set_aside(self, step: DuplicateStep) -> Done:
        """Its invoice is taken back, its money moves from the customer's account to 555; or straight there."""
        payment, settings, day = self._payment(step), self._of(step.agency), self._today(step.agency)
        if not step.posted:
            held = mapping.collection(payment, settings.zone, Fact.SUSPENSE)
            return self._append(step.agency, "set_aside", [entry_of(held, settings.accounts)], step.booking_id)
        key = mapping.invoice_key(payment.id, step.number - 1)
        invoiced = self._store.journal.find(step.agency, key)
        if invoiced is None:
            raise NotYet(f"{key} is not posted yet", system=SYSTEM)
        back = reversal(invoiced.entry, on=day.date(), text=f"{payment.id} was paid already: no sale")
        aside = entry_of(mapping.set_aside(payment, step.number, day), settings.accounts)
        return self._append(step.agency, "set_aside", [back, aside], step.booking_id)

    @implements(JOURNAL_RELEASE)
    def release(self, step: DuplicateStep) -> Done:
        """It left 555: as a payment of what is open next, invoiced after all, or back to the customer."""
        payment, settings, day = self._payment(step), self._of(step.agency), self._today(step.agency)
        aside = mapping.set_aside if step.posted else mapping.suspended
        if self._store.journal.find(step.agency, aside(payment, step.number, day).key) is None:
            return Done(outcome="skipped", note="it was not set aside")
        if step.credited and not step.posted:
            return Done(outcome="skipped", note="its own posting took it from there")
        entries = [entry_of(mapping.released(payment, step.number, day), settings.accounts)]
        if step.credited:
            again = mapping.invoice(payment, settings.zone)
            again = again.model_copy(update={"key": mapping.invoice_key(payment.id, step.number)})
            entries.append(entry_of(again, settings.accounts))
        return self._append(step.agency, "release", entries, step.booking_id)

    def _payment(self, step: DuplicateStep) -> Payment:
        payment = self._store.facts.payment(step.agency, step.payment_id)
        if payment is None:
            raise ContractBroken(f"no payment {step.payment_id}", system="store")
        return payment
