"""ActivateIntegration: an agency's system is checked, made ready, used from now on, and told what existed before (DESIGN 4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError, is_cancelled_exception
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from activities.signatures import (
        EASYCOUNT_CHECK_ACCOUNT,
        EASYCOUNT_TRY_ACCOUNT,
        EASYCOUNT_USE_ACCOUNT,
        INTEGRATION_ACTIVATE,
        INTEGRATION_BACKFILL,
        INTEGRATION_CHECK,
        INTEGRATION_INSTALL_FIELDS,
        KOMMO_CHECK_ACCOUNT,
        KOMMO_INSTALL,
        KOMMO_USE_ACCOUNT,
        MIDOFFICE_CHECK_ACCOUNT,
        MIDOFFICE_CONFIRM_ACCOUNT,
        MIDOFFICE_UNTOLD,
        MIDOFFICE_USE_ACCOUNT,
        Verb,
    )
    from domain.naming import resend_workflow
    from domain.steps import (
        BackfillProgress,
        BookingQuestion,
        Decision,
        Done,
        IntegrationActivation,
        IntegrationBackfill,
        IntegrationOrder,
        IntegrationStep,
    )
    from workflows import searching
    from workflows.stepping import Abandoned, Fault, Stepping, perform

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)

ERP = "giav"
"""The system whose activation takes in what the platform knew before; all others are mid-offices, told what we know."""
OF_DEALS: dict[str, tuple[tuple[Verb[IntegrationStep, Done], str], ...]] = {
    "kommo": (
        (KOMMO_CHECK_ACCOUNT, "check"),
        (KOMMO_INSTALL, "our fields and our webhook"),
        (KOMMO_USE_ACCOUNT, "use"),
    ),
    "easycount": (
        (EASYCOUNT_CHECK_ACCOUNT, "check"),
        (EASYCOUNT_TRY_ACCOUNT, "a document to try it"),
        (EASYCOUNT_USE_ACCOUNT, "use"),
    ),
}
"""… but for these, which know deals and nothing of bookings: their steps, and what each is about."""
BEFORE_IT_IS_USED: tuple[Decision, ...] = ("retry", "abandon")
PAGES_A_RUN = 500
"""Pages after which the history is begun anew."""
TRANSFERS_A_RUN = 20
"""The same of a mid-office, where every booking of a page is in the history."""
AT_A_TIME = 5
PATIENCE = timedelta(seconds=60)
"""So many bookings are sent at once, and so long the next ones wait for them: the day's work goes the same way. What waits
for a person, or for an answer that comes later, does not hold up the others for longer."""


@workflow.defn
class ActivateIntegration(Stepping):
    """Stops where only a person can go on: a key that is refused, a setting that cannot be guessed.

    `changed` tells that a key or a setting was given: what stopped is tried again without a further answer.
    """

    @workflow.init
    def __init__(self, order: IntegrationOrder) -> None:
        super().__init__()
        self._order = order
        self._changed = False
        self._progress = order.progress

    @workflow.signal(description="A key or a setting was given")
    def changed(self) -> None:
        self._changed = True

    @workflow.query(description="How far the backfill is")
    def progress(self) -> BackfillProgress | None:
        return self._progress

    @workflow.run
    async def run(self, order: IntegrationOrder) -> BackfillProgress | None:
        """The end of the backfill; None when a person gave the activation up."""
        try:
            if order.system in OF_DEALS:
                await self._connect_deals(order)
                return None
            if order.system != ERP:
                if order.progress is None:
                    await self._connect(order)
                await self._transfer_what_exists(order)
                return self._progress
            begin = order.progress or await self._begin_to_use(order)
        except Abandoned:
            return None
        await self._take_in_what_exists(order, begin)
        return self._progress

    async def _begin_to_use(self, order: IntegrationOrder) -> BackfillProgress:
        step = IntegrationStep(
            agency=order.agency, lifecycle=workflow.info().workflow_id, system=order.system, by=order.by
        )
        await self._insist(INTEGRATION_CHECK, step, about=f"check {order.system}")
        await self._insist(INTEGRATION_INSTALL_FIELDS, step, about="fields for our reference")
        activation = IntegrationActivation(**step.model_dump(), ended_since=order.ended_since)
        return await self._insist(INTEGRATION_ACTIVATE, activation, about=f"use {order.system} from now on")

    async def _connect(self, order: IntegrationOrder) -> None:
        """A mid-office: its access works, the account manager at the supplier was told, it is used."""
        step = IntegrationStep(
            agency=order.agency, lifecycle=workflow.info().workflow_id, system=order.system, by=order.by
        )
        await self._insist(MIDOFFICE_CHECK_ACCOUNT, step, about=f"check {order.system}")
        await self._insist(MIDOFFICE_CONFIRM_ACCOUNT, step, about="account manager told")
        await self._insist(MIDOFFICE_USE_ACCOUNT, step, about=f"use {order.system} from now on")
        workflow.set_current_details(f"**{order.system}** of {order.agency} is active")

    async def _connect_deals(self, order: IntegrationOrder) -> None:
        """CRM or invoicing: we are let in, what we need is there, it is used."""
        step = IntegrationStep(
            agency=order.agency, lifecycle=workflow.info().workflow_id, system=order.system, by=order.by
        )
        for verb, about in OF_DEALS[order.system]:
            await self._insist(verb, step, about=f"{order.system}: {about}")
        workflow.set_current_details(f"**{order.system}** of {order.agency} is active")

    async def _transfer_what_exists(self, order: IntegrationOrder) -> None:
        """A mid-office: bookings that were made before, and their money, unless the trip is over."""
        today = workflow.now().date()
        progress = order.progress or BackfillProgress(ended_since=order.ended_since or today, phase="bookings")
        pages = 0
        while order.backfill and progress.phase != "done":
            if pages >= TRANSFERS_A_RUN or workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(order.model_copy(update={"progress": progress}))
            given = IntegrationBackfill(
                agency=order.agency,
                lifecycle=workflow.info().workflow_id,
                system=order.system,
                by=order.by,
                progress=progress,
            )
            page = await self.step(MIDOFFICE_UNTOLD, given, about=_words(progress), decisions=("retry", "skip"))
            if page is None:
                break
            await self._send(order.agency, page.bookings)
            self._progress = progress = page.progress
            pages += 1
            workflow.set_current_details(f"**{order.system}** of {order.agency} is active\n\n- {_words(progress)}")

    async def _send(self, agency: str, bookings: Sequence[str]) -> None:
        """Each booking is a workflow of its own, in which it may be refused and wait for a person."""
        for first in range(0, len(bookings), AT_A_TIME):
            sent = []
            for booking in bookings[first : first + AT_A_TIME]:
                try:
                    sent.append(
                        await workflow.start_child_workflow(
                            "ResendBooking",
                            BookingQuestion(agency=agency, booking_id=booking),
                            id=resend_workflow(agency, booking),
                            parent_close_policy=ParentClosePolicy.ABANDON,
                            search_attributes=searching.found_by("ResendBooking", agency, booking=booking),
                            static_summary=f"send {booking}, which was made before",
                        )
                    )
                except WorkflowAlreadyStartedError:
                    continue
            if sent:
                await workflow.wait(sent, timeout=PATIENCE.total_seconds())

    async def _take_in_what_exists(self, order: IntegrationOrder, begin: BackfillProgress) -> None:
        self._progress = begin
        pages = 0
        while order.backfill and self._progress.phase != "done":
            if pages >= PAGES_A_RUN or workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(order.model_copy(update={"progress": self._progress}))
            given = IntegrationBackfill(
                agency=order.agency,
                lifecycle=workflow.info().workflow_id,
                system=order.system,
                by=order.by,
                progress=self._progress,
            )
            page = await self.step(
                INTEGRATION_BACKFILL, given, about=_words(self._progress), decisions=("retry", "skip")
            )
            if page is None:
                break
            self._progress = page
            pages += 1
            workflow.set_current_details(f"**{order.system}** of {order.agency} is active\n\n- {_words(page)}")

    async def _insist(self, verb: Verb[In, Out], given: In, *, about: str) -> Out:
        """A cell that nothing can go on without; tried again when a person says so or has given something."""
        assert isinstance(given, IntegrationStep)
        while True:
            self._changed = False
            try:
                return await perform(verb, given, about=about)
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                fault = Fault.of(error)
            taken = await self.park(verb.name, given, fault, decisions=_answers(fault), solved=lambda: self._changed)
            if taken.decision == "abandon":
                raise Abandoned(taken.explanation)


def _answers(fault: Fault) -> tuple[Decision, ...]:
    """A write whose outcome stayed unclear may also be settled with the record that a person found."""
    return ("retry", "adopt", "abandon") if fault.effect else BEFORE_IT_IS_USED


def _words(progress: BackfillProgress) -> str:
    if progress.phase == "done":
        return f"backfill done: {progress.taken} taken in, {progress.known} known, {progress.past} of past trips"
    return f"backfill, {progress.phase}: {progress.seen} seen, {progress.taken} taken in"
