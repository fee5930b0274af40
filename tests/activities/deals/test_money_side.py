"""What the cells do with documents, pages and money, on the real wires: keys, orphans, roles, books, the booking's inbox."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError

from activities.easycount.account import EasyCountAccount
from domain.deal_steps import DealPicture, LinksStep, RequestStep
from domain.deals import DealSaid
from domain.errors import Unauthorised
from domain.money import Money
from sandbox.faults import Kind
from store import Store
from tests.activities.deals.theatre import AGENCY, TRIGGER, WAITING, Clock, House, eur, open_house
from workers import checking


def test_a_deal_shows_link_number_amount_and_state_and_is_moved_on(house: House) -> None:
    deal = house.new_deal()
    house.ask()
    books = house.books()
    assert (books.status, books.asked, books.number) == ("awaiting_payment", 30000, "300001")
    assert books.link.startswith(house.easycount_url)
    lead = next(lead for lead in house.crm.state()["leads"] if lead["id"] == deal)
    assert lead["status_id"] == WAITING
    assert house.audit() == []


def test_a_deal_that_a_person_moved_is_shown_the_link_and_left_where_it_is(house: House) -> None:
    deal = house.new_deal()
    house.read()
    httpx.post(f"{house.kommo_url}/control/leads/{deal}", json={"status_id": 32})
    house.ask("creating")
    lead = next(lead for lead in house.crm.state()["leads"] if lead["id"] == deal)
    assert lead["status_id"] == 32
    assert house.books().status == "awaiting_payment"


def test_a_picture_that_broke_off_and_has_changed_meanwhile_leaves_nothing_unsettled(house: House) -> None:
    house.new_deal()
    step = RequestStep(agency=AGENCY, deal_id=house.deal, revision=house.read().revision)
    house.crm.faults.set({"operation": "patch_lead", "kind": "page-503"})
    picture = DealPicture(
        agency=AGENCY,
        deal_id=house.deal,
        revision=1,
        state="awaiting_payment",
        step="awaiting_payment:1",
        text="Now awaiting_payment.",
        from_stage=TRIGGER,
    )
    with pytest.raises(ApplicationError, match="503"):
        house.deals.show_deal(picture)
    house.do(house.documents.make_link, step)
    for _ in range(2):
        house.do(house.deals.show_deal, picture)
    assert house.books().link.startswith(house.easycount_url)
    assert house.store.effects.unsettled(AGENCY) == []


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.MALFORMED, Kind.LATE])
def test_a_page_whose_answer_was_lost_is_an_orphan_and_another_one_is_sent(house: House, kind: Kind) -> None:
    house.easycount.faults.set({"operation": "prepareSafeUrl", "kind": kind.value, "seconds": 0.05})
    house.new_deal()
    house.ask()
    lost, live = house.store.payment_pages.of(AGENCY, house.deal)
    assert (lost.orphan, lost.amount, lost.url) == (True, eur(30000), "")
    assert not live.orphan
    assert house.books().link == live.url


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.MALFORMED, Kind.LATE])
def test_after_a_doubtful_end_the_same_document_is_asked_for_and_no_second_one_made(house: House, kind: Kind) -> None:
    house.easycount.faults.set({"operation": "createDoc", "kind": kind.value, "seconds": 0.0})
    house.new_deal()
    house.ask()
    assert [(d.type, d.total) for d in house.books().documents] == [(300, 30000)]
    assert [call["operation"] for call in house.easycount.calls].count("createDoc") == 2


def test_a_duplicate_without_its_document_is_a_persons_who_names_it(house: House) -> None:
    httpx.post(f"{house.easycount_url}/control/account", json={"duplicates": "error"})
    house.easycount.faults.set({"operation": "createDoc", "kind": "drop-after"})
    house.new_deal()
    revision = house.read().revision
    step = RequestStep(agency=AGENCY, deal_id=house.deal, revision=revision)
    house.do(house.documents.make_link, step)
    with pytest.raises(AssertionError, match="issued before"):
        house.do(house.documents.issue_document, step)
    (held,) = house.easycount.state()["documents"]
    effect = f"{AGENCY}/easycount/document/{held['transaction_id']}/create"
    house.store.effects.adopt(effect, f"{held['doc_uuid']}/{held['doc_number']}")
    done = house.do(house.documents.issue_document, step)
    assert done.ids == {"document": held["doc_number"]}
    assert house.store.payment_requests.document(AGENCY, held["transaction_id"]).uuid == held["doc_uuid"]  # type: ignore[union-attr]


def test_the_secret_of_a_page_is_in_the_vault_and_nowhere_else(house: House) -> None:
    house.new_deal()
    house.ask()
    (page,) = house.easycount.state()["pages"]
    assert house.store.vault.open(AGENCY, f"easycount/page/{house.deal}/1") == page["secret"]
    request = house.store.payment_requests.get(AGENCY, house.deal)
    assert page["secret"] not in repr(request)


def test_a_customer_who_closed_the_browser_is_noticed(house: House) -> None:
    house.new_deal()
    house.ask()
    house.pay()
    (payment,) = house.look().payments
    assert (payment.amount, payment.role, payment.handled) == (eur(30000), "first", False)
    assert house.look().payments == (payment,)


def test_an_old_page_that_is_paid_after_the_new_one_is_a_duplicate(house: House) -> None:
    deal = house.new_deal()
    house.ask()
    house.crm._crm.patch_lead(deal, {"price": 400})  # a person corrects the price
    assert house.read("awaiting_payment").revision == 2
    house.ask("awaiting_payment")
    house.pay(1)
    house.look()
    house.pay(0)
    assert {(p.amount.amount, p.role) for p in house.look().payments} == {(40000, "first"), (30000, "duplicate")}


def test_payments_late_and_after_cancelling_are_told_apart(house: House) -> None:
    house.new_deal()
    house.ask()
    house.clock.passes(hours=80)
    house.pay()
    assert house.look().payments[0].role == "late"
    house.new_deal()
    house.ask()
    house.pay()
    seen = house.do(house.payments.check_links, LinksStep(agency=AGENCY, deal_id=house.deal, cancelled=True))
    assert seen.payments[0].role == "after_cancel"


def test_a_closed_account_is_told_and_not_taken_for_a_customer_who_has_not_paid(house: House) -> None:
    house.new_deal()
    house.ask()
    house.easycount._api_key = "another"  # somebody changed the key over there
    try:
        with pytest.raises(AssertionError, match="api_key"):
            house.look()
    finally:
        house.easycount._api_key = "5" * 64


def test_a_deal_without_a_booking_is_posted_on_accounts_of_its_own(house: House) -> None:
    house.new_deal()
    house.ask()
    house.pay()
    paid = house.record()
    whose = f"deal:{house.deal}"
    journal = house.store.journal
    assert journal.balance(AGENCY, "5729", "easycount", currency="EUR") == eur(30000)
    assert journal.balance(AGENCY, "430", whose, currency="EUR") == eur(0)
    assert journal.balance(AGENCY, "438", whose, currency="EUR") == eur(-30000)
    credited = house.refund(paid, 10000)
    assert (credited.left, journal.balance(AGENCY, "438", whose, currency="EUR")) == (20000, eur(-20000))
    house.refund(paid, 10000)
    assert journal.balance(AGENCY, "438", whose, currency="EUR") == eur(-20000), "the same reference is the same refund"


def test_money_that_nobody_asked_for_waits_in_suspense_and_leaves_it_either_way(house: House) -> None:
    journal = house.store.journal
    for what, left in (("return", 0), ("record", 30000)):
        house.new_deal()
        house.ask()
        house.pay()
        paid = house.look().payments[0]
        step = {"agency": AGENCY, "deal_id": house.deal, "link": 1, "payment_id": paid.payment_id, "amount": eur(30000)}
        from domain.deal_steps import DealMoneyStep

        house.do(house.journal.record_deal, DealMoneyStep(**step, what="suspend"))
        assert journal.balance(AGENCY, "555", paid.payment_id, currency="EUR") == eur(-30000)
        house.do(house.journal.record_deal, DealMoneyStep(**step, what=what))
        assert journal.balance(AGENCY, "555", paid.payment_id, currency="EUR") == eur(0)
        assert journal.balance(AGENCY, "5729", "easycount", currency="EUR") == eur(left)


def test_an_invoice_that_was_first_gets_its_receipt_and_a_cancelled_one_its_credit(invoicing_first: House) -> None:
    house = invoicing_first
    house.new_deal()
    house.ask()
    house.pay()
    house.record()
    assert [d.type for d in house.books().documents] == [305, 400]
    house.new_deal()
    revision = house.ask()
    house.do(house.documents.withdraw, RequestStep(agency=AGENCY, deal_id=house.deal, revision=revision))
    assert [d.type for d in house.books().documents] == [305, 330]


def test_what_a_deal_lacks_is_said_in_words_and_asked_of_its_owner(house: House) -> None:
    house.new_deal(price=0, contact={"name": "", "email": "no address"})
    read = house.read()
    assert read.revision == 0
    assert "the amount must be more than zero" in read.faults
    assert "the customer's name is missing" in read.faults
    house.show("failed", 0, "; ".join(read.faults), task=True)
    house.show("failed", 0, "; ".join(read.faults), task=True)
    assert len(house.crm.state()["tasks"]) == len(house.notes()) == 1


def test_a_deal_that_is_deleted_is_told_nothing_and_its_money_goes_on(house: House) -> None:
    deal = house.new_deal()
    house.ask()
    httpx.post(f"{house.kommo_url}/control/leads/{deal}", json={"deleted": True})
    assert house.read("awaiting_payment").gone
    assert house.show("paid").gone
    house.pay()
    house.record()
    assert {d["type"] for d in house.easycount.state()["documents"]} == {300, 320}


def test_deals_whose_webhook_was_lost_are_found(house: House) -> None:
    from domain.deal_steps import DealSweep

    told = house.new_deal()
    house.ask()
    httpx.post(f"{house.kommo_url}/control/leads/{told}", json={"status_id": 33})
    lost = house.new_deal()
    assert house.do(house.deals.sweep_deals, DealSweep(agency=AGENCY)).deals == (lost,)


def test_what_is_printed_is_what_the_deal_said_when_it_was_asked_for(house: House) -> None:
    house.new_deal()
    house.ask()
    said = house.store.payment_requests.asked(AGENCY, house.deal, 1).said
    assert said == DealSaid(
        name="Ana Prueba",
        amount=eur(30000),
        description="Lisboa, 3 noches",
        email="ana@example.test",
        phone="+34 600 000 000",
    )
    (document,) = house.easycount.state()["documents"]
    assert (document["customer_name"], document["sent_mails"]) == ("Ana Prueba", ["ana@example.test"])
    assert "Ana" not in json.dumps([note["params"]["text"] for note in house.crm.state()["notes"]])


def test_the_doctors_question_issues_nothing_and_needs_the_key(house: House) -> None:
    checking._easycount({AGENCY: EasyCountAccount.open(house.settings)}, AGENCY)
    wrong = house.settings.model_copy(update={"api_key": SecretStr("wrong")})
    with pytest.raises(Unauthorised):
        checking._easycount({AGENCY: EasyCountAccount.open(wrong)}, AGENCY)
    assert house.easycount.state()["documents"] == house.easycount.state()["pages"] == []


@pytest.mark.parametrize("operation", ["prepareSafeUrl", "createDoc", "lead", "contact", "patch_lead"])
def test_the_answer_to_another_deal_is_not_taken_for_our_own(house: House, operation: str) -> None:
    house.new_deal()
    house.ask()
    mine = house.new_deal()
    system = house.easycount if operation in ("prepareSafeUrl", "createDoc") else house.crm
    system.faults.set({"operation": operation, "kind": "crossed"})
    house.ask()
    assert operation == "patch_lead" or any("another" in told for told in house.told)
    request = house.store.payment_requests.get(AGENCY, mine)
    assert request is not None
    others = house.store.payment_requests.get(AGENCY, mine - 1)
    assert others is not None
    assert {each.uuid for each in request.documents}.isdisjoint(each.uuid for each in others.documents)
    assert {each.url for each in request.links}.isdisjoint(each.url for each in others.links)
    assert house.audit() == []


def test_money_is_believed_when_two_answers_tell_the_same(house: House) -> None:
    house.new_deal()
    house.ask()
    house.pay()
    house.look()
    first = house.deal
    house.new_deal()
    house.ask()
    house.easycount.faults.set({"operation": "validate", "kind": "crossed"})
    assert house.look().payments == ()
    assert len(house.store.payment_requests.payments(AGENCY, first)) == 1


@pytest.mark.parametrize(("more", "words"), [({"vat_kind": "PRE"}, "PRE"), ({}, "JPY is no currency")])
def test_what_easycount_cannot_issue_is_refused_before_it_is_called(
    systems: Any, store: Store, clock: Clock, more: dict[str, Any], words: str
) -> None:
    with open_house(store, clock, *systems, **more) as house:
        house.new_deal()
        read = house.read()
        amount = eur(30000) if more else Money(amount=30000, currency="JPY")
        step = RequestStep(agency=AGENCY, deal_id=house.deal, revision=read.revision, amount=amount)
        with pytest.raises(ApplicationError, match=words):
            house.documents.make_link(step)
        assert not list(house.easycount.calls)
