"""Money that went back is one Reembolso each, and no invoice stays above the money that stayed (money-rules 1.7, M1, M3)."""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError

from sandbox.faults import Kind
from sandbox.giav import seeds
from tests.activities.giav.desk import Desk, failure
from tests.activities.giav.test_cancel import cancelled, documents, paid


@pytest.mark.covers("giav 4: refund", "M1")
def test_a_refund_after_a_cancellation_is_one_reembolso_and_no_further_document(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    step = desk.refund(payment_id="pay_1")
    desk.calls()
    done = desk.activities.record_refund(step)
    assert desk.calls() == ["Cobro_POST", "Cobro_SEARCH"]
    assert desk.activities.record_refund(step) == done
    assert desk.calls() == []
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "270.00")]
    back = desk.held("Cobro")[-1]
    assert (back["Documento"], back["IdFormaPago"], back["FechaCobro"][:10]) == ("re_9", seeds.STRIPE, "2027-03-02")
    assert len(documents(desk)) == 3


@pytest.mark.covers("F-R4", "giav 4: refund")
@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.MALFORMED, Kind.DROP_BEFORE, Kind.LATE])
@pytest.mark.parametrize("fields", [{"cobro": 2004}, {}])
def test_a_refund_whose_answer_is_lost_is_not_booked_twice(desk: Desk, kind: Kind, fields: dict[str, int]) -> None:
    desk.configure(custom_fields=fields)
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    step = desk.refund(payment_id="pay_1")
    desk.fault("Cobro_POST", kind, seconds=0.02)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_refund(step)
    assert failure(caught.value) in ("UnknownOutcome", "Breakdown")
    assert kind is not Kind.LATE or desk.stand_in.landed.wait(5)
    desk.insist(desk.activities.record_refund, step)
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "270.00")]


@pytest.mark.covers("giav 4: refund", "M3")
def test_a_goodwill_refund_credits_the_invoice_and_issues_the_rest(desk: Desk) -> None:
    paid(desk, 30000)
    done = desk.activities.record_refund(desk.refund(amount=5000, cause="goodwill", payment_id="pay_1"))
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "-300.00", "250.00"]
    assert documents(desk)["rect:ref_9:pay_1"] == (-30000, "inv:pay_1")
    assert "credit_note" in done.ids


@pytest.mark.covers("F-C18", "F-P5")
def test_a_payment_made_twice_leaves_no_trace_in_the_sum_once_it_is_refunded(desk: Desk) -> None:
    paid(desk, 100500, 100500)
    desk.activities.record_refund(desk.refund(amount=100500, cause="duplicate", payment_id="pay_1"))
    assert [amount for _, amount in desk.invoice_lines()] == ["1005.00", "1005.00", "-1005.00"]
    assert documents(desk)["rect:ref_9:pay_1"] == (-100500, "inv:pay_1")
    assert desk.container()["Venta"] == desk.container()["FacturadoImporte"] == 1005


@pytest.mark.covers("F-X1")
def test_money_captured_after_a_cancellation_is_credited_with_its_refund(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    desk.activities.record_payment(desk.payment("pay_2", 38200, captured_at="2027-03-01T09:30:00Z"))
    desk.activities.record_refund(desk.refund("ref_1", 27000, payment_id="pay_1"))
    desk.activities.record_refund(desk.refund("ref_2", 38200, payment_id="pay_2", processor={"name": "stripe"}))
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "-300.00", "30.00", "382.00", "-382.00"]
    assert desk.container()["Venta"] == 30


def test_two_partial_refunds_are_two_entries(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    desk.activities.record_refund(desk.refund("ref_1", 20000, payment_id="pay_1", processor={"name": "stripe"}))
    desk.activities.record_refund(desk.refund("ref_2", 7000, payment_id="pay_1", processor={"name": "stripe"}))
    assert desk.money_lines()[1:] == [("Reembolso", "200.00"), ("Reembolso", "70.00")]
    assert len(documents(desk)) == 3


def test_a_refund_waits_until_its_payment_is_in_giav(desk: Desk) -> None:
    desk.registered()
    desk.payment("pay_1", 30000)
    with pytest.raises(ApplicationError, match="waiting for the payment"):
        desk.activities.record_refund(desk.refund(payment_id="pay_1"))
    assert desk.held("Cobro") == []


@pytest.mark.covers("F-R2")
@pytest.mark.parametrize(("destination", "method"), [("original_method", seeds.STRIPE), ("transfer", seeds.REFUND)])
def test_the_way_back_decides_the_method(desk: Desk, destination: str, method: int) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    desk.activities.record_refund(desk.refund(payment_id="pay_1", destination=destination))
    assert desk.held("Cobro")[-1]["IdFormaPago"] == method


@pytest.mark.covers("F-R10")
def test_a_voucher_moves_no_money_in_giav(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    documents = desk.invoice_lines()
    assert desk.activities.record_refund(desk.refund(payment_id="pay_1", destination="voucher")).outcome == "skipped"
    assert (desk.money_lines(), desk.invoice_lines()) == ([("Cobro", "300.00")], documents)


@pytest.mark.covers("1.7.10", "giav 4: chargeback", "F-P9")
def test_a_chargeback_moves_money_and_leaves_a_task_but_no_document(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment())
    for revision, stage in enumerate(("opened", "funds_withdrawn", "under_review", "won"), start=2):
        step = desk.chargeback(stage, revision)
        desk.activities.record_chargeback(step)
        desk.activities.record_chargeback(step)
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "300.00"), ("Cobro", "300.00")]
    (task,) = desk.held("Activity")
    assert task["target"] == f"Expediente:{desk.container()['IdExpediente']}"
    assert desk.invoice_lines() == [("Normal", "300.00")]


@pytest.mark.covers("giav 4: chargeback")
@pytest.mark.parametrize("operation", ["Cobro_POST", "Activity_POST"])
def test_a_chargeback_whose_answer_is_lost_is_booked_once(desk: Desk, operation: str) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment())
    desk.fault(operation, Kind.DROP_AFTER)
    desk.insist(desk.activities.record_chargeback, desk.chargeback("funds_withdrawn"))
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "300.00")]
    assert len(desk.held("Activity")) == 1


def test_a_stage_at_which_no_money_moves_is_skipped(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment())
    desk.calls()
    assert desk.activities.record_chargeback(desk.chargeback("lost")).outcome == "skipped"
    assert desk.calls() == []
