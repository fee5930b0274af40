"""A cancellation corrects every invoice, leaves the penalty and nothing else (contracts: giav 4; money-rules 1.4, C1, M3)."""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError

from domain.steps import CancellationStep
from sandbox.faults import Kind
from sandbox.giav import seeds
from tests import stories
from tests.activities.giav.desk import TRAVELLERS, Desk, booking, failure

LINES = [
    stories.line("lin_01", "svc_hotel", 41250, 5000, status="cancelled"),
    stories.line("lin_02", "svc_bus", 9000, 0, status="cancelled"),
]


def cancelled(
    desk: Desk, treatment: str = "indemnity_not_subject", penalty: int = 3000, revision: int = 2
) -> CancellationStep:
    """The whole booking; the hotel charges 100.00."""
    snapshot = booking(status="cancelled", lines=LINES, penalty=penalty)
    told = stories.cancellation(treatment) | {"penalty": {"amount": stories.eur(penalty), "treatment": treatment}}
    return desk.cancellation(revision, snapshot, told)


def paid(desk: Desk, *amounts: int) -> None:
    desk.registered()
    for number, amount in enumerate(amounts, start=1):
        desk.activities.record_payment(desk.payment(f"pay_{number}", amount))
    desk.calls()


def documents(desk: Desk) -> dict[str, tuple[int, str | None]]:
    held = desk.store.documents.of_booking(stories.AGENCY, "bkg_500")
    return {each.key: (each.amount.amount, each.refers_to) for each in held}


@pytest.mark.covers("1.3 the booking is cancelled", "1.4.9", "C1", "giav 4: cancellation with money")
def test_everything_invoiced_is_credited_and_the_penalty_has_its_own_document(desk: Desk) -> None:
    paid(desk, 30000)
    done = desk.activities.cancel_booking(cancelled(desk))
    assert desk.calls() == [
        "Factura_REIMBURSEMENT",
        "Factura_GET",
        "Reservas_SEARCH",
        "Reserva_Normal_PUT",
        "Reserva_Normal_PUT",
        "Reserva_Normal_PUT",
        "Factura_Servicios_POST",
        "Factura_GET",
        "DueDate_SEARCH",
        "RelationDueDatePayment_POST",
    ]
    assert desk.invoice_lines() == [("Normal", "300.00"), ("Reembolso", "-300.00"), ("Normal", "30.00")]
    assert documents(desk) == {
        "inv:pay_1": (30000, None),
        "rect:cxl_12:pay_1": (-30000, "inv:pay_1"),
        "pen:cxl_12": (3000, "rect:cxl_12:pay_1"),
    }
    assert set(done.ids) == {"container", "credit_note", "penalty"}
    assert desk.money_lines() == [("Cobro", "300.00")], "the refund is a fact of its own"
    assert desk.held("Cobro")[0]["DatosExternos"]["Disponible"] == 270


@pytest.mark.covers("giav 4: cancellation with money")
def test_the_reserva_shows_the_penalty_and_the_suppliers_charges(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    container = desk.container()
    assert (container["Venta"], container["IdEntityStage"]) == (30, seeds.RESERVATION_CANCELLED)
    assert container["Descripcion"].startswith("CANCELADA ")
    assert {name: line["CosteComis"] for name, line in desk.lines().items()} == {"lin_01": 100, "lin_02": 0}


@pytest.mark.covers("1.3.3", "C4")
def test_several_invoices_get_one_credit_note_each(desk: Desk) -> None:
    paid(desk, 30000, 38200)
    desk.activities.cancel_booking(cancelled(desk))
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "382.00", "-382.00", "-300.00", "30.00"]


@pytest.mark.covers("1.1.8")
def test_cancelling_again_calls_nothing_that_writes(desk: Desk) -> None:
    paid(desk, 30000)
    step = cancelled(desk)
    first = desk.activities.cancel_booking(step)
    desk.calls()
    assert desk.activities.cancel_booking(step) == first
    assert desk.calls() == ["DueDate_SEARCH"]


@pytest.mark.covers("F-X13", "giav 4: cancellation without money")
def test_without_money_there_are_no_documents_and_no_costs_left_over(desk: Desk) -> None:
    paid(desk)
    desk.activities.cancel_booking(cancelled(desk, "none", 0))
    assert desk.held("Factura") == []
    assert desk.container()["Venta"] == 0
    assert set(desk.lines()) == {"lin_01"}, "only what the supplier charges stays"


@pytest.mark.covers("F-X12")
def test_a_penalty_above_what_was_paid_is_documented_in_full(desk: Desk) -> None:
    paid(desk, 1000)
    desk.activities.cancel_booking(cancelled(desk))
    assert [amount for _, amount in desk.invoice_lines()] == ["10.00", "-10.00", "30.00"]
    assert desk.held("Factura")[-1]["DatosExternos"]["PendienteCobro"] == 20


@pytest.mark.covers("1.4.10")
def test_a_no_show_stays_invoiced(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk, "no_show_consideration", 100500))
    assert desk.invoice_lines() == [("Normal", "300.00")]
    assert desk.container()["IdEntityStage"] == seeds.RESERVATION_CANCELLED


@pytest.mark.covers("1.4.11")
def test_a_management_fee_is_an_ordinary_invoice(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk, "taxable_fee"))
    assert [each["SerieFacturacion"] for each in desk.held("Factura")] == ["Especial", "Especial", "General"]


@pytest.mark.covers("F-X4", "C2")
def test_an_undecided_penalty_touches_nothing_and_asks_a_person(desk: Desk) -> None:
    paid(desk, 30000)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.cancel_booking(cancelled(desk, "undecided"))
    assert (failure(caught.value), caught.value.details[0]["code"]) == ("NeedsPerson", "penalty_undecided")
    assert desk.calls() == []


@pytest.mark.covers("1.4.9")
def test_the_other_setting_leaves_the_penalty_inside_the_invoices(desk: Desk) -> None:
    desk.configure(penalty="rectify_refunded_part")
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "-300.00", "30.00"]
    assert documents(desk) == {
        "inv:pay_1": (30000, None),
        "rect:cxl_12:pay_1": (-30000, "inv:pay_1"),
        "inv:pay_1:cxl_12": (3000, "rect:cxl_12:pay_1"),
    }


@pytest.mark.covers("F-X10")
def test_a_part_that_is_cancelled_is_corrected_as_far_as_it_was_paid(desk: Desk) -> None:
    paid(desk, 100500)
    ana, luis = TRAVELLERS
    lines = [stories.line("lin_01", "svc_hotel", 41250, 33000), LINES[1]]
    snapshot = booking(lines=lines, travellers=[ana, luis | {"status": "cancelled"}], penalty=3000)
    told = stories.cancellation() | {"scope": "partial", "traveller_ids": ["trv_2"], "line_ids": ["lin_02"]}
    desk.activities.cancel_booking(desk.cancellation(2, snapshot, told))
    assert [amount for _, amount in desk.invoice_lines()] == ["1005.00", "-1005.00", "825.00", "30.00"]
    assert [each["IdPasajero"] for each in desk.held("PasajeroReserva")] == [1]
    assert set(desk.lines()) == {"lin_01"}
    assert desk.container()["FacturadoImporte"] == desk.container()["Venta"] == 855


@pytest.mark.covers("F-X5", "F-X7")
@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.MALFORMED, Kind.DROP_BEFORE, Kind.PAGE_503])
@pytest.mark.parametrize(
    "operation",
    [
        "Factura_REIMBURSEMENT",
        "Factura_GET",
        "Reserva_Normal_PUT",
        "Factura_Servicios_POST",
        "DueDate_SEARCH",
        "RelationDueDatePayment_POST",
    ],
)
def test_a_cancellation_that_breaks_off_ends_the_same(desk: Desk, operation: str, kind: Kind) -> None:
    paid(desk, 30000, 38200)
    desk.fault(operation, kind)
    desk.insist(desk.activities.cancel_booking, cancelled(desk))
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "382.00", "-382.00", "-300.00", "30.00"]
    assert sum(cobro["DatosExternos"]["Disponible"] for cobro in desk.held("Cobro")) == 652


@pytest.mark.covers("F-X5")
def test_a_late_credit_note_is_adopted(desk: Desk) -> None:
    paid(desk, 30000)
    step = cancelled(desk)
    desk.fault("Factura_REIMBURSEMENT", Kind.LATE, seconds=0.05)
    with pytest.raises(ApplicationError):
        desk.activities.cancel_booking(step)
    assert desk.stand_in.landed.wait(5)
    desk.insist(desk.activities.cancel_booking, step)
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "-300.00", "30.00"]


@pytest.mark.covers("F-X1")
def test_an_instalment_captured_after_the_cancellation_is_posted_in_full(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    desk.activities.record_payment(desk.payment("pay_2", 38200))
    assert [amount for _, amount in desk.invoice_lines()][-1] == "382.00"
    assert desk.container()["IdEntityStage"] == seeds.RESERVATION_CANCELLED


def test_a_cancellation_waits_for_its_reserva(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    with pytest.raises(ApplicationError, match="waiting for reserva"):
        desk.activities.cancel_booking(cancelled(desk))
