"""GIAV as the ERP of a payment: the receivable is the booking's reserva, a receipt is a cobro (contracts: payment-sync 6.1, giav 2.8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from activities.giav.client import SYSTEM
from activities.giav.describing import describe
from activities.giav.elements import Record
from activities.giav.mapping.values import CURRENCY, day_of, money_of
from activities.giav.office import CREATE, Office
from activities.giav.payments import record_payment
from activities.open_instalments import open_instalments
from domain.connector_steps import Described, DescribeStep
from domain.effects import EffectKey, EffectRecord, EffectState
from domain.errors import NeedsPerson
from domain.money import Money, total
from domain.payment_sync import Receipt, Receivable
from domain.ports import OpenInstalment, PostReceipt
from domain.steps import PaymentStep

COBRO = "cobro"
REVERSE = "reverse"


class GiavErp:
    """`domain.ports.ErpPort` for one agency."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def describe(self) -> Described:
        return describe(self._office, DescribeStep(agency=self._office.agency, connector=SYSTEM))

    def find_receivable(self, ref: str) -> Receivable | None:
        """None while GIAV does not have the booking; open is the sale less every cobro on it, ours or typed by hand."""
        if self._office.made(self._office.key("reserva", ref, CREATE)) is None:
            return None
        standing = self._office.container(ref)
        sale = Money.of_decimal(standing.posted["ventacomis"], CURRENCY)
        came = total((each.amount for each in self.list_receipts(ref)), CURRENCY)
        left = max(sale - came, Money.zero(CURRENCY))
        state = "open" if left.amount else "paid"
        return Receivable.model_validate({"id": str(standing.id), "state": state, "total": sale, "open_amount": left})

    def list_receipts(self, receivable: str) -> Sequence[Receipt]:
        """The cobros of the booking, and what people typed into its file for its payer. Raises `NotYet` without a booking."""
        standing = self._office.container(receivable)
        keys = {
            record.outside_id: record.key.reference
            for record in self._office.records(receivable)
            if record.key.entity == COBRO and record.state is EffectState.DONE
        }
        # Other bookings of the same file may have the same payer.
        trip = self._office.booking(receivable).experience_id
        sold = self._office.store.facts.bookings(self._office.agency, trip)
        made = {each.outside_id for booking in sold for each in self._office.records(booking.id)}
        return [
            _receipt(each, keys.get(str(each["Id"]), ""))
            for each in self._office.lookups.cobros_of(standing.expediente)
            if each["TipoOperacion"] == "Cobro"
            and (str(each["Id"]) in keys or (str(each["Id"]) not in made and each["IdCliente"] == standing.client))
        ]

    def post_receipt(self, cmd: PostReceipt) -> str:
        """With its invoice and the link between them: in GIAV they are one act of an office."""
        step = PaymentStep(
            agency=self._office.agency,
            booking_id=cmd.receivable,
            experience_id="",
            payment_id=cmd.payment_id,
            amount=cmd.amount,
            method=cmd.method,
        )
        return record_payment(self._office, step).ids[COBRO]

    def reverse_receipt(self, receipt_id: str, reason: str) -> str:
        """Deletes a cobro of ours; GIAV refuses that once an invoice, a cash count or accounting holds it (giav 2.8)."""
        record = next((each for each in self._ours() if each.outside_id == receipt_id), None)
        if record is None:
            raise NeedsPerson(f"cobro {receipt_id} is not ours: reverse it by hand ({reason})", system=SYSTEM)
        key = record.key
        undo = EffectKey(key.agency, SYSTEM, COBRO, key.business_id, REVERSE)
        client, lookups = self._office.client, self._office.lookups
        self._office.take_back(
            key,
            undo,
            lambda: client.call("Cobro_DELETE", id=int(receipt_id)),
            int(receipt_id),
            None,
            reached=lambda: lookups.cobro_by_id(int(receipt_id)) is None,
        )
        return f"{receipt_id}:deleted"

    def next_instalments(self, customer: str, contract: str) -> Sequence[OpenInstalment]:
        """From our read model: GIAV knows no instalments."""
        return open_instalments(self._office.store, self._office.agency, customer, contract)

    def _ours(self) -> Iterator[EffectRecord]:
        for booking in self._office.store.facts.bookings(self._office.agency):
            for record in self._office.records(booking.id):
                if record.key.entity == COBRO and record.key.operation == CREATE and record.state is EffectState.DONE:
                    yield record


def _receipt(record: Record, external_key: str) -> Receipt:
    return Receipt(
        id=str(record["Id"]),
        method=str(record.get("IdFormaPago") or ""),
        by_gateway=bool(external_key),
        reference=record["Documento"] or "",
        amount=money_of(record["Importe"]),
        on=day_of(record["FechaCobro"]),
        external_key=external_key,
    )
