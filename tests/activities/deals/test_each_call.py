"""Each outside call of a deal's life goes wrong once in each way (faults F1 to F9): it ends the same, K1 holds (money-rules F-C15).

The life is played by the cells alone, one after the other; through Temporal it is played elsewhere. One store serves all of
them, as one agency's does: a deal that another deal's answers were given to would be noticed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Kind
from store import Store
from tests.activities.deals.theatre import Clock, House, eur, open_house
from tests.databases import MASTER_KEY, hurried, migrated_url

EASYCOUNT = frozenset({"prepareSafeUrl", "createDoc", "validate"})
SECONDS = 0.02
ROUNDS = 3
"""Lives for each kind of fault; in each, every third call of each operation goes wrong."""
CALLS = {
    "lead": 3,
    "contact": 1,
    "custom_fields": 1,
    "patch_lead": 10,
    "notes": 4,
    "add_notes": 4,
    "prepareSafeUrl": 1,
    "createDoc": 4,
    "validate": 2,
}
"""What one life without faults calls, and how often; the first test holds it against one."""


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def house(systems: Any, tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[House]:
    """One for all, with an untroubled life before."""
    folder: Path = tmp_path_factory.mktemp("deals")
    store = hurried(Store.open(migrated_url("sqlite", folder), master_key=MASTER_KEY, clock=clock))
    crm, easycount = systems
    with open_house(store, clock, crm, easycount) as opened:
        opened.new_deal()
        live(opened)
        yield opened
    store.close()


def live(house: House) -> None:
    """Asked for, paid, recorded, given back, and shown each time."""
    house.ask()
    house.pay()
    paid = house.record()
    house.show("paid", move_to="paid", from_stage=34)
    house.refund(paid, 30000)
    house.show("refunded")


def test_an_untroubled_life_calls_what_is_made_to_fail(house: House) -> None:
    for system in (house.crm, house.easycount):
        system.calls.clear()
    house.deals._accounts["demo"].writer.refresh()
    house.new_deal()
    live(house)
    called = Counter(call["operation"] for system in (house.crm, house.easycount) for call in system.calls)
    assert called == CALLS


@pytest.mark.covers("F-C15")
@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.LATE])
@pytest.mark.parametrize("place", range(ROUNDS))
def test_whichever_call_goes_wrong_a_deal_ends_the_same(house: House, place: int, kind: Kind) -> None:
    """One place of every operation in a life, so that few lives meet each call with each fault. What lands late is met by its
    key, or is an orphan: `test_money_side`."""
    struck = {(name, at) for name, times in CALLS.items() for at in range(times) if at % ROUNDS == place}
    house.deals._accounts["demo"].writer._fields = None
    house.new_deal()
    for name, at in sorted(struck):
        system = house.easycount if name in EASYCOUNT else house.crm
        # A call that one switch takes does not count for the next one.
        before = sum(other == name and earlier < at for other, earlier in struck)
        system.faults.set({"operation": name, "kind": kind.value, "seconds": SECONDS, "skip": at - before})
    try:
        live(house)
        boards = (house.easycount.faults.listing(), house.crm.faults.listing())
    finally:
        house.easycount.faults.clear()
        house.crm.faults.clear()
    assert [fault["fired"] for board in boards for fault in board] == [1] * len(struck)
    books = house.books()
    assert (books.status, books.asked) == ("refunded", 30000)
    assert sorted((each.type, each.total) for each in books.documents) == [
        (300, 30000),
        (320, 30000),
        (330, 30000),
        (400, -30000),
    ]
    assert house.audit() == []
    assert house.store.journal.balance("demo", "5729", "easycount") == eur(0)
    pages = [page for page in house.store.payment_pages.of("demo", house.deal) if not page.orphan]
    assert len(pages) == 1
    of_deal = [note["params"]["text"] for note in house.crm.state()["notes"] if note["entity_id"] == house.deal]
    assert len(of_deal) == len(set(of_deal)) == 4
