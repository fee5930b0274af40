"""What the tests write into a mid-office: a booking's events as the cells hear of them, and the records that an adapter sends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from temporalio.exceptions import ApplicationError

from activities.midoffice.activities import MidOfficeActivities
from activities.midoffice.booking import MidOfficeBooking, MidOfficePayment, Traveller
from activities.midoffice.mapping import sort_out
from domain.money import Money
from domain.steps import (
    BackfillProgress,
    BookingStep,
    CancellationStep,
    Done,
    IntegrationBackfill,
    PaymentStep,
)
from store import Store
from tests.activities.midoffice.under_test import UnderTest
from tests.activities.platform import trip

KEY = "bkg_500-lin_01"
LINES = [trip.hotel(), trip.bus()]
PAYMENT = MidOfficePayment(
    transaction_id="pay_1001",
    method="CARD",
    card_brand="visa",
    amount=Decimal("300.00"),
    currency="EUR",
    value_date=date(2026, 11, 23),
    reference="pi_pay_1001",
)


def record(system: UnderTest) -> MidOfficeBooking:
    booking, experience = trip.as_booking(trip.booking()), trip.as_experience(trip.experience())
    return sort_out(trip.AGENCY, booking, experience, (), system.account.settings).records[KEY]


def dearer(one: MidOfficeBooking) -> MidOfficeBooking:
    sell = Decimal("900.00")
    price = one.price.model_copy(update={"sell_gross": sell, "margin": sell - one.price.cost_gross})
    return one.model_copy(update={"price": price})


def crowd(system: UnderTest, size: int) -> MidOfficeBooking:
    one = record(system)
    people = tuple(
        Traveller(index=number, kind="ADULT", first_name=f"Ana {number}", last_name="Prueba", lead=number == 1)
        for number in range(1, size + 1)
    )
    everybody = one.services[0].model_copy(update={"traveller_refs": tuple(range(1, size + 1))})
    return one.model_copy(update={"travellers": people, "services": (everybody,)})


def push(system: UnderTest, one: MidOfficeBooking) -> str:
    """Send until it is settled; gives the id over there."""
    adapter = system.account.adapter
    send = adapter.cancel_booking if one.action == "CANCEL" else adapter.push_booking
    for _ in range(5):
        result = send(one)
        if result.outcome != "QUEUED":
            return result.external_ref
        system.time_passes()
    raise AssertionError("never acknowledged")


def in_the_dark(call: Callable[[], Done]) -> bool:
    """Whether a cell ends without knowing what became of its write."""
    try:
        return bool(call().awaiting)
    except ApplicationError as error:
        return error.type == "UnknownOutcome"


def step(event_id: str, revision: int = 1) -> BookingStep:
    return BookingStep(
        agency=trip.AGENCY, booking_id="bkg_500", experience_id="exp_31", event_id=event_id, revision=revision
    )


def created(store: Store, document: trip.Doc | None = None) -> BookingStep:
    return step(trip.tell(store, "booking.created", booking=document or trip.booking()))


def registered(cells: MidOfficeActivities, store: Store, system: UnderTest) -> BookingStep:
    what = created(store)
    system.insist(lambda: cells.register_booking(what))
    return what


def changed(store: Store, document: trip.Doc) -> BookingStep:
    amount = document["totals"]["total"]
    effect = {"before": amount, "after": amount, "delta": trip.eur(0)}
    return step(trip.tell(store, "booking.modified", 2, booking=document, price_effect=effect), 2)


def gone(store: Store, penalty: int, supplier_fee: int = 0) -> CancellationStep:
    document = trip.cancelled(LINES, penalty=penalty, supplier_fee=supplier_fee)
    fact = trip.cancellation(["lin_01", "lin_02"], penalty)
    event_id = trip.tell(store, "booking.cancelled", 2, booking=document, cancellation=fact)
    return CancellationStep(**step(event_id, 2).model_dump(), cancellation_id="cxl_12")


def looking(system: UnderTest, ended_since: date) -> IntegrationBackfill:
    begin = BackfillProgress(ended_since=ended_since, phase="bookings")
    return IntegrationBackfill(agency=trip.AGENCY, system=system.name, by="ana", progress=begin)


def paying() -> PaymentStep:
    return PaymentStep(
        agency=trip.AGENCY,
        booking_id="bkg_500",
        experience_id="exp_31",
        payment_id="pay_1001",
        amount=Money(amount=30000, currency="EUR"),
        method="card",
    )
