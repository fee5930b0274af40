from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.ledger import RULES, Chart, Entry, Fact, Movement, Posting, entry_of, in_open_period, reversal
from domain.money import Money

DAY = date(2026, 11, 20)


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def movement(fact: Fact, amount: int = 30000, **fields: Any) -> Movement:
    values = {
        "fact": fact,
        "key": "led:inv:pay_1001",
        "on": DAY,
        "booking_id": "bkg_500",
        "text": "x",
        "amount": eur(amount),
        "payer_id": "cus_77",
        "payment_id": "pay_1001",
        "processor": "stripe",
    }
    return Movement.model_validate(values | fields)


def lines(entry: Entry) -> set[tuple[str, str, str, int]]:
    return {(p.account, p.sub, p.side, p.amount.amount) for p in entry.postings}


TABLE = [
    (Fact.INVOICE, {}, {("430", "cus_77", "debit", 30000), ("438", "bkg_500", "credit", 30000)}),
    (Fact.COLLECTION, {}, {("5729", "stripe", "debit", 30000), ("430", "cus_77", "credit", 30000)}),
    (
        Fact.COLLECTION,
        {"method": "airplus", "processor": "airplus"},
        {("5728", "airplus", "debit", 30000), ("430", "cus_77", "credit", 30000)},
    ),
    (Fact.SUSPENSE, {}, {("5729", "stripe", "debit", 30000), ("555", "pay_1001", "credit", 30000)}),
    (Fact.MATCH, {}, {("555", "pay_1001", "debit", 30000), ("430", "cus_77", "credit", 30000)}),
    (Fact.SET_ASIDE, {}, {("430", "cus_77", "debit", 30000), ("555", "pay_1001", "credit", 30000)}),
    (Fact.RECTIFYING, {}, {("438", "bkg_500", "debit", 30000), ("430", "cus_77", "credit", 30000)}),
    (Fact.PENALTY, {}, {("430", "cus_77", "debit", 30000), ("778", "", "credit", 30000)}),
    (Fact.FEE, {}, {("430", "cus_77", "debit", 30000), ("705", "bkg_500", "credit", 30000)}),
    (Fact.REFUND, {}, {("430", "cus_77", "debit", 30000), ("5729", "stripe", "credit", 30000)}),
    (Fact.REFUND_BY_BANK, {}, {("430", "cus_77", "debit", 30000), ("572", "", "credit", 30000)}),
    (
        Fact.WITHDRAWN,
        {"fee": eur(2000)},
        {("4309", "cus_77", "debit", 30000), ("626", "", "debit", 2000), ("5729", "stripe", "credit", 32000)},
    ),
    (Fact.WITHDRAWN, {}, {("4309", "cus_77", "debit", 30000), ("5729", "stripe", "credit", 30000)}),
    (Fact.WON, {}, {("5729", "stripe", "debit", 30000), ("4309", "cus_77", "credit", 30000)}),
    (Fact.LOST, {}, {("436", "cus_77", "debit", 30000), ("4309", "cus_77", "credit", 30000)}),
    (Fact.WRITTEN_OFF, {}, {("650", "cus_77", "debit", 30000), ("436", "cus_77", "credit", 30000)}),
    (
        Fact.REFUND_BEYOND,
        {"fee": eur(2000)},
        {("430", "cus_77", "debit", 30000), ("555", "pay_1001", "debit", 2000), ("5729", "stripe", "credit", 32000)},
    ),
    (
        Fact.REFUND_BEYOND_BY_BANK,
        {"fee": eur(2000)},
        {("430", "cus_77", "debit", 30000), ("555", "pay_1001", "debit", 2000), ("572", "", "credit", 32000)},
    ),
    (Fact.EXCESS_CLAIMED, {}, {("430", "cus_77", "debit", 30000), ("555", "pay_1001", "credit", 30000)}),
    (Fact.EXCESS_WRITTEN_OFF, {}, {("650", "cus_77", "debit", 30000), ("555", "pay_1001", "credit", 30000)}),
    (
        Fact.SETTLEMENT,
        {"fee": eur(450)},
        {("572", "", "debit", 30000), ("626", "", "debit", 450), ("5729", "stripe", "credit", 30450)},
    ),
    (Fact.RENDERED, {}, {("438", "bkg_500", "debit", 30000), ("705", "bkg_500", "credit", 30000)}),
    (Fact.RENDERED_LESS, {}, {("705", "bkg_500", "debit", 30000), ("438", "bkg_500", "credit", 30000)}),
    (
        Fact.SUPPLIER_INVOICE,
        {"supplier_id": "sup_1", "line_id": "ln_2"},
        {("607", "bkg_500:ln_2", "debit", 30000), ("400", "sup_1", "credit", 30000)},
    ),
    (
        Fact.SUPPLIER_CREDIT,
        {"supplier_id": "sup_1", "line_id": "ln_2"},
        {("400", "sup_1", "debit", 30000), ("607", "bkg_500:ln_2", "credit", 30000)},
    ),
]


@pytest.mark.parametrize(("fact", "fields", "expected"), TABLE, ids=lambda v: v.value if isinstance(v, Fact) else "")
def test_each_fact_is_posted_as_the_table_of_the_money_rules_says(
    fact: Fact, fields: dict[str, Any], expected: set[tuple[str, str, str, int]]
) -> None:
    assert lines(entry_of(movement(fact, **fields), Chart())) == expected


def test_every_fact_has_a_row_that_is_tested() -> None:
    assert {fact for fact, _, _ in TABLE} == set(RULES) == set(Fact)


def test_the_accounts_are_the_agency_s_own() -> None:
    chart = Chart(customers="4300000", clearing_by_method={"bizum": "57291"})
    entry = entry_of(movement(Fact.COLLECTION, method="bizum"), chart)
    assert {p.account for p in entry.postings} == {"4300000", "57291"}


@given(st.sampled_from(Fact), st.integers(1, 10**12), st.integers(0, 10**6))
def test_whatever_the_amounts_every_entry_balances_and_its_reversal_undoes_it(
    fact: Fact, amount: int, fee: int
) -> None:
    entry = entry_of(movement(fact, amount, fee=eur(fee)), Chart())
    back = reversal(entry, on=DAY, text="back")
    sums: dict[tuple[str, str], int] = {}
    for posting in (*entry.postings, *back.postings):
        sign = 1 if posting.side == "debit" else -1
        sums[posting.account, posting.sub] = sums.get((posting.account, posting.sub), 0) + sign * posting.amount.amount
    assert set(sums.values()) == {0}
    assert back.key != entry.key


def test_a_fact_of_a_closed_period_is_posted_on_the_first_open_day_and_keeps_its_own() -> None:
    posted = entry_of(movement(Fact.INVOICE), Chart())
    assert in_open_period(posted, None) == in_open_period(posted, DAY - timedelta(days=1)) == posted
    moved = in_open_period(posted, DAY)
    assert moved.on == DAY + timedelta(days=1)
    assert DAY.isoformat() in moved.text
    assert (moved.key, moved.postings) == (posted.key, posted.postings)


def entry(*postings: Posting) -> Entry:
    return Entry(key="led:x", fact="invoice", on=DAY, booking_id="bkg_500", text="x", postings=postings)


@pytest.mark.parametrize(
    "postings",
    [
        (Posting(account="430", side="debit", amount=eur(2)), Posting(account="438", side="credit", amount=eur(1))),
        (Posting(account="430", side="debit", amount=eur(0)), Posting(account="438", side="credit", amount=eur(0))),
        (
            Posting(account="430", side="debit", amount=eur(1)),
            Posting(account="438", side="credit", amount=Money(amount=1, currency="GBP")),
        ),
        (Posting(account="430", side="debit", amount=eur(1)),),
    ],
    ids=["unequal", "empty amounts", "two currencies", "one line"],
)
def test_an_entry_that_does_not_balance_cannot_be_built(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(ValidationError):
        entry(*postings)
