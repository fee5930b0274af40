"""One file of GIAV against our ledger: read, compared, never written (contracts: giav 4 "nightly check"; payment-sync 28)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from activities.giav.client import SYSTEM
from activities.giav.documents import REEMBOLSO
from activities.giav.elements import Record
from activities.giav.mapping.merging import ours
from activities.giav.mapping.values import CURRENCY, money_of
from activities.giav.office import CREATE, Office
from domain.effects import EffectRecord, EffectState
from domain.errors import Refused
from domain.money import Money, total
from domain.platform import Booking, Experience
from store.documents import Document

DIFFERS, REVERSED = "giav_differs", "erp_reversed"
ON_THEIR_WAY = frozenset({EffectState.INTENDED, EffectState.UNKNOWN, EffectState.REFUSED})
LAG = timedelta(minutes=10)
"""How long GIAV's own sums may lag behind its records (giav 1.5)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference; `subject` is the record that it is about, in GIAV's words."""

    reason: str
    subject: str
    words: str
    booking_id: str | None = None
    payment_id: str | None = None
    amount: Money | None = None
    effect: str = ""


class FileCheck:
    """The four reads of one file, and what our ledger says that stands there."""

    def __init__(self, office: Office, experience: Experience) -> None:
        self._office = office
        self._experience = experience
        self._bookings = office.store.facts.bookings(office.agency, experience.id)
        self._records = {each.id: office.records(each.id) for each in self._bookings}

    def is_on_its_way(self) -> bool:
        """Whether something of the file is not written yet, or waits for a person: then a difference says nothing."""
        parked = self._office.store.parked
        return any(record.state in ON_THEIR_WAY for records in self._records.values() for record in records) or any(
            item.workflow_id for each in self._bookings for item in parked.list(self._office.agency, booking_id=each.id)
        )

    def findings(self) -> list[Finding]:
        """Every difference. Raises whatever a read may meet."""
        own = self._office.made(self._office.key("expediente", self._experience.id, CREATE))
        if own is None:
            return []
        look = self._office.lookups
        try:
            figures = self._office.client.call("Expediente_InfoEconomica_GET", id=own) or {}
        except Refused as refused:
            return [Finding(DIFFERS, f"expediente {own}", f"the file is gone: {refused.message}")]
        reservas = {r["Id"]: r for r in look.reservas(idsExpediente=[own]) if r["IdExpediente"] == own}
        cobros = {r["Id"]: r for r in look.cobros_of(own)}
        facturas = {r["Id"]: r for r in look.facturas_of(own) if not r["EsProforma"]}
        found = [
            *(each for booking in self._bookings for each in self._reservas(booking, reservas)),
            *(each for booking in self._bookings for each in self._money(booking, cobros)),
            *(each for booking in self._bookings for each in self._documents(booking, facturas)),
            *self._strangers(reservas, cobros, facturas),
        ]
        # Sums that differ because a record does need no item of their own.
        return found or list(self._sums(own, figures))

    # Records -----------------------------------------------------------------------------------------------------

    def _reservas(self, booking: Booking, stand: dict[int, Record]) -> Iterator[Finding]:
        container = self._made(booking, "reserva")
        for record in container + self._made(booking, "cost line"):
            own, is_container = int(record.outside_id or 0), record.key.entity == "reserva"
            subject, there = f"reserva {own}", stand.get(own)
            if there is None:
                yield Finding(DIFFERS, subject, f"{record.key.entity} {own} is gone", booking.id)
                continue
            member, name = ("VentaComis", "ventacomis") if is_container else ("CosteComis", "costeComis")
            mine, theirs = self._posted(booking, record, name), money_of(there[member])
            if mine is not None and mine != theirs:
                words = f"{record.key.entity} {own}: {name} is {theirs}, we sent {mine}"
                yield Finding(DIFFERS, subject, words, booking.id, amount=theirs - mine)
            if (
                not is_container
                and container
                and there["Anidacion_IdReservaContenedora"] != int(container[-1].outside_id or 0)
            ):
                yield Finding(DIFFERS, subject, f"cost line {own} does not hang under its container", booking.id)

    def _money(self, booking: Booking, stand: dict[int, Record]) -> Iterator[Finding]:
        for record in self._made(booking, "cobro") + self._made(booking, REEMBOLSO):
            own, payment_id = int(record.outside_id or 0), record.key.business_id
            subject, mine, there = f"cobro {own}", self._amount(booking, record), stand.get(own)
            if there is None:
                words = f"{record.key.entity} {own} of {payment_id} was recorded in GIAV and is not there any more"
                yield Finding(REVERSED, subject, words, booking.id, payment_id, mine, str(record.key))
            elif mine is not None and abs(money_of(there["Importe"]).amount) != mine.amount:
                theirs = money_of(there["Importe"])
                words = f"{record.key.entity} {own} of {payment_id} amounts to {theirs}, we recorded {mine}"
                yield Finding(DIFFERS, subject, words, booking.id, payment_id, theirs - mine)

    def _documents(self, booking: Booking, stand: dict[int, Record]) -> Iterator[Finding]:
        for document in self._issued(booking):
            there = stand.get(int(document.outside_id))
            subject = f"factura {document.outside_id}"
            if there is None:
                words = f"{document.kind} {document.number} is not there any more"
                yield Finding(REVERSED, subject, words, booking.id, document.payment_id, document.amount)
                continue
            told = (there["DatosExternos"] or {}).get("TotalFactura")
            if told is not None and money_of(told) != document.amount:
                words = f"{document.kind} {document.number} amounts to {money_of(told)}, we recorded {document.amount}"
                yield Finding(DIFFERS, subject, words, booking.id, document.payment_id)

    def _strangers(self, *stand: dict[int, Record]) -> Iterator[Finding]:
        """Money, documents and sales that somebody made by hand."""
        reservas, cobros, facturas = stand
        every = [record for records in self._records.values() for record in records]
        known = {
            kind: {
                int(r.outside_id) for r in every if r.key.entity in entities and r.outside_id and r.outside_id.isdigit()
            }
            for kind, entities in (("reserva", ("reserva", "cost line")), ("cobro", ("cobro", REEMBOLSO)))
        }
        known["factura"] = {int(each.outside_id) for booking in self._bookings for each in self._issued(booking)}
        for own, there in reservas.items():
            if own not in known["reserva"] and there["Anidacion_IdReservaContenedora"] is None:
                yield Finding(DIFFERS, f"reserva {own}", f"reserva {own} of {money_of(there['Venta'])} is not ours")
        for own, there in cobros.items():
            if own not in known["cobro"]:
                words = f"{there['TipoOperacion']} {own} of {money_of(there['Importe'])} is not ours"
                yield Finding(DIFFERS, f"cobro {own}", words, amount=money_of(there["Importe"]))
        for own, there in facturas.items():
            if own not in known["factura"]:
                yield Finding(DIFFERS, f"factura {own}", f"{there['IdTipo']} {there['Codigo']} is not ours")

    # Sums --------------------------------------------------------------------------------------------------------

    def _sums(self, own: int, figures: dict[str, Any]) -> Iterator[Finding]:
        if self._wrote_lately(datetime.now().astimezone()):
            return
        sold, cost, came, billed = self._ledger()
        wanted = {
            "MargenEstimado": sold - cost,
            "PendienteCobrar": sold - came,
            "PendienteFacturar": sold - billed,
        }
        for figure, mine in wanted.items():
            told = figures.get(figure)
            if told is not None and money_of(told) != mine:
                words = f"{figure} of expediente {own} is {money_of(told)}, by our ledger {mine}"
                yield Finding(DIFFERS, f"{figure} {own}", words, amount=money_of(told) - mine)

    def _ledger(self) -> tuple[Money, Money, Money, Money]:
        """Sold, cost, money that came and stayed, documents; all as we sent them."""
        sold = cost = came = billed = Money.zero(CURRENCY)
        for booking in self._bookings:
            for entity, name in (("reserva", "ventacomis"), ("cost line", "costeComis")):
                amounts = [self._posted(booking, record, name) for record in self._made(booking, entity)]
                part = total((each for each in amounts if each is not None), CURRENCY)
                sold, cost = (sold + part, cost) if entity == "reserva" else (sold, cost + part)
            came = came + self._sum_of(booking, "cobro") - self._sum_of(booking, REEMBOLSO)
            billed = billed + total((each.amount for each in self._issued(booking)), CURRENCY)
        return sold, cost, came, billed

    def _sum_of(self, booking: Booking, entity: str) -> Money:
        amounts = (self._amount(booking, record) for record in self._made(booking, entity))
        return total((each for each in amounts if each is not None), CURRENCY)

    def _wrote_lately(self, now: datetime) -> bool:
        rows = (
            row
            for each in self._bookings
            for row in self._office.store.effects.history(self._office.agency, each.id, SYSTEM)
        )
        return any(row.updated_at > now - LAG for row in rows)

    # Our ledger --------------------------------------------------------------------------------------------------

    def _made(self, booking: Booking, entity: str) -> list[EffectRecord]:
        wanted = (entity, CREATE, EffectState.DONE)
        return [
            record
            for record in self._records[booking.id]
            if (record.key.entity, record.key.operation, record.state) == wanted and (record.outside_id or "").isdigit()
        ]

    def _posted(self, booking: Booking, made: EffectRecord, name: str) -> Money | None:
        """The amount of the last record that we sent, unless a person keeps another one."""
        for record in reversed(self._records[booking.id]):
            same = record.key.entity == made.key.entity and record.outside_id == made.outside_id
            if same and record.state is EffectState.DONE:
                request = self._office.store.effects.last_request(record.key) or {}
                if name in request:
                    kept = ours(request) != request and name in (request.get("kept") or {})
                    return None if kept else Money.of_decimal(request[name], CURRENCY)
        return None

    def _amount(self, booking: Booking, record: EffectRecord) -> Money | None:
        request = self._office.store.effects.last_request(record.key) or {}
        if "importe" in request:
            return Money.of_decimal(request["importe"], CURRENCY)
        facts, own = self._office.store.facts, record.key.business_id
        fact = (
            facts.refund(self._office.agency, own)
            if record.key.entity == REEMBOLSO
            else facts.payment(self._office.agency, own)
        )
        return None if fact is None else fact.amount

    def _issued(self, booking: Booking) -> list[Document]:
        return self._office.store.documents.of_booking(self._office.agency, booking.id, SYSTEM)
