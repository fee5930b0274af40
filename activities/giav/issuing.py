"""Issuing at GIAV and remembering what was issued, and the money that pays it (contracts: giav 2.9, 2.10)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from activities.effects import Effect
from activities.giav.client import SYSTEM
from activities.giav.mapping.money import Sale, factura
from activities.giav.mapping.values import Request, day_of, euros, local_day, money_of
from activities.giav.office import CREATE, Container, Office, own_id
from domain.effects import VERIFY_WAITS, EffectKey, EffectState
from domain.errors import BackOfficeError, NeedsPerson, Refused, Transient, UnknownOutcome
from domain.money import Money
from domain.platform import Booking, Experience, Party
from store.documents import Document

LINK = "compensation"
SETTLED = frozenset({EffectState.DONE, EffectState.UNDONE})
Kind = Literal["invoice", "credit_note", "penalty"]


class Issuing:
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
        known = self.known(record.key)
        if known is not None:
            return known
        payer = self._booking.payer
        at = self._office.at(client, self._container.expediente, key)
        simplified = self._simplified(payer, sale.amount)
        request = factura(sale, payer, at, series, simplified, self._office.today()) | (collecting or {})
        expediente = self._container.expediente
        effect = Effect(
            key=key,
            act=lambda _: self._issue(key, request),
            look_up=lambda reference: self._office.lookups.factura(reference, expediente),
            booking_id=self._booking.id,
            request=request,
        )
        return self.remember(key, own_id(self._office.effects.perform(effect), key), record)

    def _issue(self, key: EffectKey, request: Request) -> str:
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
        return self._office.not_taken(key, "Factura_Servicios_POST", str(ids[0]))

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

    def known(self, document_key: str) -> Document | None:
        return self._office.store.documents.get(self._office.agency, SYSTEM, document_key)

    def remember(self, key: EffectKey, own: int, record: Document) -> Document:
        """Read number and day back and keep the document. What was read of another document is looked for by our reference."""
        try:
            read = self._office.client.call("Factura_GET", id=own)
        except Refused as error:
            raise self._another(key, own, error) from error
        if not read or not read["Codigo"] or not read["FechaEmision"]:
            raise Transient("the new invoice has no number yet", system=SYSTEM, operation="Factura_GET", retry_after=2)
        total = (read["DatosExternos"] or {}).get("TotalFactura")
        if total is not None and abs(money_of(total).amount) != abs(record.amount.amount):
            wrong = NeedsPerson(
                f"invoice {read['Codigo']} amounts to {money_of(total)}, not to {record.amount}",
                system=SYSTEM,
                operation="Factura_GET",
            )
            raise self._another(key, own, wrong)
        issued_on = day_of(read["FechaEmision"])
        document = record.model_copy(update={"number": read["Codigo"], "outside_id": str(own), "issued_on": issued_on})
        self._office.store.documents.record(document)
        return document

    def _another(self, key: EffectKey, own: int, error: BackOfficeError) -> BackOfficeError:
        """What to raise when the document with this id is not the one that was issued; `error` once its id was looked for."""
        why = f"invoice {own} was answered, and is another: {error}"
        if self._office.store.effects.doubt(key, why):
            return UnknownOutcome(
                why, system=SYSTEM, operation="Factura_GET", effect=str(key), retry_after=VERIFY_WAITS[0]
            )
        return error

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
        """Say that this money pays this invoice: one link per due date, earliest first.

        An invoice that was credited meanwhile takes no money any more; a link to it that was begun is given up.
        """
        if any(each.refers_to == invoice.key for each in self.documents() if each.kind == "credit_note"):
            self._give_up_links(business_id)
            return
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

    def _give_up_links(self, business_id: str) -> None:
        for record in self._office.records(self._booking.id):
            if (record.key.entity, record.key.business_id) == (LINK, business_id) and record.state not in SETTLED:
                self._office.store.effects.undone(record.key, record.key)

    def _link_one(self, key: EffectKey, due_date: int, cobro: int, amount: Money) -> None:
        request: Request = {"idDueDate": due_date, "idCobro": cobro, "compensationAmount": euros(amount)}
        self._office.create(
            key,
            "RelationDueDatePayment_POST",
            request,
            lambda _: self._office.lookups.compensation(due_date, cobro),
            self._booking.id,
        )

    def cobro_of(self, payment_id: str) -> int | None:
        return self._office.made(self._office.key("cobro", payment_id, CREATE))


def operation_day(office: Office, payment_id: str) -> date:
    """The local day on which a payment was captured."""
    payment = office.store.facts.payment(office.agency, payment_id)
    if payment is None or payment.captured_at is None:
        return office.today()
    return local_day(payment.captured_at)
