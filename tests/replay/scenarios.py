"""The lives that are recorded: every workflow type, its branches, its parkings. Keys and money only, nobody's data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client

from domain.check_steps import CheckOrder, FilesChecked
from domain.errors import NeedsPerson, Refused, Unauthorised, UnknownOutcome
from domain.money import Money
from domain.naming import Queue, check_schedule, resend_workflow, tamara_trouble_workflow
from domain.notices import EventNotice
from domain.payment_sync import Command
from domain.steps import (
    BackfillProgress,
    BookingQuestion,
    ChargeResult,
    DecisionTaken,
    Done,
    DueInstalment,
    IntegrationOrder,
    MoneyAtStake,
    PlanArrangement,
    PlanStep,
    RevenueOrder,
    TamaraOrder,
    TamaraRetention,
    UntoldBookings,
)
from domain.superseding import ExperienceState, PlanState
from domain.tamara_steps import TamaraAnswersOrder, TamaraAnswersRead, TamaraTrouble
from tests.replay.crm_scenarios import crm
from tests.replay.deal_scenarios import deal, deal_fails, deal_renewed
from tests.replay.payment_scenarios import breaker, credited, given_back, reconciled, reversed_there
from tests.replay.supplier_scenarios import feed, rebooked
from tests.workflows.office import WHEN, Office, deliver, told
from workflows.messages import Known, LifecycleInput

Play = Callable[[Client, Office], Awaitable[tuple[str, ...]]]


@dataclass(frozen=True)
class Scenario:
    """A name and a play that returns the ids of the workflows to keep."""

    name: str
    play: Play
    renews_after: int | None = None
    """Events after which the server suggests a new run; None: as a server does by itself."""


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


async def _asked_about(office: Office, reason: str) -> None:
    await _until(lambda: bool(office.parked) and office.parked[-1].reason == reason)


async def whole_life(client: Client, office: Office) -> tuple[str, ...]:
    """Create, pay by AirPlus, change, cancel, refund; one delivery doubled."""
    booking = "bkg_r1"
    paid = told("payment.captured", booking, fact="pay_r1", payment_id="pay_r1", method="airplus", plan_id="plan_r1")
    await deliver(client, told("booking.created", booking), paid, paid)
    await deliver(client, told("booking.service_changed", booking, 2))
    await deliver(client, told("booking.cancelled", booking, 3, cancellation_id="cxl_r1"))
    await deliver(client, told("payment.refunded", booking, fact="ref_r1", payment_id="pay_r1"))
    # Which of the two comes first is the mailbox's to say.
    await _until(lambda: office.count("tamara.record_refund") == office.count("tamara.cancel_booking") == 1)
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


async def unsynced_payment(client: Client, office: Office) -> tuple[str, ...]:
    """Refused by the ERP, claimed, let go, and synchronised by a person's command."""
    booking, own = "bkg_r22", "payment/demo/pay_r22"
    office.fails["giav.record_payment"] = [Refused("periodo cerrado", system="giav")]
    paid = told("payment.captured", booking, fact="pay_r22", payment_id="pay_r22")
    await deliver(client, told("booking.created", booking), paid)
    await _until(lambda: bool(office.parked))
    for name in ("claim", "release", "sync_now"):
        await client.get_workflow_handle(own).execute_update(name, Command(command_id=name, actor="ana"))
    await _until(lambda: office.count("giav.record_payment") == 1)
    return (own,)


async def chargeback(client: Client, office: Office) -> tuple[str, ...]:
    """Opened, withdrawn, won, a refund that waits for it, and a refund that failed; then one that is lost and claimed."""
    booking = "bkg_r4"

    def stage(revision: int, name: str, own: str = "cbk_r4") -> EventNotice:
        return told("payment.chargeback", booking, revision, fact=f"{own}:{name}", payment_id="pay_r4", stage=name)

    await deliver(
        client,
        told("booking.created", booking),
        told("payment.captured", booking, fact="pay_r4", payment_id="pay_r4"),
        stage(2, "opened"),
    )
    await _until(lambda: bool(office.parked))
    await deliver(client, stage(3, "funds_withdrawn"))
    await deliver(client, told("payment.refunded", booking, fact="ref_r4", payment_id="pay_r4"))
    await _asked_about(office, "refund_disputed")
    await deliver(client, stage(4, "won"))
    await _until(lambda: len(office.unparked) == 2 and office.count("tamara.record_refund") == 1)
    await deliver(client, told("payment.refund_failed", booking, fact="ref_r4:failed", payment_id="pay_r4"))
    await _asked_about(office, "refund_failed")
    await _answer(client, office, "skip")
    await _until(lambda: office.count("office.close_lifecycle") == 1)
    await deliver(client, stage(5, "lost", "cbk_r4b"))
    await _asked_about(office, "chargeback_lost")
    await _answer(client, office, "claim")
    await _until(lambda: office.count("office.thaw_plan") == 2)
    own = f"booking/demo/{booking}"
    disputes = ("cbk_r4:opened", "cbk_r4:funds_withdrawn", "cbk_r4:won", "cbk_r4b:lost")
    refunds = ("ref_r4", "ref_r4:failed")
    return (own, *(f"{own}/dispute/{fact}" for fact in disputes), *(f"{own}/refund/{fact}" for fact in refunds))


async def owed(client: Client, office: Office) -> tuple[str, ...]:
    """A refund long overdue, and one that was declared and is not shown."""
    office.answers["office.refund_shown"] = lambda _: Done(outcome="partial")
    ended = told("booking.cancelled", "bkg_r21", 2, cancellation_id="cxl_r21", effective_at=WHEN - timedelta(days=30))
    back = told("payment.refunded", "bkg_r21", fact="ref_r21", payment_id="pay_r21", refund_status="declared")
    known = Known(registered=True, owed=27000)
    ids = ("booking/demo/bkg_r21/chase/1", "booking/demo/bkg_r21/confirm/ref_r21")
    await deliver(client, told("booking.created", "bkg_r21"))
    for name, notice, own, reason in (
        ("ChaseRefund", ended, ids[0], "refund_breach"),
        ("ConfirmRefund", back, ids[1], "refund_unconfirmed"),
    ):
        given = LifecycleInput(
            notice=notice, mailbox=notice.workflow_id, experience_id="exp_31", booking_id="bkg_r21", known=known
        )
        handle = await client.start_workflow(name, given, id=own, task_queue=Queue.WORKFLOWS)
        await _asked_about(office, reason)
        await _answer(client, office, "skip")
        await handle.result()
    return ids


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
    """Arranged, paused, resumed, collected, given to a person, over; and one charged at once by a person's order."""
    due = DueInstalment(instalment_id="ins_r6", due_on=WHEN.date(), amount=Money(amount=38200, currency="EUR"))
    other = due.model_copy(update={"instalment_id": "ins_r6b", "due_on": WHEN.date() + timedelta(days=30)})
    owed = [PlanArrangement(collection="automatic", due=(due, other))]
    office.answers["office.arrange_plan"] = lambda _: owed[-1]
    office.answers["office.order_plan"] = lambda _: owed[-1]
    office.answers["office.due_instalments"] = lambda _: PlanArrangement(collection="automatic", due=(due,))
    office.answers["platform.collect_instalment"] = lambda step: (
        ChargeResult(status="declined", category="hard")
        if step.instalment_id == "ins_r6"
        else ChargeResult(status="captured", payment_id="pay_r6")
    )
    told_plan = told("payment_plan.created", "bkg_r6", plan_id="plan_r6", aggregate_id="plan_r6")
    handle = await client.start_workflow(
        "PaymentPlan",
        PlanState(agency="demo", booking_id="bkg_r6"),
        id=told_plan.workflow_id,
        task_queue=Queue.WORKFLOWS,
        start_signal="deliver",
        start_signal_args=[told_plan],
    )
    await _until(lambda: office.count("office.arrange_plan") == 1)
    for order, own in (("pause", None), ("resume", None), ("skip", "ins_r6b"), ("charge_now", "ins_r6b")):
        command = {"order": order, "by": "ana", "why": "agreed by phone", "instalment_id": own}
        await handle.execute_update("order", command)
    charged = client.get_workflow_handle("instalment/demo/ins_r6b")
    await charged.result()
    step = PlanStep(agency="demo", plan_id="plan_r6", booking_id="bkg_r6", event_id="evt_r6", revision=1)
    collecting = await client.start_workflow(
        "CollectInstalment", step, id="collect/demo/plan_r6", task_queue=Queue.WORKFLOWS
    )
    await _until(lambda: bool(office.parked))
    owed.append(PlanArrangement(collection="automatic", due=()))
    await _answer(client, office, "skip")
    await collecting.result()
    pursued = client.get_workflow_handle("instalment/demo/ins_r6")
    await pursued.result()
    await handle.result()
    return (told_plan.workflow_id, "collect/demo/plan_r6", pursued.id, charged.id)


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


async def connection(client: Client, office: Office) -> tuple[str, ...]:
    """A mid-office comes into use, and is told of two bookings that were made before."""
    pages = [("bkg_r11", "bkg_r12"), ()]
    office.answers["midoffice.untold"] = lambda step: UntoldBookings(
        progress=step.progress.model_copy(update={"cursor": "bkg_r12"} if len(pages) > 1 else {"phase": "done"}),
        bookings=pages.pop(0),
    )
    order = IntegrationOrder(agency="demo", system="tina", by="ana")
    own = "integration/demo/tina"
    handle = await client.start_workflow("ActivateIntegration", order, id=own, task_queue=Queue.WORKFLOWS)
    await handle.result()
    return (own,)


async def revenue(client: Client, _office: Office) -> tuple[str, ...]:
    """A night's recognition of revenue."""
    order = RevenueOrder(agency="demo", day=WHEN.date())
    handle = await client.start_workflow("RecogniseRevenue", order, id="revenue/demo/r8", task_queue=Queue.WORKFLOWS)
    await handle.result()
    return ("revenue/demo/r8",)


async def acknowledged_later(client: Client, office: Office) -> tuple[str, ...]:
    """A mid-office takes a booking into its queue and answers at the second look; then it is sent again by a person."""
    booking, key = "bkg_r9", "demo/ziel/booking/bkg_r9/announce#1"
    silent = [Done(awaiting=(key,)), Done()]
    registered = [Done(awaiting=(key,)), Done(ids={"order": "Z100001"})]
    office.answers["midoffice.register_booking"] = lambda _: registered.pop(0)
    office.answers["midoffice.read_answers"] = lambda _: silent.pop(0)
    handle = await deliver(client, told("booking.created", booking))
    await _until(lambda: not registered)
    office.fails["midoffice.resend"] = [Refused("E30: VORG[1].lieferant", system="ziel", effect=key)]
    again = await client.start_workflow(
        "ResendBooking",
        BookingQuestion(agency="demo", booking_id=booking),
        id=resend_workflow("demo", booking),
        task_queue=Queue.WORKFLOWS,
    )
    await _answer(client, office, "retry")
    await again.result()
    return handle.id, f"{handle.id}/create", again.id


async def nightly_check(client: Client, office: Office) -> tuple[str, ...]:
    """Two pages of files, of which the second is refused at first."""
    pages = {"": FilesChecked(after="exp_20", compared=20), "exp_20": FilesChecked(compared=3)}
    office.answers["giav.check_files"] = lambda step: pages[step.after]
    office.fails["giav.check_invoices"] = [Unauthorised("HTTP 401", system="giav")]
    own = check_schedule("demo", "files")
    handle = await client.start_workflow("CheckFiles", CheckOrder(agency="demo"), id=own, task_queue=Queue.WORKFLOWS)
    await _answer(client, office, "retry")
    await handle.result()
    return (own,)


async def answers(client: Client, office: Office) -> tuple[str, ...]:
    """AirPlus' answers are read; one file was refused, a person has it sent again, and then it is gone."""
    trouble = TamaraTrouble(
        key="refused-r10",
        about="refused",
        reason="tamara_file_refused",
        detail="refused whole",
        decisions=("retry", "skip"),
        partner_id="TESTPARTNER1",
        kind="MA",
        seq=1,
    )
    office.answers["tamara.read_answers"] = lambda _: TamaraAnswersRead(read=1, troubles=(trouble,))
    office.answers["tamara.settle"] = lambda _: Done(ids={"file": "T.dat"})
    office.answers["tamara.examine"] = lambda _: TamaraAnswersRead()
    order = TamaraAnswersOrder(agency="demo")
    handle = await client.start_workflow(
        "ReadTamaraAnswers", order, id="tamara-answers/demo/r10", task_queue=Queue.WORKFLOWS
    )
    await _answer(client, office, "retry")
    own = tamara_trouble_workflow("demo", trouble.key)
    await client.get_workflow_handle(own).result()
    return (handle.id, own)


async def retention(client: Client, _office: Office) -> tuple[str, ...]:
    """A night's destruction of old AirPlus files."""
    order = TamaraRetention(agency="demo")
    handle = await client.start_workflow("RetireTamara", order, id="tamara/demo/retention", task_queue=Queue.WORKFLOWS)
    await handle.result()
    return ("tamara/demo/retention",)


async def card_search(client: Client, _office: Office) -> tuple[str, ...]:
    """A week's search for account numbers."""
    name = "tamara/demo/card-search"
    order = TamaraRetention(agency="demo")
    handle = await client.start_workflow("SearchCards", order, id=name, task_queue=Queue.WORKFLOWS)
    await handle.result()
    return (name,)


SCENARIOS = [
    Scenario(play.__name__, play)
    for play in (
        whole_life,
        rebooked,
        feed,
        refused_before_money,
        parked_after_money,
        unsynced_payment,
        breaker,
        reversed_there,
        credited,
        given_back,
        reconciled,
        chargeback,
        owed,
        experience,
        plan,
        export,
        retention,
        card_search,
        activation,
        connection,
        crm,
        deal,
        deal_fails,
        nightly_check,
        revenue,
        acknowledged_later,
        answers,
    )
]
SCENARIOS.append(Scenario("deal_renewed", deal_renewed, renews_after=40))
