"""What a dispute, a refund without a cause and a charge that failed for good leave in GIAV (contracts: giav 4; money-rules
1.3, 1.7.9, F-R6, F-R7, F-P10, F-P11)."""

from __future__ import annotations

import pytest

from domain.steps import InstalmentStep
from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import Desk
from tests.activities.giav.test_cancel import cancelled, documents, paid
from tests.activities.giav.test_money_rules import ADAPTER

PAID = ("Cobro", "300.00")
INVOICED = [("Normal", "300.00")]


def disputed(desk: Desk, *stages: str) -> None:
    """300.00 paid as `pay_1001`, and these stages of a dispute of it."""
    desk.registered()
    desk.activities.record_payment(desk.payment())
    for revision, stage in enumerate(stages, start=2):
        desk.activities.record_chargeback(desk.chargeback(stage, revision))


@pytest.mark.covers("F-P10", "1.7.9")
@pytest.mark.parametrize("stages", [("inquiry",), ("opened",), ("inquiry", "opened", "under_review")])
def test_an_opened_dispute_is_a_task_on_the_file_and_neither_money_nor_document(
    desk: Desk, stages: tuple[str, ...]
) -> None:
    disputed(desk, *stages)
    (task,) = desk.held("Activity")
    assert task["target"] == f"Expediente:{desk.container()['IdExpediente']}"
    assert (desk.money_lines(), desk.invoice_lines()) == ([PAID], INVOICED)


@pytest.mark.covers("F-P10")
@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_BEFORE])
def test_a_task_whose_answer_is_lost_hangs_there_once(desk: Desk, kind: Kind) -> None:
    disputed(desk)
    desk.fault("Activity_POST", kind)
    desk.insist(desk.activities.record_chargeback, desk.chargeback("opened"))
    assert len(desk.held("Activity")) == 1


@pytest.mark.covers("F-P11", "1.3 bad debt", "1.7.10")
@pytest.mark.parametrize("stage", ["lost", "accepted"])
def test_a_lost_dispute_leaves_the_invoice_and_what_is_sold_and_books_no_bad_debt(desk: Desk, stage: str) -> None:
    disputed(desk, "opened", "funds_withdrawn", stage)
    assert desk.money_lines() == [PAID, ("Reembolso", "300.00")]
    assert desk.invoice_lines() == INVOICED
    assert (desk.container()["Venta"], desk.container()["FacturadoImporte"]) == (1005, 300)


@pytest.mark.covers("1.3 bad debt")
def test_no_line_of_the_adapter_gives_bad_debt_as_a_reason_for_a_document() -> None:
    texts = [path.read_text(encoding="utf-8") for path in ADAPTER.rglob("*.py")]
    reasons = ("Insolvencia", "Concurso_acreedores", "Incobrable")
    assert [word for word in reasons if any(word in text for text in texts)] == []


@pytest.mark.covers("F-P11")
def test_the_sale_of_a_lost_dispute_is_rectified_only_when_it_is_undone(desk: Desk) -> None:
    disputed(desk, "funds_withdrawn", "lost")
    desk.activities.cancel_booking(cancelled(desk, "none", 0))
    assert desk.invoice_lines() == [("Normal", "300.00"), ("Reembolso", "-300.00")]
    assert desk.container()["Venta"] == 0


@pytest.mark.covers("F-X14", "1.7.9")
def test_a_cancellation_documents_a_disputed_payment_and_gives_nothing_back(desk: Desk) -> None:
    disputed(desk, "opened")
    desk.activities.cancel_booking(cancelled(desk))
    assert desk.money_lines() == [PAID]
    assert desk.invoice_lines() == [("Normal", "300.00"), ("Reembolso", "-300.00"), ("Normal", "30.00")]


@pytest.mark.covers("F-R9", "M6")
def test_a_refund_that_was_stopped_in_time_leaves_one_way_of_the_money_only(desk: Desk) -> None:
    disputed(desk, "opened")
    step = desk.refund(amount=5000, cause="goodwill", cancellation_id=None)
    desk.activities.record_refund(step)
    told = stories.refund(amount=5000, cause="goodwill", cancellation_id=None)
    desk.told("payment.refund_failed", stories.data("payment/pay_1001", 5, refund=told, failure=stories.FAILURE))
    desk.activities.record_refund(step)
    desk.activities.record_chargeback(desk.chargeback("funds_withdrawn", 6))
    assert desk.money_lines() == [PAID, ("Reembolso", "300.00")]


@pytest.mark.covers("F-R6", "giav 4: refund")
def test_a_refund_without_a_cause_is_money_first_and_documents_once_the_cause_is_known(desk: Desk) -> None:
    paid(desk, 30000)
    step = desk.refund(amount=5000, cause="goodwill", cancellation_id=None, payment_id="pay_1")
    desk.activities.record_refund(step.model_copy(update={"rectify": False}))
    assert desk.money_lines() == [PAID, ("Reembolso", "50.00")]
    assert desk.invoice_lines() == INVOICED
    desk.activities.record_refund(step)
    assert desk.money_lines() == [PAID, ("Reembolso", "50.00")]
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "-300.00", "250.00"]


@pytest.mark.covers("F-R7")
def test_a_refund_beyond_its_decision_is_booked_whole_and_corrects_nothing_more(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    before = documents(desk)
    desk.activities.record_refund(desk.refund(amount=28000, payment_id="pay_1"))
    assert desk.money_lines() == [PAID, ("Reembolso", "280.00")]
    assert documents(desk) == before


@pytest.mark.covers("giav 4: instalment that fails for good")
@pytest.mark.parametrize("kind", [None, Kind.DROP_AFTER])
def test_an_instalment_that_nobody_tries_again_is_one_task_on_the_file(desk: Desk, kind: Kind | None) -> None:
    desk.registered()
    desk.told("payment_plan.created", stories.data("payment_plan/plan_50", 2, payment_plan=stories.plan()))
    step = InstalmentStep(
        agency=stories.AGENCY, plan_id="plan_50", booking_id="bkg_500", instalment_id="ins_02", attempt=4
    )
    if kind is not None:
        desk.fault("Activity_POST", kind)
    for _ in range(2):
        desk.insist(desk.activities.report_decline, step)
    (task,) = desk.held("Activity")
    assert task["target"] == f"Expediente:{desk.container()['IdExpediente']}"
    assert "Plazo impagado" in task["Summary"]
    assert "382.00" in task["Body"]
