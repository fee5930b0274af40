"""Experience: owns the expediente of one trip, opens it once, amends it, closes it (contracts: giav 4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_AMEND_EXPERIENCE,
        GIAV_CLOSE_EXPERIENCE,
        GIAV_OPEN_EXPERIENCE,
        GIAV_UNDO_OPEN_EXPERIENCE,
    )
    from domain.notices import EventNotice
    from domain.steps import Done, ExperienceStep
    from domain.superseding import ExperienceState
    from workflows.renewing import Renewable, must_renew, renew
    from workflows.stepping import FORWARD, Abandoned, Stepping

SETTLING = timedelta(days=30)
"""How long after the trip its file stays open for late money."""
FIRST_LOOK, LONGEST_LOOK = timedelta(minutes=1), timedelta(hours=1)
"""After a cancellation: until the first look whether the file can be closed, and between two looks at most."""


@workflow.defn
class Experience(Stepping, Renewable):
    """One writer per expediente; the newest snapshot wins.

    A cancelled experience closes its file as soon as all its bookings are cancelled, whatever became of each (F-X11).
    """

    @workflow.init
    def __init__(self, state: ExperienceState) -> None:
        super().__init__()
        self._state = state
        self._look_at: datetime | None = None
        self._patience = FIRST_LOOK

    @workflow.signal(description="A fact from the platform, by its notice")
    def deliver(self, notice: EventNotice) -> None:
        self._state.deliver(notice)

    @workflow.signal(description="Look now whether the file of a cancelled experience can be closed")
    def look_now(self) -> None:
        if self._look_at is not None:
            self._look_at = workflow.now()

    @workflow.query(description="State of the experience: keys only")
    def view(self) -> ExperienceState:
        return self._state

    @workflow.run
    async def run(self, state: ExperienceState) -> ExperienceState:
        self._watch_bookings()
        while not self._state.closed:
            if self._state.queue:
                await self._follow(self._state.take())
            elif self._is_due(self._state.ends_at):
                await self._close()
                self._state.closed = True
            elif self._is_due(self._look_at):
                await self._look()
            elif must_renew():
                await renew(self._state)
            else:
                await self._wait()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    async def _follow(self, notice: EventNotice) -> None:
        verb = GIAV_AMEND_EXPERIENCE if self._state.opened else GIAV_OPEN_EXPERIENCE
        try:
            done = await self.step(verb, self._step(notice), about=f"{verb.name} revision {notice.revision}")
        except Abandoned as given_up:
            if self._state.opened:
                # Only the change is given up; the next one brings the whole record again.
                self.notes.append(str(given_up))
            else:
                await self._take_back(notice)
            return
        self._state.opened = self._state.opened or isinstance(done, Done)
        self._state.last = notice
        if notice.ends_on is not None:
            end = datetime(notice.ends_on.year, notice.ends_on.month, notice.ends_on.day, tzinfo=UTC)
            # A trip of the past is imported history: its file stays open as long after the import.
            self._state.ends_at = max(end, workflow.now()) + SETTLING
        self._watch_bookings()

    async def _take_back(self, notice: EventNotice) -> None:
        """Given up by a person: the file is deleted while it is empty, otherwise marked as cancelled."""
        step = self._step(notice)
        await self.step(GIAV_UNDO_OPEN_EXPERIENCE, step, about="take the expediente back", decisions=FORWARD)
        self._state.closed = True

    def _watch_bookings(self) -> None:
        self._patience = FIRST_LOOK
        self._look_at = workflow.now() + FIRST_LOOK if self._state.cancelled else None

    async def _look(self) -> None:
        """Close the file, or come back: soon at first, then ever less often."""
        done = await self._close()
        self._state.closed = done is not None and "closed" in done.ids
        self._patience = min(2 * self._patience, LONGEST_LOOK)
        self._look_at = workflow.now() + self._patience
        if done is not None and done.note:
            workflow.set_current_details(done.note)

    async def _close(self) -> Done | None:
        assert self._state.last is not None
        return await self.step(GIAV_CLOSE_EXPERIENCE, self._step(self._state.last), about="close the expediente")

    @staticmethod
    def _is_due(moment: datetime | None) -> bool:
        return moment is not None and workflow.now() >= moment

    async def _wait(self) -> None:
        """For a delivery, a wish to look, the next look or the end, whichever is first."""
        until = min((moment for moment in (self._state.ends_at, self._look_at) if moment is not None), default=None)
        look_at = self._look_at
        try:
            await workflow.wait_condition(
                lambda: bool(self._state.queue) or self._look_at != look_at or must_renew(),
                timeout=None if until is None else max(timedelta(seconds=1), until - workflow.now()),
                timeout_summary="trip and settling",
            )
        except TimeoutError:
            return

    def _step(self, notice: EventNotice) -> ExperienceStep:
        return ExperienceStep(
            agency=notice.agency,
            lifecycle=workflow.info().workflow_id,
            experience_id=self._state.experience_id,
            event_id=notice.event_id,
            revision=notice.revision,
        )
