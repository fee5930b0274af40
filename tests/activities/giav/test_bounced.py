"""A refund that comes back leaves the money where it is and the credit notes as they are (contracts: giav 4; money-rules F-R3)."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.steps import RefundStep
from sandbox.faults import Kind
from sandbox.giav import seeds
from tests import stories
from tests.activities.giav.desk import Desk, failure
from tests.activities.giav.test_cancel import cancelled, paid

HELD_FAST: list[dict[str, Any]] = [{"counted": True}, {"idTraspaso": 7}, {"reconciled": 270.0}]
"""The cash day was counted, the entry went to accounting, the bank statement names it."""


def refunded(desk: Desk) -> RefundStep:
    """300.00 paid, cancelled with a penalty of 30.00, 270.00 given back."""
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    step = desk.refund(payment_id="pay_1")
    desk.activities.record_refund(step)
    desk.calls()
    return step


def fail(desk: Desk) -> None:
    told = stories.refund(payment_id="pay_1")
    desk.told("payment.refund_failed", stories.data("payment/pay_1", 3, refund=told, failure=stories.FAILURE))


def hold_fast(desk: Desk, **marks: Any) -> None:
    """What a person did with the Reembolso in GIAV."""
    records = desk.stand_in.books.records
    for each in desk.held("Cobro"):
        if each["TipoOperacion"] == "Reembolso":
            records.change("Cobro", desk.stand_in.books.demand("Cobro", each["Id"]), **marks)


@pytest.mark.covers("F-R3", "giav 4: refund that bounced", "F-M5")
def test_a_reembolso_that_nobody_touched_is_deleted_and_every_document_stays(desk: Desk) -> None:
    step = refunded(desk)
    documents = desk.invoice_lines()
    fail(desk)
    done = desk.activities.record_refund(step)
    assert desk.calls() == ["Cobro_SEARCH", "Cobro_SEARCH", "Cobro_DELETE"]
    assert desk.money_lines() == [("Cobro", "300.00")]
    assert desk.invoice_lines() == documents == [("Normal", "300.00"), ("Reembolso", "-300.00"), ("Normal", "30.00")]
    assert "deleted" in done.ids
    desk.activities.record_refund(step)
    assert desk.calls() == []


@pytest.mark.covers("F-R3", "giav 4: refund that bounced", "1.5.3")
@pytest.mark.parametrize("marks", HELD_FAST)
def test_a_reembolso_that_giav_holds_fast_is_set_off_by_a_cobro(desk: Desk, marks: dict[str, Any]) -> None:
    step = refunded(desk)
    hold_fast(desk, **marks)
    fail(desk)
    for _ in range(2):
        desk.activities.record_refund(step)
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "270.00"), ("Cobro", "270.00")]
    counter = desk.held("Cobro")[-1]
    assert (counter["Documento"], counter["IdFormaPago"]) == ("ref_9:failed", seeds.STRIPE)
    assert "Cobro_DELETE" not in desk.calls()


@pytest.mark.covers("F-R3", "giav 4: refund that bounced")
@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.DROP_BEFORE, Kind.ERROR_BEFORE])
@pytest.mark.parametrize(("operation", "marks"), [("Cobro_DELETE", {}), ("Cobro_POST", {"counted": True})])
def test_an_answer_that_is_lost_takes_the_money_back_once(
    desk: Desk, kind: Kind, operation: str, marks: dict[str, Any]
) -> None:
    step = refunded(desk)
    hold_fast(desk, **marks)
    fail(desk)
    desk.fault(operation, kind)
    desk.insist(desk.activities.record_refund, step)
    back = [("Reembolso", "270.00"), ("Cobro", "270.00")] if marks else []
    assert desk.money_lines() == [("Cobro", "300.00"), *back]


def test_a_counter_entry_that_was_begun_is_finished_although_the_reembolso_became_free(desk: Desk) -> None:
    step = refunded(desk)
    hold_fast(desk, counted=True)
    fail(desk)
    desk.fault("Cobro_POST", Kind.DROP_AFTER)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_refund(step)
    assert failure(caught.value) == "UnknownOutcome"
    hold_fast(desk, counted=False)
    desk.insist(desk.activities.record_refund, step)
    assert sorted(desk.money_lines()) == [("Cobro", "270.00"), ("Cobro", "300.00"), ("Reembolso", "270.00")]


@pytest.mark.covers("F-R3")
def test_a_failure_that_is_told_before_its_refund_books_nothing(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    fail(desk)
    step = desk.refund(payment_id="pay_1")
    assert desk.activities.record_refund(step).outcome == "skipped"
    assert desk.money_lines() == [("Cobro", "300.00")]


def test_a_refund_that_fails_while_its_answer_is_awaited_leaves_nothing_behind(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    step = desk.refund(payment_id="pay_1")
    desk.fault("Cobro_POST", Kind.DROP_AFTER)
    with pytest.raises(ApplicationError):
        desk.activities.record_refund(step)
    fail(desk)
    desk.insist(desk.activities.record_refund, step)
    assert desk.money_lines() == [("Cobro", "300.00")]


def test_only_a_reembolso_is_ever_deleted(desk: Desk) -> None:
    step = refunded(desk)
    fail(desk)
    records = desk.stand_in.books.records
    for each in desk.held("Cobro"):
        if each["TipoOperacion"] == "Reembolso":
            records.change("Cobro", desk.stand_in.books.demand("Cobro", each["Id"]), TipoOperacion="Cobro")
    with pytest.raises(ApplicationError, match="no Reembolso"):
        desk.activities.record_refund(step)
    assert len(desk.money_lines()) == 2


@pytest.mark.covers("F-R3")
def test_the_refund_that_replaces_a_failed_one_is_booked_and_credits_nothing_again(desk: Desk) -> None:
    step = refunded(desk)
    fail(desk)
    desk.activities.record_refund(step)
    desk.activities.record_refund(desk.refund("ref_10", payment_id="pay_1", destination="transfer"))
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "270.00")]
    assert len(desk.invoice_lines()) == 3
