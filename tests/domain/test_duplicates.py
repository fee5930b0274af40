"""What a payment of what was paid already still pays, and what its payer is told (contracts: payment-sync 4, 18-27; F-C18)."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from domain.allocation import credit_plan, open_amounts, settled_otherwise
from domain.duplicate_letters import DuplicateTold, composed, duplicate_letter_key
from domain.duplicates import NONE, CreditPlan, DuplicateOccasion, Duplicates
from domain.money import Money
from domain.platform import Payment, PaymentPlan, Refund
from tests import stories

HELD, CREDITED = Duplicates(held=frozenset({"pay_twice"})), Duplicates(credited=frozenset({"pay_twice"}))


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def paid(payment_id: str, amount: int, instalment: str | None = None) -> Payment:
    named = {"installment_id": instalment} if instalment else {"method": "cash"}
    return Payment.model_validate(stories.payment(payment_id, amount=amount, **named))


def plan(**payments: str) -> PaymentPlan:
    """300.00, 382.00 and 273.00; instalments that are named are paid by a payment."""
    told: dict[str, Any] = stories.plan()
    for item in told["installments"]:
        if item["id"] in payments:
            item |= {"status": "paid", "payment_id": payments[item["id"]]}
    return PaymentPlan.model_validate(told)


FIRST, TWICE, CASH = paid("pay_1", 30000, "ins_01"), paid("pay_twice", 20000, "ins_02"), paid("pay_cash", 38200)
PLAN = plan(ins_01="pay_1", ins_02="pay_twice")


def wanted(*payments: Payment, duplicates: Duplicates = NONE, refunds: tuple[Refund, ...] = ()) -> dict[str, int]:
    return {own: amount.amount for own, amount in open_amounts(PLAN, payments, refunds, duplicates=duplicates).items()}


@pytest.mark.covers("F-C18")
def test_while_the_customer_chooses_a_duplicate_pays_nothing() -> None:
    assert wanted(FIRST, TWICE, duplicates=HELD) == {"ins_03": 27300}


@pytest.mark.covers("F-C18")
def test_once_credited_it_makes_the_next_instalment_smaller() -> None:
    assert wanted(FIRST, TWICE, duplicates=CREDITED) == {"ins_03": 7300}


@pytest.mark.covers("F-C18")
def test_the_platform_may_know_the_other_money_or_not() -> None:
    """Cash that the ERP alone shows, and cash that the platform tells as well, lead to the same."""
    assert wanted(FIRST, TWICE, CASH, duplicates=CREDITED) == wanted(FIRST, TWICE, duplicates=CREDITED)
    assert wanted(FIRST, TWICE, CASH, duplicates=HELD) == wanted(FIRST, TWICE, duplicates=HELD)


def test_what_went_back_of_a_credited_payment_pays_nothing() -> None:
    back = Refund.model_validate(stories.refund(amount=5000, payment_id="pay_twice"))
    assert wanted(FIRST, TWICE, duplicates=CREDITED, refunds=(back,)) == {"ins_03": 12300}


@pytest.mark.covers("F-C18")
@pytest.mark.parametrize("others", [(), (CASH,)], ids=["cash in the ERP", "cash on the platform"])
@pytest.mark.parametrize(("amount", "part", "rest"), [(20000, 20000, 0), (27300, 27300, 0), (38200, 27300, 10900)])
def test_the_customer_is_told_what_a_credit_would_pay_and_what_would_be_left(
    others: tuple[Payment, ...], amount: int, part: int, rest: int
) -> None:
    twice = paid("pay_twice", amount, "ins_02")
    credit = credit_plan(PLAN, twice, (FIRST, twice, *others), (), duplicates=HELD)
    assert [(each.instalment_id, each.amount) for each in credit.parts] == [("ins_03", eur(part))]
    assert (credit.pays, credit.remainder) == (eur(part), eur(rest))


def test_a_credit_goes_over_to_the_instalment_after_the_next() -> None:
    early = plan(ins_01="pay_twice")
    twice = paid("pay_twice", 40000, "ins_01")
    credit = credit_plan(early, twice, (twice,), ())
    assert [(each.instalment_id, each.amount) for each in credit.parts] == [
        ("ins_02", eur(38200)),
        ("ins_03", eur(1800)),
    ]


@pytest.mark.parametrize(
    "known", [None, plan(ins_01="pay_1", ins_02="pay_twice", ins_03="pay_3")], ids=["no plan", "paid"]
)
def test_where_nothing_is_open_everything_would_be_left(known: PaymentPlan | None) -> None:
    credit = credit_plan(known, TWICE, (FIRST, TWICE, paid("pay_3", 27300, "ins_03")), ())
    assert (credit.parts, credit.remainder) == ((), TWICE.amount)


@pytest.mark.covers("F-C18")
@pytest.mark.parametrize(
    ("typed", "settled"), [(0, 0), (10000, 0), (38200, 20000), (99900, 20000)], ids=["none", "little", "all", "more"]
)
def test_money_that_people_typed_settles_the_instalment_that_a_payment_is_for(typed: int, settled: int) -> None:
    """A little of it leaves enough of the instalment open; the first instalment is paid, so that all of it is for the second."""
    assert settled_otherwise(PLAN, TWICE, (FIRST,), eur(typed)) == eur(settled)


def test_typed_money_is_for_the_oldest_open_instalment() -> None:
    assert settled_otherwise(plan(), TWICE, (), eur(30000)) == eur(0)
    assert settled_otherwise(plan(), TWICE, (), eur(68200)) == eur(20000)


@pytest.mark.covers("F-C18")
def test_the_next_payment_after_a_credit_is_no_duplicate_itself() -> None:
    last = paid("pay_3", 7300, "ins_03")
    assert settled_otherwise(PLAN, last, (FIRST, TWICE), eur(38200), CREDITED) == eur(0)
    assert settled_otherwise(PLAN, last, (FIRST, TWICE), eur(38200 + 7300), CREDITED) == eur(7300)


def test_a_payment_without_an_instalment_is_judged_by_the_whole_sale() -> None:
    assert settled_otherwise(PLAN, CASH, (FIRST,), eur(99900)) == eur(0)
    assert settled_otherwise(None, TWICE, (FIRST,), eur(99900)) == eur(0)


CREDIT = credit_plan(PLAN, paid("pay_twice", 38200, "ins_02"), (FIRST, paid("pay_twice", 38200, "ins_02")), ())


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("occasion", get_args(DuplicateOccasion))
def test_every_occasion_has_words_and_leaves_no_gap(language: str, occasion: DuplicateOccasion) -> None:
    told = DuplicateTold(occasion, "Ana", "KX7Q2P", eur(123450), "Viajes", CREDIT)
    subject, text = composed(told, language)
    assert "{" not in subject + text
    assert "KX7Q2P" in text
    assert ("1.234,50 EUR" if language == "es" else "1,234.50 EUR") in text


@pytest.mark.covers("F-C18")
@pytest.mark.parametrize(
    ("language", "credit", "refund"), [("es", "Abonarlo", "Devolvértelo"), ("en", "Credit it", "Give it back")]
)
def test_credit_is_offered_only_where_something_later_is_open(language: str, credit: str, refund: str) -> None:
    def asked(plan: CreditPlan) -> str:
        return composed(DuplicateTold("asked", "Ana", "KX7Q2P", eur(38200), "Viajes", plan), language)[1]

    both = asked(CREDIT)
    assert all(words in both for words in (credit, refund, "273,00" if language == "es" else "273.00"))
    assert ("109,00" if language == "es" else "109.00") in both, "what would be left"
    nothing_open = asked(CreditPlan(remainder=eur(38200)))
    assert refund in nothing_open
    assert credit not in nothing_open


def test_a_letter_of_one_occasion_and_number_is_one_letter() -> None:
    assert duplicate_letter_key("demo", "pay_1", "asked", 5) == duplicate_letter_key("demo", "pay_1", "asked", 5)
    assert duplicate_letter_key("demo", "pay_1", "reminded", 5) != duplicate_letter_key("demo", "pay_1", "reminded", 6)
