"""Lives of payments at their connector: held and let through, reversed in the ERP and sent again, two sides laid beside each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.client import Client

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
from domain.errors import Transient
from domain.money import Money
from domain.naming import Queue, connector_workflow, payment_workflow, reconciliation_schedule
from domain.payment_sync import Failing, Kind, PaymentSync, State
from domain.payment_sync.breaker import MANY, Breaker
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
