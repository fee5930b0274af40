"""When an instalment may be charged and tried again (contracts: money-rules 1.7.2 to 1.7.7, F-P1, F-P2, F-P7, F-P14)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.collecting import (
    PlanRules,
    begins_on,
    category_of,
    mandate_obstacle,
    may_never_be_tried_again,
    meets_the_next,
    next_allowed,
    return_answer,
    returned_payments,
    sequence_of,
)
from domain.money import Money
from domain.platform import Failure, PaymentPlan

NOW = datetime(2027, 3, 22, 8, 0, tzinfo=UTC)
TODAY = NOW.date()


def eur(cents: int) -> Money:
    return Money(amount=cents, currency="EUR")


def failure(category: str = "soft", **more: Any) -> Failure:
    return Failure.model_validate(
        {"attempt": "att_1", "attempt_no": 1, "category": category, "message": "no", "retry_allowed": True, **more}
    )


def plan(scheme: str = "card_mit", method: str = "card", count: int = 3, **mandate: Any) -> PaymentPlan:
    each = [
        {
            "id": f"ins_{seq}",
            "seq": seq,
            "due_on": f"2027-0{seq + 1}-22",
            "kind": "balance" if seq == count else "fixed",
            "amount": {"amount": 10000, "currency": "EUR"},
            "status": "scheduled",
        }
        for seq in range(1, count + 1)
    ]
    return PaymentPlan.model_validate(
        {
            "id": "plan_1",
            "booking_id": "bkg_1",
            "revision": 1,
            "currency": "EUR",
            "total": {"amount": 10000 * count, "currency": "EUR"},
            "collection": "automatic",
            "method": method,
            "mandate": {
                "id": "mnd_1",
                "reference": "M1",
                "scheme": scheme,
                "signed_at": "2026-11-20T10:00:00Z",
                **mandate,
            },
            "installments": each,
        }
    )


def obstacle(of: PaymentPlan, amount: int = 10000, today: date = TODAY, **known: Any) -> str | None:
    return mandate_obstacle(of, of.installments[1], eur(amount), today=today, **known)


@pytest.mark.covers("F-P1", "F-P2", "F-P3", "1.7.7")
@pytest.mark.parametrize(
    ("told", "category"),
    [
        (failure(), "soft"),
        (failure("technical"), "soft"),
        (failure(retry_allowed=False), "hard"),
        (failure("hard"), "hard"),
        (failure("authentication_required"), "authentication_required"),
        (failure(network_code="65"), "authentication_required"),
        (failure(network_code="14"), "hard"),
        (failure(network_code="R1"), "hard"),
        (failure(advice_code="03"), "hard"),
        (failure("authentication_required", advice_code="21"), "hard"),
        (failure(network_code="51", advice_code="24"), "soft"),
        (None, "hard"),
    ],
)
def test_codes_of_the_networks_count_before_the_processor_s_own_word(told: Failure | None, category: str) -> None:
    assert category_of(told) == category


@pytest.mark.covers("F-P2", "1.7.7")
@pytest.mark.parametrize("code", ["04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1"])
def test_after_category_one_a_card_is_never_tried_again(code: str) -> None:
    assert may_never_be_tried_again(failure(network_code=code))
    assert not may_never_be_tried_again(failure(network_code="51"))


def every(step: timedelta, count: int) -> list[datetime]:
    return [NOW - step * (count - each) for each in range(count)]


@pytest.mark.covers("1.7.7")
@pytest.mark.parametrize(
    ("brand", "attempts", "wait"),
    [
        ("visa", every(timedelta(days=1), 14), timedelta(0)),
        ("visa", every(timedelta(days=1), 15), timedelta(days=15)),
        ("visa", every(timedelta(days=3), 15), timedelta(0)),
        ("mastercard", every(timedelta(hours=1), 9), timedelta(0)),
        ("mastercard", every(timedelta(hours=1), 10), timedelta(hours=14)),
        ("mastercard", every(timedelta(hours=20), 35), timedelta(days=30) - timedelta(hours=20) * 35),
        (None, every(timedelta(hours=1), 10), timedelta(hours=14)),
        (None, every(timedelta(days=1), 15), timedelta(days=15)),
    ],
)
def test_attempts_stay_within_the_networks_limits(brand: str | None, attempts: list[datetime], wait: timedelta) -> None:
    assert next_allowed(brand, attempts, NOW) == NOW + wait


@pytest.mark.covers("1.7.5", "F-P9")
@pytest.mark.parametrize(
    ("code", "before", "answer"),
    [
        ("AM04", 0, "retry"),
        ("AM04", 1, "ask"),
        *((code, 0, "stop") for code in ("AC01", "AC04", "AC06", "MD01", "MD07")),
        *((code, 0, "ask") for code in ("AM05", "MD06", "MS02", "MS03", "XX99", None)),
    ],
)
def test_a_returned_debit_is_answered_by_its_code(code: str | None, before: int, answer: str) -> None:
    assert return_answer(code, before) == answer


@pytest.mark.covers("F-P14", "1.7.2", "1.7.6")
@pytest.mark.parametrize(
    ("of", "known", "words"),
    [
        (plan(), {}, None),
        (plan(status="revoked"), {}, "revoked"),
        (plan(expires_on="2027-03-21"), {}, "ends before"),
        (plan(expires_on="2027-03-22"), {}, None),
        (plan(expires_on="2027-03-22"), {"today": date(2027, 3, 23)}, "ends before"),
        (plan(max_amount={"amount": 9999, "currency": "EUR"}), {}, "above the mandate's maximum"),
        (plan(max_amount={"amount": 10000, "currency": "EUR"}), {}, None),
        (plan(), {"unagreed": True}, "not agreed"),
        (plan("sepa_core", "sepa_dd"), {"final_used": True}, "final debit"),
        (plan("sepa_core", "sepa_dd"), {"today": date(2029, 11, 19)}, None),
        (plan("sepa_core", "sepa_dd"), {"today": date(2029, 11, 20)}, "36 months"),
        (plan("sepa_b2b", "sepa_dd"), {"today": date(2029, 11, 20), "last_used": date(2027, 1, 31)}, None),
        (plan("sepa_b2b", "sepa_dd"), {"today": date(2030, 1, 31), "last_used": date(2027, 1, 31)}, "36 months"),
        (plan("card_mit"), {"today": date(2030, 1, 31), "final_used": True}, None),
    ],
)
def test_a_mandate_covers_what_was_agreed_and_nothing_else(of: PaymentPlan, known: Any, words: str | None) -> None:
    found = obstacle(of, **known)
    assert (found is None) if words is None else (found is not None and words in found)


def test_without_a_mandate_only_the_payer_can_pay() -> None:
    assert obstacle(plan().model_copy(update={"mandate": None})) == "there is no mandate"


@pytest.mark.covers("1.7.6")
def test_the_last_open_debit_is_the_final_one() -> None:
    of = plan("sepa_core", "sepa_dd")
    first, last = of.installments[0], of.installments[2]
    assert sequence_of(of, first, ["ins_1", "ins_2", "ins_3"]) == "RCUR"
    assert sequence_of(of, last, ["ins_3"]) == "FNAL"
    single = plan("sepa_core", "sepa_dd", count=1)
    assert sequence_of(single, single.installments[0], ["ins_1"]) == "OOFF"


@pytest.mark.covers("1.7.6")
def test_a_debit_is_looked_at_when_it_has_to_be_announced() -> None:
    due = date(2027, 3, 22)
    assert begins_on(plan("sepa_core", "sepa_dd"), due, PlanRules()) == date(2027, 3, 8)
    assert begins_on(plan(), due, PlanRules()) == due


DUE, NEXT = date(2027, 3, 1), date(2027, 4, 1)


@pytest.mark.covers("F-P7")
@pytest.mark.parametrize(
    ("today", "asks"),
    [
        (DUE, False),
        (DUE + timedelta(days=3), False),
        (DUE + timedelta(days=4), False),
        (NEXT - timedelta(days=3), False),
        (NEXT - timedelta(days=2), True),
        (NEXT, True),
        (NEXT + timedelta(days=2), True),
        (NEXT + timedelta(days=3), False),
    ],
)
def test_a_charge_that_is_late_and_near_the_next_one_asks_first(today: date, asks: bool) -> None:
    assert meets_the_next(DUE, DUE, today, [NEXT]) is asks
    assert not meets_the_next(DUE, DUE, today, []), "the last one meets nothing"


@pytest.mark.covers("F-P7")
def test_what_was_agreed_after_its_due_day_is_not_late() -> None:
    assert not meets_the_next(DUE, NEXT, NEXT, [NEXT])


def test_only_debits_that_the_bank_took_back_count_as_unpaid() -> None:
    stages = [
        ("pay_1", "sepa_return", "funds_withdrawn"),
        ("pay_2", "card_dispute", "funds_withdrawn"),
        ("pay_3", "sepa_refund", "funds_withdrawn"),
        ("pay_3", "sepa_refund", "won"),
    ]
    assert returned_payments(stages) == {"pay_1"}
