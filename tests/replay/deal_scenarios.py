"""The lives of deals that are recorded: asked for, asked again for another amount, paid twice, refunded; renewed while it waits."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio.client import Client

from domain import naming
from domain.deal_steps import DealRead, DealState, DealSweep
from tests.workflows.crm import (
    TRIGGER,
    WAITING,
    Crm,
    decide,
    eur,
    order,
    started,
    until,
    until_renewed,
)
from tests.workflows.office import Office

DEAL = 70001


async def deal(client: Client, office: Office) -> tuple[str, ...]:
    crm = Crm(office, booking="bkg_r70")
    crm.deal = DEAL
    crm.now = lambda: datetime.now(UTC)
    handle = await started(client, crm)
    await until(lambda: crm.shown == ["creating", "awaiting_payment"])
    crm.read = crm.read.model_copy(update={"revision": 2, "amount": eur(40000)})
    await started(client, crm, bots=("https://viajes.kommo.com/api/v4/salesbot/1/continue/2",))
    await until(lambda: office.count("crm.answer_bot") == 1)
    crm.pays(2, 40000)
    await handle.signal("look")
    await until(lambda: crm.state == "paid")
    crm.read = DealRead(stage=WAITING)
    await order(handle, "refund", reference="re_1")
    await until(lambda: crm.state == "refunded")
    crm.pays(1, 30000, "duplicate")
    await order(handle, "poll")
    await until(lambda: len(office.parked) == 1)
    await decide(client, office, "decline")
    await handle.result()
    sweep = DealSweep(agency="demo")
    swept = await client.start_workflow(
        "SweepDeals", sweep, id=naming.deal_sweep("demo"), task_queue=naming.Queue.WORKFLOWS
    )
    await swept.result()
    return (naming.deal_workflow("demo", DEAL), naming.deal_sweep("demo"))


async def deal_fails(client: Client, office: Office) -> tuple[str, ...]:
    """What it lacks is said; it is mended and cancelled by a person."""
    crm = Crm(office)
    crm.deal = DEAL + 1
    asked = crm.read
    crm.read = DealRead(asks=True, stage=TRIGGER, faults=("the amount must be more than zero",))
    await (await started(client, crm)).result()
    crm.read = asked
    handle = await client.start_workflow(
        "RequestPayment",
        DealState(agency="demo", deal_id=crm.deal, wanted=True),
        id=naming.deal_workflow("demo", crm.deal),
        task_queue=naming.Queue.WORKFLOWS,
    )
    await until(lambda: crm.state == "awaiting_payment")
    await order(handle, "cancel")
    await until(lambda: crm.state == "cancelled")
    return (naming.deal_workflow("demo", crm.deal),)


async def deal_renewed(client: Client, office: Office) -> tuple[str, ...]:
    """Looked at so often that its run is renewed while the customer still has time, and paid in the next run."""
    crm = Crm(office)
    crm.deal = DEAL + 2
    crm.now = lambda: datetime.now(UTC)
    handle = await started(client, crm)
    await until_renewed(client, handle, lambda: office.count("easycount.check_links"))
    newest = client.get_workflow_handle(handle.id)
    crm.pays()
    await newest.signal("look")
    await newest.result()
    return (f"{handle.id}@{handle.first_execution_run_id}", handle.id)
