"""What makes no sense is refused or waits for a person, and its money stands in a ledger account all the same (money-rules O2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.platform.mapping import event_of
from domain.money import Money
from tests.activities.platform.trip import AGENCY
from tests.activities.platform.world import collecting
from tests.money.house import House


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def test_more_than_the_open_balance_is_never_charged(house: House) -> None:
    too_much = collecting(1).model_copy(update={"amount": Money(amount=100001, currency="EUR")})
    with pytest.raises(ApplicationError, match="more than what is open") as refused:
        house.world.cells.collect_instalment(too_much)
    assert refused.value.type == "Refused"
    assert house.world.charges() == []


@pytest.mark.covers("O2")
def test_a_payment_for_an_instalment_that_nobody_knows_pays_the_oldest_that_is_open(house: House) -> None:
    house.world.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501")
    renamed(house, "payment.captured", "payment", installment_id="ins_999")
    house.live()
    assert house.in_giav() == [("Cobro", 30000)]
    assert house.balance("5729") == 30000
    assert house.collect().status == "already_paid"
    assert house.collect(2).status == "captured"
    assert [each["amount"]["amount"] for each in house.world.charges()] == [40000]


@pytest.mark.covers("F-C14", "O2")
def test_a_plan_that_does_not_add_up_waits_for_a_person_and_its_payments_are_posted(house: House) -> None:
    house.world.do("change-plan", plan_id="plan_50", amounts={"ins_503": 29999})
    renamed(house, "payment_plan.changed", "payment_plan", total=eur(100000))
    house.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501")
    (item,) = house.world.store.parked.list()
    assert (item.reason, item.owner, item.deadline > item.since) == ("totals_mismatch", "operations", True)
    assert "999.99 EUR" in item.detail
    assert house.in_giav() == [("Cobro", 30000)]
    assert house.balance("5729") == 30000
    house.do("change-plan", plan_id="plan_50", amounts={"ins_503": 30000})
    assert house.world.store.parked.list() == [], "a right plan ends the case of the wrong one"


def renamed(house: House, kind: str, name: str, **members: Any) -> None:
    """The newest event of a kind arrives with other members than the platform meant."""
    document = [each for each in house.world.log() if each["type"].endswith(f".{kind}.v1")][-1]
    document["data"][name] |= members
    house.world.store.inbox.accept(event_of(house.world.account, AGENCY, document, datetime.now(UTC)))
