"""Documents of the past are issued anew only when a person approved it (contracts: money-rules 1.3, 1.3.5, F-M10, F-M13)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.steps import BookingStep
from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import Desk, booking, discount

PAYER: dict[str, Any] = dict(stories.PAYER)
EVA = PAYER | {
    "id": "cus_90",
    "name": "Eva Otra",
    "tax_id": {"type": "NIE", "value": "X0000000T", "country": "ES"},
}
MOVED = PAYER | {"address": PAYER["address"] | {"line1": "Calle Nueva 5"}}
UNKNOWN = {name: value for name, value in PAYER.items() if name not in ("tax_id", "address")} | {
    "fiscal_complete": False
}


def amended(desk: Desk, revision: int = 2, **changes: Any) -> BookingStep:
    return desk.booking(revision, kind="booking.modified", **changes)


def paid(desk: Desk, **changes: Any) -> None:
    desk.registered(**changes)
    desk.activities.record_payment(desk.payment("pay_1", 30000))


def recipients(desk: Desk) -> list[tuple[str, str, int]]:
    return [
        (each["IdTipo"], f"{each['DatosExternos']['TotalFactura']:.2f}", each["IdCliente"])
        for each in desk.held("Factura")
    ]


def approved(desk: Desk, step: BookingStep, reason: str) -> dict[str, str]:
    about = desk.asked(desk.activities.amend_booking, step, reason)
    desk.answer(about, "approve")
    return desk.insist(desk.activities.amend_booking, step).ids


@pytest.mark.covers("F-M10", "1.3 the payer is replaced for past payments")
@pytest.mark.parametrize(
    "operation", [None, "Factura_REIMBURSEMENT", "Factura_Servicios_POST", "RelationDueDatePayment_POST"]
)
def test_a_payer_replaced_for_the_past_is_credited_and_the_new_one_invoiced_once_approved(
    desk: Desk, operation: str | None
) -> None:
    paid(desk)
    step = amended(desk, payer=EVA)
    about = desk.asked(desk.activities.amend_booking, step, "payer_replaced")
    assert [kind for kind, _, _ in recipients(desk)] == ["Normal"], "nothing happens unasked"
    desk.answer(about, "approve")
    if operation is not None:
        desk.fault(operation, Kind.DROP_AFTER)
    done = desk.insist(desk.activities.amend_booking, step)
    assert recipients(desk) == [("Normal", "300.00", 2), ("Reembolso", "-300.00", 2), ("Normal", "300.00", 3)]
    assert {"credit_note", "invoice"} <= done.ids.keys()
    assert desk.held("Factura")[-1]["DatosExternos"]["PendienteCobro"] == 0
    assert desk.insist(desk.activities.amend_booking, amended(desk, 3, payer=EVA)).note == ""


@pytest.mark.covers("1.3 the payer is replaced for payments to come")
def test_declined_once_it_is_not_asked_again_for_the_same_payer(desk: Desk) -> None:
    paid(desk)
    step = amended(desk, payer=EVA)
    desk.answer(desk.asked(desk.activities.amend_booking, step, "payer_replaced"), "decline")
    desk.activities.amend_booking(step)
    desk.activities.amend_booking(amended(desk, 3, payer=EVA))
    assert recipients(desk) == [("Normal", "300.00", 2)]
    desk.activities.record_payment(desk.payment("pay_2", 10000))
    assert recipients(desk)[-1] == ("Normal", "100.00", 3)


@pytest.mark.covers("1.3 wrong data on an invoice", "1.3.1")
def test_wrong_data_on_an_invoice_are_rectified_by_substitution_once_approved(desk: Desk) -> None:
    paid(desk)
    approved(desk, amended(desk, payer=MOVED), "invoice_data_wrong")
    assert recipients(desk) == [("Normal", "300.00", 2), ("Rectificativa", "-300.00", 2), ("Normal", "300.00", 2)]
    old, note, new = desk.held("Factura")
    assert not old["DirCliente"].startswith("Calle Nueva 5")
    assert new["DirCliente"].startswith("Calle Nueva 5")
    assert "rectificación" in new["Descripcion"]
    assert "Otros" in note["Descripcion"]
    assert new["DatosExternos"]["PendienteCobro"] == 0


@pytest.mark.covers("1.3.5")
def test_simplified_invoices_are_exchanged_for_full_ones_when_the_payer_s_data_come_and_a_person_agrees(
    desk: Desk,
) -> None:
    paid(desk, payer=UNKNOWN)
    (simplified,) = desk.held("Factura")
    assert simplified["EsSimplificada"]
    approved(desk, amended(desk, payer=stories.PAYER), "simplified_exchange")
    full = desk.held("Factura")[-1]
    assert not full["EsSimplificada"]
    assert f"Canje de la factura simplificada {simplified['Codigo']}" in full["Descripcion"]
    assert sum(each["DatosExternos"]["TotalFactura"] for each in desk.held("Factura")) == 300


def late(desk: Desk, revision: int = 2) -> BookingStep:
    given = discount(20500, f"dsc_{revision}")
    return desk.booking(revision, kind="booking.discount_applied", discounts=[given], discount=given, action="applied")


@pytest.mark.covers("F-M13")
@pytest.mark.parametrize(("decision", "price"), [("approve", 800), ("decline", 1005)])
def test_a_change_of_the_sale_in_closed_books_waits_for_a_person(desk: Desk, decision: Any, price: int) -> None:
    desk.registered()
    desk.store.periods.close(stories.AGENCY, date(2027, 6, 30), by="Ana")
    step = late(desk)
    about = desk.asked(desk.activities.amend_booking, step, "late_change")
    assert desk.container()["Venta"] == 1005
    desk.answer(about, decision)
    done = desk.activities.amend_booking(step)
    assert (desk.container()["Venta"], done.outcome) == (price, "done" if decision == "approve" else "partial")


@pytest.mark.covers("F-M13")
def test_a_change_of_the_sale_after_departure_waits_for_a_person(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience(starts_on="2026-11-01", ends_on="2026-11-05"))
    desk.activities.register_booking(desk.booking())
    desk.asked(desk.activities.amend_booking, late(desk), "late_change")


@pytest.mark.covers("F-M14")
def test_costs_that_come_after_departure_are_nobody_s_question(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience(starts_on="2026-11-01", ends_on="2026-11-05"))
    told = booking()
    desk.activities.register_booking(desk.booking())
    dearer = [
        line | {"cost": line["cost"] | {"total": stories.eur(line["cost"]["total"]["amount"] + 100)}}
        for line in told["lines"]
    ]
    assert desk.activities.amend_booking(amended(desk, lines=dearer)).outcome == "done"
