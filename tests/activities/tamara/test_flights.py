"""Where a flight is settled: through the BSP, or by the agency (contracts: tamara 1.2, 3.3)."""

from __future__ import annotations

from activities.tamara.settings import TamaraSettings
from store import Store
from tests import stories
from tests.activities.tamara.night import (
    NEXT,
    DropBoxSite,
    Night,
    sent,
    transactions,
)


def _flies(night: Night, reference: str | None) -> None:
    """The booking is one flight of a supplier that is an airline."""
    service = {
        "id": "svc_flight",
        "kind": "flight",
        "description": "MAD-FRA",
        "supplier": {"id": "sup_lh", "name": "Lufthansa"},
        "unit": "traveller",
        "price": stories.eur(41250),
        "cost_estimated": stories.eur(33000),
    }
    night.tell("experience.updated", "experience/exp_31", 2, experience=stories.experience(services=[service]))
    line = stories.line("lin_01", "svc_flight", 50250, 39500)
    line["cost"]["supplier_ref"] = reference
    told = night.booking(lines=[line])
    night.tell("booking.modified", "booking/bkg_500", 2, booking=told, price_effect=stories.NO_EFFECT)


def _flying(store: Store, airplus: DropBoxSite, *, bsp: bool, reference: str | None) -> Night:
    settings = TamaraSettings.model_validate(
        {**airplus.settings.model_dump(), "airlines": {"sup_lh": {"carrier": "LH", "bsp": bsp}}}
    )
    night = Night(store, settings)
    _flies(night, reference)
    return night


def test_a_flight_settled_through_the_bsp_goes_into_the_bsp_file_and_so_does_its_refund(
    store: Store, airplus: DropBoxSite
) -> None:
    night = _flying(store, airplus, bsp=True, reference="220-1234567890")
    night.sold()
    assert night.seal(kind="MA").lines == 0
    sealed = night.seal(kind="BSP")
    assert (sealed.seq, sealed.lines) == (1, 1)
    night.deliver(sealed)
    night.credited()
    night.cancel()
    night.deliver(night.seal(NEXT, kind="BSP"))
    found = transactions(airplus)
    assert {(line["type"], line["service"], line["ticket"], line["status"]) for line in found} == {
        ("SA", "FL", "2201234567890", "A"),
        ("CX", "FL", "2201234567890", "A"),
    }


def test_a_ticket_without_thirteen_digits_is_refused_by_its_rule(store: Store, airplus: DropBoxSite) -> None:
    assert "V007 500.DOC_NO" in _flying(store, airplus, bsp=True, reference="220-12345").sold().note


def test_a_low_cost_flight_that_the_agency_paid_goes_into_the_ma_file(store: Store, airplus: DropBoxSite) -> None:
    night = _flying(store, airplus, bsp=False, reference="XY7Z9Q")
    night.sold()
    sent(night)
    [line] = transactions(airplus)
    assert (line["service"], line["status"]) == ("LC", "A")


def test_what_the_routing_table_sends_nowhere_is_said_and_not_staged(store: Store, airplus: DropBoxSite) -> None:
    night = _flying(store, airplus, bsp=True, reference="220-1234567890")
    layout = night.settings.used_layout
    nowhere = layout.model_copy(update={"routing": {**layout.routing, "FL": {"merchant": "none", "agency": "none"}}})
    night.settings.__dict__["used_layout"] = nowhere
    assert "routing table" in night.sold().note
    assert night.states() == {}
