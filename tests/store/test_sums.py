"""Money per booking as the database adds it up, on both databases."""

from __future__ import annotations

from domain.money import Money
from domain.reporting import Moved
from store import Store
from tests import stories
from tests.store.test_records import document


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def moved(collected: int = 0, invoiced: int = 0, refunded: int = 0, disputed: int = 0) -> dict[str, Moved]:
    return {"EUR": Moved(eur(collected), eur(invoiced), eur(refunded), eur(disputed))}


def test_nothing_moved_in_an_empty_store(store: Store) -> None:
    assert store.sums.moved(stories.AGENCY, "giav") == {}


def test_payments_documents_refunds_and_chargebacks_are_added_up_per_booking(store: Store) -> None:
    for number, event in enumerate(
        (
            stories.captured(1),
            stories.captured(2, payment_id="pay_1002", amount=20000),
            stories.captured(3, payment_id="pay_2001", amount=700, booking_id="bkg_501"),
            stories.refunded(4, amount=5000),
            stories.disputed(5),
        )
    ):
        assert store.inbox.accept(event) == "new", number
    store.documents.record(document("inv:pay_1001", 30000))
    store.documents.record(document("rect:x", -10000, kind="credit_note", number="R-1", outside_id="2"))
    store.documents.record(document("inv:pay_1001", 44, system="easycount"))
    found = store.sums.moved(stories.AGENCY, "giav")
    assert found == {"bkg_500": moved(50000, 20000, 5000, 30000), "bkg_501": moved(700)}
    assert store.sums.moved("another", "giav") == {}


def test_a_chargeback_that_was_won_and_a_refund_that_failed_leave_nothing(store: Store) -> None:
    for event in (
        stories.captured(1),
        stories.refunded(2),
        stories.refund_failed(3),
        stories.disputed(4),
        stories.disputed(5, "under_review", 3),
        stories.disputed(6, "won", 4),
    ):
        store.inbox.accept(event)
    assert store.sums.moved(stories.AGENCY, "giav") == {"bkg_500": moved(30000)}
