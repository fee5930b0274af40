"""A deal is asked for, paid and refunded while every call goes wrong in each way that it can: K1 holds, nothing is there twice."""

from __future__ import annotations

import pytest

from sandbox.faults import WIRE, Kind
from tests.activities.deals.theatre import AGENCY, House, eur


def strike(house: House, kind: Kind, *calls: str) -> None:
    """The next call of each of these goes wrong."""
    for call in calls:
        system = house.easycount if call in ("prepareSafeUrl", "createDoc", "validate") else house.crm
        system.faults.set({"operation": call, "kind": kind.value, "seconds": 0.02})


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.LATE, *WIRE)])
def test_every_call_of_both_systems_goes_wrong_and_nothing_is_there_twice(house: House, kind: Kind) -> None:
    """What lands late is met by its key, or is an orphan: `test_money_side`."""
    house.new_deal()
    strike(house, kind, "lead", "contact", "custom_fields", "patch_lead", "notes", "add_notes")
    strike(house, kind, "prepareSafeUrl", "createDoc")
    house.ask()
    house.pay()
    strike(house, kind, "validate", "createDoc")
    paid = house.record()
    strike(house, kind, "patch_lead", "patch_lead", "lead", "notes", "add_notes")
    house.show("paid", move_to="paid", from_stage=34)
    strike(house, kind, "createDoc")
    house.refund(paid, 30000)
    strike(house, kind, "patch_lead", "patch_lead", "add_notes")
    house.show("refunded")
    boards = (house.easycount.faults, house.crm.faults)
    assert [fault["operation"] for board in boards for fault in board.listing() if fault["fired"] != 1] == []
    expect_one_of_each(house)


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
    assert len([x for x in house.store.payment_pages.of(AGENCY, house.deal) if not x.orphan]) == 1
    assert len(house.notes()) == len(set(house.notes())) == 4
