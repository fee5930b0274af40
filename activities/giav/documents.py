"""Issuing at GIAV and remembering what was issued: invoices, credit notes, penalty documents (contracts: giav 2.9, 2.10)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from activities.effects import Effect
from activities.giav.client import SYSTEM
from activities.giav.corrections import Correction, corrections, keep_after_change, originals, penalised, sold_again
from activities.giav.mapping.money import Sale, credit_note, factura, payment_words, substitution
from activities.giav.mapping.values import Request, day_of, euros, local_day, money_of
from activities.giav.office import CREATE, Container, Office, own_id
from domain.effects import EffectKey
from domain.errors import NeedsPerson, Transient, UnknownOutcome
from domain.money import Money, total
from domain.platform import Booking, Experience, Party
from store.documents import Document

CREDIT_NOTE, FACTURA, LINK, PLAN = "credit note", "factura", "compensation", "correction plan"
REEMBOLSO = "reembolso"
Kind = Literal["invoice", "credit_note", "penalty"]
How = Literal["credit", "substitute", "exchange"]
"""How an invoice gives way to another: credited, rectified by substitution, exchanged for a full one."""
REPLACES: dict[How, str] = {
    "credit": "Sustituye a",
    "substitute": "Sustituye por rectificación a",
    "exchange": "Canje de la factura simplificada",
}


class Desk:
    """Issues the documents of one booking. Every document is one effect and one record of the store."""

    def __init__(self, office: Office, booking: Booking, standing: Container) -> None:
        self._office = office
        self._booking = booking
        self._container = standing
        self._experience: Experience = office.experience(booking.experience_id)

    @property
    def experience(self) -> Experience:
        return self._experience

    def documents(self) -> list[Document]:
        return self._office.store.documents.of_booking(self._office.agency, self._booking.id, SYSTEM)

    # Invoices ----------------------------------------------------------------------------------------------------

    def invoice(
        self, key: EffectKey, sale: Sale, client: int, series: str, record: Document, collecting: Request | None = None
    ) -> Document:
        """Issue one invoice today. `record` is the document but for its number, id and dates of issue; `collecting` makes
        it take its money at once."""
        known = self._known(record.key)
        if known is not None:
            return known
        payer = self._booking.payer
        at = self._office.at(client, self._container.expediente, key)
        simplified = self._simplified(payer, sale.amount)
        request = factura(sale, payer, at, series, simplified, self._office.today()) | (collecting or {})
        expediente = self._container.expediente
        effect = Effect(
            key=key,
            act=lambda _: self._issue(request),
            look_up=lambda reference: self._office.lookups.factura(reference, expediente),
            booking_id=self._booking.id,
            request=request,
        )
        return self._remember(own_id(self._office.effects.perform(effect), key), record)

    def _issue(self, request: Request) -> str:
        made = self._office.client.call("Factura_Servicios_POST", **request)
        ids = [number for number in made if isinstance(number, int) and number > 0] if isinstance(made, list) else []
        if not ids:
            raise UnknownOutcome("answered without an invoice", system=SYSTEM, operation="Factura_Servicios_POST")
        if len(ids) > 1:
            raise NeedsPerson(
                f"one payment became {len(ids)} invoices ({', '.join(map(str, ids))}); adopt the right one",
                system=SYSTEM,
                operation="Factura_Servicios_POST",
            )
        return str(ids[0])

    def may_invoice(self, amount: Money) -> bool:
        """Whether an invoice of this amount is lawful today."""
        try:
            self._simplified(self._booking.payer, amount)
        except NeedsPerson:
            return False
        return True

    def _simplified(self, payer: Party, amount: Money) -> bool:
        """Whether the invoice must be a simplified one. Raises `NeedsPerson` when neither kind is lawful (1.1.6, F-C7)."""
        if payer.fiscal_complete:
            return False
        if payer.kind == "company":
            raise self._no_fiscal_data("a company's invoice is always a full one")
        if amount.amount > self._office.settings.simplified_up_to:
            raise self._no_fiscal_data(f"{euros(amount)} EUR is too much for a simplified invoice")
        return True

    @staticmethod
    def _no_fiscal_data(why: str) -> NeedsPerson:
        return NeedsPerson(
            f"the payer's fiscal data are missing and {why}; complete them on the platform, then retry",
            system=SYSTEM,
            operation="Factura_Servicios_POST",
            code="fiscal_data_missing",
        )

    def _known(self, document_key: str) -> Document | None:
        return self._office.store.documents.get(self._office.agency, SYSTEM, document_key)

    def _remember(self, own: int, record: Document) -> Document:
        """Read number and day back and keep the document."""
        read = self._office.client.call("Factura_GET", id=own)
        if not read or not read["Codigo"] or not read["FechaEmision"]:
            raise Transient("the new invoice has no number yet", system=SYSTEM, operation="Factura_GET", retry_after=2)
        total = (read["DatosExternos"] or {}).get("TotalFactura")
        if total is not None and abs(money_of(total).amount) != abs(record.amount.amount):
            raise NeedsPerson(
                f"invoice {read['Codigo']} amounts to {money_of(total)}, not to {record.amount}",
                system=SYSTEM,
                operation="Factura_GET",
            )
        issued_on = day_of(read["FechaEmision"])
        document = record.model_copy(update={"number": read["Codigo"], "outside_id": str(own), "issued_on": issued_on})
        self._office.store.documents.record(document)
        return document

    def draft(
        self,
        kind: Kind,
        key: str,
        amount: Money,
        operation_day: date,
        series: str,
        payment_id: str | None,
        refers_to: str | None,
    ) -> Document:
        """A document before it has its number."""
        return Document(
            agency=self._office.agency,
            system=SYSTEM,
            kind=kind,
            key=key,
            number="",
            outside_id="",
            booking_id=self._booking.id,
            payment_id=payment_id,
            refers_to=refers_to,
            amount=amount,
            issued_on=self._office.today(),
            operation_date=operation_day,
            series=series,
        )

    def series(self) -> str:
        return self._office.settings.series[self._experience.tax_regime]

    # Money on invoices -------------------------------------------------------------------------------------------

    def link(self, business_id: str, invoice: Document, cobro: int, amount: Money) -> None:
        """Say that this money pays this invoice: one link per due date, earliest first."""
        due_dates = self._office.lookups.due_dates(int(invoice.outside_id))
        if not due_dates:
            raise Transient(
                "the new invoice has no due date yet", system=SYSTEM, operation="DueDate_SEARCH", retry_after=2
            )
        left = amount
        for order, due in enumerate(due_dates):
            part = min(left, money_of(due["Amount"]))
            if part.amount <= 0:
                break
            self._link_one(self._office.key(LINK, business_id, CREATE, order), int(due["Id"]), cobro, part)
            left = left - part

    def _link_one(self, key: EffectKey, due_date: int, cobro: int, amount: Money) -> None:
        request: Request = {"idDueDate": due_date, "idCobro": cobro, "compensationAmount": euros(amount)}
        self._office.create(
            key,
            "RelationDueDatePayment_POST",
            request,
            lambda _: self._office.lookups.compensation(due_date, cobro),
            self._booking.id,
        )

    # Corrections -------------------------------------------------------------------------------------------------

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
        known = self._known(document_key)
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
        return self._remember(made, draft)

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

    def cobro_of(self, payment_id: str) -> int | None:
        return self._office.made(self._office.key("cobro", payment_id, CREATE))


def operation_day(office: Office, payment_id: str) -> date:
    """The local day on which a payment was captured."""
    payment = office.store.facts.payment(office.agency, payment_id)
    if payment is None or payment.captured_at is None:
        return office.today()
    return local_day(payment.captured_at)
