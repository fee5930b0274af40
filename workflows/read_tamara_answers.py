"""ReadTamaraAnswers: what AirPlus answered, every hour; TamaraTroubleshooting: one thing that a person has to see to
(contracts: tamara 3.11, 3.12)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from activities.signatures import TAMARA_DELIVER_FILE, TAMARA_EXAMINE, TAMARA_READ_ANSWERS, TAMARA_SETTLE
    from domain.naming import tamara_trouble_workflow
    from domain.steps import DecisionTaken, TamaraFileStep
    from domain.tamara_steps import TamaraAnswersOrder, TamaraAnswersRead, TamaraSettlement, TamaraTroubleStep
    from workflows.searching import found_by
    from workflows.stepping import FORWARD, Fault, Stepping, perform

LOOK_AGAIN = timedelta(hours=1)
"""How often a parked trouble looks whether it is gone."""


@workflow.defn
class ReadTamaraAnswers(Stepping):
    """Reads once; whatever waits for a person gets a workflow of its own, which lives until it is gone."""

    @workflow.init
    def __init__(self, order: TamaraAnswersOrder) -> None:
        super().__init__()

    @workflow.run
    async def run(self, order: TamaraAnswersOrder) -> TamaraAnswersRead | None:
        given = order.model_copy(update={"lifecycle": workflow.info().workflow_id})
        read = await self.step(TAMARA_READ_ANSWERS, given, about="read AirPlus' answers", decisions=FORWARD)
        for trouble in read.troubles if read is not None else ():
            name = tamara_trouble_workflow(order.agency, trouble.key)
            try:
                await workflow.start_child_workflow(
                    TamaraTroubleshooting.run,
                    TamaraTroubleStep(agency=order.agency, lifecycle=name, trouble=trouble),
                    id=name,
                    parent_close_policy=ParentClosePolicy.ABANDON,
                    search_attributes=found_by("TamaraTrouble", order.agency),
                    static_summary=f"AirPlus: {trouble.about} {trouble.key}",
                )
            except WorkflowAlreadyStartedError:
                # It waits already, and looks by itself.
                continue
        return read


@workflow.defn
class TamaraTroubleshooting(Stepping):
    """Parked until a person decides, or until the trouble is gone: an answer came, or the lines were mended."""

    @workflow.init
    def __init__(self, step: TamaraTroubleStep) -> None:
        super().__init__()
        self._step = step
        self._gone = False
        self._look = False

    @workflow.signal(description="See at once whether the trouble is gone")
    def look(self) -> None:
        self._look = True

    @workflow.run
    async def run(self, step: TamaraTroubleStep) -> None:
        watching = asyncio.create_task(self._watch())
        try:
            if step.trouble.automatic:
                await self._settle("retry", "system", "the rule for this reason")
            while not self._gone:
                taken = await self._asked()
                if not self._gone:
                    await self._settle(taken.decision, taken.by, taken.explanation)
        finally:
            watching.cancel()

    async def _asked(self) -> DecisionTaken:
        trouble = self._step.trouble
        fault = Fault(kind="NeedsPerson", words=trouble.detail, code=trouble.reason)
        return await self.park(
            TAMARA_SETTLE.name, self._step, fault, decisions=trouble.decisions, solved=lambda: self._gone
        )

    async def _settle(self, decision: str, by: str, explanation: str) -> None:
        step = self._step
        done = await perform(
            TAMARA_SETTLE,
            TamaraSettlement.model_validate(
                {**step.model_dump(), "decision": decision, "by": by, "explanation": explanation}
            ),
            about=f"{decision}: {step.trouble.about}",
        )
        trouble = step.trouble
        if done.ids and trouble.kind is not None and trouble.seq is not None:
            file = TamaraFileStep(
                agency=step.agency,
                lifecycle=step.lifecycle,
                partner_id=trouble.partner_id,
                kind=trouble.kind,
                seq=trouble.seq,
            )
            await self.step(TAMARA_DELIVER_FILE, file, about=f"deliver {done.ids['file']} again", decisions=FORWARD)
        await self._examine()

    async def _watch(self) -> None:
        while not self._gone:
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: self._look, timeout=LOOK_AGAIN)
            self._look = False
            await self._examine()

    async def _examine(self) -> None:
        found = await perform(TAMARA_EXAMINE, self._step, about="look whether it is gone")
        self._gone = not found.troubles
