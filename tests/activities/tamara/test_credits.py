"""Cancellations, refunds and penalties of what AirPlus was charged (contracts: tamara 3.5; money-rules T1 to T3)."""

from __future__ import annotations

import datetime as dt

import pytest

from domain.errors import Transient
from domain.steps import Done
from tests.activities.tamara.night import (
    AGENCY,
    BOOKING,
    NEXT,
    DropBoxSite,
    Night,
    failure,
    sent,
    transactions,
)


def test_cancelled_before_the_night_nothing_is_sent(night: Night) -> None:
    night.sold()
    night.credited()
    night.cancel()
    assert night.states() == {"sale": "WITHDRAWN"}
    assert night.seal().lines == 0
    assert night.cells.record_payment(night.paid()).outcome == "done"
    assert night.states() == {"sale": "WITHDRAWN"}, "a late repetition stages nothing again"


def test_cancelled_before_the_night_the_penalty_is_charged_on_its_own_document(
    night: Night, airplus: DropBoxSite
) -> None:
    night.sold()
    night.credited()
    night.penalised()
    night.cancel()
    sent(night)
    [line] = transactions(airplus)
    assert (line["type"], line["gross"], line["inv_no"], line["status"]) == ("SA", 3000, "P-12", "A")


@pytest.mark.covers("F-X15")
def test_cancelled_after_delivery_one_net_credit_follows(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited()
    night.penalised()
    night.cancel()
    night.cancel()
    sent(night, NEXT)
    sale, credit = sorted(transactions(airplus), key=lambda line: str(line["dc"]), reverse=True)
    assert (credit["type"], credit["gross"], credit["cn_no"], credit["inv_no"]) == ("RF", 27000, "R-1001-12", "F-1001")
    assert (credit["orig_ref"], credit["status"], sale["credited"]) == (sale["txn_ref"], "A", 27000)


def test_cancelled_free_of_charge_after_delivery_the_sale_is_reversed(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited()
    night.cancel()
    sent(night, NEXT)
    [credit] = [line for line in transactions(airplus) if line["dc"] == "C"]
    assert (credit["type"], credit["gross"], credit["status"]) == ("CX", 30000, "A")


def test_a_penalty_is_borne_once_by_two_payments(night: Night, airplus: DropBoxSite) -> None:
    night.sold("pay_1001", 30000)
    night.sold("pay_1002", 10000)
    sent(night)
    for payment_id, amount in (("pay_1001", 30000), ("pay_1002", 10000)):
        night.credited(payment_id, amount)
    night.penalised(2001)
    night.cancel()
    sent(night, NEXT)
    credits_ = {line["inv_no"]: line["gross"] for line in transactions(airplus) if line["dc"] == "C"}
    assert credits_ == {"F-1001": 30000 - 2001, "F-1002": 10000}
    assert {line["status"] for line in transactions(airplus)} == {"A"}


def test_a_credit_waits_until_airplus_has_the_sale(night: Night) -> None:
    night.sold()
    undelivered = night.seal()
    night.credited()
    night.cancel()
    assert night.seal(NEXT).lines == 0
    night.deliver(undelivered)
    assert night.seal(NEXT + dt.timedelta(1)).lines == 1


def test_a_cancellation_without_rectifying_invoice_credits_nothing(night: Night) -> None:
    night.sold()
    sent(night)
    assert night.cancel() == Done(note="AirPlus is in step with the documents")


def test_a_refund_after_its_cancellation_adds_nothing(night: Night) -> None:
    night.sold()
    sent(night)
    night.credited()
    night.penalised()
    night.cancel()
    assert night.refund() == Done(note="AirPlus is in step with the documents")
    assert len(night.states()) == 2


def test_a_refund_waits_for_its_credit_note(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    error = failure(lambda: night.refund(amount=5000, cause="discount", cancellation_id=None))
    assert (error.type, error.next_retry_delay) == (Transient.__name__, dt.timedelta(seconds=2))
    night.credited(amount=5000, cause="dsc_31")
    night.refund(amount=5000, cause="discount", cancellation_id=None)
    sent(night, NEXT)
    [credit] = [line for line in transactions(airplus) if line["dc"] == "C"]
    assert (credit["type"], credit["gross"], credit["status"]) == ("RF", 5000, "A")


def test_two_credits_of_one_sale_stay_within_it(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited(amount=5000, cause="dsc_31")
    night.refund(amount=5000, cause="discount", cancellation_id=None)
    night.credited(amount=25000)
    night.cancel()
    sent(night, NEXT)
    credits_ = [line for line in transactions(airplus) if line["dc"] == "C"]
    assert sorted((line["type"], line["gross"], line["status"]) for line in credits_) == [
        ("RF", 5000, "A"),
        ("RF", 25000, "A"),
    ]


def test_what_the_erp_issued_again_stays_charged(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited(cause="chg_77")
    again = {"payment_id": "pay_1001", "refers_to": "rect:chg_77:pay_1001"}
    night.document("invoice", "inv:pay_1001:chg_77", "F-2001", 20000, **again)
    night.refund(amount=10000, cause="service_change", cancellation_id=None)
    sent(night, NEXT)
    [credit] = [line for line in transactions(airplus) if line["dc"] == "C"]
    assert (credit["type"], credit["gross"], credit["cn_no"], credit["status"]) == ("RF", 10000, "R-1001-77", "A")


def test_before_the_night_the_invoice_that_was_issued_again_is_the_one_told(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    night.credited(cause="chg_77")
    again = {"payment_id": "pay_1001", "refers_to": "rect:chg_77:pay_1001"}
    night.document("invoice", "inv:pay_1001:chg_77", "F-2001", 20000, **again)
    night.refund(amount=10000, cause="service_change", cancellation_id=None)
    sent(night)
    [line] = transactions(airplus)
    assert (line["type"], line["gross"], line["inv_no"], line["status"]) == ("SA", 20000, "F-2001", "A")


def test_the_refund_decides_which_of_two_accounts_bore_the_penalty(night: Night, airplus: DropBoxSite) -> None:
    """AirPlus 300.00 and a bank card 200.00, penalty 30.00: the planner gives AirPlus all of it back."""
    night.sold()
    night.paid("pay_1002", 20000, "card")
    night.invoiced("pay_1002", 20000)
    sent(night)
    night.credited()
    night.credited("pay_1002", 20000)
    night.penalised()
    night.cancel()
    night.refund(amount=30000)
    sent(night, NEXT)
    credits_ = [line for line in transactions(airplus) if line["dc"] == "C"]
    assert sum(line["gross"] for line in credits_) == 30000
    assert {line["status"] for line in credits_} == {"A"}


def test_a_penalty_fixed_late_is_charged_on_its_own(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited()
    night.cancel()
    sent(night, NEXT)
    night.penalised()
    night.cancel()
    sent(night, NEXT + dt.timedelta(1))
    [late] = [line for line in transactions(airplus) if line["inv_no"] == "P-12"]
    assert (late["type"], late["gross"], late["status"]) == ("SA", 3000, "A")


@pytest.mark.covers("F-X6")
def test_a_penalty_that_was_too_high_is_given_back_on_its_own_credit_note(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited()
    night.penalised()
    night.cancel()
    sent(night, NEXT)
    night.document("penalty", "rect:cxl_12@4:pen:cxl_12", "R-PEN", -3000, refers_to="pen:cxl_12")
    night.document("penalty", "pen:cxl_12@4", "P-2", 1000)
    night.cancel()
    night.cancel()
    sent(night, NEXT + dt.timedelta(1))
    held = [(line["dc"], line["gross"], line["cn_no"]) for line in transactions(airplus)]
    assert held == [("D", 30000, ""), ("C", 27000, "R-1001-12"), ("C", 2000, "R-PEN")]


def test_what_airplus_holds_is_what_the_documents_say(night: Night, airplus: DropBoxSite) -> None:
    """T2: debits less credits = invoices, rectifying ones negative, plus penalties."""
    night.sold("pay_1001", 30000)
    sent(night)
    night.sold("pay_1002", 10000)
    night.credited("pay_1001", 30000)
    night.credited("pay_1002", 10000)
    night.penalised(3000)
    night.cancel()
    sent(night, NEXT)
    held = sum(line["gross"] if line["dc"] == "D" else -line["gross"] for line in transactions(airplus))
    documents = sum(document.amount.amount for document in night.store.documents.of_booking(AGENCY, BOOKING))
    assert held == documents == 3000
