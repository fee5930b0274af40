"""Payment → cobro, factura and the link between them; money first (contracts: giav 4; money-rules 1.1)."""

from __future__ import annotations

from activities.giav.client import SYSTEM
from activities.giav.clients import client_key
from activities.giav.corrections import invoiced, originals, penalised
from activities.giav.documents import FACTURA, Desk
from activities.giav.issuing import operation_day
from activities.giav.mapping.merging import ours
from activities.giav.mapping.money import Sale, cobro, payment_words
from activities.giav.mapping.reservas import as_change
from activities.giav.mapping.values import Request, euros
from activities.giav.office import AMEND, CREATE, Container, Office
from activities.giav.one_call import collecting, collects_in_one_call, learn_cobro
from activities.giav.replacing import replace_reserva
from domain.errors import ContractBroken, NeedsPerson
from domain.money import Money
from domain.platform import Booking, Payment
from domain.steps import Done, PaymentStep
from store.documents import Document


def record_payment(office: Office, step: PaymentStep) -> Done:
    """Five calls: cobro, factura, its number, its due date, the link. The cobro stands even if no invoice may be made.
    Three in the one-call variant: the factura that collects, its number, its cobro.

    Answers `credit_note` when the payment meets a penalty, which has a document of its own already.
    """
    standing = office.container(step.booking_id)
    payment = office.store.facts.payment(step.agency, step.payment_id)
    if payment is None:
        raise ContractBroken(f"no payment {step.payment_id}", system="store")
    booking = office.booking(step.booking_id)
    # The payer of the newest snapshot; until GIAV knows them, the client that the reserva has.
    client = office.made(client_key(office, booking.payer)) or standing.client
    desk = Desk(office, booking, standing)
    if collects_in_one_call(office, desk, payment):
        extra = collecting(payment, _method(office, payment))
        document = _invoice(office, desk, payment, booking, client, standing, extra)
        collected = learn_cobro(office, payment, document, booking.id)
    else:
        collected = _collect(office, payment, booking, client, standing)
        document = _invoice(office, desk, payment, booking, client, standing)
        desk.link(payment.id, document, collected, payment.amount)
    ids = {"cobro": str(collected), "invoice": document.outside_id, "number": document.number}
    credited = _credit_what_is_penalty(office, desk, payment, booking)
    if credited:
        ids["credit_note"] = ",".join(each.number for each in credited)
    return Done(ids=ids)


def _collect(office: Office, payment: Payment, booking: Booking, client: int, standing: Container) -> int:
    key = office.key("cobro", payment.id, CREATE)
    at = office.at(client, standing.expediente, key)
    request = cobro(payment, booking, at, _method(office, payment), operation_day(office, payment.id))
    return office.enter_money(key, request, booking.id)


def _method(office: Office, payment: Payment) -> int:
    method = office.settings.payment_method(payment.processor.name, payment.method)
    if method is None:
        raise NeedsPerson(f"no payment method is configured for {payment.processor.name}", system=SYSTEM)
    return method


def _invoice(
    office: Office,
    desk: Desk,
    payment: Payment,
    booking: Booking,
    client: int,
    standing: Container,
    extra: Request | None = None,
) -> Document:
    key = office.key(FACTURA, payment.id, CREATE)
    day = operation_day(office, payment.id)
    if office.made(key) is None:
        _make_room(office, desk, payment, booking.id, standing)
    words = payment_words(desk.experience, booking, payment, day, key.reference)
    series = desk.series()
    draft = desk.draft("invoice", f"inv:{payment.id}", payment.amount, day, series, payment.id, None)
    return desk.invoice(key, Sale(standing.id, payment.amount, words), client, series, draft, extra)


def _make_room(office: Office, desk: Desk, payment: Payment, booking_id: str, standing: Container) -> None:
    """Raise the sale when more was paid than is sold (paid twice, or after a cancellation): reality first, the excess
    leaves the books with its refund (money-rules F-X1, F-P5)."""
    currency = payment.amount.currency
    documents = desk.documents()
    needed = invoiced(documents, currency) + penalised(documents, currency) + payment.amount
    if needed <= Money.of_decimal(standing.posted["ventacomis"], currency):
        return
    set_sale(office, f"{booking_id}/{payment.id}", booking_id, standing, needed)


def _credit_what_is_penalty(office: Office, desk: Desk, payment: Payment, booking: Booking) -> list[Document]:
    """Money that came after a cancellation and pays its penalty must not stand on two documents (money-rules M3, F-X12).

    What does not pay a penalty is posted in full and credited with its refund (F-X1).
    """
    documents, currency = desk.documents(), booking.currency
    penalties, booked = penalised(documents, currency), invoiced(documents, currency)
    if not penalties:
        return []
    pays_no_penalty = booked + penalties <= originals(documents, currency) - desk.given_back()
    keep = booked if pays_no_penalty else desk.keep(Money.zero(currency))
    plan = desk.plan(payment.id, keep, first=payment.id)
    if not plan:
        return []
    credited = desk.credit(payment.id, plan)
    standing = office.container(booking.id)
    desk.reissue(payment.id, plan, standing.client)
    lower_sale(office, desk, booking, f"{payment.id}/credit", standing)
    return credited


def lower_sale(office: Office, desk: Desk, booking: Booking, cause: str, standing: Container) -> None:
    """A sale that was raised for money paid beyond the price comes down again with it."""
    currency = booking.currency
    documents = desk.documents()
    booked = invoiced(documents, currency) + penalised(documents, currency)
    wished = max(booking.totals.total, booked)
    if Money.of_decimal(standing.posted["ventacomis"], currency) > wished:
        set_sale(office, f"{booking.id}/{cause}", booking.id, standing, wished)


def set_sale(office: Office, business_id: str, booking_id: str, standing: Container, sale: Money) -> None:
    """Change nothing of the reserva but its price."""
    request = as_change(standing.id, ours(standing.posted)) | {"ventacomis": euros(sale)}
    key = office.key("reserva", business_id, AMEND)
    replace_reserva(office, key, standing.id, (standing.posted_by, standing.posted), request, booking_id)
