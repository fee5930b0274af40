"""What AirPlus' answers leave for a person waits with owner and deadline, and goes by itself (contracts: tamara 3.11, 3.12)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus

from domain.naming import Queue, tamara_trouble_workflow
from domain.steps import DecisionTaken, Done
from domain.tamara_steps import TamaraAnswersOrder, TamaraAnswersRead, TamaraTrouble
from tests.workflows.office import Office, working


def trouble(about: Any = "refused", **more: Any) -> TamaraTrouble:
    return TamaraTrouble(
        key=f"{about}-{more.pop('key', 1)}",
        about=about,
        reason="tamara_file_refused" if about == "refused" else "tamara_rejected",
        detail="see to it",
        decisions=("retry", "skip"),
        partner_id="TESTPARTNER1",
        kind="MA",
        seq=7,
        **more,
    )


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 the workers make it true
        await asyncio.sleep(0.02)


async def read(client: Client, name: str) -> TamaraAnswersRead:
    found: TamaraAnswersRead = await client.execute_workflow(
        "ReadTamaraAnswers",
        TamaraAnswersOrder(agency="demo"),
        id=name,
        task_queue=Queue.WORKFLOWS,
        result_type=TamaraAnswersRead,
    )
    return found


async def test_a_trouble_is_parked_once_and_ends_when_it_is_gone(dev_server: Client, office: Office) -> None:
    open_trouble = trouble("rejected", key="once")
    office.answers["tamara.read_answers"] = lambda _: TamaraAnswersRead(read=1, applied=1, troubles=(open_trouble,))
    office.answers["tamara.examine"] = lambda _: TamaraAnswersRead()
    async with working(dev_server, office):
        await read(dev_server, "answers-once-1")
        await until(lambda: len(office.parked) == 1)
        await read(dev_server, "answers-once-2")
        handle = dev_server.get_workflow_handle(tamara_trouble_workflow("demo", open_trouble.key))
        await handle.signal("look")
        await handle.result()
    assert [item.reason for item in office.parked] == ["tamara_rejected"]
    assert [closed.taken.by for closed in office.unparked] == ["system"]
    assert office.count("tamara.settle") == 0


async def test_a_decision_is_carried_out_and_a_refused_file_is_delivered_again(
    dev_server: Client, office: Office
) -> None:
    open_trouble = trouble(key="again")
    office.answers["tamara.read_answers"] = lambda _: TamaraAnswersRead(troubles=(open_trouble,))
    office.answers["tamara.settle"] = lambda _: Done(ids={"file": "T.dat"})
    office.answers["tamara.examine"] = lambda _: TamaraAnswersRead()
    async with working(dev_server, office):
        await read(dev_server, "answers-again")
        await until(lambda: bool(office.parked))
        handle = dev_server.get_workflow_handle(tamara_trouble_workflow("demo", open_trouble.key))
        taken = DecisionTaken(
            item_id=office.parked[0].item_id, decision="retry", by="ana", explanation="they mended it"
        )
        await handle.execute_update("decide", taken)
        await handle.result()
        assert (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED
    [settled] = office.of("tamara.settle")
    assert (settled.decision, settled.by) == ("retry", "ana")
    [delivered] = office.of("tamara.deliver_file")
    assert (delivered.seq, delivered.kind) == (7, "MA")


async def test_what_the_rules_mend_asks_nobody(dev_server: Client, office: Office) -> None:
    open_trouble = trouble(key="automatic", automatic=True)
    office.answers["tamara.read_answers"] = lambda _: TamaraAnswersRead(troubles=(open_trouble,))
    office.answers["tamara.settle"] = lambda _: Done(ids={"file": "T.dat"})
    office.answers["tamara.examine"] = lambda _: TamaraAnswersRead()
    async with working(dev_server, office):
        await read(dev_server, "answers-automatic")
        await dev_server.get_workflow_handle(tamara_trouble_workflow("demo", open_trouble.key)).result()
    assert (office.parked, office.count("tamara.deliver_file")) == ([], 1)
