"""A registered booking follows its newest snapshot, and invoices follow the price (contracts: giav 4; money-rules 1.3)."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.steps import BookingStep
from sandbox.faults import Kind
from sandbox.giav import seeds
from tests import stories
from tests.activities.giav.desk import TRAVELLERS, Desk, discount, failure

HOTEL = stories.line("lin_01", "svc_hotel", 41250, 33000)
BUS = stories.line("lin_02", "svc_bus", 9000, 6500)
GUIDE = stories.line("lin_03", "svc_guide", 1000, 800)


def amended(desk: Desk, revision: int = 2, **changes: Any) -> BookingStep:
    return desk.booking(revision, kind="booking.modified", **changes)


def reduced(desk: Desk, revision: int = 2, total: int = 80000) -> BookingStep:
    """A discount that brings the price down to `total`."""
    given = discount(100500 - total, f"dsc_{revision}")
    return desk.booking(revision, kind="booking.discount_applied", discounts=[given], discount=given, action="applied")


def paid_in_full(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment("pay_1", 30000))
    desk.activities.record_payment(desk.payment("pay_2", 70500))
    desk.calls()


@pytest.mark.covers("giav 4: nested costs changed", "giav 4: service change")
def test_only_what_changed_is_sent(desk: Desk) -> None:
    desk.registered()
    desk.calls()
    lines = [stories.line("lin_01", "svc_hotel", 41250, 30000), BUS, GUIDE]
    desk.activities.amend_booking(amended(desk, lines=lines))
    assert desk.calls() == [
        "Reservas_SEARCH",
        "Reserva_Normal_PUT",
        "Reserva_Normal_POST",
        "Reserva_Anidamiento_PUT",
        "Reserva_Normal_PUT",
    ]
    assert desk.container()["Venta"] == 1025
    assert {name: line["CosteComis"] for name, line in desk.lines().items()} == {
        "lin_01": 600,
        "lin_02": 130,
        "lin_03": 16,
    }
    guide = desk.lines()["lin_03"]
    assert (guide["TipoReserva"], guide["SubtipoOtros"]) == ("OT", "GuíasTurísticos")


@pytest.mark.covers("F-M6")
def test_the_same_revision_again_calls_nobody(desk: Desk) -> None:
    desk.registered()
    step = amended(desk, lines=[HOTEL])
    first = desk.activities.amend_booking(step)
    desk.calls()
    assert desk.activities.amend_booking(step) == first
    assert desk.calls() == []


@pytest.mark.covers("F-M12")
def test_an_older_revision_changes_nothing(desk: Desk) -> None:
    desk.registered()
    old = amended(desk, 2, lines=[HOTEL])
    desk.activities.amend_booking(reduced(desk, 3))
    assert desk.activities.amend_booking(old).outcome == "skipped"
    assert desk.container()["Venta"] == 800


@pytest.mark.covers("giav 4: nested costs changed", "giav 4: service change")
def test_a_removed_service_is_unnested_and_deleted_and_may_come_back(desk: Desk) -> None:
    desk.registered()
    desk.activities.amend_booking(amended(desk, 2, lines=[HOTEL]))
    assert set(desk.lines()) == {"lin_01"}
    assert len(desk.held("Reserva")) == 2
    desk.activities.amend_booking(amended(desk, 3, lines=[HOTEL, BUS]))
    assert {name: line["CosteComis"] for name, line in desk.lines().items()} == {"lin_01": 660, "lin_02": 130}


@pytest.mark.covers("giav 4: nested costs changed")
def test_a_removed_service_whose_cost_was_received_stays_at_no_cost(desk: Desk) -> None:
    desk.registered()
    records = desk.stand_in.books.records
    bus = desk.lines()["lin_02"]
    records.change("Reserva", records.get("Reserva", bus["Id"]), received=130.0, RecepciondeCosteTotal=True)
    desk.activities.amend_booking(amended(desk, 2, lines=[HOTEL]))
    left = desk.lines()["lin_02"]
    assert (left["CosteComis"], left["Descripcion"]) == (0, "CANCELADA svc_bus")


def test_a_cancelled_line_costs_what_the_supplier_charges(desk: Desk) -> None:
    desk.registered()
    charged = stories.line("lin_02", "svc_bus", 9000, 2000, status="cancelled")
    desk.activities.amend_booking(amended(desk, 2, lines=[HOTEL, charged]))
    bus = desk.lines()["lin_02"]
    assert (bus["CosteComis"], bus["IdEntityStage"]) == (40, seeds.RESERVATION_CANCELLED)


@pytest.mark.covers("F-M1")
@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.DROP_BEFORE, Kind.PAGE_503])
@pytest.mark.parametrize(
    "operation",
    ["Reserva_Normal_POST", "Reserva_Normal_PUT", "Reserva_Anidamiento_PUT", "Reserva_DELETE", "PasajeroReserva_POST"],
)
def test_an_amendment_that_breaks_off_ends_the_same(desk: Desk, operation: str, kind: Kind) -> None:
    desk.registered()
    marta = TRAVELLERS[1] | {"id": "trv_3", "first_name": "Marta"}
    desk.fault(operation, kind)
    desk.insist(desk.activities.amend_booking, amended(desk, lines=[HOTEL, GUIDE], travellers=[*TRAVELLERS, marta]))
    assert {name: line["CosteComis"] for name, line in desk.lines().items()} == {"lin_01": 660, "lin_03": 16}
    assert (desk.container()["Venta"], len(desk.held("Reserva"))) == (845, 3)
    assert [each["IdPasajero"] for each in desk.held("PasajeroReserva")] == [1, 2, 3]


def test_travellers_join_leave_return_and_change_their_name(desk: Desk) -> None:
    desk.registered()

    def seated() -> set[str]:
        names = {each["Id"]: each["Nombre"] for each in desk.held("Pasajero")}
        return {names[each["IdPasajero"]] for each in desk.held("PasajeroReserva")}

    ana, luis = TRAVELLERS
    marta = luis | {"first_name": "Marta"}
    desk.activities.amend_booking(amended(desk, 2, travellers=[ana, marta]))
    assert seated() == {"Ana Prueba Ejemplo", "Marta Prueba Otro"}
    desk.activities.amend_booking(amended(desk, 3, travellers=[ana, marta | {"status": "cancelled"}]))
    assert seated() == {"Ana Prueba Ejemplo"}
    assert desk.container()["NumPax"] == 1
    desk.activities.amend_booking(amended(desk, 4, travellers=[ana, marta]))
    assert seated() == {"Ana Prueba Ejemplo", "Marta Prueba Otro"}
    desk.activities.amend_booking(amended(desk, 5, travellers=[ana]))
    assert seated() == {"Ana Prueba Ejemplo"}
    assert len(desk.held("Pasajero")) == 2


@pytest.mark.covers("1.3 the payer is replaced for payments to come")
def test_another_payer_takes_over_the_reserva_and_the_invoices_to_come(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment("pay_1", 30000))
    eva = stories.PAYER | {
        "id": "cus_90",
        "name": "Eva Otra",
        "tax_id": {"type": "NIE", "value": "X0000000T", "country": "ES"},
    }
    step = amended(desk, payer=eva)
    desk.answer(desk.asked(desk.activities.amend_booking, step, "payer_replaced"), "decline")
    done = desk.activities.amend_booking(step)
    desk.activities.record_payment(desk.payment("pay_2", 10000))
    assert [each["IdCliente"] for each in desk.held("Factura")] == [2, 3]
    assert {each["IdCliente"] for each in desk.held("Reserva")} == {3}
    assert "former payer" in done.note


@pytest.mark.covers("1.3 the price falls, not below what is invoiced", "giav 4: discount after invoicing")
def test_a_price_that_falls_above_what_is_invoiced_corrects_nothing(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment("pay_1", 30000))
    done = desk.activities.amend_booking(reduced(desk))
    assert "credit_note" not in done.ids
    assert desk.invoice_lines() == [("Normal", "300.00")]
    assert desk.container()["Venta"] == 800


@pytest.mark.covers("1.3.1", "1.3 the price falls below what is invoiced", "giav 4: discount after invoicing", "M4")
def test_a_price_below_what_is_invoiced_credits_the_latest_invoice_and_issues_the_rest(desk: Desk) -> None:
    paid_in_full(desk)
    done = desk.activities.amend_booking(reduced(desk))
    assert desk.invoice_lines() == [
        ("Normal", "300.00"),
        ("Normal", "705.00"),
        ("Reembolso", "-705.00"),
        ("Normal", "500.00"),
    ]
    documents = {each.key: each for each in desk.store.documents.of_booking(stories.AGENCY, "bkg_500")}
    assert {key: (each.amount.amount, each.refers_to) for key, each in documents.items()} == {
        "inv:pay_1": (30000, None),
        "inv:pay_2": (70500, None),
        "rect:dsc_2:pay_2": (-70500, "inv:pay_2"),
        "inv:pay_2:dsc_2": (50000, "rect:dsc_2:pay_2"),
    }
    assert done.ids["credit_note"] == documents["rect:dsc_2:pay_2"].number
    assert documents["rect:dsc_2:pay_2"].number.startswith("ER-"), "a series of its own"
    assert [cobro["DatosExternos"]["Disponible"] for cobro in desk.held("Cobro")] == [0, 205]
    assert desk.held("Factura")[-1]["DatosExternos"]["PendienteCobro"] == 0


@pytest.mark.covers("C4", "giav 4: discount after invoicing")
def test_a_second_reduction_corrects_the_invoice_that_stands(desk: Desk) -> None:
    paid_in_full(desk)
    desk.activities.amend_booking(reduced(desk, 2, 80000))
    desk.activities.amend_booking(reduced(desk, 3, 20000))
    assert sum(float(amount) for _, amount in desk.invoice_lines()) == 200
    assert desk.container()["FacturadoImporte"] == 200


@pytest.mark.covers("F-M7")
def test_what_was_credited_and_is_sold_again_before_its_refund_is_invoiced_again(desk: Desk) -> None:
    paid_in_full(desk)
    desk.activities.amend_booking(reduced(desk, 2, 80000))
    done = desk.activities.amend_booking(reduced(desk, 3, 95000))
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "705.00", "-705.00", "500.00", "150.00"]
    last = desk.store.documents.of_payment(stories.AGENCY, "pay_2")[-1]
    assert (last.key, last.refers_to) == ("inv:pay_2:dsc_3", "rect:dsc_2:pay_2")
    assert done.ids["invoice"] == last.number
    desk.activities.record_refund(desk.refund("ref_1", 5500, cause="discount", payment_id="pay_2"))
    assert sum(float(amount) for _, amount in desk.invoice_lines()) == 950
    assert [cobro["DatosExternos"]["Disponible"] for cobro in desk.held("Cobro")][:2] == [0, 55]


@pytest.mark.covers("F-M7")
def test_what_was_credited_and_given_back_is_invoiced_again_only_with_a_new_payment(desk: Desk) -> None:
    paid_in_full(desk)
    desk.activities.amend_booking(reduced(desk, 2, 80000))
    desk.activities.record_refund(desk.refund("ref_1", 20500, cause="discount", payment_id="pay_2"))
    desk.activities.amend_booking(reduced(desk, 3, 95000))
    desk.activities.record_payment(desk.payment("pay_3", 15000))
    invoices = ["300.00", "705.00", "-705.00", "500.00", "150.00"]
    assert [amount for _, amount in desk.invoice_lines()] == invoices
    assert desk.store.documents.of_payment(stories.AGENCY, "pay_3")[-1].refers_to is None


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.DROP_BEFORE])
@pytest.mark.parametrize("operation", ["Factura_Servicios_POST", "Factura_GET", "RelationDueDatePayment_POST"])
def test_selling_again_is_finished_and_not_made_twice(desk: Desk, operation: str, kind: Kind) -> None:
    paid_in_full(desk)
    desk.activities.amend_booking(reduced(desk, 2, 80000))
    desk.fault(operation, kind)
    desk.insist(desk.activities.amend_booking, reduced(desk, 3, 95000))
    assert [amount for _, amount in desk.invoice_lines()][3:] == ["500.00", "150.00"]


@pytest.mark.covers("F-X5")
@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.MALFORMED, Kind.DROP_BEFORE])
@pytest.mark.parametrize(
    "operation",
    [
        "Factura_REIMBURSEMENT",
        "Factura_GET",
        "Reserva_Normal_PUT",
        "Factura_Servicios_POST",
        "RelationDueDatePayment_POST",
    ],
)
def test_a_correction_that_breaks_off_is_finished_and_not_made_twice(desk: Desk, operation: str, kind: Kind) -> None:
    paid_in_full(desk)
    desk.fault(operation, kind)
    desk.insist(desk.activities.amend_booking, reduced(desk))
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "705.00", "-705.00", "500.00"]
    assert [cobro["DatosExternos"]["Disponible"] for cobro in desk.held("Cobro")] == [0, 205]


def test_an_amendment_waits_for_its_reserva(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    with pytest.raises(ApplicationError) as caught:
        desk.activities.amend_booking(amended(desk))
    assert failure(caught.value) == "NotYet"
