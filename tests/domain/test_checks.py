from typing import Any

import pytest

from domain.checks import discrepancies
from domain.platform import EventData
from tests import stories
from tests.stories import eur


def found(told: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {d.path: (d.told, d.recomputed) for d in discrepancies(EventData.model_validate(told))}


def with_totals(**totals: int) -> dict[str, Any]:
    snapshot = stories.booking()
    snapshot["totals"] |= {name: eur(amount) for name, amount in totals.items()}
    return stories.data("booking/bkg_500", booking=snapshot)


@pytest.mark.parametrize(
    "told",
    [
        stories.data("booking/bkg_500", booking=stories.booking()),
        stories.data("booking/bkg_500", booking=stories.booking(discount=5000, captured=30000)),
        stories.data("booking/bkg_500", booking=stories.cancelled_booking(), cancellation=stories.cancellation()),
        stories.data("payment_plan/plan_50", payment_plan=stories.plan()),
        stories.data("booking/bkg_500", booking=stories.booking(discount=5000), payment_plan=stories.plan()),
    ],
    ids=["created", "discounted", "cancelled", "plan", "booking with plan"],
)
def test_the_examples_of_the_contract_add_up(told: dict[str, Any]) -> None:
    assert found(told) == {}


@pytest.mark.parametrize(
    "name", ["gross", "discount", "penalty", "total", "cost", "margin", "captured", "refunded", "due"]
)
@pytest.mark.parametrize("cent", [1, -1])
def test_one_cent_too_many_or_too_few_is_found(name: str, cent: int) -> None:
    snapshot = stories.booking()
    snapshot["totals"][name]["amount"] += cent
    assert found(stories.data("booking/bkg_500", booking=snapshot))


def test_a_discrepancy_names_the_path_and_both_values() -> None:
    assert found(with_totals(due=100499)) == {"/booking/totals/due": ("1,004.99 EUR", "1,005.00 EUR")}


def test_a_line_that_is_not_quantity_times_price_is_found() -> None:
    snapshot = stories.booking()
    snapshot["lines"][0]["total"] = eur(82501)
    assert "/booking/lines/0/total" in found(stories.data("booking/bkg_500", booking=snapshot))


def test_a_discount_drops_out_when_its_line_is_cancelled() -> None:
    snapshot = stories.booking()
    snapshot["lines"][1] |= {"status": "cancelled"}
    snapshot["discounts"] = [stories.discount_of(5000) | {"scope": "line", "line_id": "lin_02"}]
    snapshot["totals"] |= {name: eur(82500) for name in ("gross", "total", "due")}
    snapshot["totals"]["margin"] = eur(82500 - 79000)
    assert found(stories.data("booking/bkg_500", booking=snapshot)) == {}


def test_a_penalty_smaller_than_the_cancellation_says_is_found() -> None:
    told = stories.data("booking/bkg_500", booking=stories.cancelled_booking(), cancellation=stories.cancellation())
    told["cancellation"]["penalty"]["amount"] = eur(3001)
    assert "/booking/totals/penalty" in found(told)


def test_amounts_of_two_currencies_do_not_add_up() -> None:
    snapshot = stories.booking()
    snapshot["totals"]["penalty"]["currency"] = "GBP"
    assert "/booking" in found(stories.data("booking/bkg_500", booking=snapshot))


def test_a_price_effect_must_be_the_difference_it_claims() -> None:
    wrong = {"before": eur(100500), "after": eur(95500), "delta": eur(-5001)}
    told = stories.data("booking/bkg_500", booking=stories.booking(), price_effect=wrong)
    assert "/price_effect/delta" in found(told)


def test_open_instalments_add_up_to_the_plan_s_total() -> None:
    assert "/payment_plan/total" in found(
        stories.data("payment_plan/plan_50", payment_plan=stories.plan(balance=27299))
    )


def test_a_plan_without_open_instalments_has_nothing_to_add_up() -> None:
    told = stories.plan()
    told["total"] = eur(3000)
    for instalment, status in zip(told["installments"], ("paid", "cancelled", "cancelled"), strict=True):
        instalment["status"] = status
    assert found(stories.data("payment_plan/plan_50", payment_plan=told)) == {}


def test_the_balance_is_one_and_the_last() -> None:
    told = stories.plan()
    told["installments"][2]["kind"], told["installments"][0]["kind"] = "fixed", "balance"
    assert "/payment_plan/installments" in found(stories.data("payment_plan/plan_50", payment_plan=told))
