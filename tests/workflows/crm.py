"""A deal of the CRM and its pages, told by a test instead of by the cells."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from domain import naming
from domain.deal_steps import (
    DealCommand,
    DealPayment,
    DealRead,
    DealReading,
    DealShown,
    DealState,
    LinkAtWork,
    LinksSeen,
    Standing,
)
from domain.deals import Role
from domain.money import Money
from domain.steps import DecisionTaken, Done
from tests.workflows.office import Office

_deals = itertools.count(100)
TRIGGER, WAITING = 10, 11


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


class Crm:
    """A deal and its pages as the cells would tell of them; time is the test server's own."""

    now: Callable[[], Any] | None = None

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
