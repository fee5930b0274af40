"""EasyCount as a gateway: it gives nothing back by a call, so each refund is a person's case (contracts: payment-sync 6.2, easycount)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.easycount.gateway import EasyCountGateway
from domain.deals import DealSaid, payment_id, refund_id
from domain.errors import ContractBroken, Refused
from domain.money import Money
from store import Store
from store.clock import utc_now
from store.payment_request_records import DealRefund
from tests.databases import MASTER_KEY, migrated_url

AGENCY, DEAL = "sol", 500_001
PAID = payment_id(AGENCY, "ksys-1")


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY)
    yield opened
    opened.close()


@pytest.fixture
def port(store: Store) -> EasyCountGateway:
    """A page of 300.00 EUR that was paid."""
    requests, pages = store.payment_requests, store.payment_pages
    requests.ask(AGENCY, DEAL, DealSaid(name="Ana Prueba", amount=eur(30000), description="Lisboa"))
    page = pages.made(
        AGENCY, DEAL, 1, 1, "https://pay.example/1", "secret", eur(30000), utc_now() + timedelta(hours=72)
    )
    requests.paid(
        page,
        PAID,
        eur(30000),
        reference="ksys-1",
        page_id="7001",
        authorisation="00007001",
        last4="4580",
        brand="visa",
        cancelled=False,
    )
    return EasyCountGateway(store, AGENCY)


def confirmed(store: Store, amount: int, reference: str = "re_1", payment: str = PAID) -> None:
    """A person has given money back at the card company and names its reference."""
    own = refund_id(AGENCY, payment, reference)
    store.payment_requests.refund(AGENCY, DealRefund(own, DEAL, payment, eur(amount), reference, "ana", utc_now()))


def test_a_payment_is_shown_as_its_page_told_it_less_what_people_gave_back(
    port: EasyCountGateway, store: Store
) -> None:
    shown = port.get_payment(PAID)
    assert shown is not None
    assert (shown.amount, shown.refunded, shown.state, shown.auth_code) == (eur(30000), eur(0), "captured", "00007001")
    for reference, amount, state in (("re_1", 10000, "partly_refunded"), ("re_2", 20000, "refunded")):
        confirmed(store, amount, reference)
        shown = port.get_payment(PAID)
        assert shown is not None
        assert shown.state == state
    assert port.get_payment("pay_nobody") is None


def test_a_refund_waits_for_a_person_and_is_done_with_the_reference_that_they_name(
    port: EasyCountGateway, store: Store
) -> None:
    case = port.request_refund(PAID, eur(30000), "duplicate", "k-1")
    assert (case.state, case.by_hand) == ("requested", True)
    assert "bookings deal refund" in case.words
    assert port.request_refund(PAID, eur(30000), "duplicate", "k-1") == case, "asked again it is the same case"
    assert port.get_refund(case.case_id).state == "requested"
    confirmed(store, 10000, "re_other")
    assert port.get_refund(case.case_id).state == "requested", "another amount is another refund"


def test_the_whole_that_went_back_ends_the_case_and_is_never_asked_for_again(
    port: EasyCountGateway, store: Store
) -> None:
    case = port.request_refund(PAID, eur(30000), "duplicate", "k-1")
    confirmed(store, 30000, "re_whole")
    done = port.get_refund(case.case_id)
    assert (done.state, done.words) == ("done", "re_whole")
    assert port.request_refund(PAID, eur(30000), "duplicate", "k-1").state == "done"


def test_the_refund_of_another_payment_of_the_deal_ends_no_case(port: EasyCountGateway, store: Store) -> None:
    case = port.request_refund(PAID, eur(30000), "duplicate", "k-1")
    confirmed(store, 30000, "re_1", payment=payment_id(AGENCY, "ksys-2"))
    assert port.get_refund(case.case_id).state == "requested"


def test_more_than_is_left_and_pages_that_nobody_paid_are_refused(port: EasyCountGateway, store: Store) -> None:
    confirmed(store, 10000)
    with pytest.raises(Refused, match=r"200[.,]00"):
        port.request_refund(PAID, eur(30000), "duplicate", "k-1")
    with pytest.raises(Refused, match="no page"):
        port.request_refund("pay_nobody", eur(100), "duplicate", "k-1")
    with pytest.raises(ContractBroken):
        port.get_refund("what is this")
