"""Showing a deal how its request stands, beside everything else: a CRM that is away holds up no money (contracts: money-rules F-C15)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.signatures import CRM_SHOW_DEAL
    from domain.deal_steps import DealPicture, DealShown
    from domain.deals import RequestState
    from workflows.stepping import Fault, perform

if TYPE_CHECKING:
    from workflows.request_payment import RequestPayment

ALARM_AFTER = timedelta(hours=1)
"""The link stands and the deal does not show it: a person is told, and it is tried on (F-C15)."""


class DealTeller:
    """Pictures one after the other. While one cannot be written the later ones wait, so that the newest is shown at last."""

    def __init__(self, deal: RequestPayment) -> None:
        self._deal = deal
        self._waiting: list[DealPicture] = []
        self._telling = False
        self.gone = False
        """The deal was deleted: there is nobody to show anything."""

    @property
    def is_idle(self) -> bool:
        return not self._waiting and not self._telling

    def show(self, state: RequestState, step: str, text: str, *, task: bool, move_to: str | None) -> None:
        deal = self._deal
        assert deal.standing is not None
        self._waiting.append(
            DealPicture.model_validate(
                {
                    "agency": deal.agency,
                    "lifecycle": workflow.info().workflow_id,
                    "deal_id": deal.deal_id,
                    "revision": deal.standing.revision,
                    "state": state,
                    "step": step,
                    "text": text,
                    "task": task,
                    "move_to": move_to,
                    "from_stage": deal.stage,
                }
            )
        )

    async def run(self) -> None:
        while True:
            await workflow.wait_condition(lambda: bool(self._waiting))
            self._telling = True
            picture = self._waiting.pop(0)
            shown = await self._shown(picture.model_copy(update={"from_stage": self._deal.stage}))
            if shown is not None:
                self.gone = shown.gone
                self._deal.stage = shown.moved_to if shown.moved_to is not None else self._deal.stage
            self._telling = False

    async def _shown(self, picture: DealPicture) -> DealShown | None:
        """Until it is written, or a person leaves it out."""
        while True:
            writing = asyncio.create_task(perform(CRM_SHOW_DEAL, picture, about=f"show {picture.state}"))
            alarm = asyncio.create_task(
                workflow.sleep(ALARM_AFTER, summary="tell a person that the deal shows nothing")
            )
            await workflow.wait([writing, alarm], return_when=asyncio.FIRST_COMPLETED)
            alarm.cancel()
            if not writing.done():
                words = f"the deal does not show '{picture.state}' for an hour by now; it is tried on, and no money waits for it"
                fault = Fault(kind="NeedsPerson", words=words, code="deal_not_shown")
                taken = await self._deal.park(
                    CRM_SHOW_DEAL.name,
                    picture,
                    fault,
                    decisions=("retry", "skip"),
                    solved=writing.done,
                    otherwise=("retry", "the deal shows it"),
                )
                if taken.decision == "skip":
                    writing.cancel()
                    return None
                if not writing.done():
                    # Temporal waits longer and longer between two tries; a person wants one now.
                    writing.cancel()
                    continue
            try:
                return await writing
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                taken = await self._deal.park(CRM_SHOW_DEAL.name, picture, Fault.of(error), decisions=("retry", "skip"))
                if taken.decision == "skip":
                    return None
