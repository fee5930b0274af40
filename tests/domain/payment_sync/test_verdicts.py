"""Verdicts: each row of the contract's table, and codes that are written differently."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.money import Money
from domain.payment_sync import Paid, Receipt, Receivable, Verdict, judge

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


PAID = Paid(external_key="PS-pay_1", amount=eur(30000), on=DAY, auth_code="004711", reference="ch_9")


def receivable(open_amount: int, total: int = 30000, **changes: object) -> Receivable:
    state = "paid" if open_amount == 0 else "open"
    return Receivable.model_validate(
        {"id": "inv_1", "state": state, "total": eur(total), "open_amount": eur(open_amount)} | changes
    )


def receipt(**changes: object) -> Receipt:
    known = {"id": "7", "method": "card", "by_gateway": True, "amount": eur(30000), "on": DAY}
    return Receipt.model_validate(known | changes)


DOLLARS = Money(amount=30000, currency="USD")
IN_DOLLARS = Receivable(id="inv_1", state="open", total=DOLLARS, open_amount=DOLLARS)
CASH = receipt(method="cash", by_gateway=False)


@pytest.mark.parametrize(
    ("found", "receipts", "verdict"),
    [
        (receivable(30000), [], Verdict.UNPAID),
        (receivable(50000, 50000), [], Verdict.UNPAID),
        (receivable(0), [receipt(external_key="PS-pay_1")], Verdict.SAME_PAYMENT),
        (receivable(0), [receipt(auth_code="4711")], Verdict.SAME_PAYMENT),
        (receivable(0), [receipt(auth_code=" 00-4711 ")], Verdict.SAME_PAYMENT),
        (receivable(0), [receipt(reference="CH_9")], Verdict.SAME_PAYMENT),
        (receivable(0), [receipt(auth_code="9999")], Verdict.PAID_OTHERWISE),
        (receivable(0), [CASH], Verdict.PAID_OTHERWISE),
        (receivable(0), [], Verdict.PAID_OTHERWISE),
        (receivable(0), [receipt()], Verdict.INCONCLUSIVE),
        (receivable(10000), [CASH], Verdict.PARTIAL),
        (None, [], Verdict.NO_TARGET),
        (receivable(0, state="cancelled"), [], Verdict.NO_TARGET),
        (receivable(0, state="credited"), [], Verdict.NO_TARGET),
        (IN_DOLLARS, [], Verdict.MISMATCH),
        (receivable(0), [receipt(auth_code="4711", amount=eur(29000))], Verdict.MISMATCH),
    ],
)
def test_each_row_of_the_table(found: Receivable | None, receipts: list[Receipt], verdict: Verdict) -> None:
    assert judge(PAID, found, receipts, NOW).verdict is verdict


def test_a_code_that_repeats_months_later_with_another_amount_is_another_payment() -> None:
    old = receipt(auth_code="4711", amount=eur(100), on=date(2026, 5, 1))
    assert judge(PAID, receivable(0), [old], NOW).verdict is Verdict.PAID_OTHERWISE


def test_our_own_receipt_is_told_from_a_person_s() -> None:
    assert judge(PAID, receivable(0), [receipt(external_key="PS-pay_1")], NOW).ours
    assert not judge(PAID, receivable(0), [receipt(auth_code="4711")], NOW).ours


def test_the_evidence_names_what_was_seen() -> None:
    evidence = judge(PAID, receivable(0), [CASH], NOW)
    assert "7 (cash)" in evidence.words
    assert evidence.receipts == (CASH,)
