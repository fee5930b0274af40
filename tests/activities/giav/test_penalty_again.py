"""A penalty that is told again and is another by now is never documented alone (contracts: money-rules F-X6)."""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError

from domain.steps import CancellationStep, Decision
from tests.activities.giav.desk import Desk
from tests.activities.giav.test_cancel import cancelled, documents, paid


def told_twice(desk: Desk, penalty: int) -> CancellationStep:
    """Cancelled with a penalty of 30.00, then told again with another."""
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    return cancelled(desk, penalty=penalty, revision=3)


@pytest.mark.covers("F-X6")
@pytest.mark.parametrize(
    ("decision", "issued"),
    [("approve", ["300.00", "-300.00", "30.00", "20.00"]), ("decline", ["300.00", "-300.00", "30.00"])],
)
def test_a_higher_penalty_gets_a_second_document_for_the_difference_when_a_person_agrees(
    desk: Desk, decision: Decision, issued: list[str]
) -> None:
    step = told_twice(desk, 5000)
    about = desk.asked(desk.activities.cancel_booking, step, "credit_differs")
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "-300.00", "30.00"]
    desk.answer(about, decision)
    for _ in range(2):
        desk.activities.cancel_booking(step)
    assert [amount for _, amount in desk.invoice_lines()] == issued
    assert documents(desk)["pen:cxl_12"] == (3000, "rect:cxl_12:pay_1"), "the first stands as it was issued"
    assert ("pen:cxl_12@3" in documents(desk)) is (decision == "approve")
    assert desk.container()["Venta"] == 50


@pytest.mark.covers("F-X6")
def test_a_lower_penalty_is_corrected_by_a_person_and_changes_nothing_alone(desk: Desk) -> None:
    step = told_twice(desk, 1000)
    with pytest.raises(ApplicationError, match="correct its document in GIAV by hand"):
        desk.activities.cancel_booking(step)
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "-300.00", "30.00"]
    assert desk.container()["Venta"] == 30


@pytest.mark.covers("F-X6")
def test_the_same_penalty_told_again_asks_nobody(desk: Desk) -> None:
    desk.activities.cancel_booking(told_twice(desk, 3000))
    assert len(desk.invoice_lines()) == 3
