"""Stand-in activities for workflow tests: every cell of the table answers as told, and remembers that it was asked."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.failures import as_failure
from activities.signatures import VERBS, Verb
from domain import naming
from domain.connector_steps import Admission, BreakerKept, Described, ReconcilePage, WaitingPayments
from domain.deal_steps import DealRead, DealsFound, DealShown, LinkAtWork, LinksSeen, RefundedSoFar, Standing
from domain.duplicates import CreditPlan
from domain.errors import BackOfficeError
from domain.mailbox import BookingState
from domain.money import Money
from domain.notices import EventNotice
from domain.payment_steps import TransitionLog
from domain.payment_sync import Evidence, Transition, Verdict
from domain.plan_steps import ReturnVerdict
from domain.ports import RefundCase
from domain.steps import (
    ChargeResult,
    Done,
    MoneyAtStake,
    Parked,
    Parking,
    PlanArrangement,
    SealedFile,
    Unparking,
)
from domain.supplier_steps import FeedPage, HandedOver, OrderCancelled, OrderVerdict, SupplierPlan
from workers.sandboxing import workflow_runner
from workflows.registry import WORKFLOWS

WHEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

ANSWERS: dict[str, Callable[[Any], BaseModel]] = {
    "office.park": lambda p: Parked(item_id=p.item_id, owner="planner", deadline=p.since + timedelta(days=1)),
    "office.money_at_stake": lambda _: MoneyAtStake(),
    "office.arrange_plan": lambda _: PlanArrangement(collection="automatic", due=()),
    "office.due_instalments": lambda _: PlanArrangement(collection="automatic", due=()),
    "giav.probe_payment": lambda _: Evidence(verdict=Verdict.UNPAID, at=datetime.now(UTC), words="nothing is there"),
    "office.admit_payment": lambda _: Admission(),
    "office.keep_breaker": lambda _: BreakerKept(),
    "office.waiting_payments": lambda _: WaitingPayments(),
    "giav.describe": lambda _: Described(),
    "journal.describe": lambda _: Described(),
    "giav.reconcile": lambda _: ReconcilePage(),
    "journal.reconcile": lambda _: ReconcilePage(),
    "journal.probe_payment": lambda _: Evidence(verdict=Verdict.UNPAID, at=datetime.now(UTC), words="nothing is there"),
    "giav.record_payment": lambda _: Done(ids={"cobro": "501"}),
    "gateway.request_refund": lambda s: RefundCase(
        case_id=f"{s.payment_id}:{s.number}", state="requested", by_hand=True
    ),
    "gateway.get_refund": lambda s: RefundCase(case_id=s.case_id, state="requested", by_hand=True),
    "office.plan_credit": lambda s: CreditPlan(remainder=s.amount),
    "office.order_plan": lambda _: PlanArrangement(collection="automatic", due=()),
    "office.judge_return": lambda _: ReturnVerdict(answer="ask", code="MS03", words="the bank gave no reason"),
    "platform.collect_instalment": lambda _: ChargeResult(status="captured", payment_id="pay_2"),
    "ratehawk.plan_orders": lambda _: SupplierPlan(),
    "ratehawk.cancel_order": lambda _: OrderCancelled(),
    "ratehawk.judge_order": lambda _: OrderVerdict(verdict="confirmed"),
    "ratehawk.read_page": lambda _: FeedPage(),
    "ratehawk.read_nudged": lambda _: FeedPage(),
    "ratehawk.hand_over": lambda _: HandedOver(),
    "crm.read_deal": lambda _: DealRead(gone=True),
    "crm.show_deal": lambda _: DealShown(),
    "crm.sweep_deals": lambda _: DealsFound(),
    "easycount.standing": lambda _: Standing(),
    "easycount.check_links": lambda _: LinksSeen(),
    "easycount.credit": lambda _: RefundedSoFar(credit="330001", receipt="400001"),
    "easycount.make_link": lambda s: LinkAtWork(
        number=s.revision,
        revision=s.revision,
        amount=s.amount or Money(amount=30000, currency="EUR"),
        made_at=WHEN,
        expires_at=WHEN + timedelta(hours=72),
    ),
    "tamara.seal_file": lambda s: SealedFile(partner_id="TESTPARTNER1", kind=s.kind, seq=1, name="T.dat", lines=1),
}


class Office:
    """Answers every cell; `fails` scripts the next failures of a cell, `asked` is the log in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.fails: dict[str, list[BackOfficeError]] = defaultdict(list)
        self.answers = dict(ANSWERS)
        self.logged: list[TransitionLog] = []

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.asked]

    def count(self, name: str) -> int:
        return self.names.count(name)

    def of(self, name: str) -> list[Any]:
        return [given for asked, given in self.asked if asked == name]

    @property
    def moves(self) -> list[Transition]:
        """Every move of every payment, in the order in which they were written down."""
        return [line for log in self.logged for line in log.lines]

    @property
    def parked(self) -> list[Parking]:
        return self.of("office.park")

    @property
    def unparked(self) -> list[Unparking]:
        return self.of("office.unpark")

    def cells(self, queue: str) -> list[Callable[..., Any]]:
        return [self._cell(verb) for verb in VERBS.values() if verb.queue == queue]

    def _cell(self, verb: Verb[Any, Any]) -> Callable[..., Any]:
        async def cell(step: Any) -> Any:
            if self.fails[verb.name]:
                raise as_failure(self.fails[verb.name].pop(0))
            if isinstance(step, TransitionLog):
                # Written behind the work, in as many parts as it takes: not among what the work itself asks.
                self.logged.append(step)
                return Done()
            self.asked.append((verb.name, step))
            answer = self.answers.get(verb.name, lambda _: Done())(step)
            return await answer if inspect.isawaitable(answer) else answer

        cell.__annotations__ = {"step": verb.takes, "return": verb.gives}
        return activity.defn(name=verb.name)(cell)


@asynccontextmanager
async def working(client: Client, office: Office, *, max_cached_workflows: int = 100) -> AsyncIterator[None]:
    """Workers for every queue, as in production, with the stand-in activities."""
    async with AsyncExitStack() as stack:
        # Only for tests that put real cells among those that answer as told.
        threads = stack.enter_context(ThreadPoolExecutor(100))
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=naming.Queue.WORKFLOWS,
                workflows=WORKFLOWS,
                workflow_runner=workflow_runner(),
                max_cached_workflows=max_cached_workflows,
            )
        )
        for queue in set(naming.Queue) - {naming.Queue.WORKFLOWS}:
            await stack.enter_async_context(
                Worker(client, task_queue=queue, activities=office.cells(queue), activity_executor=threads)
            )
        yield


def told(kind: str, booking: str, revision: int = 1, fact: str | None = None, **more: Any) -> EventNotice:
    """A notice about one booking; money of 300.00 EUR unless told otherwise."""
    return EventNotice.model_validate(
        {
            "agency": "demo",
            "event_id": f"evt_{booking}_{kind}_{fact or revision}",
            "kind": kind,
            "aggregate_id": booking,
            "revision": revision,
            "fact_id": fact or f"{booking}@{revision}",
            "occurred_at": WHEN,
            "booking_id": booking,
            "experience_id": "exp_31",
            "amount": Money(amount=30000, currency="EUR"),
            "ends_on": date(2027, 6, 23),
            **more,
        }
    )


async def deliver(client: Client, *notices: EventNotice) -> WorkflowHandle[Any, Any]:
    """Signal-with-start, as the dispatcher does."""
    handle: WorkflowHandle[Any, Any] | None = None
    for notice in notices:
        handle = await client.start_workflow(
            "Booking",
            BookingState(agency=notice.agency, booking_id=notice.booking_id or ""),
            id=notice.workflow_id,
            task_queue=naming.Queue.WORKFLOWS,
            start_signal="deliver",
            start_signal_args=[notice],
        )
    assert handle is not None
    return handle
