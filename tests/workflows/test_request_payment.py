"""A deal from the webhook to its page: what is asked, issued and shown, and what people order of it."""

from __future__ import annotations

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from domain.deal_steps import DealRead, DealView
from domain.errors import Refused, Unauthorised
from tests.workflows.crm import TRIGGER, WAITING, Crm, decide, eur, order, started, until
from tests.workflows.office import Office, working


async def test_a_deal_gets_page_document_and_letter_and_shows_the_link(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        view = DealView.model_validate(await handle.query("view", result_type=DealView))
        await handle.terminate()
    order_of = [name for name in office.names if not name.startswith("crm.show")]
    assert order_of[:5] == [
        "easycount.standing",
        "crm.read_deal",
        "easycount.make_link",
        "easycount.issue_document",
        "office.mail_request",
    ]
    assert (view.state, view.waits_for, view.amount) == ("awaiting_payment", "the customer", eur(30000))


async def test_the_same_deal_told_many_times_is_asked_for_once(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: office.count("office.mail_request") == 1)
        for _ in range(5):
            await started(dev_server, crm)
        await until(lambda: office.count("crm.read_deal") >= 2)
        await handle.terminate()
    assert office.count("easycount.make_link") == office.count("easycount.issue_document") == 1


async def test_a_deal_that_lacks_something_is_answered_with_a_task_and_nothing_is_issued(
    dev_server: Client, office: Office
) -> None:
    crm = Crm(office)
    crm.read = DealRead(asks=True, stage=TRIGGER, faults=("the customer's name is missing",))
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await handle.result()
    (picture,) = office.of("crm.show_deal")
    assert (picture.state, picture.task) == ("failed", True)
    assert "the customer's name is missing" in picture.text
    assert office.count("easycount.make_link") == 0


async def test_a_new_amount_gets_a_new_document_and_both_pages_are_watched(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.read = crm.read.model_copy(update={"revision": 2, "amount": eur(40000)})
        await started(dev_server, crm)
        await until(lambda: office.count("office.mail_request") == 2)
        view = DealView.model_validate(await handle.query("view", result_type=DealView))
        await handle.terminate()
    assert [step.revision for step in office.of("easycount.issue_document")] == [1, 2]
    assert (view.links, view.amount) == (2, eur(40000))


async def test_a_deal_that_is_lost_is_cancelled_and_one_that_is_deleted_is_watched_on(
    dev_server: Client, office: Office
) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.read = DealRead(gone=True)
        await started(dev_server, crm)
        await until(lambda: office.count("crm.read_deal") == 2)
        assert (await handle.query("view", result_type=DealView)).state == "awaiting_payment"
        crm.read = DealRead(lost=True, stage=143)
        await started(dev_server, crm)
        await until(lambda: crm.state == "cancelled")
        await handle.terminate()
    assert office.count("easycount.withdraw") == 1


async def test_a_document_that_is_refused_waits_for_a_person_while_the_old_page_is_watched(
    dev_server: Client, office: Office
) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        office.fails["easycount.issue_document"] = [Unauthorised("no signature", system="easycount")]
        crm.read = crm.read.model_copy(update={"revision": 2, "amount": eur(40000)})
        await started(dev_server, crm)
        await until(lambda: len(office.parked) == 1)
        crm.pays(1, role="partial")
        await handle.signal("look")
        await until(lambda: office.count("easycount.issue_receipt") == 1)
        await handle.terminate()
    assert office.parked[0].reason == "easycount_unauthorised"


# People's orders ----------------------------------------------------------------------------------------------------------


async def test_a_refund_is_documented_and_booked_once_and_the_deal_says_so(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.pays()
        await handle.signal("look")
        await handle.result()
        crm.read = DealRead(stage=WAITING)
        again = await started(dev_server, crm)
        await order(again, "refund", reference="re_77")
        await again.result()
    assert [(s.amount, s.reference) for s in office.of("easycount.credit")] == [(eur(30000), "re_77")]
    assert office.count("journal.refund_deal") == 1
    assert crm.state == "refunded"


async def test_orders_that_make_no_sense_are_refused_in_words(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        for what, more, words in (
            ("refund", {"reference": "re_1"}, "no payment of this deal"),
            ("refund", {}, "name the reference"),
            ("cancel", {"explanation": "no"}, "at least 10 characters"),
            ("cancel", {"by": "system"}, "say who"),
        ):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await order(handle, what, **more)
            assert words in str(refused.value.cause)
        await handle.terminate()
    assert crm.state == "awaiting_payment"


async def test_a_cancelled_request_is_asked_for_anew_when_a_person_wants_it(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        await order(handle, "cancel")
        await until(lambda: crm.state == "cancelled")
        crm.read = crm.read.model_copy(update={"revision": 2})
        await order(handle, "request")
        await until(lambda: crm.state == "awaiting_payment")
        await handle.terminate()
    assert office.of("crm.read_deal")[-1].anew


async def test_what_a_deal_says_after_it_was_paid_is_a_question(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.pays()
        await handle.signal("look")
        await handle.result()
        crm.read = DealRead(stage=TRIGGER, changed=True)
        again = await started(dev_server, crm)
        await until(lambda: len(office.parked) == 1)
        await decide(dev_server, office, "decline")
        await again.result()
    assert office.parked[0].reason == "deal_changed_after_payment"
    assert office.count("easycount.issue_document") == 1


async def test_a_payment_found_by_a_new_run_is_followed_to_its_end(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        await handle.terminate()
        crm.pays()
        crm.read = DealRead(stage=WAITING)
        again = await started(dev_server, crm)
        await again.result()
    assert office.count("easycount.issue_receipt") == 1
    assert crm.state == "paid"


async def test_a_refused_receipt_does_not_hold_up_the_books(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    office.fails["easycount.issue_receipt"] = [Refused("220.7", system="easycount")]
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.pays()
        await handle.signal("look")
        await until(lambda: len(office.parked) == 1 and office.count("journal.record_deal") == 1)
        assert crm.state == "paid_unsynced"
        await decide(dev_server, office, "retry")
        await handle.result()
    assert crm.state == "paid"
