"""What each adapter promises the cells: access, reading back, revisions, and refusals before the network (midoffice 1.3, 3.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from activities.midoffice.integration import key_path, problems
from activities.midoffice.mapping import struck_out
from domain.errors import Refused, Transient, Unauthorised, UnsupportedProduct
from tests.activities.midoffice.under_test import Held, UnderTest
from tests.activities.midoffice.written import (
    KEY,
    PAYMENT,
    crowd,
    dearer,
    push,
    record,
)


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
