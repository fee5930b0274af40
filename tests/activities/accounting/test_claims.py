"""Money that is gone without a decision behind it: what waits in 555 or 436, and what a person's answer posts (contracts:
money-rules 2, F-R3, F-R7, F-P11, F-P12)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal

import pytest

from activities.accounting.activities import JournalActivities
from activities.accounting.settings import JournalSettings
from domain.money import Money
from domain.platform import Cancellation, Payment, Refund
from domain.refunding import beyond_decision
from domain.steps import ClaimStep, Done
from store import Store
from tests import stories
from tests.activities.accounting.test_activities import (
    B,
    balances,
    captured,
    dispute,
    give_back,
    keys,
    pay,
    refund_step,
)
from tests.stories import AGENCY

NOON = datetime(2027, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def cells(store: Store) -> JournalActivities:
    return JournalActivities(store, {AGENCY: JournalSettings()})


def answer(
    cells: JournalActivities,
    fact_id: str,
    about: Literal["dispute", "refund"],
    decision: Literal["claim", "write_off"],
    amount: int,
) -> Done:
    step = ClaimStep(
        agency=AGENCY,
        booking_id=B,
        payment_id="pay_1001",
        fact_id=fact_id,
        about=about,
        decision=decision,
        amount=Money(amount=amount, currency="EUR"),
        decided_at=NOON,
    )
    done = cells.settle_claim(step)
    assert cells.settle_claim(step) == done
    return done


@pytest.mark.covers("F-R7")
def test_a_refund_beyond_its_decision_is_posted_whole_and_the_difference_waits_in_suspense(
    store: Store, cells: JournalActivities
) -> None:
    pay(cells, captured(store))
    store.inbox.accept(stories.cancelled())
    assert give_back(cells, store, amount=28000).ids["beyond"] == "1000"
    assert balances(store) == {"5729": 2000, "430": 27000, "555": 1000, "438": -30000}


@pytest.mark.covers("F-R7")
@pytest.mark.parametrize(("decision", "account"), [("claim", "430"), ("write_off", "650")])
def test_a_person_says_whether_the_difference_is_owed_or_lost(
    store: Store, cells: JournalActivities, decision: Literal["claim", "write_off"], account: str
) -> None:
    pay(cells, captured(store))
    store.inbox.accept(stories.cancelled())
    give_back(cells, store, amount=28000)
    before = balances(store)
    answer(cells, "ref_9", "refund", decision, 1000)
    after = balances(store)
    assert "555" not in after
    assert after.get(account, 0) - before.get(account, 0) == 1000


@pytest.mark.covers("F-R7", "F-R3")
def test_a_refund_beyond_its_decision_that_fails_takes_the_answer_back_with_it(
    store: Store, cells: JournalActivities
) -> None:
    pay(cells, captured(store))
    store.inbox.accept(stories.cancelled())
    give_back(cells, store, amount=28000)
    answer(cells, "ref_9", "refund", "write_off", 1000)
    failed = stories.refund_failed(5)
    store.inbox.accept(failed)
    assert failed.data is not None
    assert failed.data.refund is not None
    cells.record_refund(refund_step(failed.data.refund, failed.event_id))
    assert balances(store) == {"5729": 30000, "438": -30000}
    (back,) = [e.entry for e in store.journal.entries_of(AGENCY, B) if e.entry.key == "led:dev:ref_9:reversed"]
    assert back.on == failed.occurred_at.date(), "on the day it failed, not on the day it was announced"


@pytest.mark.covers("F-P11", "1.3 bad debt")
def test_a_lost_dispute_is_a_doubtful_claim_until_a_person_writes_it_off(
    store: Store, cells: JournalActivities
) -> None:
    pay(cells, captured(store))
    dispute(cells, store, 4, "funds_withdrawn")
    dispute(cells, store, 5, "lost")
    assert balances(store) == {"436": 30000, "626": 2000, "5729": -2000, "438": -30000}
    assert answer(cells, "cbk_2", "dispute", "claim", 30000).outcome == "skipped"
    assert balances(store)["436"] == 30000
    answer(cells, "cbk_2", "dispute", "write_off", 30000)
    assert balances(store) == {"650": 30000, "626": 2000, "5729": -2000, "438": -30000}


@pytest.mark.covers("F-P12")
@pytest.mark.parametrize("written_off", [False, True])
def test_a_dispute_won_after_all_takes_claim_and_write_off_back_by_new_entries(
    store: Store, cells: JournalActivities, written_off: bool
) -> None:
    pay(cells, captured(store))
    dispute(cells, store, 4, "funds_withdrawn")
    dispute(cells, store, 5, "lost")
    if written_off:
        answer(cells, "cbk_2", "dispute", "write_off", 30000)
    before = keys(store)
    dispute(cells, store, 6, "won")
    assert balances(store) == {"626": 2000, "5729": 28000, "438": -30000}
    assert keys(store)[: len(before)] == before, "nothing is changed, only added"
    assert ("led:set:cbk_2:reversed" in keys(store)) is written_off


def told(amount: int, refund_id: str = "ref_1") -> Refund:
    return Refund.model_validate(stories.refund(refund_id, amount=amount))


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


PAID = [Payment.model_validate(stories.payment())]
DECIDED = Cancellation.model_validate(stories.cancellation())


@pytest.mark.covers("F-R7", "F-X1")
def test_the_difference_to_a_decision_is_what_goes_beyond_all_that_was_decided() -> None:
    assert beyond_decision(told(27000), DECIDED, [], PAID) == eur(0)
    assert beyond_decision(told(20000), DECIDED, [], PAID) == eur(0), "what is short stays owed"
    assert beyond_decision(told(9000, "ref_2"), DECIDED, [told(20000)], PAID) == eur(2000)
    assert beyond_decision(told(5000), None, [], PAID) == eur(0), "nothing was decided"
    undecided = DECIDED.model_copy(update={"refund": DECIDED.refund.model_copy(update={"decided": False})})
    assert beyond_decision(told(30000), undecided, [], PAID) == eur(0)
    late = Payment.model_validate(stories.payment("pay_2", amount=10000, captured_at="2027-03-01T10:00:00Z"))
    assert late.captured_at is not None
    assert late.captured_at.date() == date(2027, 3, 1)
    assert beyond_decision(told(37000), DECIDED, [], [*PAID, late]) == eur(0), (
        "captured after the end, given back whole"
    )
