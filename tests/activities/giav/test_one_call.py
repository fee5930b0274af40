"""The one-call variant: an invoice that collects, a credit note that gives back, each exactly once (contracts: giav 4)."""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError

from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import Desk, failure

LOST = [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.MALFORMED, Kind.DROP_BEFORE, Kind.PAGE_503]


def one_call(desk: Desk) -> None:
    desk.configure(payment_variant="one_call")
    desk.registered()
    desk.calls()


@pytest.mark.covers("giav 4: payment, one-call variant")
def test_an_invoice_collects_its_money_and_the_cobro_is_learned(desk: Desk) -> None:
    one_call(desk)
    done = desk.activities.record_payment(desk.payment())
    assert desk.calls() == ["Factura_Servicios_POST", "Factura_GET", "Cobro_SEARCH"]
    (cobro,) = desk.held("Cobro")
    assert done.ids["cobro"] == str(cobro["Id"])
    assert (cobro["Documento"], cobro["Importe"], cobro["DatosExternos"]["Disponible"]) == ("pi_pay_1001", 300, 0)
    assert desk.held("Factura")[0]["DatosExternos"]["PendienteCobro"] == 0


@pytest.mark.covers("giav 4: payment, one-call variant", "F-C9")
@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("operation", ["Factura_Servicios_POST", "Factura_GET", "Cobro_SEARCH"])
def test_whatever_breaks_there_is_one_invoice_and_one_cobro(desk: Desk, operation: str, kind: Kind) -> None:
    one_call(desk)
    desk.fault(operation, kind)
    step = desk.payment()
    desk.insist(desk.activities.record_payment, step)
    desk.configure()
    desk.activities.record_payment(step)
    assert (desk.money_lines(), desk.invoice_lines()) == ([("Cobro", "300.00")], [("Normal", "300.00")])


@pytest.mark.covers("giav 4: payment, one-call variant", "F-C7")
def test_money_whose_invoice_must_wait_is_collected_at_once_all_the_same(desk: Desk) -> None:
    desk.configure(payment_variant="one_call")
    nameless = {name: value for name, value in stories.PAYER.items() if name not in ("tax_id", "address")}
    desk.registered(payer=nameless | {"fiscal_complete": False})
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_payment(desk.payment("pay_1", 50000))
    assert failure(caught.value) == "NeedsPerson"
    assert (desk.money_lines(), desk.invoice_lines()) == ([("Cobro", "500.00")], [])


@pytest.mark.covers("giav 4: payment, one-call variant", "giav 4: refund")
@pytest.mark.parametrize("operation", [None, "Factura_REIMBURSEMENT", "Cobro_SEARCH"])
def test_a_refund_of_a_whole_invoice_is_given_back_by_its_credit_note(desk: Desk, operation: str | None) -> None:
    one_call(desk)
    desk.activities.record_payment(desk.payment())
    if operation is not None:
        desk.fault(operation, Kind.DROP_AFTER)
    step = desk.refund("ref_9", 30000, cause="goodwill")
    done = desk.insist(desk.activities.record_refund, step)
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "300.00")]
    assert desk.invoice_lines() == [("Normal", "300.00"), ("Reembolso", "-300.00")]
    assert {"reembolso", "credit_note"} <= done.ids.keys()
    assert "Cobro_POST" not in desk.calls()


@pytest.mark.covers("giav 4: refund")
def test_a_refund_of_a_part_goes_money_first(desk: Desk) -> None:
    one_call(desk)
    desk.activities.record_payment(desk.payment())
    desk.activities.record_refund(desk.refund("ref_9", 10000, cause="goodwill"))
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "100.00")]
    assert sum(float(amount) for _, amount in desk.invoice_lines()) == 200
