"""The same promises at every mid-office: one booking, one payment, whatever the wire does (midoffice 1.3, 3.2 to 3.6).

A new system is a file in `systems/` and a line in its registry; nothing here knows any of them.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from activities.midoffice.accounts import SYSTEMS as KNOWN
from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.activities import MidOfficeActivities
from activities.midoffice.orders import SupplierOrderActivities
from activities.midoffice.resending import MidOfficeResending
from domain.steps import (
    BookingQuestion,
    IntegrationBackfill,
)
from domain.supplier import RATEHAWK, OrderGuest, OrderRoom
from domain.supplier_steps import SupplierOrderStep
from store import Store
from tests.activities.midoffice.midoco import failure
from tests.activities.midoffice.systems.registry import SYSTEMS
from tests.activities.midoffice.under_test import Held, Paid, UnderTest
from tests.activities.midoffice.written import (
    KEY,
    changed,
    created,
    gone,
    in_the_dark,
    looking,
    paying,
    registered,
)
from tests.activities.platform import trip
from tests.store.test_supplier_orders import order as supplier_order

AGAIN = BookingQuestion(agency=trip.AGENCY, booking_id="bkg_500")
LOST = ["drop-after", "error-after", "malformed", "late"]


def test_every_known_system_is_in_this_suite() -> None:
    assert set(SYSTEMS) == set(KNOWN)


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
