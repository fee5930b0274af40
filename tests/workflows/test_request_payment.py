"""A deal from the webhook to the books: what is asked, issued, shown, and who is asked when it is not simply paid."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from domain import naming
from domain.deal_steps import (
    DealCommand,
    DealPayment,
    DealRead,
    DealReading,
    DealShown,
    DealState,
    DealView,
    LinkAtWork,
    LinksSeen,
    Standing,
)
from domain.deals import Role
from domain.errors import Refused, Transient, Unauthorised
from domain.money import Money
from domain.steps import DecisionTaken, Done
from tests.workflows.office import Office, working

_deals = itertools.count(100)
TRIGGER, WAITING = 10, 11


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


class Crm:
    """A deal and its pages as the cells would tell of them; time is the test server's own."""

    def __init__(self, office: Office, *, booking: str | None = None, amount: int = 30000) -> None:
        self.office = office
        self.deal = next(_deals)
        self.read = DealRead(asks=True, revision=1, fresh=True, amount=eur(amount), booking_id=booking, stage=TRIGGER)
        self.pages: list[LinkAtWork] = []
        self.payments: list[DealPayment] = []
        office.answers["crm.read_deal"] = self._read
        office.answers["crm.show_deal"] = lambda s: DealShown(moved_to=WAITING if s.move_to else None)
        office.answers["easycount.make_link"] = self._page
        office.answers["easycount.issue_document"] = lambda s: Done(ids={"document": f"30000{s.revision}"})
        office.answers["easycount.check_links"] = lambda _: self._seen()
        office.answers["easycount.settle_payment"] = self._settled
        office.answers["easycount.standing"] = self._standing

    def _read(self, asked: DealReading) -> DealRead:
        return self.read

    def _page(self, step: Any) -> LinkAtWork:
        from datetime import UTC, datetime

        made = self.now() if self.now else datetime.now(UTC)
        page = LinkAtWork(
            number=len(self.pages) + 1,
            revision=step.revision,
            amount=step.amount or self.read.amount or eur(1),
            made_at=made,
            expires_at=made + timedelta(hours=72),
        )
        self.pages.append(page)
        return page

    now: Callable[[], Any] | None = None

    def _seen(self) -> LinksSeen:
        paid = {payment.link for payment in self.payments}
        links = tuple(page.model_copy(update={"paid": page.number in paid}) for page in self.pages)
        return LinksSeen(links=links, payments=tuple(self.payments))

    def _settled(self, step: Any) -> Done:
        self.payments = [
            p.model_copy(update={"handled": p.handled or p.payment_id == step.payment_id}) for p in self.payments
        ]
        return Done()

    def _standing(self, _: Any) -> Standing:
        seen = self._seen()
        if not self.pages:
            return Standing()
        return Standing(
            links=seen.links,
            payments=seen.payments,
            state="paid" if self.payments else "awaiting_payment",
            revision=self.pages[-1].revision,
            amount=self.read.amount,
            booking_id=self.read.booking_id,
            issued=tuple(page.revision for page in self.pages),
            stage=WAITING,
        )

    def pays(self, link: int = 1, amount: int = 30000, role: Role = "first") -> DealPayment:
        payment = DealPayment(link=link, payment_id=f"pay_{self.deal}x{link}", amount=eur(amount), role=role)
        self.payments.append(payment)
        return payment

    @property
    def shown(self) -> list[str]:
        return [picture.state for picture in self.office.of("crm.show_deal")]

    @property
    def state(self) -> str:
        return self.shown[-1]


async def started(client: Client, crm: Crm, **more: Any) -> WorkflowHandle[Any, Any]:
    given = DealState(agency="demo", deal_id=crm.deal, **more)
    return await client.start_workflow(
        "RequestPayment",
        given,
        id=naming.deal_workflow("demo", crm.deal),
        task_queue=naming.Queue.WORKFLOWS,
        start_signal="changed",
        start_signal_args=[given],
    )


async def order(handle: WorkflowHandle[Any, Any], what: str, **more: Any) -> str:
    command = DealCommand.model_validate(
        {"key": f"{what}-{len(more)}", "order": what, "by": "Ana", "explanation": "as the customer asked"} | more
    )
    told: str = await handle.execute_update("order", command, result_type=str)
    return told


async def until(true: Callable[[], bool]) -> None:
    """The test's time limit ends a wait in vain."""
    while not true():  # noqa: ASYNC110 what is asked for happens in other tasks, which know nothing of us
        await asyncio.sleep(0.02)


async def until_renewed(client: Client, handle: WorkflowHandle[Any, Any], looks: Callable[[], int]) -> None:
    """Let the pages be looked at again and again, until the server has suggested a new run and the deal has taken it."""
    first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    while (await first.describe()).status is not WorkflowExecutionStatus.CONTINUED_AS_NEW:
        before = looks()
        await client.get_workflow_handle(handle.id).signal("look")
        await until(lambda before=before: looks() > before)  # type: ignore[misc]


async def decide(client: Client, office: Office, decision: str) -> None:
    item = office.parked[-1]
    taken = DecisionTaken(item_id=item.item_id, decision=decision, by="Ana", explanation="as agreed by telephone")
    await client.get_workflow_handle(item.workflow_id).execute_update("decide", taken, result_type=str)


# Asking -------------------------------------------------------------------------------------------------------------------


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


# Paying -------------------------------------------------------------------------------------------------------------------


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
