"""A deal that is paid: once, twice, late or in part, and what the books and the booking hear of it."""

from __future__ import annotations

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from domain.errors import Transient
from domain.steps import Done
from tests.workflows.crm import Crm, decide, eur, order, started, until
from tests.workflows.office import Office, working


async def test_a_paid_deal_of_a_booking_is_told_to_the_booking_and_posted_by_nobody_else(
    dev_server: Client, office: Office
) -> None:
    crm = Crm(office, booking="bkg_500")
    office.answers["easycount.hand_over"] = lambda _: Done(ids={"payment": "pay_1"})
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.pays()
        await handle.signal("look")
        await handle.result()
    assert crm.shown == ["creating", "awaiting_payment", "paid_unsynced", "paid"]
    assert office.count("easycount.issue_receipt") == office.count("easycount.hand_over") == 1
    assert office.count("journal.record_deal") == 0
    assert [p.move_to for p in office.of("crm.show_deal")] == [None, "waiting", None, "paid"]


async def test_a_paid_deal_without_a_booking_is_posted_on_its_own(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.pays()
        await handle.signal("look")
        await handle.result()
    assert [step.what for step in office.of("journal.record_deal")] == ["record"]
    assert office.count("easycount.hand_over") == 0


async def test_money_for_a_booking_that_nobody_knows_waits_in_suspense_until_it_is_known(
    dev_server: Client, office: Office
) -> None:
    crm = Crm(office, booking="bkg_501")
    office.answers["easycount.hand_over"] = lambda _: Done(outcome="skipped")
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.pays()
        await handle.signal("look")
        await until(lambda: len(office.parked) == 1)
        assert (office.parked[0].reason, office.parked[0].amount) == ("unknown_booking", eur(30000))
        office.answers["easycount.hand_over"] = lambda _: Done()
        await decide(dev_server, office, "retry")
        await handle.result()
    assert [step.what for step in office.of("journal.record_deal")] == ["suspend"]
    assert crm.state == "paid"


@pytest.mark.covers("F-C15")
async def test_a_crm_that_is_away_costs_no_second_document_and_holds_up_no_money(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    crm = Crm(office)
    down = Transient("away", system="kommo", retry_after=600.0)
    async with working(skipping.client, office):
        office.fails["crm.show_deal"] = [down] * 9
        moment = await skipping.get_current_time()
        crm.now = lambda: moment
        crm.pays(1)
        handle = await started(skipping.client, crm)
        await handle.result()
    (item,) = office.parked
    assert item.reason == "deal_not_shown"
    assert item.decisions == ("retry", "skip")
    assert office.unparked[0].taken.by == "system"
    assert office.count("easycount.issue_document") == office.count("easycount.make_link") == 1
    assert crm.shown == ["creating", "awaiting_payment", "paid_unsynced", "paid"]
    assert office.names.index("easycount.issue_receipt") < office.names.index("crm.show_deal")


@pytest.mark.covers("F-C18")
@pytest.mark.parametrize(("decision", "what"), [("approve", "record"), ("decline", "return")])
async def test_a_deal_paid_twice_keeps_the_second_payment_in_suspense_until_a_person_says(
    dev_server: Client, office: Office, decision: str, what: str
) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.read = crm.read.model_copy(update={"revision": 2, "amount": eur(40000)})
        await started(dev_server, crm)
        await until(lambda: office.count("office.mail_request") == 2)
        crm.pays(2, 40000)
        crm.pays(1, 30000, "duplicate")
        await handle.signal("look")
        await until(lambda: len(office.parked) == 1)
        assert (office.parked[0].reason, office.parked[0].amount) == ("deal_paid_twice", eur(30000))
        await decide(dev_server, office, decision)
        await handle.result()
    second = [step.what for step in office.of("journal.record_deal") if step.link == 1]
    assert second == ["suspend", what]
    assert office.count("easycount.issue_receipt") == (2 if decision == "approve" else 1)
    assert crm.state == "paid"


async def test_a_payment_after_cancelling_is_a_persons_question(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        await order(handle, "cancel")
        await until(lambda: crm.state == "cancelled")
        crm.pays(1, role="after_cancel")
        await handle.signal("look")
        await until(lambda: len(office.parked) == 1)
        await decide(dev_server, office, "decline")
        await handle.result()
    assert office.of("easycount.check_links")[-1].cancelled
    assert office.parked[0].reason == "deal_paid_cancelled"
    assert crm.state == "cancelled"


async def test_a_late_payment_is_recorded_and_looked_at_by_a_person(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.pays(1, role="late")
        await handle.signal("look")
        await until(lambda: crm.state == "review" and len(office.parked) == 1)
        assert office.count("easycount.issue_receipt") == 1
        await decide(dev_server, office, "approve")
        await handle.result()
    assert crm.state == "paid"


async def test_the_rest_of_a_partial_payment_is_asked_for_when_a_person_wants_it(
    dev_server: Client, office: Office
) -> None:
    crm = Crm(office)
    async with working(dev_server, office):
        handle = await started(dev_server, crm)
        await until(lambda: crm.shown == ["creating", "awaiting_payment"])
        crm.pays(1, 10000, "partial")
        await handle.signal("look")
        await until(lambda: len(office.parked) == 1)
        await decide(dev_server, office, "decline")
        await until(lambda: len(crm.pages) == 2)
        crm.pays(2, 20000)
        await until(lambda: office.count("office.mail_request") == 2)
        await handle.signal("look")
        await handle.result()
    assert [(step.ordinal, step.amount) for step in office.of("easycount.make_link")] == [(1, None), (2, eur(20000))]
    assert crm.state == "paid"


async def test_pages_are_looked_at_by_the_clock_until_a_day_after_they_expire(
    skipping: WorkflowEnvironment, office: Office
) -> None:
    crm = Crm(office)
    moment = await skipping.get_current_time()
    crm.now = lambda: moment
    async with working(skipping.client, office):
        handle = await started(skipping.client, crm)
        await handle.result()
    # 15 s, 30 s, 1, 2, 5, 10, 30 min, every hour to 72 h, once more a day later.
    assert office.count("easycount.check_links") == 7 + 72 + 1
    assert crm.state == "failed"
    assert office.of("crm.show_deal")[-1].task
