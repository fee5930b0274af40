"""Lives of payments at their connector: held and let through, reversed in the ERP and sent again, two sides laid beside each other;
duplicates that were credited and given back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle

from domain.connector_steps import (
    Admission,
    BreakerKept,
    BreakerOrder,
    ConnectorState,
    FailureReport,
    Happening,
    ReconcileOrder,
    ReconcilePage,
    TellPayment,
    WaitingPayment,
    WaitingPayments,
)
from domain.duplicates import CreditPart, CreditPlan
from domain.errors import Transient
from domain.money import Money
from domain.naming import Queue, connector_workflow, payment_workflow, reconciliation_schedule
from domain.payment_sync import (
    Command,
    CommandOutcome,
    Evidence,
    Failing,
    Kind,
    PaymentSync,
    State,
    Verdict,
)
from domain.payment_sync.breaker import MANY, Breaker
from domain.ports import RefundCase
from domain.steps import DecisionTaken
from tests.workflows.office import WHEN, Office, deliver, told
from workflows.messages import LifecycleInput


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 the workers make it true
        await asyncio.sleep(0.02)


async def breaker(client: Client, office: Office) -> tuple[str, ...]:
    """Many payments fail, one is held; it is let through once the ERP answers; a person opens and closes the breaker."""
    own, payment = connector_workflow("demo", "giav"), payment_workflow("demo", "pay_r41")
    held = True
    waiting = WaitingPayment(payment_id="pay_r41", workflow_id=payment, state=State.CAPTURED)

    def waits(_: Any) -> WaitingPayments:
        return WaitingPayments(payments=(waiting,) if office.count("giav.record_payment") == 0 else ())

    def admits(_: Any) -> Admission:
        words = "the breaker of giav is open (not connected)"
        return Admission(permitted=False, because=words, breaker_is_open=True) if held else Admission()

    def keeps(step: Any) -> BreakerKept:
        nonlocal held
        held = step.breaker.trying != "pay_r41" and not step.breaker.is_closed
        return BreakerKept(waiting=int(held), money={"EUR": 30000} if held else {})

    office.answers["office.waiting_payments"] = waits
    office.answers["office.admit_payment"] = admits
    state = ConnectorState(agency="demo", connector="giav", breaker=Breaker(agency="demo", connector="giav"))
    handle = await client.start_workflow("Connector", state, id=own, task_queue=Queue.WORKFLOWS)
    await _until(lambda: office.count("office.age_payments") == 1)
    paid = told("payment.captured", "bkg_r41", fact="pay_r41", payment_id="pay_r41")
    await deliver(client, told("booking.created", "bkg_r41"), paid)
    await _until(lambda: any(line.event is Kind.HELD for line in office.moves))
    office.answers["office.keep_breaker"] = keeps
    office.fails["giav.describe"] = [Transient("not connected", system="giav", retry_after=0.01) for _ in range(2)]
    for number in range(MANY):
        report = FailureReport(
            payment_id=f"pay_r41{number}",
            workflow_id=payment_workflow("demo", f"pay_r41{number}"),
            at=WHEN + timedelta(seconds=number),
            failing=Failing.TRANSIENT,
            words="not connected",
        )
        await handle.signal("failed", report)
    await _until(lambda: bool(office.unparked))
    order = BreakerOrder(by="ana", why="GIAV moves to other machines tonight")
    await handle.execute_update("open_breaker", order)
    await handle.execute_update("close_breaker", order)
    await handle.execute_update("accept_contract", order)
    return own, payment


async def reversed_there(client: Client, office: Office) -> tuple[str, ...]:
    """A settled payment whose receipt is gone: a person sends it again, and then the bank takes it back."""
    own = payment_workflow("demo", "pay_r42")
    amount = Money(amount=30000, currency="EUR")
    settled = PaymentSync(
        payment_id="pay_r42",
        amount=amount,
        state=State.SYNCED_AUTO,
        version=4,
        since=WHEN,
        captured_at=WHEN,
        receipt_id="7",
    )
    notice = told("payment.captured", "bkg_r42", fact="pay_r42", payment_id="pay_r42")
    given = LifecycleInput(
        notice=notice, mailbox="booking/demo/bkg_r42", experience_id="exp_31", booking_id="bkg_r42", resumed=settled
    )
    gone = Happening(kind=Kind.REVERSED, text="cobro 7 was in GIAV and is not there any more")
    await deliver(client, told("booking.created", "bkg_r42"))
    handle = await client.start_workflow(
        "RecordPayment",
        given,
        id=own,
        task_queue=Queue.WORKFLOWS,
        start_signal="happen",
        start_signal_args=[gone],
    )
    await _until(lambda: bool(office.parked))
    taken = DecisionTaken(item_id=office.parked[-1].item_id, decision="retry", by="ana", explanation="sent again")
    await handle.execute_update("decide", taken)
    await handle.result()
    return (own,)


async def reconciled(client: Client, office: Office) -> tuple[str, ...]:
    """Two pages; one names a payment whose receipt is gone."""
    gone = Happening(kind=Kind.REVERSED, text="cobro 7 was in GIAV and is not there any more")
    told_of = TellPayment(agency="demo", payment_id="pay_r43", happening=gone)
    pages = {
        "": ReconcilePage(after="exp_20", compared=20, differing=1, told=(told_of,)),
        "exp_20": ReconcilePage(compared=3),
    }
    office.answers["giav.reconcile"] = lambda step: pages[step.after]
    own = reconciliation_schedule("demo")
    await client.execute_workflow("Reconcile", ReconcileOrder(agency="demo"), id=own, task_queue=Queue.WORKFLOWS)
    return (own,)


async def _declared(client: Client, office: Office, name: str) -> WorkflowHandle[Any, Any]:
    """A captured payment of what was paid otherwise; a person says so, and the customer is asked."""
    office.answers["giav.probe_payment"] = lambda step: Evidence(
        verdict=Verdict.UNPAID if step.in_ledger else Verdict.PAID_OTHERWISE, at=WHEN, words="paid in cash"
    )
    paid = told("payment.captured", f"bkg_{name}", fact=f"pay_{name}", payment_id=f"pay_{name}")
    await deliver(client, told("booking.created", f"bkg_{name}"), paid)
    await _until(lambda: any(line.after is State.UNSYNCED for line in office.moves))
    handle = client.get_workflow_handle(payment_workflow("demo", f"pay_{name}"))
    for kind in (Kind.CLAIM, Kind.DECLARE_DUPLICATE, Kind.ASK_CUSTOMER):
        await _command(handle, kind)
    await _until(lambda: office.count("office.tell_of_duplicate") == 1)
    return handle


async def _command(handle: WorkflowHandle[Any, Any], kind: Kind) -> None:
    given = Command(command_id=f"{kind.value}-1", actor="ana", explanation="said so on the telephone")
    done: CommandOutcome = await handle.execute_update(kind.value, given, result_type=CommandOutcome)
    assert done.accepted, done.reason


async def credited(client: Client, office: Office) -> tuple[str, ...]:
    """A duplicate that pays the next instalment in part; what is left of it is given back."""
    eur = Money(amount=20000, currency="EUR")
    part = CreditPart(instalment_id="ins_r44", due_on=WHEN.date(), amount=eur)
    rest = Money(amount=10000, currency="EUR")
    office.answers["office.plan_credit"] = lambda _: CreditPlan(parts=(part,), remainder=rest)
    handle = await _declared(client, office, "r44")
    await _command(handle, Kind.CHOOSE_CREDIT)
    await _until(lambda: office.parked[-1].reason == "payment_remainder")
    await _gone_back(client, "r44", rest)
    await handle.result()
    return (handle.id,)


async def given_back(client: Client, office: Office) -> tuple[str, ...]:
    """A duplicate whose refund the gateway refuses, takes when it is asked anew, and shows."""
    answers = [
        RefundCase(case_id="ORQ-1", state="refused", words="expired_or_canceled_card"),
        RefundCase(case_id="ORQ-2", state="requested"),
    ]
    office.answers["gateway.request_refund"] = lambda _: answers.pop(0)
    handle = await _declared(client, office, "r45")
    await _command(handle, Kind.CHOOSE_REFUND)
    await _until(lambda: office.parked[-1].reason == "payment_refund_failed")
    await _command(handle, Kind.RETRY_REFUND)
    await _until(lambda: not answers)
    await _gone_back(client, "r45", Money(amount=30000, currency="EUR"))
    await handle.result()
    return (handle.id,)


async def _gone_back(client: Client, name: str, amount: Money) -> None:
    more = {"payment_id": f"pay_{name}", "refund_cause": "duplicate", "amount": amount, "refund_status": "succeeded"}
    await deliver(client, told("payment.refunded", f"bkg_{name}", fact=f"ref_{name}", **more))
