"""Which fact a reference in GIAV stands for (contracts: giav 3.2).

Computed from the facts themselves, not looked up in what we remember of our writes.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.effects import EffectKey
from domain.platform import Booking
from starter.collecting.truth import Truth
from store.facts import Facts

NOBODY = "?"


class References:
    """Reference → fact → booking."""

    def __init__(self, agency: str) -> None:
        self._agency = agency
        self._facts: dict[str, str] = {}
        self._bookings: dict[str, str] = {}
        self._papers: dict[str, str] = {}

    def learn(self, entity: str, business_id: str, fact: str, booking_id: str) -> None:
        self._facts[self.of(entity, business_id)] = fact
        self._bookings[fact] = booking_id

    def learn_paper(self, payment_ref: str, payment_id: str) -> None:
        """What a person writes down who types a payment: the processor's id of it."""
        self._papers[payment_ref] = payment_id

    def typed(self, words: str | None) -> str | None:
        """The payment that a person's words name."""
        return next((self._papers[word] for word in (words or "").split() if word in self._papers), None)

    def of(self, entity: str, business_id: str) -> str:
        return EffectKey(self._agency, "giav", entity, business_id, "create").reference

    def fact(self, reference: str | None) -> str | None:
        return self._facts.get(reference or "")

    def booking_of(self, fact: str | None) -> str:
        return self._bookings.get(fact or "", NOBODY)


def references_of(agency: str, bookings: Iterable[Booking], truth: Truth, facts: Facts) -> References:
    """Every reference that the facts of these bookings may have in GIAV."""
    references = References(agency)
    for booking in bookings:
        for payment in truth.payments(booking.id):
            references.learn("cobro", payment.id, payment.id, booking.id)
            references.learn("factura", payment.id, payment.id, booking.id)
            if payment.processor.payment_ref:
                references.learn_paper(payment.processor.payment_ref, payment.id)
        for refund in truth.refunds(booking.id):
            references.learn("reembolso", refund.id, refund.id, booking.id)
        for refund in truth.failed_refunds(booking.id):
            references.learn("reembolso", refund.id, refund.id, booking.id)
            references.learn("cobro", f"{refund.id}:failed", refund.id, booking.id)
        for chargeback in facts.chargebacks_of(agency, booking.id):
            references.learn("reembolso", f"{chargeback.id}:funds_withdrawn", chargeback.id, booking.id)
            references.learn("cobro", f"{chargeback.id}:won", chargeback.id, booking.id)
        for cancellation in facts.cancellations_of(agency, booking.id):
            references.learn("penalty", cancellation.id, cancellation.id, booking.id)
            # A penalty that is told again and is another by now: by the revision that told it.
            for revision in range(1, facts.booking_revision(agency, booking.id) + 1):
                references.learn("penalty", f"{cancellation.id}@{revision}", cancellation.id, booking.id)
    return references
