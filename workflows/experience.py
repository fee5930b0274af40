"""Experience: owns the expediente of one trip, opens it once, amends it, closes it (contracts: giav 4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import GIAV_AMEND_EXPERIENCE, GIAV_CLOSE_EXPERIENCE, GIAV_OPEN_EXPERIENCE
    from domain.mailbox import ExperienceState
    from domain.notices import EventNotice
    from domain.steps import Done, ExperienceStep
    from workflows.stepping import Stepping

SETTLING = timedelta(days=30)
"""How long after the trip its file stays open for late money."""


@workflow.defn
class Experience(Stepping):
    """One writer per expediente; the newest snapshot wins."""

    @workflow.init
    def __init__(self, state: ExperienceState) -> None:
        super().__init__()
        self._state = state
        self._ends: datetime | None = None

    @workflow.signal(description="A fact from the platform, by its notice")
    def deliver(self, notice: EventNotice) -> None:
        self._state.deliver(notice)

    @workflow.query(description="State of the experience: keys only")
    def view(self) -> ExperienceState:
        return self._state

    @workflow.run
    async def run(self, state: ExperienceState) -> ExperienceState:
        last: EventNotice | None = None
        while not self._state.closed:
            if self._state.queue:
                last = self._state.take()
                await self._follow(last)
            elif last is not None and self._ends is not None and workflow.now() >= self._ends:
                await self.step(GIAV_CLOSE_EXPERIENCE, self._step(last), about="close the expediente")
                self._state.closed = True
            else:
                await self._wait()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._state

    async def _follow(self, notice: EventNotice) -> None:
        verb = GIAV_AMEND_EXPERIENCE if self._state.opened else GIAV_OPEN_EXPERIENCE
        done = await self.step(verb, self._step(notice), about=f"{verb.name} revision {notice.revision}")
        self._state.opened = self._state.opened or isinstance(done, Done)
        if notice.ends_on is not None:
            end = datetime(notice.ends_on.year, notice.ends_on.month, notice.ends_on.day, tzinfo=UTC)
            # A trip of the past is imported history: its file stays open as long after the import.
            self._ends = max(end, workflow.now()) + SETTLING

    async def _wait(self) -> None:
        try:
            await workflow.wait_condition(
                lambda: bool(self._state.queue),
                timeout=None if self._ends is None else max(timedelta(seconds=1), self._ends - workflow.now()),
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
