"""What deals ask for is kept once, in the order it happened, and whole after everything else was lost (contracts: easycount 2.7, 3, 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.deals import DealSaid, Role, payment_id
from domain.money import Money
from store import Store
from store.clock import utc_now
from store.payment_request_records import DealRefund, IssuedDocument, Link

DEAL = 500_001


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def said(amount: int = 30000, **more: str) -> DealSaid:
    return DealSaid(name="Ana Prueba", amount=eur(amount), description="Lisboa", email="ana@example.test", **more)


def page(store: Store, revision: int = 1, ordinal: int = 1, amount: int = 30000, hours: int = 72) -> Link:
    url, secret = f"https://pay.example/{revision}/{ordinal}", f"secret-{revision}-{ordinal}"
    expires = utc_now() + timedelta(hours=hours)
    return store.payment_pages.made("sol", DEAL, revision, ordinal, url, secret, eur(amount), expires)


def pays(store: Store, link: Link, amount: int = 30000, *, cancelled: bool = False, reference: str = "") -> str:
    reference = reference or f"ksys-{link.number}"
    paid = payment_id("sol", reference)
    store.payment_requests.paid(
        link,
        paid,
        eur(amount),
        reference=reference,
        page_id="7001",
        authorisation="00007001",
        last4="4580",
        brand="Visa" * 40,
        cancelled=cancelled,
    )
    return paid


def test_what_says_the_same_is_one_revision_and_anything_else_another(store: Store) -> None:
    assert store.payment_requests.ask("sol", DEAL, said()) == (1, True)
    assert store.payment_requests.ask("sol", DEAL, said(phone="+34 600 00 00 00")) == (1, False)
    assert store.payment_requests.ask("sol", DEAL, said(40000)) == (2, True)
    assert store.payment_requests.ask("sol", DEAL, said(40000), anew=True) == (3, True)
    assert store.payment_requests.ask("luna", DEAL, said()) == (1, True)
    assert store.payment_requests.asked("sol", DEAL, 1).said == said()


def test_the_last_move_says_where_a_request_stands(store: Store) -> None:
    store.payment_requests.ask("sol", DEAL, said())
    first = store.payment_requests.moved("sol", DEAL, "creating", 1, 33)
    assert store.payment_requests.moved("sol", DEAL, "creating", 1, 33) == first
    assert store.payment_requests.moved("sol", DEAL, "awaiting_payment", 1, 34) > first
    request = store.payment_requests.get("sol", DEAL)
    assert request is not None
    assert (request.state, request.stage, request.asked.revision) == ("awaiting_payment", 34, 1)


def test_a_document_is_kept_once_by_its_key(store: Store) -> None:
    first = IssuedDocument(DEAL, 1, "pf:1", 300, "u-1", "300001", "", eur(30000), None, None, utc_now())
    store.payment_requests.document_issued("sol", first)
    store.payment_requests.document_issued(
        "sol", IssuedDocument(DEAL, 1, "pf:1", 300, "u-2", "300002", "", eur(1), None, None, utc_now())
    )
    held = store.payment_requests.document("sol", "pf:1")
    assert held is not None
    assert (held.uuid, held.number, held.amount) == ("u-1", "300001", eur(30000))
    assert store.payment_requests.document("luna", "pf:1") is None


def test_a_lost_page_stays_on_record_and_the_next_one_is_sent(store: Store) -> None:
    store.payment_requests.ask("sol", DEAL, said())
    store.payment_pages.lost("sol", DEAL, 1, 1, eur(30000))
    live = page(store)
    assert [(each.number, each.orphan) for each in store.payment_pages.of("sol", DEAL)] == [(1, True), (2, False)]
    assert store.payment_pages.of_revision("sol", DEAL, 1) == live
    assert store.payment_pages.of_revision("sol", DEAL, 2) is None
    assert store.payment_pages.deal_of(live.token) == ("sol", DEAL)
    assert store.payment_pages.is_known("sol", live.url)
    assert not store.payment_pages.is_known("luna", live.url)
    assert store.vault.open("sol", live.secret_name) == "secret-1-1"


@pytest.mark.parametrize(
    ("amounts", "hours", "cancelled", "roles"),
    [
        ((30000,), 72, False, ["first"]),
        ((30000, 30000), 72, False, ["first", "duplicate"]),
        ((10000, 20000), 72, False, ["partial", "first"]),
        ((10000, 25000), 72, False, ["partial", "over"]),
        ((30000,), -1, False, ["late"]),
        ((30000,), 72, True, ["after_cancel"]),
    ],
)
def test_a_payment_is_judged_by_all_that_came_before_it(
    store: Store, amounts: tuple[int, ...], hours: int, cancelled: bool, roles: list[Role]
) -> None:
    store.payment_requests.ask("sol", DEAL, said())
    for ordinal, amount in enumerate(amounts, start=1):
        link = page(store, ordinal=ordinal, hours=hours)
        pays(store, link, amount, cancelled=cancelled)
        pays(store, link, amount, cancelled=cancelled)
    assert [payment.role for payment in store.payment_requests.payments("sol", DEAL)] == roles


def test_money_that_was_given_back_makes_room_and_unwanted_money_counts_once_it_is_kept(store: Store) -> None:
    store.payment_requests.ask("sol", DEAL, said())
    first = pays(store, page(store))
    extra = pays(store, page(store, ordinal=2))
    store.payment_requests.payment_handled("sol", first, "recorded")
    request = store.payment_requests.get("sol", DEAL)
    assert request is not None
    assert request.paid == 30000
    store.payment_requests.payment_handled("sol", extra, "returned")
    store.payment_requests.payment_handled("sol", first, "returned")
    pays(store, page(store, ordinal=3))
    assert [payment.role for payment in store.payment_requests.payments("sol", DEAL)] == ["first", "duplicate", "first"]


def test_everything_about_a_deal_comes_back_together(store: Store) -> None:
    assert store.payment_requests.get("sol", DEAL) is None
    store.payment_requests.ask("sol", DEAL, said())
    paid = pays(store, page(store))
    refund = DealRefund("ref_1", DEAL, paid, eur(10000), "re_1", "Ana", utc_now())
    store.payment_requests.refund("sol", refund)
    store.payment_requests.refund("sol", refund)
    store.payment_requests.ask("sol", DEAL + 1, said())
    request = store.payment_requests.get("sol", DEAL)
    assert request is not None
    assert (request.refunded, [each.brand for each in request.payments]) == (10000, [("Visa" * 40)[:50]])
    assert {each.deal_id for each in store.payment_requests.list("sol")} == {DEAL, DEAL + 1}
    assert len(store.payment_requests.list(limit=1)) == 1
    assert store.payment_requests.list("luna") == []
