"""Late captures: whether what a payment was asked for had been closed before, and the alert (contracts: payment-sync 4, row 3)."""

from __future__ import annotations

from domain.closing import GIVEN_UP, Closing, of_booking, of_instalment, of_page
from domain.desk import item_id
from domain.money import total
from domain.payment_steps import TransitionLog
from domain.payment_sync import State
from domain.platform import Payment
from store import Store
from store.parked import StoreParking

REASON = "payment_late"
CLOSED = (State.EXPIRED, State.CANCELLED)


def closing_of(store: Store, agency: str, booking_id: str, payment_id: str) -> Closing | None:
    """What the read model knows: the page, the instalment, the booking. None as long as anybody asked for this money."""
    payment = store.facts.payment(agency, payment_id)
    if payment is None:
        return None
    on_page = _page(store, agency, payment)
    if on_page is not None:
        return on_page
    plan = store.facts.plan(agency, booking_id) if payment.installment_id else None
    own = next((each for each in plan.installments if each.id == payment.installment_id), None) if plan else None
    if plan is not None and own is not None and own.status in GIVEN_UP:
        return of_instalment(payment, own, store.facts.plan_told_at(agency, plan))
    booking = store.facts.booking(agency, booking_id)
    if booking is None or booking.cancelled_at is None:
        return None
    currency = booking.totals.total.currency
    others = [each.amount for each in store.facts.payments_of(agency, booking_id) if each.id != payment_id]
    back = [each.amount for each in store.facts.refunds_of(agency, booking_id) if each.payment_id != payment_id]
    return of_booking(payment, booking, booking.totals.total - total(others, currency) + total(back, currency))


def _page(store: Store, agency: str, payment: Payment) -> Closing | None:
    if payment.processor.name != "easycount":
        return None
    paid = store.payment_requests.payment_if_any(agency, payment.id)
    links = store.payment_pages.of(agency, paid.deal_id) if paid is not None else ()
    page = next((each for each in links if paid is not None and each.number == paid.link), None)
    return of_page(payment, page.expires_at) if page is not None else None


def alert(store: Store, log: TransitionLog) -> None:
    """An item for whoever answers for late money. The money goes its way meanwhile; of a page its own deal asks already."""
    late = next((line for line in log.lines if line.before in CLOSED and line.after is State.CAPTURED), None)
    sync = log.sync
    if late is None or store.payment_requests.payment_if_any(log.agency, sync.payment_id) is not None:
        return
    store.parked.open_from_store(
        StoreParking(
            item_id=item_id(REASON, log.agency, sync.payment_id),
            agency=log.agency,
            reason=REASON,
            detail=(
                f"{sync.payment_id} of {sync.amount} came although {late.reason}; it is recorded like any other. "
                "Give it back, or say what it pays"
            ),
            verb="office.log_transition",
            decisions=("skip",),
            booking_id=log.booking_id,
            experience_id=log.experience_id,
            payment_id=sync.payment_id,
            amount=sync.amount,
        )
    )
