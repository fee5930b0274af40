"""Closed periods, statements and the numbers of sub-accounts, on both databases."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.errors import Refused
from domain.ledger import Chart, Entry, Fact, Movement, entry_of
from domain.money import Money
from store import Store

OCTOBER = date(2026, 10, 31)
DAY = date(2026, 10, 20)


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def invoice(payment_id: str, amount: int = 30000, *, on: date = DAY, payer_id: str = "cus_77") -> Entry:
    movement = Movement(
        fact=Fact.INVOICE,
        key=f"led:inv:{payment_id}",
        on=on,
        booking_id="bkg_500",
        text=f"invoice {payment_id}",
        amount=eur(amount),
        payer_id=payer_id,
        payment_id=payment_id,
    )
    return entry_of(movement, Chart())


def test_a_late_fact_is_posted_on_the_first_open_day(store: Store) -> None:
    store.periods.close("sol", OCTOBER, by="ana")
    store.journal.append("sol", invoice("pay_1"))
    (posted,) = store.journal.entries_of("sol", "bkg_500")
    assert posted.entry.on == date(2026, 11, 1)
    assert "2026-10-20" in posted.entry.text


def test_what_was_posted_before_the_closing_is_found_again_and_not_moved(store: Store) -> None:
    (number,) = store.journal.append("sol", invoice("pay_1"))
    store.periods.close("sol", OCTOBER, by="ana")
    assert store.journal.append("sol", invoice("pay_1")) == [number]
    assert [posted.entry.on for posted in store.journal.entries_of("sol", "bkg_500")] == [DAY]


def test_the_database_itself_refuses_an_entry_in_a_closed_period(store: Store) -> None:
    store.journal.append("sol", invoice("pay_1"))
    store.periods.close("sol", OCTOBER, by="ana")
    with pytest.raises(DBAPIError, match="period is closed"), store.database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO journal_entries (agency, key, fact, on_date, booking_id, text, currency, zero, lines,"
                " created_at) SELECT agency, 'led:other', fact, on_date, booking_id, text, currency, zero, lines,"
                " created_at FROM journal_entries"
            )
        )


@pytest.mark.parametrize("change", ["UPDATE journal_periods SET by = 'x'", "DELETE FROM journal_periods"])
def test_closings_cannot_be_rewritten(store: Store, change: str) -> None:
    store.periods.close("sol", OCTOBER, by="ana")
    with pytest.raises(DBAPIError), store.database.begin() as connection:
        connection.execute(text(change))


def test_a_period_is_reopened_by_name_and_reason_and_both_stay_written(store: Store) -> None:
    store.periods.close("sol", OCTOBER, by="ana")
    store.periods.reopen("sol", date(2026, 9, 30), by="luis", reason="an invoice was missing")
    store.journal.append("sol", invoice("pay_1"))
    assert store.journal.entries_of("sol", "bkg_500")[0].entry.on == DAY
    assert [(change.closed_until, change.by) for change in store.periods.history("sol")] == [
        (OCTOBER, "ana"),
        (date(2026, 9, 30), "luis"),
    ]


def test_closing_backwards_and_reopening_what_is_open_are_refused(store: Store) -> None:
    with pytest.raises(Refused, match="not closed"):
        store.periods.reopen("sol", None, by="ana", reason="none")
    store.periods.close("sol", OCTOBER, by="ana")
    with pytest.raises(Refused, match="already"):
        store.periods.close("sol", OCTOBER - timedelta(days=1), by="ana")
    with pytest.raises(Refused, match="nothing to re-open"):
        store.periods.reopen("sol", OCTOBER, by="ana", reason="none")


def test_closing_one_agency_leaves_the_others_open(store: Store) -> None:
    store.periods.close("sol", OCTOBER, by="ana")
    store.journal.append("luna", invoice("pay_1"))
    assert store.journal.entries_of("luna", "bkg_500")[0].entry.on == DAY


def test_a_statement_runs_from_its_opening_to_its_closing_balance(store: Store) -> None:
    store.journal.append("sol", invoice("pay_1", 100, on=date(2026, 9, 30)), invoice("pay_2", 250))
    store.journal.append("sol", invoice("pay_3", 50, payer_id="cus_78"), invoice("pay_4", 7, on=date(2026, 11, 1)))
    october = store.statements.statement("sol", "430", since=date(2026, 10, 1), until=OCTOBER)
    assert (october.opening, october.closing) == (eur(100), eur(400))
    assert [(line.text, line.amount, line.balance) for line in october.lines] == [
        ("invoice pay_2", eur(250), eur(350)),
        ("invoice pay_3", eur(50), eur(400)),
    ]
    assert store.statements.statement("sol", "43", "cus_78").closing == eur(50)
    assert store.statements.statement("sol", "430", since=date(2027, 1, 1)).opening == eur(407)


def test_a_trial_balance_of_a_period_adds_up_to_nothing(store: Store) -> None:
    store.journal.append("sol", invoice("pay_1", 100, on=date(2026, 9, 30)), invoice("pay_2", 250))
    balances = store.journal.trial_balance("sol", since=date(2026, 10, 1), until=OCTOBER)
    assert [(b.account, b.debit.amount, b.credit.amount) for b in balances] == [("430", 250, 0), ("438", 0, 250)]
    assert sum(b.balance.amount for b in balances) == 0


def test_numbers_of_sub_accounts_are_given_once_and_kept(store: Store) -> None:
    first = store.subaccounts.numbers("sol", [("430", "cus_2"), ("430", "cus_1"), ("572", ""), ("438", "bkg_1")])
    assert first == {("430", "cus_2"): 1, ("430", "cus_1"): 2, ("572", ""): 0, ("438", "bkg_1"): 1}
    again = store.subaccounts.numbers("sol", [("430", "cus_3"), ("430", "cus_1")])
    assert (again["430", "cus_1"], again["430", "cus_3"]) == (2, 3)
    assert store.subaccounts.numbers("luna", [("430", "cus_9")]) == {("430", "cus_9"): 1}
