"""The mid-office verbs against MIDOCO on a real socket: one order, whatever the wire does (midoffice 3.4 to 3.6, 4)."""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError

from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.activities import MidOfficeActivities
from activities.midoffice.booking import MidOfficeBooking
from activities.midoffice.mapping import sort_out
from domain.effects import EffectState
from domain.money import Money
from domain.steps import BookingStep, CancellationStep, Done, PaymentStep
from store import Store
from tests.activities.midoffice.midoco import Midoco, failure
from tests.activities.platform import trip

HOTEL = "bkg_500-lin_01"
LINES = [trip.hotel(), trip.bus()]


@pytest.fixture
def cells(store: Store, midoco: Midoco) -> MidOfficeActivities:
    trip.tell(store, "experience.created", experience=trip.experience())
    return MidOfficeActivities(store, {trip.AGENCY: midoco.account})


def step(event_id: str, revision: int = 1) -> BookingStep:
    return BookingStep(
        agency=trip.AGENCY, booking_id="bkg_500", experience_id="exp_31", event_id=event_id, revision=revision
    )


def cancelling(event_id: str) -> CancellationStep:
    return CancellationStep(**step(event_id, 2).model_dump(), cancellation_id="cxl_12")


def paying(payment_id: str = "pay_1001", cents: int = 30000) -> PaymentStep:
    return PaymentStep(
        agency=trip.AGENCY,
        booking_id="bkg_500",
        experience_id="exp_31",
        payment_id=payment_id,
        amount=Money(amount=cents, currency="EUR"),
        method="card",
    )


def created(store: Store, document: trip.Doc | None = None) -> BookingStep:
    return step(trip.tell(store, "booking.created", booking=document or trip.booking()))


def changed(store: Store, document: trip.Doc, revision: int = 2) -> BookingStep:
    amount = document["totals"]["total"]
    effect = {"before": amount, "after": amount, "delta": trip.eur(0)}
    event_id = trip.tell(store, "booking.modified", revision, booking=document, price_effect=effect)
    return step(event_id, revision)


def gone(store: Store, penalty: int, supplier_fee: int = 0) -> CancellationStep:
    document = trip.cancelled(LINES, penalty=penalty, supplier_fee=supplier_fee)
    fact = trip.cancellation(["lin_01", "lin_02"], penalty)
    return cancelling(trip.tell(store, "booking.cancelled", 2, booking=document, cancellation=fact))


def insisting(cells: MidOfficeActivities, what: BookingStep, attempts: int = 5) -> Done:
    """Come back as Temporal would, without its pauses."""
    for _ in range(attempts - 1):
        try:
            return cells.register_booking(what)
        except ApplicationError as error:
            if error.non_retryable:
                raise
    return cells.register_booking(what)


def first_message(midoco: Midoco) -> MidOfficeBooking:
    """What was sent first, arriving late."""
    booking, experience = trip.as_booking(trip.booking()), trip.as_experience(trip.experience())
    return sort_out(trip.AGENCY, booking, experience, (), midoco.account.settings).records[HOTEL]


def states(store: Store) -> list[EffectState]:
    return [record.state for record in store.effects.of_booking(trip.AGENCY, "bkg_500", "midoco")]


def fates(store: Store) -> dict[str, str]:
    return {one.line_id: one.state for one in store.transfers.list(trip.AGENCY, "midoco", "bkg_500")}


def test_register_transfers_the_hotel_and_lists_the_bus(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    done = cells.register_booking(created(store))
    (order,) = midoco.orders
    assert done.outcome == "partial"
    assert done.ids == {"order": str(order["orderId"])}
    assert "lin_02: midoco takes hotel only" in done.note
    assert fates(store) == {"lin_01": "transferred", "lin_02": "not_transferred"}
    held = midoco.bookings[HOTEL]
    assert (held["status"], held["price"]["total-price"], held["source-ext-id"]) == ("OK", "825.00", "bkg_500")


def test_hotel_alone_is_done_and_not_partial(cells: MidOfficeActivities, store: Store) -> None:
    assert cells.register_booking(created(store, trip.booking([trip.hotel()]))).outcome == "done"


def test_register_twice_is_one_message(cells: MidOfficeActivities, store: Store, midoco: Midoco) -> None:
    what = created(store)
    first = cells.register_booking(what)
    assert cells.register_booking(what) == first
    assert midoco.calls("announceBookingMessage") == 1


def test_booking_without_a_hotel_is_partial_and_listed(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    done = cells.register_booking(created(store, trip.booking([trip.bus()])))
    assert done.outcome == "partial"
    assert fates(store) == {"lin_02": "not_transferred"}
    assert not midoco.stand_in.calls


def test_agency_without_a_mid_office_is_skipped(store: Store) -> None:
    done = MidOfficeActivities(store, {}).register_booking(created(store))
    assert (done.outcome, done.note) == ("skipped", "the agency has no mid-office")


def test_booking_before_its_experience_waits(store: Store, midoco: Midoco) -> None:
    with pytest.raises(ApplicationError) as caught:
        MidOfficeActivities(store, {trip.AGENCY: midoco.account}).register_booking(created(store))
    assert failure(caught) == "Transient"


@pytest.mark.parametrize("kind", ["drop-after", "error-after", "malformed"])
def test_lost_answer_to_a_new_booking_is_found_again(
    kind: str, cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    midoco.fault("announceBookingMessage", kind)
    what = created(store)
    with pytest.raises(ApplicationError) as caught:
        cells.register_booking(what)
    assert failure(caught) == "UnknownOutcome"
    done = cells.register_booking(what)
    (order,) = midoco.orders
    assert done.ids == {"order": str(order["orderId"])}
    assert midoco.calls("announceBookingMessage") == 1


@pytest.mark.parametrize("kind", ["drop-before", "error-before", "page-503"])
def test_booking_that_never_landed_is_sent_again_after_looking(
    kind: str, cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    midoco.fault("announceBookingMessage", kind)
    insisting(cells, created(store))
    assert len(midoco.orders) == 1
    assert midoco.calls("announceBookingMessage") == 2
    assert midoco.calls("searchBookingId") == 4


def test_booking_that_lands_late_is_one_order(cells: MidOfficeActivities, store: Store, midoco: Midoco) -> None:
    midoco.fault("announceBookingMessage", "late", seconds=0.3)
    what = created(store)
    done = insisting(cells, what, attempts=100)
    assert [str(order["orderId"]) for order in midoco.orders] == list(done.ids.values())


def test_slow_answer_past_the_time_out_is_one_order(cells: MidOfficeActivities, store: Store, midoco: Midoco) -> None:
    midoco.fault("announceBookingMessage", "slow", seconds=1.3)
    insisting(cells, created(store), attempts=30)
    assert len(midoco.orders) == 1


def test_refusal_parks_with_midocos_own_words(cells: MidOfficeActivities, store: Store, midoco: Midoco) -> None:
    midoco.fault("announceBookingMessage", "refuse")
    what = created(store)
    with pytest.raises(ApplicationError) as caught:
        cells.register_booking(what)
    assert failure(caught) == "Refused"
    assert "9001" in str(caught.value)
    store.effects.rearm(caught.value.details[0]["effect"])
    assert cells.register_booking(what).outcome == "partial"


def test_throttling_names_the_pause_and_writes_nothing(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    midoco.fault("announceBookingMessage", "throttle", seconds=7)
    what = created(store)
    with pytest.raises(ApplicationError) as caught:
        cells.register_booking(what)
    assert failure(caught) == "Transient"
    assert caught.value.next_retry_delay is not None
    assert caught.value.next_retry_delay.total_seconds() == 7
    cells.register_booking(what)
    assert len(midoco.orders) == 1


def test_wrong_password_stops_without_naming_it(store: Store, midoco: Midoco) -> None:
    trip.tell(store, "experience.created", experience=trip.experience())
    account = MidOfficeAccount.open({**midoco.section, "password": "wrong-one"})
    with pytest.raises(ApplicationError) as caught:
        MidOfficeActivities(store, {trip.AGENCY: account}).register_booking(created(store))
    assert failure(caught) == "Unauthorised"
    assert "wrong-one" not in str(caught.value) + repr(account) + str(caught.value.details)


def test_unreachable_midoco_is_transient(store: Store, midoco: Midoco) -> None:
    trip.tell(store, "experience.created", experience=trip.experience())
    account = MidOfficeAccount.open({**midoco.section, "url": "http://127.0.0.1:1"})
    with pytest.raises(ApplicationError) as caught:
        MidOfficeActivities(store, {trip.AGENCY: account}).register_booking(created(store))
    assert failure(caught) == "Transient"


def test_booking_id_of_another_source_is_not_taken_over(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    cells.register_booking(created(store))
    record = trip.booking(id="bkg_501", external_orders=[
        {"system": "ratehawk", "order_ref": "B2B-12345/1", "partner_order_ref": HOTEL}
    ])  # fmt: skip
    other = step(trip.tell(store, "booking.created", booking=record)).model_copy(update={"booking_id": "bkg_501"})
    midoco.fault("announceBookingMessage", "drop-before")
    with pytest.raises(ApplicationError):
        cells.register_booking(other)
    with pytest.raises(ApplicationError) as caught:
        cells.register_booking(other)
    assert failure(caught) == "Refused"
    assert midoco.bookings[HOTEL]["source-ext-id"] == "bkg_500"


def test_amendment_sends_the_same_booking_with_a_higher_version(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    cells.register_booking(created(store))
    cells.amend_booking(changed(store, trip.booking([trip.hotel(price=40000), trip.bus()])))
    assert len(midoco.orders) == 1
    held = midoco.bookings[HOTEL]
    assert (held["booking-version"], held["price"]["total-price"], held["changes"]) == ("2", "800.00", 1)


def test_amendment_that_does_not_touch_the_hotel_sends_nothing(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    cells.register_booking(created(store))
    cells.amend_booking(changed(store, trip.booking([trip.hotel(), trip.bus(price=8000)])))
    assert midoco.calls("announceBookingMessage") == 1


@pytest.mark.parametrize("kind", ["drop-after", "drop-before", "late"])
def test_lost_answer_to_a_change_ends_in_the_new_content_once(
    kind: str, cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    cells.register_booking(created(store))
    midoco.fault("announceBookingMessage", kind, seconds=0.1)
    what = changed(store, trip.booking([trip.hotel(price=40000), trip.bus()]))
    with pytest.raises(ApplicationError) as caught:
        cells.amend_booking(what)
    assert failure(caught) == "UnknownOutcome"
    cells.amend_booking(what)
    assert len(midoco.orders) == 1
    assert midoco.bookings[HOTEL]["price"]["total-price"] == "800.00"
    assert midoco.bookings[HOTEL]["changes"] == 1


def test_hotel_taken_out_of_the_booking_is_cancelled_without_a_fee(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    cells.register_booking(created(store))
    cells.amend_booking(changed(store, trip.booking([trip.bus()], external_orders=[])))
    held = midoco.bookings[HOTEL]
    assert (held["status"], held["price"]["total-price"]) == ("XX", "0.00")
    assert fates(store) == {"lin_01": "cancelled", "lin_02": "not_transferred"}


def test_hotel_added_later_is_transferred(cells: MidOfficeActivities, store: Store, midoco: Midoco) -> None:
    cells.register_booking(created(store, trip.booking([trip.bus()], external_orders=[])))
    cells.amend_booking(changed(store, trip.booking()))
    assert midoco.bookings[HOTEL]["status"] == "OK"


def test_cancellation_cancels_the_services_at_the_price_of_the_fee(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    cells.register_booking(created(store))
    cells.cancel_booking(gone(store, penalty=3000, supplier_fee=1000))
    held = midoco.bookings[HOTEL]
    assert (held["status"], held["price"]["total-price"], held["price"]["original_price"]) == ("XX", "30.00", "10.00")
    assert fates(store)["lin_01"] == "cancelled"
    assert len(midoco.orders) == 1


@pytest.mark.parametrize("kind", ["drop-after", "error-after"])
def test_lost_answer_to_a_cancellation_is_found_again(
    kind: str, cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    cells.register_booking(created(store))
    what = gone(store, penalty=3000)
    midoco.fault("announceBookingMessage", kind)
    with pytest.raises(ApplicationError):
        cells.cancel_booking(what)
    cells.cancel_booking(what)
    assert midoco.calls("announceBookingMessage") == 2
    assert midoco.bookings[HOTEL]["status"] == "XX"


def test_cancelled_before_the_transfer_with_a_fee_is_created_and_cancelled(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    cells.cancel_booking(gone(store, penalty=3000))
    held = midoco.bookings[HOTEL]
    assert (held["status"], held["price"]["total-price"], held["booking-version"]) == ("XX", "30.00", "2")
    assert len(midoco.orders) == 1


def test_cancelled_before_the_transfer_without_a_fee_stays_away(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    done = cells.cancel_booking(gone(store, penalty=0))
    assert done.outcome == "skipped"
    assert "cancelled before it was transferred" in done.note
    assert not midoco.orders


def test_undo_cancels_with_fee_0_and_marks_the_effects(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    what = created(store)
    cells.register_booking(what)
    cells.undo_register_booking(what)
    cells.undo_register_booking(what)
    held = midoco.bookings[HOTEL]
    assert (held["status"], held["price"]["total-price"]) == ("XX", "0.00")
    assert states(store) == [EffectState.UNDONE, EffectState.UNDONE]
    assert midoco.calls("announceBookingMessage") == 2


def test_register_after_an_undo_revives_the_same_order(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    what = created(store)
    cells.register_booking(what)
    cells.undo_register_booking(what)
    cells.register_booking(what)
    assert midoco.bookings[HOTEL]["status"] == "OK"
    assert len(midoco.orders) == 1


def test_undo_of_an_outcome_in_doubt_keeps_a_late_landing_from_standing(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    what = created(store)
    midoco.fault("announceBookingMessage", "drop-before")
    with pytest.raises(ApplicationError):
        cells.register_booking(what)
    cells.undo_register_booking(what)
    assert midoco.account.adapter.push_booking(first_message(midoco)).outcome == "STALE"
    assert midoco.bookings[HOTEL]["status"] == "XX"
    assert states(store) == [EffectState.UNDONE, EffectState.UNDONE]


def test_undo_of_a_refused_transfer_has_nothing_to_do(cells: MidOfficeActivities, store: Store, midoco: Midoco) -> None:
    midoco.fault("announceBookingMessage", "refuse")
    what = created(store)
    with pytest.raises(ApplicationError):
        cells.register_booking(what)
    cells.undo_register_booking(what)
    assert not midoco.orders
    assert midoco.calls("announceBookingMessage") == 1


def test_payment_arrives_once_on_the_order(cells: MidOfficeActivities, store: Store, midoco: Midoco) -> None:
    cells.register_booking(created(store))
    trip.tell(store, "payment.captured", payment=trip.payment())
    cells.record_payment(paying())
    cells.record_payment(paying())
    (payment,) = midoco.payments
    assert (payment["transaction-number"], payment["amount"], payment["medium"]) == ("pay_1001", "300.00", "VISA")
    assert payment["payment-date"] == "2026-11-23"


@pytest.mark.parametrize("kind", ["drop-after", "drop-before", "error-after", "late", "malformed"])
def test_lost_answer_to_a_payment_is_still_one_payment(
    kind: str, cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    cells.register_booking(created(store))
    trip.tell(store, "payment.captured", payment=trip.payment())
    midoco.fault("announceExternalPayment", kind, seconds=0.1)
    with pytest.raises(ApplicationError) as caught:
        cells.record_payment(paying())
    assert failure(caught) == "UnknownOutcome"
    cells.record_payment(paying())
    assert [payment["transaction-number"] for payment in midoco.payments] == ["pay_1001"]


def test_payment_by_airplus_says_so(cells: MidOfficeActivities, store: Store, midoco: Midoco) -> None:
    cells.register_booking(created(store))
    trip.tell(store, "payment.captured", payment=trip.payment(method="airplus", card=None))
    cells.record_payment(paying())
    assert midoco.payments[0]["medium"] == "AIRPLUS"


def test_payment_of_a_booking_without_hotel_is_skipped(cells: MidOfficeActivities, store: Store) -> None:
    cells.register_booking(created(store, trip.booking([trip.bus()])))
    trip.tell(store, "payment.captured", payment=trip.payment())
    assert cells.record_payment(paying()).outcome == "skipped"


@pytest.mark.parametrize("known", [True, False])
def test_payment_before_its_booking_waits(known: bool, cells: MidOfficeActivities, store: Store) -> None:
    if known:
        created(store)
    trip.tell(store, "payment.captured", payment=trip.payment())
    with pytest.raises(ApplicationError) as caught:
        cells.record_payment(paying())
    assert failure(caught) == "Transient"


def test_payment_of_a_refused_booking_goes_to_a_person(
    cells: MidOfficeActivities, store: Store, midoco: Midoco
) -> None:
    midoco.fault("announceBookingMessage", "refuse")
    with pytest.raises(ApplicationError):
        cells.register_booking(created(store))
    trip.tell(store, "payment.captured", payment=trip.payment())
    with pytest.raises(ApplicationError) as caught:
        cells.record_payment(paying())
    assert failure(caught) == "Refused"


def test_ledger_names_nobody(cells: MidOfficeActivities, store: Store) -> None:
    cells.register_booking(created(store))
    kept = "".join(
        str(store.effects.last_request(record.key))
        for record in store.effects.of_booking(trip.AGENCY, "bkg_500", "midoco")
    )
    assert HOTEL in kept
    assert not [name for name in ("Ana", "Prueba", "mail.example", "Mayor") if name in kept]
