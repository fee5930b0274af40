"""What a supplier confirms becomes the nested cost, and nothing that the customer sees moves (money-rules 1.2.4, F-M14)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.money import Money
from domain.supplier import RATEHAWK
from domain.supplier_steps import SupplierStep
from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import Desk
from tests.activities.giav.test_amend import BUS, HOTEL, amended
from tests.store.test_supplier_orders import order

ORDERED = [{"system": "ratehawk", "order_ref": "B2B-1/1", "partner_order_ref": "bkg_500-lin_01"}]


def confirmed(desk: Desk, amount: int, revision: int = 1) -> SupplierStep:
    """RateHawk's order of the hotel line, confirmed at `amount`."""
    orders = desk.store.supplier_orders
    orders.record(stories.AGENCY, RATEHAWK, [order(7, partner="bkg_500-lin_01", minutes=revision, payable=amount)])
    orders.handled(stories.AGENCY, RATEHAWK, 7, revision, "booking", booking_id="bkg_500")
    orders.confirm(stories.AGENCY, RATEHAWK, 7, Money(amount=amount, currency="EUR"), booking_id="bkg_500")
    return SupplierStep(
        agency=stories.AGENCY,
        booking_id="bkg_500",
        experience_id="exp_31",
        supplier=RATEHAWK,
        order_id=7,
        revision=revision,
    )


def costs(desk: Desk) -> dict[str, Any]:
    return {name: line["CosteComis"] for name, line in desk.lines().items()}


@pytest.mark.covers("F-M14", "1.2.4", "S2")
def test_the_confirmed_cost_replaces_the_estimate_and_price_and_invoices_stay(desk: Desk) -> None:
    desk.registered(external_orders=ORDERED)
    desk.activities.record_payment(desk.payment("pay_1", 30000))
    invoices, price = desk.held("Factura"), desk.container()["Venta"]
    desk.calls()
    done = desk.activities.confirm_costs(confirmed(desk, 65900))
    assert set(done.ids) == {"lin_01"}
    assert desk.calls() == ["Reservas_SEARCH", "Reserva_Normal_PUT"]
    assert costs(desk) == {"lin_01": 659, "lin_02": 130}
    assert (desk.held("Factura"), desk.container()["Venta"]) == (invoices, price)


def test_the_same_confirmation_again_calls_nobody(desk: Desk) -> None:
    desk.registered(external_orders=ORDERED)
    step = confirmed(desk, 65900)
    desk.activities.confirm_costs(step)
    desk.calls()
    assert desk.activities.confirm_costs(step).ids == {}
    assert desk.calls() == []


def test_a_later_snapshot_does_not_bring_the_estimate_back(desk: Desk) -> None:
    desk.registered(external_orders=ORDERED)
    desk.activities.confirm_costs(confirmed(desk, 65900))
    desk.calls()
    guide = stories.line("lin_03", "svc_guide", 1000, 800)
    desk.activities.amend_booking(amended(desk, 2, lines=[HOTEL, BUS, guide], external_orders=ORDERED))
    assert costs(desk) == {"lin_01": 659, "lin_02": 130, "lin_03": 16}
    desk.activities.confirm_costs(confirmed(desk, 66100, revision=2))
    assert costs(desk)["lin_01"] == 661


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER])
def test_a_lost_answer_leaves_one_cost(desk: Desk, kind: Kind) -> None:
    desk.registered(external_orders=ORDERED)
    desk.fault("Reserva_Normal_PUT", kind)
    desk.insist(desk.activities.confirm_costs, confirmed(desk, 65900))
    assert costs(desk) == {"lin_01": 659, "lin_02": 130}


def test_nothing_happens_before_anything_is_confirmed(desk: Desk) -> None:
    desk.registered(external_orders=ORDERED)
    step = confirmed(desk, 65900).model_copy(update={"order_id": 8})
    assert desk.activities.confirm_costs(step).outcome == "skipped"
