"""A deal is asked for, paid and refunded while one call goes wrong in every way that it can: K1 holds, and nothing is there twice."""

from __future__ import annotations

import pytest

from sandbox.faults import Kind
from tests.activities.deals.theatre import AGENCY, House, eur

KINDS = tuple(kind for kind in Kind if kind is not Kind.LATE)
"""A page or document that lands late is met by its key, or is an orphan: `test_money_side`."""
EASYCOUNT = (
    ("prepareSafeUrl", 0),
    ("createDoc", 0),
    ("validate", 0),
    ("createDoc", 1),
    ("createDoc", 2),
    ("createDoc", 3),
)
KOMMO = (
    ("lead", 0),
    ("contact", 0),
    ("patch_lead", 0),
    ("patch_lead", 2),
    ("custom_fields", 0),
    ("add_notes", 1),
    ("notes", 1),
)


def whole_life(house: House) -> None:
    house.new_deal()
    house.ask()
    house.pay()
    paid = house.record()
    house.show("paid", move_to="paid", from_stage=34)
    house.refund(paid, 30000)
    house.show("refunded")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("call", "skip"), EASYCOUNT)
def test_a_fault_of_easycount_leaves_every_document_once(house: House, call: str, skip: int, kind: Kind) -> None:
    house.easycount.faults.set({"operation": call, "kind": kind.value, "skip": skip, "seconds": 0.02})
    whole_life(house)
    assert house.easycount.faults.faults[0].fired == 1
    expect_one_of_each(house)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("call", "skip"), KOMMO)
def test_a_fault_of_kommo_costs_no_document_and_no_note(house: House, call: str, skip: int, kind: Kind) -> None:
    house.crm.faults.set({"operation": call, "kind": kind.value, "skip": skip, "seconds": 0.02})
    whole_life(house)
    assert house.crm.faults.faults[0].fired == 1
    expect_one_of_each(house)
    assert len(house.notes()) == len(set(house.notes())) == 4


def expect_one_of_each(house: House) -> None:
    books = house.books()
    assert sorted((each.type, each.total) for each in books.documents) == [
        (300, 30000),
        (320, 30000),
        (330, 30000),
        (400, -30000),
    ]
    assert (books.status, books.asked) == ("refunded", 30000)
    assert house.audit() == []
    assert house.store.journal.balance(AGENCY, "5729", "easycount", currency="EUR") == eur(0)
    live = [link for link in house.store.payment_requests.links(AGENCY, house.deal) if not link.orphan]
    assert len(live) == 1
