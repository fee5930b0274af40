"""The same promises at every mid-office: one booking, one payment, whatever the wire does (midoffice 1.3, 3.2 to 3.6).

A new system is a file in `systems/` and a line in its registry; nothing here knows any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.midoffice.accounts import SYSTEMS as KNOWN
from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.activities import MidOfficeActivities
from activities.midoffice.booking import MidOfficeBooking, MidOfficePayment, Traveller
from activities.midoffice.integration import key_path, problems
from activities.midoffice.mapping import sort_out, struck_out
from activities.midoffice.orders import SupplierOrderActivities
from activities.midoffice.resending import MidOfficeResending
from domain.errors import Refused, Transient, Unauthorised, UnsupportedProduct
from domain.money import Money
from domain.steps import (
    BackfillProgress,
    BookingQuestion,
    BookingStep,
    CancellationStep,
    Done,
    IntegrationBackfill,
    PaymentStep,
)
from domain.supplier import RATEHAWK, OrderGuest, OrderRoom
from domain.supplier_steps import SupplierOrderStep
from store import Store
from tests.activities.midoffice.midoco import failure
from tests.activities.midoffice.systems.registry import SYSTEMS
from tests.activities.midoffice.under_test import Held, Paid, UnderTest
from tests.activities.platform import trip
from tests.store.test_supplier_orders import order as supplier_order

KEY = "bkg_500-lin_01"
LINES = [trip.hotel(), trip.bus()]
AGAIN = BookingQuestion(agency=trip.AGENCY, booking_id="bkg_500")
LOST = ["drop-after", "error-after", "malformed", "late"]


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> Iterator[UnderTest]:
    with SYSTEMS[request.param]() as opened:
        yield opened


@pytest.fixture
def cells(store: Store, system: UnderTest) -> MidOfficeActivities:
    trip.tell(store, "experience.created", experience=trip.experience())
    return MidOfficeActivities(store, {trip.AGENCY: system.account})


def test_every_known_system_is_in_this_suite() -> None:
    assert set(SYSTEMS) == set(KNOWN)


# --- what the cells promise ---


@pytest.mark.covers("midoffice: register")
def test_a_registered_booking_stands_there_with_its_price(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    what = created(store)
    done = system.insist(lambda: cells.register_booking(what))
    assert done.outcome == "partial"
    assert done.ids["order"]
    assert system.held() == {KEY: Held("CONFIRMED", Decimal("825.00"), Decimal("660.00"), 2, 1)}


@pytest.mark.covers("midoffice: register")
def test_registering_again_sends_nothing(cells: MidOfficeActivities, store: Store, system: UnderTest) -> None:
    what = created(store)
    first = system.insist(lambda: cells.register_booking(what))
    before = system.calls("create")
    assert cells.register_booking(what) == first
    assert system.calls("create") == before
    assert len(system.held()) == 1


@pytest.mark.covers("midoffice: amend")
def test_an_amendment_changes_the_booking_in_place(cells: MidOfficeActivities, store: Store, system: UnderTest) -> None:
    registered(cells, store, system)
    what = changed(store, trip.booking([trip.hotel(price=40000), trip.bus()]))
    system.insist(lambda: cells.amend_booking(what))
    assert system.held() == {KEY: Held("CONFIRMED", Decimal("800.00"), Decimal("660.00"), 2, 2)}


@pytest.mark.covers("midoffice: amend")
def test_an_amendment_of_something_else_sends_nothing(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    registered(cells, store, system)
    before = system.calls("create", "change")
    cells.amend_booking(changed(store, trip.booking([trip.hotel(), trip.bus(price=8000)])))
    assert system.calls("create", "change") == before


@pytest.mark.covers("midoffice: cancel")
def test_a_cancellation_leaves_the_fee_as_price(cells: MidOfficeActivities, store: Store, system: UnderTest) -> None:
    registered(cells, store, system)
    what = gone(store, penalty=3000, supplier_fee=1000)
    system.insist(lambda: cells.cancel_booking(what))
    assert system.held()[KEY][:3] == ("CANCELLED", Decimal("30.00"), Decimal("10.00"))


@pytest.mark.covers("midoffice: undo")
def test_an_undo_cancels_without_a_fee(cells: MidOfficeActivities, store: Store, system: UnderTest) -> None:
    what = registered(cells, store, system)
    system.insist(lambda: cells.undo_register_booking(what))
    assert system.held()[KEY][:2] == ("CANCELLED", Decimal("0.00"))


@pytest.mark.covers("midoffice: pay")
def test_a_payment_is_recorded_once(cells: MidOfficeActivities, store: Store, system: UnderTest) -> None:
    registered(cells, store, system)
    trip.tell(store, "payment.captured", payment=trip.payment())
    for _ in range(2):
        system.insist(lambda: cells.record_payment(paying()))
    assert system.paid() == [Paid("pay_1001", Decimal("300.00"), "EUR")]


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.covers("midoffice: register")
def test_a_booking_whose_answer_was_lost_is_adopted(
    kind: str, cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    system.fault("create", kind, seconds=0.05)
    what = created(store)
    assert in_the_dark(lambda: cells.register_booking(what))
    done = system.insist(lambda: cells.register_booking(what))
    assert done.ids["order"]
    assert list(system.held()) == [KEY]


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.covers("midoffice: amend")
def test_a_change_whose_answer_was_lost_ends_in_the_new_content(
    kind: str, cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    registered(cells, store, system)
    system.fault("change", kind, seconds=0.05)
    what = changed(store, trip.booking([trip.hotel(price=40000), trip.bus()]))
    system.insist(lambda: cells.amend_booking(what))
    assert system.held()[KEY][:2] == ("CONFIRMED", Decimal("800.00"))


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.covers("midoffice: cancel")
def test_a_cancellation_whose_answer_was_lost_is_found(
    kind: str, cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    registered(cells, store, system)
    system.fault("cancel", kind, seconds=0.05)
    what = gone(store, penalty=3000)
    system.insist(lambda: cells.cancel_booking(what))
    assert system.held()[KEY][:2] == ("CANCELLED", Decimal("30.00"))


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.covers("midoffice: pay")
def test_a_payment_whose_answer_was_lost_is_one_payment(
    kind: str, cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    registered(cells, store, system)
    trip.tell(store, "payment.captured", payment=trip.payment())
    system.fault("pay", kind, seconds=0.05)
    system.insist(lambda: cells.record_payment(paying()))
    assert [one.transaction_id for one in system.paid()] == ["pay_1001"]


@pytest.mark.parametrize("kind", ["drop-before", "error-before", "page-503", "throttle"])
@pytest.mark.covers("midoffice: register")
def test_a_booking_that_never_arrived_is_sent_again(
    kind: str, cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    system.fault("create", kind)
    what = created(store)
    system.insist(lambda: cells.register_booking(what))
    assert list(system.held()) == [KEY]


@pytest.mark.covers("midoffice: register")
def test_a_refusal_goes_to_a_person_in_their_words_and_writes_nothing(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    system.fault("create", "refuse")
    what = created(store)
    with pytest.raises(ApplicationError) as caught:
        system.insist(lambda: cells.register_booking(what))
    assert failure(caught) == "Refused"
    assert caught.value.details[0]["code"]
    assert not system.held()
    store.effects.rearm(caught.value.details[0]["effect"])
    assert system.insist(lambda: cells.register_booking(what)).ids["order"]


@pytest.mark.covers("midoffice: pay")
def test_a_payment_of_a_refused_booking_goes_to_a_person(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    system.fault("create", "refuse")
    what = created(store)
    with pytest.raises(ApplicationError):
        system.insist(lambda: cells.register_booking(what))
    trip.tell(store, "payment.captured", payment=trip.payment())
    with pytest.raises(ApplicationError) as caught:
        cells.record_payment(paying())
    assert failure(caught) == "Refused"
    assert not system.paid()


@pytest.mark.covers("midoffice: refuse")
def test_a_price_below_zero_is_refused_by_the_name_of_the_field(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    what = created(store, trip.booking([trip.hotel(price=-41250)]))
    with pytest.raises(ApplicationError, match=r"price\.sell_gross") as caught:
        cells.register_booking(what)
    assert failure(caught) == "Refused"
    assert not system.calls()


@pytest.mark.covers("midoffice: resend")
def test_what_was_refused_is_sent_again_on_request_and_what_they_have_is_not(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    system.fault("create", "refuse")
    what = created(store)
    with pytest.raises(ApplicationError):
        system.insist(lambda: cells.register_booking(what))
    again = MidOfficeResending(store, {trip.AGENCY: system.account})
    assert system.insist(lambda: again.resend(AGAIN)).ids["order"]
    assert list(system.held()) == [KEY]
    before = system.calls("create", "change", "cancel", "pay")
    system.insist(lambda: again.resend(AGAIN))
    assert system.calls("create", "change", "cancel", "pay") == before


@pytest.mark.covers("midoffice: resend")
def test_what_was_booked_and_paid_before_the_system_was_in_use_is_told_once(store: Store, system: UnderTest) -> None:
    in_use: dict[str, MidOfficeAccount] = {}
    before, late = MidOfficeActivities(store, in_use), MidOfficeResending(store, in_use)
    trip.tell(store, "experience.created", experience=trip.experience())
    assert before.register_booking(created(store)).outcome == "skipped"
    trip.tell(store, "payment.captured", payment=trip.payment())
    assert before.record_payment(paying()).outcome == "skipped"

    in_use[trip.AGENCY] = system.account
    store.integrations.request(trip.AGENCY, system.name, by="ana")
    page = late.untold(looking(system, date(2027, 6, 23)))
    assert (page.bookings, page.progress.taken, page.progress.phase) == (("bkg_500",), 1, "bookings")
    system.insist(lambda: late.resend(AGAIN))
    assert system.held() == {KEY: Held("CONFIRMED", Decimal("825.00"), Decimal("660.00"), 2, 1)}
    assert system.paid() == [Paid("pay_1001", Decimal("300.00"), "EUR")]
    assert store.integrations.known(trip.AGENCY, system.name).backfill["cursor"] == "bkg_500"

    assert late.untold(looking(system, date(2027, 6, 23))).bookings == ()
    end = late.untold(
        IntegrationBackfill(**{**looking(system, date(2027, 6, 23)).model_dump(), "progress": page.progress})
    )
    assert (end.bookings, end.progress.phase) == ((), "done")


@pytest.mark.covers("midoffice: resend")
def test_trips_that_are_over_are_not_told_any_more(store: Store, system: UnderTest) -> None:
    trip.tell(store, "experience.created", experience=trip.experience())
    created(store)
    store.integrations.request(trip.AGENCY, system.name, by="ana")
    late = MidOfficeResending(store, {trip.AGENCY: system.account})
    page = late.untold(looking(system, date(2027, 6, 24)))
    assert (page.bookings, page.progress.past, page.progress.seen) == ((), 1, 1)


# --- what the adapter promises ---


@pytest.mark.covers("midoffice: check")
def test_a_wrong_credential_is_unauthorised_and_not_repeated(system: UnderTest) -> None:
    account = system.opened(**system.stranger)
    with pytest.raises(Unauthorised) as caught:
        system.insist(lambda: account.adapter.push_booking(record(system)))
    said = str(caught.value) + repr(account)
    assert not [value for value in system.stranger.values() if str(value) in said]
    assert not system.held()


@pytest.mark.covers("midoffice: check")
def test_the_check_of_the_doctor_changes_nothing(system: UnderTest) -> None:
    system.insist(system.account.adapter.ping)
    assert not system.held()
    with pytest.raises(Unauthorised):
        system.insist(system.opened(**system.stranger).adapter.ping)


@pytest.mark.covers("midoffice: check")
def test_an_agency_seals_the_secret_of_the_system_and_sets_the_rest(system: UnderTest) -> None:
    settings = {name: value for name, value in system.section.items() if name != "kind"}
    *above, last = key_path(system.name)
    place = settings
    for name in above:
        place[name] = dict(place[name])
        place = place[name]
    place.pop(last, None)
    assert problems(system.name, settings) == ([], [])


@pytest.mark.covers("midoffice: read")
def test_a_system_that_is_away_is_transient_for_a_look(system: UnderTest) -> None:
    system.fault("find", "page-503")
    with pytest.raises(Transient):
        system.account.adapter.read_status(record(system).ref)


@pytest.mark.covers("midoffice: register")
def test_a_system_that_is_busy_writes_nothing_and_may_be_asked_again(system: UnderTest) -> None:
    system.fault("create", "throttle", seconds=7)
    with pytest.raises(Transient):
        system.account.adapter.push_booking(record(system))
    assert not system.held()


@pytest.mark.covers("midoffice: read")
def test_what_was_written_is_read_back(system: UnderTest) -> None:
    assert system.insist(lambda: system.account.adapter.read_status(record(system).ref)) == []
    taken = push(system, record(system))
    (state,) = system.insist(lambda: system.account.adapter.read_status(record(system).ref))
    assert state.external_ref == taken
    assert (state.held.booking_id, state.held.status) == (KEY, "CONFIRMED")
    assert state.held.price in (None, Decimal("825.00"))
    push(system, struck_out(record(system)).as_message("CANCEL", 2))
    (state,) = system.insist(lambda: system.account.adapter.read_status(record(system).ref))
    assert state.held.status == "CANCELLED"


@pytest.mark.covers("midoffice: register")
def test_the_same_message_twice_is_one_booking(system: UnderTest) -> None:
    assert push(system, record(system)) == push(system, record(system))
    assert system.held() == {KEY: Held("CONFIRMED", Decimal("825.00"), Decimal("660.00"), 2, 1)}


@pytest.mark.covers("midoffice: amend")
def test_an_older_revision_changes_nothing_and_is_no_failure(system: UnderTest) -> None:
    first = push(system, record(system))
    push(system, dearer(record(system)).as_message("CHANGE", 3))
    before = system.held()
    assert push(system, record(system).as_message("CHANGE", 2)) == first
    assert system.held() == before
    assert before[KEY].price == Decimal("900.00")


@pytest.mark.covers("midoffice: amend")
def test_a_change_of_a_booking_that_they_do_not_hold_makes_it(system: UnderTest) -> None:
    assert push(system, record(system).as_message("CHANGE", 2))
    assert system.held()[KEY].status == "CONFIRMED"


@pytest.mark.parametrize(("status", "there"), [("CONFIRMED", "CONFIRMED"), ("NO_SHOW", "CONFIRMED")])
def test_every_status_has_its_word_there(status: Any, there: str, system: UnderTest) -> None:
    one = record(system)
    services = tuple(service.model_copy(update={"status": status}) for service in one.services)
    push(system, one.model_copy(update={"status": status, "services": services}))
    assert system.held()[KEY].status == there


@pytest.mark.covers("midoffice: register")
def test_all_of_a_crowd_arrive_or_none(system: UnderTest) -> None:
    assert system.account.settings.most_travellers < 300
    with pytest.raises(Refused, match="travellers: 300 are more"):
        system.account.adapter.push_booking(crowd(system, 300))
    assert not system.calls()
    push(system, crowd(system, 120))
    assert system.held()[KEY].persons == 120


@pytest.mark.parametrize("kind", ["flight", "transfer", "rail", "car", "insurance", "package", "event", "other"])
@pytest.mark.covers("midoffice: refuse")
def test_what_is_no_hotel_is_refused_before_the_network(kind: Any, system: UnderTest) -> None:
    one = record(system)
    other = one.services[0].model_copy(update={"kind": kind, "service_id": "second"})
    with pytest.raises(UnsupportedProduct, match=rf"services\.1\.kind: {kind}"):
        system.account.adapter.push_booking(one.model_copy(update={"services": (*one.services, other)}))
    assert not system.calls()


@pytest.mark.covers("midoffice: refuse")
def test_a_capability_opens_and_closes_a_kind(system: UnderTest) -> None:
    with pytest.raises(UnsupportedProduct, match="takes nothing"):
        system.opened(capabilities=[]).adapter.push_booking(record(system))
    assert not system.calls()
    push(system, record(system))
    with pytest.raises(ValidationError, match="has no words for flight"):
        system.opened(capabilities=["hotel", "flight"])


BAD: list[tuple[str, dict[str, Any]]] = [
    ("status", {"status": "ON_HOLD"}),
    ("status", {"status": "FAILED"}),
    ("currency", {"currency": "EUX"}),
    ("currency", {"currency": ""}),
    ("supplier_booking_id", {"supplier_booking_id": ""}),
    ("supplier_booking_id", {"supplier_booking_id": None}),
    ("supplier_code", {"supplier_code": "sup_nobody"}),
    ("travellers", {"travellers": ()}),
    ("services", {"services": ()}),
    ("revision", {"revision": 0}),
]


@pytest.mark.parametrize(
    ("path", "change"), BAD, ids=[f"{path}={value}" for path, change in BAD for value in change.values()]
)
@pytest.mark.covers("midoffice: refuse")
def test_a_bad_record_is_refused_by_its_field_and_nothing_is_written(
    path: str, change: dict[str, Any], system: UnderTest
) -> None:
    with pytest.raises(Refused, match=rf"announce booking: {path}\b"):
        system.account.adapter.push_booking(record(system).model_copy(update=change))
    assert not system.calls()


@pytest.mark.parametrize("field", ["cost_gross", "sell_gross", "cost_vat"])
@pytest.mark.covers("midoffice: refuse")
def test_a_negative_price_is_refused_by_its_field(field: str, system: UnderTest) -> None:
    one = record(system)
    price = one.price.model_copy(update={field: Decimal("-1.00")})
    with pytest.raises(Refused, match=rf"price\.{field}"):
        system.account.adapter.push_booking(one.model_copy(update={"price": price}))
    assert not system.calls()


@pytest.mark.parametrize(("field", "value"), [("amount", Decimal(0)), ("amount", Decimal(-5)), ("currency", "EU")])
@pytest.mark.covers("midoffice: refuse")
def test_a_payment_of_nothing_or_in_no_currency_is_refused(field: str, value: Any, system: UnderTest) -> None:
    ref = record(system).ref
    with pytest.raises(Refused, match=rf"payment\.{field}"):
        system.account.adapter.push_payment(ref, PAYMENT.model_copy(update={field: value}))
    assert not system.calls()


@pytest.mark.covers("midoffice: format")
def test_a_name_with_everything_in_it_arrives_or_is_refused_but_breaks_nothing(system: UnderTest) -> None:
    one = record(system)
    nasty = one.travellers[0].model_copy(update={"first_name": 'Ana\x00;"<b>&\n', "last_name": "=Prüba]]>/;ñ\u2028"})
    push(system, one.model_copy(update={"travellers": (nasty, *one.travellers[1:])}))
    assert system.held()[KEY].persons == 2


# --- orders of the supplier ---


@pytest.mark.covers("midoffice: amend")
def test_an_order_that_was_transferred_alone_and_is_claimed_later_is_one_booking(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    alone = SupplierOrderActivities(store, {trip.AGENCY: system.account})
    guests = (OrderGuest(first_name="Ana", last_name="Soler"),)
    room = OrderRoom(index=1, name="Double Room", guests=guests)
    for minutes, payable in ((0, 61000), (1, 62000)):
        made = supplier_order(7, partner=KEY, minutes=minutes, payable=payable, rooms=(room,))
        store.supplier_orders.record(trip.AGENCY, RATEHAWK, [made])
        what = SupplierOrderStep(agency=trip.AGENCY, supplier=RATEHAWK, order_id=7, supplier_code="sup_rh")
        system.insist(lambda: alone.transfer_order(what))  # noqa: B023 it is over before the loop goes on
    assert system.held() == {KEY: Held("CONFIRMED", Decimal("620.00"), Decimal("620.00"), 1, 2)}

    registered(cells, store, system)
    assert system.held() == {KEY: Held("CONFIRMED", Decimal("825.00"), Decimal("660.00"), 2, 3)}
    assert {one.booking_id for one in store.transfers.list(trip.AGENCY)} == {"bkg_500"}
    system.insist(lambda: cells.cancel_booking(gone(store, penalty=3000)))
    assert {key: held[0] for key, held in system.held().items()} == {KEY: "CANCELLED"}
    assert alone.transfer_order(what).outcome == "skipped"


@pytest.mark.covers("midoffice: amend")
def test_a_room_that_was_booked_anew_names_the_order_it_replaces_and_ends_that_one(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    registered(cells, store, system)
    orders = [{"system": "ratehawk", "order_ref": f"B2B-{ref}", "partner_order_ref": partner}
              for ref, partner in (("12345/1", KEY), ("12345/2", f"{KEY}-2"))]  # fmt: skip
    anew = trip.hotel()
    anew["cost"]["supplier_ref"] = "B2B-12345/2"
    system.insist(lambda: cells.amend_booking(changed(store, trip.booking([anew, trip.bus()], external_orders=orders))))
    assert {key: held[0] for key, held in system.held().items()} == {KEY: "CANCELLED", f"{KEY}-2": "CONFIRMED"}
    (written,) = [one for one in store.effects.of_booking(trip.AGENCY, "bkg_500", system.name)
                  if one.key.business_id == f"bkg_500/{KEY}-2"]  # fmt: skip
    assert (store.effects.last_request(written.key) or {})["content"]["replaces"] == KEY


# --- what is sent ---

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
