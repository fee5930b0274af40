"""The lives that are recorded: every workflow type, its branches, its parkings. Keys and money only, nobody's data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from temporalio.client import Client

from domain.errors import NeedsPerson, Refused, Unauthorised, UnknownOutcome
from domain.mailbox import ExperienceState, PlanState
from domain.money import Money
from domain.naming import Queue
from domain.steps import (
    BackfillProgress,
    ChargeResult,
    DecisionTaken,
    DueInstalment,
    IntegrationOrder,
    MoneyAtStake,
    PlanArrangement,
    PlanStep,
    RevenueOrder,
    TamaraOrder,
)
from tests.workflows.office import WHEN, Office, deliver, told

Play = Callable[[Client, Office], Awaitable[tuple[str, ...]]]


@dataclass(frozen=True)
class Scenario:
    """A name and a play that returns the ids of the workflows to keep."""

    name: str
    play: Play


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 the workers make it true
        await asyncio.sleep(0.02)


async def _answer(client: Client, office: Office, decision: str, explanation: str = "seen and agreed by phone") -> None:
    await _until(lambda: bool(office.parked))
    item = office.parked[-1]
    taken = DecisionTaken.model_validate(
        {"item_id": item.item_id, "decision": decision, "by": "ana", "explanation": explanation}
    )
    await client.get_workflow_handle(item.workflow_id).execute_update("decide", taken)


async def whole_life(client: Client, office: Office) -> tuple[str, ...]:
    """Create, pay by AirPlus, change, cancel, refund; one delivery doubled."""
    booking = "bkg_r1"
    paid = told("payment.captured", booking, fact="pay_r1", payment_id="pay_r1", method="airplus", plan_id="plan_r1")
    await deliver(client, told("booking.created", booking), paid, paid)
    await deliver(client, told("booking.service_changed", booking, 2))
    await deliver(client, told("booking.cancelled", booking, 3, cancellation_id="cxl_r1"))
    await deliver(client, told("payment.refunded", booking, fact="ref_r1", payment_id="pay_r1"))
    await _until(lambda: office.count("tamara.record_refund") == 1)
    own = f"booking/demo/{booking}"
    children = ("create", "modify/2", "cancel/cxl_r1", "refund/ref_r1")
    return (own, "payment/demo/pay_r1", *(f"{own}/{child}" for child in children))


async def refused_before_money(client: Client, office: Office) -> tuple[str, ...]:
    """Refused, taken back, parked, tried again after an unknown outcome."""
    office.fails["giav.register_booking"] = [
        Refused("proveedor desconocido", system="giav"),
        UnknownOutcome("timeout", system="giav", retry_after=0.01),
    ]
    await deliver(client, told("booking.created", "bkg_r2"))
    await _answer(client, office, "retry")
    await _until(lambda: office.count("giav.register_booking") == 1)
    return ("booking/demo/bkg_r2", "booking/demo/bkg_r2/create")


async def parked_after_money(client: Client, office: Office) -> tuple[str, ...]:
    """A change is parked, money passes, a person leaves the step out."""
    office.answers["office.money_at_stake"] = lambda _: MoneyAtStake(captured=Money(amount=30000, currency="EUR"))
    office.fails["giav.amend_booking"] = [NeedsPerson("two reservas found", system="giav", effect="k")]
    booking = "bkg_r3"
    await deliver(client, told("booking.created", booking), told("booking.modified", booking, 2))
    await _until(lambda: bool(office.parked))
    await deliver(client, told("payment.captured", booking, fact="pay_r3", payment_id="pay_r3"))
    await _until(lambda: office.count("journal.record_payment") == 1)
    await _answer(client, office, "skip")
    await _until(lambda: office.count("office.close_lifecycle") == 1)
    return (f"booking/demo/{booking}", f"booking/demo/{booking}/modify/2", "payment/demo/pay_r3")


async def chargeback(client: Client, office: Office) -> tuple[str, ...]:
    """Withdrawn, won, and a refund that failed."""
    booking = "bkg_r4"
    await deliver(
        client,
        told("booking.created", booking),
        told("payment.captured", booking, fact="pay_r4", payment_id="pay_r4"),
        *(
            told("payment.chargeback", booking, fact=f"cbk_r4:{stage}", payment_id="pay_r4", stage=stage)
            for stage in ("opened", "funds_withdrawn", "won")
        ),
        told("payment.refund_failed", booking, fact="ref_r4:failed", payment_id="pay_r4"),
    )
    await _answer(client, office, "skip")
    await _until(lambda: office.count("office.close_lifecycle") == 1)
    refunds = ("cbk_r4:funds_withdrawn", "cbk_r4:won", "ref_r4:failed")
    return (f"booking/demo/{booking}", *(f"booking/demo/{booking}/refund/{fact}" for fact in refunds))


async def experience(client: Client, office: Office) -> tuple[str, ...]:
    """Opened and amended."""
    created = told("experience.created", "exp_r5", experience_id="exp_r5", booking_id=None)
    handle = await client.start_workflow(
        "Experience",
        ExperienceState(agency="demo", experience_id="exp_r5"),
        id=created.workflow_id,
        task_queue=Queue.WORKFLOWS,
        start_signal="deliver",
        start_signal_args=[created],
    )
    await _until(lambda: office.count("giav.open_experience") == 1)
    await handle.signal("deliver", created.model_copy(update={"revision": 2, "kind": "experience.updated"}))
    await _until(lambda: office.count("giav.amend_experience") == 1)
    return (created.workflow_id,)


async def plan(client: Client, office: Office) -> tuple[str, ...]:
    """Arranged, collected, over."""
    due = DueInstalment(instalment_id="ins_2", due_on=WHEN.date(), amount=Money(amount=38200, currency="EUR"))
    owed = PlanArrangement(collection="automatic", due=(due,))
    office.answers["office.arrange_plan"] = lambda step: (
        owed if step.start_due else PlanArrangement(collection="automatic", due=())
    )
    office.answers["office.due_instalments"] = lambda _: owed
    office.answers["platform.collect_instalment"] = lambda _: ChargeResult(status="declined", category="hard")
    told_plan = told("payment_plan.created", "bkg_r6", plan_id="plan_r6", aggregate_id="plan_r6")
    handle = await client.start_workflow(
        "PaymentPlan",
        PlanState(agency="demo", booking_id="bkg_r6"),
        id=told_plan.workflow_id,
        task_queue=Queue.WORKFLOWS,
        start_signal="deliver",
        start_signal_args=[told_plan],
    )
    step = PlanStep(agency="demo", plan_id="plan_r6", booking_id="bkg_r6", event_id="evt_r6", revision=1)
    collecting = await client.start_workflow(
        "CollectInstalment", step, id="collect/demo/plan_r6", task_queue=Queue.WORKFLOWS
    )
    await _answer(client, office, "skip")
    await collecting.result()
    await handle.result()
    return (told_plan.workflow_id, "collect/demo/plan_r6")


async def export(client: Client, office: Office) -> tuple[str, ...]:
    """Sealed and delivered."""
    order = TamaraOrder(agency="demo", kind="MA", day=WHEN.date())
    handle = await client.start_workflow("ExportTamara", order, id="tamara/demo/MA/r7", task_queue=Queue.WORKFLOWS)
    await handle.result()
    return ("tamara/demo/MA/r7",)


async def activation(client: Client, office: Office) -> tuple[str, ...]:
    """The key is refused, another is given; then two pages of what existed before."""
    office.fails["integration.check"] = [Unauthorised("apikey", system="giav")]
    begin = BackfillProgress(ended_since=WHEN.date())
    office.answers["integration.activate"] = lambda _: begin
    office.answers["integration.backfill"] = lambda step: step.progress.model_copy(
        update={
            "phase": "done" if step.progress.cursor else "events",
            "cursor": "200",
            "seen": step.progress.seen + 200,
        }
    )
    order = IntegrationOrder(agency="demo", system="giav", by="ana")
    own = "integration/demo/giav"
    handle = await client.start_workflow("ActivateIntegration", order, id=own, task_queue=Queue.WORKFLOWS)
    await _until(lambda: bool(office.parked))
    await handle.signal("changed")
    await handle.result()
    return (own,)


async def revenue(client: Client, _office: Office) -> tuple[str, ...]:
    """A night's recognition of revenue."""
    order = RevenueOrder(agency="demo", day=WHEN.date())
    handle = await client.start_workflow("RecogniseRevenue", order, id="revenue/demo/r8", task_queue=Queue.WORKFLOWS)
    await handle.result()
    return ("revenue/demo/r8",)


SCENARIOS = [
    Scenario(play.__name__, play)
    for play in (
        whole_life,
        refused_before_money,
        parked_after_money,
        chargeback,
        experience,
        plan,
        export,
        activation,
        revenue,
    )
]
