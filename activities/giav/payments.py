"""Payment → cobro, factura and the link between them; money first (contracts: giav 4; money-rules 1.1)."""

from __future__ import annotations

from activities.giav.client import SYSTEM
from activities.giav.clients import client_key
from activities.giav.corrections import invoiced, penalised
from activities.giav.documents import FACTURA, Desk, operation_day
from activities.giav.mapping.money import Sale, cobro, payment_words
from activities.giav.mapping.reservas import as_change
from activities.giav.mapping.values import euros
from activities.giav.office import AMEND, CREATE, Container, Office
from domain.errors import ContractBroken, NeedsPerson
from domain.money import Money
from domain.platform import Booking, Payment
from domain.steps import Done, PaymentStep
from store.documents import Document


def record_payment(office: Office, step: PaymentStep) -> Done:
    """Five calls: cobro, factura, its number, its due date, the link. The cobro stands even if no invoice may be made."""
    standing = office.container(step.booking_id)
    payment = office.store.facts.payment(step.agency, step.payment_id)
    if payment is None:
        raise ContractBroken(f"no payment {step.payment_id}", system="store")
    booking = office.booking(step.booking_id)
    # The payer of the newest snapshot; until GIAV knows them, the client that the reserva has.
    client = office.made(client_key(office, booking.payer)) or standing.client
    collected = _collect(office, payment, booking, client, standing)
    desk = Desk(office, booking, standing)
    document = _invoice(office, desk, payment, booking, client, standing)
    desk.link(payment.id, document, collected, payment.amount)
    return Done(ids={"cobro": str(collected), "invoice": document.outside_id, "number": document.number})


def _collect(office: Office, payment: Payment, booking: Booking, client: int, standing: Container) -> int:
    method = office.settings.payment_method(payment.processor.name, payment.method)
    if method is None:
        raise NeedsPerson(f"no payment method is configured for {payment.processor.name}", system=SYSTEM)
    key = office.key("cobro", payment.id, CREATE)
    at = office.at(client, standing.expediente, key)
    request = cobro(payment, booking, at, method, operation_day(office, payment.id))
    return office.create(
        key, "Cobro_POST", request, lambda reference: office.lookups.cobro(reference, request), booking.id
    )


def _invoice(
    office: Office, desk: Desk, payment: Payment, booking: Booking, client: int, standing: Container
) -> Document:
    key = office.key(FACTURA, payment.id, CREATE)
    day = operation_day(office, payment.id)
    if office.made(key) is None:
        _make_room(office, desk, payment, booking.id, standing)
    words = payment_words(desk.experience, booking, payment, day, key.reference)
    series = desk.series()
    draft = desk.draft("invoice", f"inv:{payment.id}", payment.amount, day, series, payment.id, None)
    return desk.invoice(key, Sale(standing.id, payment.amount, words), client, series, draft)


def _make_room(office: Office, desk: Desk, payment: Payment, booking_id: str, standing: Container) -> None:
    """Raise the sale when more was paid than is sold (paid twice, or after a cancellation): reality first, the excess
    leaves the books with its refund (money-rules F-X1, F-P5)."""
    currency = payment.amount.currency
    documents = desk.documents()
    needed = invoiced(documents, currency) + penalised(documents, currency) + payment.amount
    if needed <= Money.of_decimal(standing.posted["ventacomis"], currency):
        return
    set_sale(office, f"{booking_id}/{payment.id}", booking_id, standing, needed)


def set_sale(office: Office, business_id: str, booking_id: str, standing: Container, sale: Money) -> None:
    """Change nothing of the reserva but its price."""
    request = as_change(standing.id, standing.posted) | {"ventacomis": euros(sale)}
    key = office.key("reserva", business_id, AMEND)
    office.change(key, "Reserva_Normal_PUT", request, standing.id, booking_id)
