"""The documents of a booking and their corrections: credit notes, what is issued again (contracts: giav 2.9, 2.10)."""

from __future__ import annotations

from typing import Literal

from activities.effects import Effect
from activities.giav.corrections import Correction, corrections, keep_after_change, originals, penalised, sold_again
from activities.giav.issuing import Issuing, Kind
from activities.giav.mapping.money import Sale, credit_note, payment_words, substitution
from activities.giav.mapping.values import Request, euros
from activities.giav.office import CREATE
from domain.money import Money, total
from store.documents import Document

CREDIT_NOTE, FACTURA, PLAN = "credit note", "factura", "correction plan"
REEMBOLSO = "reembolso"
How = Literal["credit", "substitute", "exchange"]
"""How an invoice gives way to another: credited, rectified by substitution, exchanged for a full one."""
REPLACES: dict[How, str] = {
    "credit": "Sustituye a",
    "substitute": "Sustituye por rectificación a",
    "exchange": "Canje de la factura simplificada",
}


class Desk(Issuing):
    """Corrects what it has issued. A plan of corrections is decided once."""

    def keep(self, new_penalty: Money) -> Money:
        """How much may stay invoiced as sold, once `new_penalty` has a document of its own beside those that have one."""
        documents, currency = self.documents(), self._booking.currency
        penalties = penalised(documents, currency) + new_penalty
        captured = originals(documents, currency)
        return keep_after_change(self._booking.totals.total, captured, self.given_back(), penalties)

    def given_back(self) -> Money:
        """What went back to the payer and is in GIAV."""
        office = self._office
        refunds = office.store.facts.refunds_of(office.agency, self._booking.id)
        recorded = (each for each in refunds if office.made(office.key(REEMBOLSO, each.id, CREATE)) is not None)
        return total((each.amount for each in recorded), self._booking.currency)

    def plan(self, cause: str, keep: Money, first: str | None = None) -> list[Correction]:
        """Which invoices this cause corrects."""
        return self._decided("decide", cause, corrections(self.documents(), keep, first), keep.currency)

    def plan_again(self, cause: str, keep: Money) -> list[Correction]:
        """What this cause sells again of money whose invoices were credited and that was not given back (F-M7)."""
        return self._decided("sell again", cause, sold_again(self.documents(), keep), keep.currency)

    def decide(self, cause: str, drawn: list[Correction], currency: str) -> list[Correction]:
        """A plan that a person approved, decided once like every other."""
        return self._decided("decide", cause, drawn, currency)

    def decided(self, cause: str, currency: str) -> list[Correction]:
        """The plan of a cause, empty when none was decided."""
        return self._decided("decide", cause, [], currency)

    def _decided(self, what: str, cause: str, drawn: list[Correction], currency: str) -> list[Correction]:
        """A plan is decided once: a crash in the middle must not make another one of the rest."""
        key = self._office.key(PLAN, f"{self._booking.id}/{cause}", what)
        if not drawn and self._office.store.effects.get(key) is None:
            return []
        request: Request = {"corrections": [[each.document.key, each.remaining.amount] for each in drawn]}
        decide = Effect(key=key, act=lambda _: "decided", booking_id=self._booking.id, request=request)
        self._office.effects.perform(decide)
        decided = self._office.store.effects.last_request(key) or request
        by_key = {document.key: document for document in self.documents()}
        return [
            Correction(by_key[name], Money(amount=remaining, currency=currency))
            for name, remaining in decided["corrections"]
        ]

    def request_of(self, document: Document) -> Request | None:
        """What was sent to issue an invoice."""
        _, family, *cause = document.key.split(":", 2)
        key = self._office.key(FACTURA, family, CREATE)
        if cause:
            key = self._office.key(FACTURA, f"{cause[0]}/{family}", "reissue")
        return self._office.store.effects.last_request(key)

    def credit(self, cause: str, corrections: list[Correction], how: How = "credit") -> list[Document]:
        """One credit note, or rectification, per invoice, today."""
        return [self._credit_one(cause, each.document, how) for each in corrections]

    def credit_giving_back(self, cause: str, original: Document, method: int) -> Document:
        """One credit note that gives the money of the invoice back at once."""
        giving = {"idFormaPagoReembolso": method, "importeCobrosaReembolsar": euros(original.amount)}
        return self._credit_one(cause, original, "credit", giving)

    def _credit_one(self, cause: str, original: Document, how: How, giving_back: Request | None = None) -> Document:
        family = original.payment_id or original.key
        document_key = f"rect:{cause}:{family}"
        known = self.known(document_key)
        if known is not None:
            return known
        key = self._office.key(CREDIT_NOTE, f"{cause}/{family}", CREATE)
        invoice = int(original.outside_id)
        substituted = how == "substitute"
        write = substitution if substituted else credit_note
        made = self._office.create(
            key,
            "Factura_RECTIFICATION" if substituted else "Factura_REIMBURSEMENT",
            write(invoice, self._office.today(), key.reference, self._office.settings) | (giving_back or {}),
            lambda _: self._office.lookups.credit_note(invoice, "Rectificativa" if substituted else "Reembolso"),
            self._booking.id,
        )
        today = self._office.today()
        # What takes a penalty back is a penalty too, with a negative amount: it nets with those, not with sales.
        kind: Kind = "penalty" if original.kind == "penalty" else "credit_note"
        draft = self.draft(
            kind, document_key, -original.amount, today, original.series, original.payment_id, original.key
        )
        return self.remember(key, made, draft)

    def reissue(self, cause: str, corrections: list[Correction], client: int, how: How = "credit") -> list[Document]:
        """Invoice again what stays sold, or is sold again, of a credited invoice, and put its money on the new one."""
        return [self._reissue_one(cause, each, client, how) for each in corrections if each.remaining.amount > 0]

    def _reissue_one(self, cause: str, correction: Correction, client: int, how: How) -> Document:
        original = correction.document
        family = original.payment_id or original.key
        business_id = f"{cause}/{family}"
        key = self._office.key(FACTURA, business_id, "reissue")
        payment = self._office.store.facts.payment(self._office.agency, family)
        replaces = f"{REPLACES[how]} {original.number}. "
        words = f"{replaces}{self._experience.title}, reserva {self._booking.locator}. {key.reference}"
        if payment is not None:
            words = replaces + payment_words(
                self._experience, self._booking, payment, original.operation_date, key.reference
            )
        draft = self.draft(
            "invoice",
            f"inv:{family}:{cause}",
            correction.remaining,
            original.operation_date,
            original.series,
            original.payment_id,
            next(
                each.key for each in self.documents() if each.kind == "credit_note" and each.refers_to == original.key
            ),
        )
        made = self.invoice(key, Sale(self._container.id, correction.remaining, words), client, original.series, draft)
        cobro = self.cobro_of(family)
        if cobro is not None:
            self.link(business_id, made, cobro, correction.remaining)
        return made
