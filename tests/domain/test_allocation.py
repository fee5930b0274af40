"""Money without a name pays the oldest instalment first, and never one that was paid (contracts: money-rules F-P16)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.allocation import open_amounts
from domain.money import Money
from domain.platform import Payment, PaymentPlan, Refund
from tests import stories

WHOLE = {"ins_01": 30000, "ins_02": 38200, "ins_03": 27300}


def paying(*amounts: int, **changes: Any) -> list[Payment]:
    return [Payment.model_validate(stories.payment(f"pay_{n}0", amount=a, **changes)) for n, a in enumerate(amounts)]


def wanted(
    payments: list[Payment], refunds: tuple[Refund, ...] = (), statuses: dict[str, str] | None = None
) -> dict[str, int]:
    told = stories.plan()
    for item in told["installments"]:
        item["status"] = (statuses or {}).get(item["id"], "scheduled")
    plan = PaymentPlan.model_validate(told)
    return {own: amount.amount for own, amount in open_amounts(plan, payments, refunds).items()}


@pytest.mark.covers("F-P16")
@pytest.mark.parametrize(
    ("amounts", "left"),
    [
        ((), WHOLE),
        ((20000,), WHOLE | {"ins_01": 10000}),
        ((30000,), {"ins_02": 38200, "ins_03": 27300}),
        ((20000, 20000), {"ins_02": 28200, "ins_03": 27300}),
        ((95500,), {}),
        ((99999,), {}),
    ],
    ids=["nothing", "short", "exact", "two transfers", "everything", "over"],
)
def test_a_transfer_pays_the_oldest_instalment_first(amounts: tuple[int, ...], left: dict[str, int]) -> None:
    assert wanted(paying(*amounts, method="transfer")) == left


@pytest.mark.covers("F-P16")
def test_a_payment_that_names_its_instalment_pays_that_one_even_if_it_is_short() -> None:
    assert wanted(paying(38200, installment_id="ins_02")) == {"ins_01": 30000, "ins_03": 27300}
    assert wanted(paying(38000, installment_id="ins_02"))["ins_02"] == 200


@pytest.mark.covers("F-C18", "F-P5")
def test_an_instalment_that_was_paid_twice_gives_nothing_to_the_next_one() -> None:
    assert wanted(paying(30000, 30000, installment_id="ins_01")) == {"ins_02": 38200, "ins_03": 27300}


def test_what_was_given_back_of_a_transfer_pays_nothing_and_a_gesture_opens_nothing_again() -> None:
    back = Refund.model_validate(stories.refund(amount=10000, payment_id="pay_00"))
    assert wanted(paying(30000, method="transfer"), (back,))["ins_01"] == 10000
    assert "ins_01" not in wanted(paying(30000, installment_id="ins_01"), (back,))


def test_an_instalment_that_the_platform_calls_paid_waived_or_cancelled_wants_nothing() -> None:
    assert wanted([], statuses={"ins_01": "paid", "ins_02": "waived", "ins_03": "cancelled"}) == {}
    transfer = paying(40000, method="transfer")
    assert wanted(transfer, statuses={"ins_01": "paid"}) == {"ins_02": 28200, "ins_03": 27300}, "it paid the first one"


@pytest.mark.parametrize("named", [None, "ins_02"])
def test_money_in_another_currency_pays_nothing_of_the_plan_and_breaks_nothing(named: str | None) -> None:
    (dollars,) = paying(38200, installment_id=named)
    dollars = dollars.model_copy(update={"amount": Money(amount=38200, currency="USD")})
    assert wanted([dollars]) == WHOLE
    assert wanted([dollars, *paying(30000, method="transfer")]) == {"ins_02": 38200, "ins_03": 27300}
