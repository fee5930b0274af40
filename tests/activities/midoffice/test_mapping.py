"""Which lines go to the mid-office, and with which money (midoffice 1.3, 3.1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from activities.midoffice.booking import MidOfficeBooking
from activities.midoffice.mapping import Sorted, as_it_stood, sort_out, struck_out
from activities.midoffice.midoco.settings import MidocoSettings
from domain.platform import Cancellation
from tests.activities.platform import trip

SETTINGS = MidocoSettings.model_validate(
    {
        "url": "https://midoco.example",
        "login": "orchestrator",
        "password": "not-a-password",
        "organisation_unit": "4711",
        "agency_no": "AG01",
        "supplier_numbers": {"sup_rh": "RATEHAWK", "sup_direct": "70012"},
    }
)


def mapped(booking: trip.Doc, *cancellations: trip.Doc, **experience: Any) -> Sorted:
    return sort_out(
        trip.AGENCY,
        trip.as_booking(booking),
        trip.as_experience(trip.experience(**experience)),
        [Cancellation.model_validate(one) for one in cancellations],
        SETTINGS,
    )


def only(found: Sorted) -> MidOfficeBooking:
    (record,) = found.records.values()
    return record


def test_hotel_goes_and_the_bus_stays_behind_with_a_reason() -> None:
    found = mapped(trip.booking())
    assert list(found.records) == ["bkg_500-lin_01"]
    assert found.lines == {"bkg_500-lin_01": ("lin_01",)}
    assert [(left.line_id, left.kind) for left in found.left_behind] == [("lin_02", "transport")]
    assert found.left_behind[0].reason == "midoco takes hotel only, this is transport"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (trip.hotel(service_id="svc_gone"), "service svc_gone is not part of the experience"),
        (trip.hotel(supplier="sup_other"), "supplier sup_other has no creditor number in midoco"),
        (trip.hotel(ref=None), "the supplier has no order for it yet"),
    ],
)
def test_a_hotel_line_that_cannot_go_says_why(line: trip.Doc, reason: str) -> None:
    found = mapped(trip.booking([line], external_orders=[]))
    assert not found.records
    assert [left.reason for left in found.left_behind] == [reason]


def test_record_carries_rooms_guests_dates_and_payer() -> None:
    record = only(mapped(trip.booking()))
    (room,) = record.services
    assert (room.start_date.isoformat(), room.end_date.isoformat(), room.nights) == ("2027-06-20", "2027-06-23", 3)
    assert room.traveller_refs == (1, 2)
    assert [(one.first_name, one.lead, one.salutation) for one in record.travellers] == [
        ("Ana", True, "UNKNOWN"),
        ("Luis", False, "UNKNOWN"),
    ]
    assert (record.customer.customer_ref, record.customer.last_name) == ("cus_77", "Ana Prueba Ejemplo")
    assert record.supplier_agreement == "B2B-12345/1"
    assert record.booking_key == "bkg_500"


def test_travellers_of_two_rooms_become_two_services() -> None:
    people = [
        trip.traveller("trv_1", "Ana", "Prueba", is_payer=True),
        trip.traveller("trv_2", "Leo", "Prueba", kind="child", room_ref="R2"),
    ]
    record = only(mapped(trip.booking(travellers=people)))
    assert [(one.service_id, one.traveller_refs) for one in record.services] == [("lin_01/1", (1,)), ("lin_01/2", (2,))]
    assert [one.salutation for one in record.travellers] == ["UNKNOWN", "CHD"]


def test_lines_of_one_supplier_order_are_one_record() -> None:
    lines = [trip.hotel(), trip.hotel(line_id="lin_03", price=10000, cost=8000)]
    record = only(mapped(trip.booking(lines)))
    assert [one.service_id for one in record.services] == ["lin_01", "lin_03"]
    assert (record.price.sell_gross, record.price.cost_gross) == (Decimal("1025.00"), Decimal("820.00"))


def test_line_with_its_own_reference_only_is_named_after_the_line() -> None:
    found = mapped(trip.booking([trip.hotel(supplier="sup_direct", ref="H-77")], external_orders=[]))
    assert list(found.records) == ["bkg_500-lin_01"]
    assert only(found).supplier_agreement == "H-77"


def test_margin_scheme_price_of_the_example() -> None:
    price = only(mapped(trip.booking())).price
    assert (price.sell_gross, price.cost_gross, price.margin) == (
        Decimal("825.00"),
        Decimal("660.00"),
        Decimal("165.00"),
    )
    assert (price.selling_model, price.tax_scheme) == ("MERCHANT", "MARGIN_SCHEME")
    assert price.margin_vat == Decimal("28.64")


@pytest.mark.parametrize(
    ("experience", "expected"),
    [
        ({"tax_regime": "general"}, ("MERCHANT", "STANDARD", Decimal("0.00"), Decimal("0.00"))),
        ({"tax_regime": "mediation"}, ("AGENCY", "STANDARD", Decimal("165.00"), Decimal("0.00"))),
    ],
)
def test_tax_regime_decides_model_scheme_and_commission(experience: dict[str, Any], expected: tuple[Any, ...]) -> None:
    price = only(mapped(trip.booking(), **experience)).price
    assert (price.selling_model, price.tax_scheme, price.commission, price.margin_vat) == expected


def test_no_margin_vat_on_a_stay_outside_the_union() -> None:
    services = [{**one, "area": "NON_EU"} for one in trip.experience()["services"]]
    assert only(mapped(trip.booking(), services=services)).price.margin_vat == Decimal(0)


def test_booking_discount_is_shared_by_line_totals_to_the_cent() -> None:
    discount = {
        "id": "dsc_03",
        "kind": "amount",
        "value": trip.eur(5000),
        "amount": trip.eur(5000),
        "applied_at": "2026-11-20T10:10:00Z",
    }
    assert only(mapped(trip.booking(discounts=[discount]))).price.sell_gross == Decimal("783.96")


def test_line_discount_lowers_its_own_line_only() -> None:
    discount = {
        "id": "dsc_03",
        "kind": "amount",
        "value": trip.eur(5000),
        "amount": trip.eur(5000),
        "scope": "line",
        "line_id": "lin_02",
        "applied_at": "2026-11-20T10:10:00Z",
    }
    assert only(mapped(trip.booking(discounts=[discount]))).price.sell_gross == Decimal("825.00")


def test_full_cancellation_makes_the_fee_the_price() -> None:
    document = trip.cancelled([trip.hotel(), trip.bus()], penalty=3000, supplier_fee=1000)
    found = mapped(document, trip.cancellation(["lin_01", "lin_02"], 3000))
    record = only(found)
    assert record.status == "CANCELLED"
    assert {service.status for service in record.services} == {"CANCELLED"}
    assert (record.price.sell_gross, record.price.cost_gross) == (Decimal("30.00"), Decimal("10.00"))
    assert found.left_behind == ()


def test_cancelling_the_bus_leaves_the_hotel_as_it_was() -> None:
    lines = [trip.hotel(), {**trip.bus(), "status": "cancelled"}]
    fee = trip.cancellation(["lin_02"], 2000, scope="partial")
    record = only(mapped(trip.booking(lines, penalty=2000), fee))
    assert record.content_hash == only(mapped(trip.booking())).content_hash


def test_cancellation_later_than_the_snapshot_is_left_out() -> None:
    later = trip.cancellation(["lin_01"], 3000)
    assert only(mapped(trip.booking(), later)).price.sell_gross == Decimal("825.00")


def test_penalty_whose_cancellation_has_not_arrived_goes_to_the_cancelled_hotel() -> None:
    document = trip.cancelled([trip.hotel(), trip.bus()], penalty=3000)
    assert only(mapped(document)).price.sell_gross == Decimal("30.00")


def test_no_show_is_charged_and_not_cancelled() -> None:
    document = trip.cancelled([trip.hotel(), trip.bus()], penalty=100500)
    record = only(mapped(document, trip.cancellation(["lin_01", "lin_02"], 100500, cause="no_show")))
    assert record.status == "NO_SHOW"
    assert record.remarks[0].text == "No-show: full charge"


def test_same_content_has_the_same_hash_under_any_revision_and_action() -> None:
    record = only(mapped(trip.booking()))
    assert record.as_message("CHANGE", 7).content_hash == record.content_hash
    renamed = trip.booking(travellers=[trip.traveller("trv_1", "Eva", "Otra", is_payer=True)])
    assert only(mapped(renamed)).content_hash != record.content_hash


def test_as_it_stood_is_the_booking_before_its_cancellation() -> None:
    gone = trip.as_booking(trip.cancelled([trip.hotel(), trip.bus()], penalty=3000))
    (before,) = sort_out(
        trip.AGENCY, as_it_stood(gone), trip.as_experience(trip.experience()), (), SETTINGS
    ).records.values()
    assert (before.status, before.price.sell_gross) == ("CONFIRMED", Decimal("825.00"))


def test_struck_out_record_is_cancelled_and_free() -> None:
    record = struck_out(only(mapped(trip.booking())))
    assert record.status == "CANCELLED"
    assert {service.status for service in record.services} == {"CANCELLED"}
    assert not any((record.price.sell_gross, record.price.cost_gross, record.price.margin))


def test_record_without_people_names_nobody() -> None:
    kept = str(only(mapped(trip.booking())).without_people())
    assert not [name for name in ("Ana", "Luis", "Prueba", "mail.example", "00000000T", "Mayor") if name in kept]
