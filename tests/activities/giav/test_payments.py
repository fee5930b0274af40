"""A captured payment becomes one cobro, one invoice and the link between them (contracts: giav 4; money-rules 1.1)."""

from __future__ import annotations

from datetime import date

import pytest
from temporalio.exceptions import ApplicationError

from domain.money import Money
from sandbox.faults import Kind
from sandbox.giav import seeds
from tests import stories
from tests.activities.giav.desk import Desk, failure
from tests.activities.giav.test_cancel import cancelled

CALLS = [
    "Cobro_POST",
    "Cobro_SEARCH",
    "Factura_Servicios_POST",
    "Factura_GET",
    "DueDate_SEARCH",
    "RelationDueDatePayment_POST",
]
NAMELESS = {"id": "cus_5", "kind": "person", "name": "Eva Sin Datos"}
COMPANY = NAMELESS | {"kind": "company"}


def registered(desk: Desk, **changes: object) -> None:
    desk.registered(**changes)
    desk.calls()


@pytest.mark.covers("1.1.1", "giav 4: payment", "M2")
def test_a_payment_takes_six_calls_and_is_linked_to_its_invoice(desk: Desk) -> None:
    registered(desk)
    done = desk.activities.record_payment(desk.payment())
    assert desk.calls() == CALLS
    (cobro,), (invoice,) = desk.held("Cobro"), desk.held("Factura")
    assert done.ids == {"cobro": str(cobro["Id"]), "invoice": str(invoice["Id"]), "number": invoice["Codigo"]}
    assert (cobro["Importe"], cobro["Documento"], cobro["IdFormaPago"]) == (300, "pi_pay_1001", seeds.STRIPE)
    assert cobro["DatosExternos"]["Disponible"] == 0
    assert invoice["DatosExternos"] | {"TotalFactura": 300, "PendienteCobro": 0} == invoice["DatosExternos"]
    assert (invoice["SerieFacturacion"], invoice["EsSimplificada"]) == ("Especial", False)


@pytest.mark.covers("1.1.2", "1.1.4", "F-C11", "N4")
def test_a_late_posting_is_issued_today_and_names_the_day_of_the_payment(desk: Desk) -> None:
    registered(desk)
    desk.activities.record_payment(desk.payment())
    (cobro,), (invoice,) = desk.held("Cobro"), desk.held("Factura")
    assert (cobro["FechaCobro"][:10], invoice["FechaEmision"][:10]) == ("2026-11-20", "2026-11-22")
    assert "Fecha de la operación: 20/11/2026" in invoice["Descripcion"]
    (document,) = desk.store.documents.of_payment(stories.AGENCY, "pay_1001")
    assert (document.issued_on, document.operation_date) == (date(2026, 11, 22), date(2026, 11, 20))
    assert (document.key, document.kind, document.number) == ("inv:pay_1001", "invoice", invoice["Codigo"])
    assert document.amount == Money(amount=30000, currency="EUR")


@pytest.mark.covers("1.1.8", "M2")
def test_recording_again_makes_no_second_record(desk: Desk) -> None:
    registered(desk)
    step = desk.payment()
    first = desk.activities.record_payment(step)
    desk.calls()
    assert desk.activities.record_payment(step) == first
    assert desk.calls() == ["DueDate_SEARCH"]
    assert (len(desk.held("Cobro")), len(desk.held("Factura"))) == (1, 1)


@pytest.mark.covers("F-C9", "1.1.8")
@pytest.mark.parametrize(
    "kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.MALFORMED, Kind.DROP_BEFORE, Kind.ERROR_BEFORE, Kind.PAGE_503]
)
@pytest.mark.parametrize("operation", CALLS)
def test_whatever_breaks_at_any_call_there_is_one_cobro_one_invoice_one_link(
    desk: Desk, operation: str, kind: Kind
) -> None:
    registered(desk)
    desk.fault(operation, kind)
    desk.insist(desk.activities.record_payment, desk.payment())
    assert [len(desk.held(entity)) for entity in ("Cobro", "Factura", "RelationDueDatePayment")] == [1, 1, 1]
    assert desk.held("Cobro")[0]["DatosExternos"]["Disponible"] == 0


@pytest.mark.covers("F-C9")
@pytest.mark.parametrize("operation", ["Cobro_POST", "Factura_Servicios_POST", "RelationDueDatePayment_POST"])
def test_a_write_that_lands_late_is_adopted(desk: Desk, operation: str) -> None:
    registered(desk)
    step = desk.payment()
    desk.fault(operation, Kind.LATE, seconds=0.05)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_payment(step)
    assert (failure(caught.value), caught.value.non_retryable) == ("UnknownOutcome", False)
    assert desk.stand_in.landed.wait(5)
    desk.insist(desk.activities.record_payment, step)
    assert [len(desk.held(entity)) for entity in ("Cobro", "Factura", "RelationDueDatePayment")] == [1, 1, 1]


@pytest.mark.covers("F-C9")
def test_lost_answers_are_found_in_the_expediente_where_no_custom_field_exists(desk: Desk) -> None:
    desk.configure(custom_fields={})
    registered(desk)
    for operation in CALLS:
        desk.fault(operation, Kind.DROP_AFTER)
    desk.insist(desk.activities.record_payment, desk.payment(), attempts=20)
    assert [len(desk.held(entity)) for entity in ("Cobro", "Factura", "RelationDueDatePayment")] == [1, 1, 1]


def test_a_payment_of_another_file_of_the_same_client_is_never_taken_for_ours(desk: Desk) -> None:
    desk.configure(custom_fields={})
    registered(desk)
    desk.activities.register_booking(desk.booking(id="bkg_501", locator="SECOND"))
    desk.activities.record_payment(desk.payment("pay_1", ref="pi_same", booking_id="bkg_501"))
    desk.fault("Cobro_POST", Kind.DROP_BEFORE)
    desk.insist(desk.activities.record_payment, desk.payment("pay_2", ref="pi_other"))
    assert [each["Documento"] for each in desk.held("Cobro")] == ["pi_same", "pi_other"]


def test_a_payment_waits_for_its_reserva(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    desk.booking()
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_payment(desk.payment())
    assert failure(caught.value) == "NotYet"
    assert "waiting for reserva" in str(caught.value)
    assert desk.held("Cobro") == []


def test_a_payment_of_a_reserva_that_was_taken_back_asks_a_person(desk: Desk) -> None:
    desk.activities.undo_register_booking(desk.registered())
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_payment(desk.payment())
    assert failure(caught.value) == "NeedsPerson"


@pytest.mark.covers("1.1.6")
def test_a_small_payment_of_a_consumer_without_fiscal_data_is_a_simplified_invoice(desk: Desk) -> None:
    registered(desk, payer=NAMELESS)
    desk.activities.record_payment(desk.payment(amount=40000))
    assert [invoice["EsSimplificada"] for invoice in desk.held("Factura")] == [True]


@pytest.mark.covers("F-C7", "1.1.5", "1.1.6")
@pytest.mark.parametrize(("payer", "amount"), [(NAMELESS, 40001), (COMPANY, 10000)])
def test_without_fiscal_data_the_cobro_is_kept_and_the_invoice_waits_for_them(
    desk: Desk, payer: dict[str, object], amount: int
) -> None:
    registered(desk, payer=payer)
    step = desk.payment(amount=amount)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_payment(step)
    assert failure(caught.value) == "NeedsPerson"
    assert caught.value.details[0]["code"] == "fiscal_data_missing"
    assert (len(desk.held("Cobro")), len(desk.held("Factura"))) == (1, 0)
    complete = stories.PAYER | {"id": "cus_5", "kind": payer["kind"], "name": payer["name"]}
    desk.activities.amend_booking(desk.booking(2, kind="booking.modified", payer=complete))
    desk.activities.record_payment(step)
    (invoice,) = desk.held("Factura")
    assert (invoice["EsSimplificada"], invoice["DocumentoCliente"]) == (False, "00000000T")
    assert len(desk.held("Cliente")) == 2, "the client made without document is completed, not doubled"
    assert desk.held("Cobro")[0]["DatosExternos"]["Disponible"] == 0


@pytest.mark.covers("F-C8b")
def test_an_invoice_that_giav_refuses_leaves_the_cobro_and_parks(desk: Desk) -> None:
    registered(desk)
    step = desk.payment()
    desk.fault("Factura_Servicios_POST", Kind.REFUSE)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_payment(step)
    assert failure(caught.value) == "Refused"
    assert (len(desk.held("Cobro")), len(desk.held("Factura"))) == (1, 0)
    assert desk.store.effects.rearm(caught.value.details[0]["effect"])
    desk.activities.record_payment(step)
    assert (len(desk.held("Cobro")), len(desk.held("Factura"))) == (1, 1)


def test_money_whose_invoice_was_credited_before_it_was_linked_waits_for_no_link(desk: Desk) -> None:
    registered(desk)
    step = desk.payment(amount=100500)
    desk.fault("RelationDueDatePayment_POST", Kind.REFUSE)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_payment(step)
    effect = caught.value.details[0]["effect"]
    lines = desk.booking(2, kind="booking.modified", lines=[stories.line("lin_01", "svc_hotel", 50000, 33000)])
    desk.activities.amend_booking(lines)
    assert [kind for kind, _ in desk.invoice_lines()] == ["Normal", "Reembolso", "Normal"]
    assert desk.store.effects.rearm(effect)
    desk.insist(desk.activities.record_payment, step)
    assert desk.store.effects.unsettled() == []
    (cobro,) = desk.held("Cobro")
    assert cobro["DatosExternos"]["Compensado"] == 1000, "what stands is on the invoice that replaced the first"


@pytest.mark.covers("F-C9")
def test_an_invoice_number_is_not_an_id_that_can_be_adopted(desk: Desk) -> None:
    registered(desk)
    step = desk.payment()
    desk.fault("Factura_Servicios_POST", Kind.REFUSE)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_payment(step)
    assert desk.store.effects.adopt(caught.value.details[0]["effect"], "E-2026-000001")
    with pytest.raises(ApplicationError, match="not an internal id") as again:
        desk.activities.record_payment(step)
    assert failure(again.value) == "NeedsPerson"


@pytest.mark.covers("F-C18")
def test_money_beyond_the_price_is_invoiced_all_the_same(desk: Desk) -> None:
    registered(desk)
    desk.activities.record_payment(desk.payment("pay_1", 100500))
    desk.activities.record_payment(desk.payment("pay_2", 100500))
    assert desk.invoice_lines() == [("Normal", "1005.00"), ("Normal", "1005.00")]
    assert desk.container()["Venta"] == 2010


def test_a_method_nobody_configured_asks_a_person(desk: Desk) -> None:
    desk.configure(payment_methods={"redsys": 10})
    registered(desk)
    with pytest.raises(ApplicationError, match="no payment method is configured for stripe"):
        desk.activities.record_payment(desk.payment())


@pytest.mark.covers("1.1.7", "1.2.1", "1.2.6", "1.2.7")
@pytest.mark.parametrize(("regime", "series"), [("reav", "Especial"), ("general", "General"), ("mediation", "Dac")])
def test_the_tax_regime_of_the_trip_decides_the_series(desk: Desk, regime: str, series: str) -> None:
    desk.activities.open_experience(desk.experience(tax_regime=regime))
    desk.activities.register_booking(desk.booking())
    desk.activities.record_payment(desk.payment())
    assert [invoice["SerieFacturacion"] for invoice in desk.held("Factura")] == [series]


@pytest.mark.covers("F-X12", "M3")
def test_money_that_pays_a_penalty_is_not_invoiced_beside_the_penalty(desk: Desk) -> None:
    registered(desk)
    desk.activities.cancel_booking(cancelled(desk))
    step = desk.payment("pay_1", 3000)
    done = desk.activities.record_payment(step)
    assert [amount for _, amount in desk.invoice_lines()] == ["30.00", "30.00", "-30.00"]
    assert "credit_note" in done.ids
    assert (desk.container()["Venta"], desk.container()["FacturadoImporte"]) == (30, 30)
    desk.calls()
    assert desk.activities.record_payment(step) == done
    assert desk.calls() == []


@pytest.mark.covers("F-X1", "M3")
def test_money_beyond_the_penalty_is_credited_too_and_waits_for_its_refund(desk: Desk) -> None:
    registered(desk)
    desk.activities.cancel_booking(cancelled(desk))
    desk.activities.record_payment(desk.payment("pay_1", 30000))
    desk.activities.record_refund(desk.refund(payment_id="pay_1"))
    assert [amount for _, amount in desk.invoice_lines()] == ["30.00", "300.00", "-300.00"]
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "270.00")]
    assert (desk.container()["Venta"], desk.container()["FacturadoImporte"]) == (30, 30)


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.DROP_BEFORE])
@pytest.mark.parametrize("operation", ["Factura_REIMBURSEMENT", "Reserva_Normal_PUT"])
def test_crediting_what_is_penalty_survives_a_lost_answer(desk: Desk, operation: str, kind: Kind) -> None:
    registered(desk)
    desk.activities.cancel_booking(cancelled(desk))
    step = desk.payment("pay_1", 30000)
    desk.fault(operation, kind)
    desk.insist(desk.activities.record_payment, step)
    assert [amount for _, amount in desk.invoice_lines()] == ["30.00", "300.00", "-300.00"]
    assert desk.container()["Venta"] == 30
