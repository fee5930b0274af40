"""A payment of what was paid already is visible in 555 until the customer has chosen (contracts: money-rules O2, F-C18)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from temporalio.exceptions import ApplicationError

from activities.accounting.activities import JournalActivities
from activities.accounting.duplicates import DuplicateEntries
from activities.accounting.settings import JournalSettings
from domain.duplicates import DuplicateStep
from domain.platform import Payment
from store import Store
from tests.activities.accounting.test_activities import B, balances, captured, give_back, pay
from tests.stories import AGENCY

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.fixture
def journal(store: Store) -> JournalActivities:
    return JournalActivities(store, {AGENCY: JournalSettings()})


@pytest.fixture
def entries(store: Store) -> DuplicateEntries:
    return DuplicateEntries(store, {}, now=lambda: NOW)


def duplicate(payment: Payment, number: int = 1, *, credited: bool = False) -> DuplicateStep:
    return DuplicateStep(
        agency=AGENCY,
        booking_id=B,
        experience_id=payment.experience_id,
        payment_id=payment.id,
        amount=payment.amount,
        method=payment.method,
        number=number,
        credited=credited,
    )


@pytest.mark.covers("F-C18", "O2")
def test_its_money_waits_in_555_and_no_invoice_stands(
    journal: JournalActivities, entries: DuplicateEntries, store: Store
) -> None:
    payment = captured(store)
    with pytest.raises(ApplicationError) as early:
        entries.set_aside(duplicate(payment))
    assert (early.value.type, early.value.non_retryable) == ("NotYet", False)
    pay(journal, payment)
    for _ in range(2):
        entries.set_aside(duplicate(payment))
    assert balances(store) == {"5729": 30000, "555": -30000}


@pytest.mark.covers("F-C18")
def test_a_credit_makes_it_a_payment_like_any_other(
    journal: JournalActivities, entries: DuplicateEntries, store: Store
) -> None:
    payment = captured(store)
    pay(journal, payment)
    as_any_other = balances(store)
    entries.set_aside(duplicate(payment))
    for _ in range(2):
        entries.release(duplicate(payment, credited=True))
    assert balances(store) == as_any_other == {"5729": 30000, "438": -30000}


@pytest.mark.covers("F-C18", "F-R4")
def test_a_refund_leaves_nothing_behind(journal: JournalActivities, entries: DuplicateEntries, store: Store) -> None:
    payment = captured(store)
    pay(journal, payment)
    entries.set_aside(duplicate(payment))
    back = {"cause": "duplicate", "cancellation_id": None, "payment_id": payment.id}
    give_back(journal, store, amount=30000, **back)
    entries.release(duplicate(payment))
    assert balances(store) == {}


def test_what_is_a_duplicate_twice_is_set_aside_twice(
    journal: JournalActivities, entries: DuplicateEntries, store: Store
) -> None:
    """Credited, found reversed in the ERP, and a duplicate again."""
    payment = captured(store)
    pay(journal, payment)
    for number in (1, 2):
        entries.set_aside(duplicate(payment, number))
        assert balances(store) == {"5729": 30000, "555": -30000}
        entries.release(duplicate(payment, number, credited=True))
    assert balances(store) == {"5729": 30000, "438": -30000}


def test_what_was_never_set_aside_is_not_released(entries: DuplicateEntries, store: Store) -> None:
    assert entries.release(duplicate(captured(store))).outcome == "skipped"
    assert balances(store) == {}


@pytest.mark.covers("F-C18", "O2")
@pytest.mark.parametrize("credited", [True, False])
def test_where_the_journal_is_the_erp_it_goes_to_555_by_itself(
    journal: JournalActivities, entries: DuplicateEntries, store: Store, credited: bool
) -> None:
    payment = captured(store)
    step = duplicate(payment, credited=credited).model_copy(update={"posted": False})
    entries.set_aside(step)
    assert balances(store) == {"5729": 30000, "555": -30000}
    if credited:
        pay(journal, payment)
    else:
        give_back(journal, store, amount=30000, cause="duplicate", cancellation_id=None, payment_id=payment.id)
    entries.release(step)
    assert balances(store) == ({"5729": 30000, "438": -30000} if credited else {})
