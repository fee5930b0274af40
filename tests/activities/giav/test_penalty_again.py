"""A penalty that is told again and is another by now is never documented alone (contracts: money-rules F-X6)."""

from __future__ import annotations

import pytest

from domain.steps import CancellationStep, Decision
from sandbox.faults import Kind
from tests.activities.giav.desk import Desk
from tests.activities.giav.test_cancel import cancelled, documents, paid

BEFORE = ["300.00", "-300.00", "30.00"]


def told_twice(desk: Desk, penalty: int, treatment: str = "indemnity_not_subject") -> CancellationStep:
    """Cancelled with a penalty of 30.00, then told again with another."""
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    return cancelled(desk, treatment, penalty, revision=3)


def amounts(desk: Desk) -> list[str]:
    return [amount for _, amount in desk.invoice_lines()]


def sum_of(desk: Desk) -> int:
    """Minor units of everything that was documented."""
    return sum(amount for amount, _ in documents(desk).values())


@pytest.mark.covers("F-X6")
@pytest.mark.parametrize(("decision", "issued"), [("approve", [*BEFORE, "20.00"]), ("decline", BEFORE)])
def test_a_higher_penalty_gets_a_second_document_for_the_difference_when_a_person_agrees(
    desk: Desk, decision: Decision, issued: list[str]
) -> None:
    step = told_twice(desk, 5000)
    about = desk.asked(desk.activities.cancel_booking, step, "credit_differs")
    assert amounts(desk) == BEFORE
    desk.answer(about, decision)
    for _ in range(2):
        desk.activities.cancel_booking(step)
    assert amounts(desk) == issued
    assert documents(desk)["pen:cxl_12"] == (3000, "rect:cxl_12:pay_1"), "the first stands as it was issued"
    assert ("pen:cxl_12@3" in documents(desk)) is (decision == "approve")
    assert desk.container()["Venta"] == 50


@pytest.mark.covers("F-X6", "1.5.3")
def test_a_lower_penalty_is_credited_and_issued_again_when_a_person_agrees(desk: Desk) -> None:
    step = told_twice(desk, 1000)
    about = desk.asked(desk.activities.cancel_booking, step, "credit_differs")
    assert (amounts(desk), desk.container()["Venta"]) == (BEFORE, 30)
    desk.answer(about, "approve")
    done = desk.activities.cancel_booking(step)
    assert amounts(desk) == [*BEFORE, "-30.00", "10.00"]
    held = documents(desk)
    assert held["rect:cxl_12@3:pen:cxl_12"] == (-3000, "pen:cxl_12")
    assert held["pen:cxl_12@3"] == (1000, "rect:cxl_12:pay_1")
    assert {"penalty", "penalty_credit"} <= set(done.ids)
    assert desk.container()["Venta"] == 10
    desk.calls()
    desk.activities.cancel_booking(step)
    assert amounts(desk) == [*BEFORE, "-30.00", "10.00"], "a second run changes nothing"


@pytest.mark.covers("F-X6")
def test_a_lower_penalty_that_is_declined_leaves_everything_as_it_was_documented(desk: Desk) -> None:
    step = told_twice(desk, 1000)
    desk.answer(desk.asked(desk.activities.cancel_booking, step, "credit_differs"), "decline")
    done = desk.activities.cancel_booking(step)
    assert (done.outcome, done.note) == ("partial", "a lower penalty was declined")
    assert (amounts(desk), desk.container()["Venta"]) == (BEFORE, 30)


@pytest.mark.covers("F-X6")
def test_a_penalty_that_is_forgiven_is_credited_and_nothing_takes_its_place(desk: Desk) -> None:
    step = told_twice(desk, 0, "none")
    desk.answer(desk.asked(desk.activities.cancel_booking, step, "credit_differs"), "approve")
    desk.activities.cancel_booking(step)
    assert amounts(desk) == [*BEFORE, "-30.00"]
    assert (sum_of(desk), desk.container()["Venta"]) == (0, 0)


@pytest.mark.covers("F-X6")
def test_of_several_documents_only_the_newest_that_are_too_much_are_credited(desk: Desk) -> None:
    step = told_twice(desk, 5000)
    desk.answer(desk.asked(desk.activities.cancel_booking, step, "credit_differs"), "approve")
    desk.activities.cancel_booking(step)
    lower = cancelled(desk, penalty=4000, revision=4)
    desk.answer(desk.asked(desk.activities.cancel_booking, lower, "credit_differs"), "approve")
    desk.activities.cancel_booking(lower)
    assert amounts(desk) == [*BEFORE, "20.00", "-20.00", "10.00"]
    higher = cancelled(desk, penalty=6000, revision=5)
    desk.answer(desk.asked(desk.activities.cancel_booking, higher, "credit_differs"), "approve")
    desk.activities.cancel_booking(higher)
    assert amounts(desk) == [*BEFORE, "20.00", "-20.00", "10.00", "20.00"]
    assert (sum_of(desk), desk.container()["Venta"]) == (6000, 60)


@pytest.mark.covers("F-X6", "F-X7")
@pytest.mark.parametrize("operation", ["Factura_REIMBURSEMENT", "Reserva_Normal_PUT", "Factura_Servicios_POST"])
def test_a_correction_that_breaks_in_the_middle_goes_on_as_it_was_decided(desk: Desk, operation: str) -> None:
    step = told_twice(desk, 1000)
    desk.answer(desk.asked(desk.activities.cancel_booking, step, "credit_differs"), "approve")
    desk.fault(operation, Kind.DROP_AFTER)
    desk.insist(desk.activities.cancel_booking, step)
    assert amounts(desk) == [*BEFORE, "-30.00", "10.00"]
    assert desk.container()["Venta"] == 10


@pytest.mark.covers("F-X6")
def test_the_same_penalty_told_again_asks_nobody(desk: Desk) -> None:
    desk.activities.cancel_booking(told_twice(desk, 3000))
    assert amounts(desk) == BEFORE
