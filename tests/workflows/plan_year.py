"""A plan's world for calendar tests: the real cells, the platform's stand-in, a mail sink, and Schedules played by the test.

The time-skipping server has no Schedules. `Timetables` stands in for the client that owns them and keeps what it is told;
the test lets each due day fire when its moment has come on the server's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.client import Schedule, ScheduleAlreadyRunningError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from activities.mailing.instalments import InstalmentLetters
from activities.office.plans import PlanActivities
from activities.platform.activities import PlatformActivities
from activities.platform.mapping import event_of
from domain.naming import Queue
from domain.notices import EventNotice
from domain.plan_letters import MailSettings
from domain.superseding import PlanState
from store import Store
from tests.activities.platform.trip import AGENCY
from tests.activities.platform.world import World
from tests.workflows.office import Office

MADRID = ZoneInfo("Europe/Madrid")


class Clock:
    """The server's time: exact inside an activity, and for the stand-ins the newest that anybody saw."""

    def __init__(self, start: datetime) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        if activity.in_activity():
            self.moment = max(self.moment, activity.info().started_time)
        return self.moment


class Sink:
    """Takes every letter (a handler of aiosmtpd)."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 taken"

    def subjects(self) -> list[str]:
        return [str(letter["Subject"]) for letter in self.letters]


class Timetables:
    """What `PlanActivities` asks of a Temporal client, for one Schedule."""

    def __init__(self) -> None:
        self.schedule: Schedule | None = None
        self.triggers = 0
        self.updates = 0

    async def create_schedule(self, name: str, schedule: Schedule) -> None:
        if self.schedule is not None:
            raise ScheduleAlreadyRunningError
        self.schedule = schedule

    def get_schedule_handle(self, name: str) -> Timetables:
        return self

    async def update(self, renewed: Callable[[Any], Any]) -> None:
        class Known:
            description = type("Description", (), {"schedule": self._known()})

        self.schedule = renewed(Known).schedule
        self.updates += 1

    async def pause(self, *, note: str) -> None:
        known = self._known()
        self.schedule = replace(known, state=replace(known.state, paused=True, note=note))

    async def unpause(self, *, note: str) -> None:
        known = self._known()
        self.schedule = replace(known, state=replace(known.state, paused=False, note=note))

    async def trigger(self) -> None:
        self._known()
        self.triggers += 1

    async def delete(self) -> None:
        self._known()
        self.schedule = None

    def _known(self) -> Schedule:
        if self.schedule is None:
            raise RPCError("not found", RPCStatusCode.NOT_FOUND, b"")
        return self.schedule

    def fires(self, after: datetime, until: datetime) -> list[datetime]:
        """The moments at which the Schedule starts its action; none while it is paused."""
        if self.schedule is None or self.schedule.state.paused:
            return []
        zone = ZoneInfo(self.schedule.spec.time_zone_name or "UTC")
        moments = [
            datetime(
                each.year[0].start, each.month[0].start, each.day_of_month[0].start, each.hour[0].start, tzinfo=zone
            ).astimezone(UTC)
            for each in self.schedule.spec.calendars
        ]
        return sorted(moment for moment in moments if after < moment <= until)


class PlanYear:
    """Drives the days; `down` holds due days back as if no worker ran, and lets them fire late (catch-up)."""

    def __init__(
        self, world: World, environment: WorkflowEnvironment, office: Office, clock: Clock, mail: MailSettings
    ) -> None:
        self.world, self.environment, self.office, self.clock = world, environment, office, clock
        self.tables = Timetables()
        self.down = False
        self._held: list[datetime] = []
        self._fired = 0
        self._told = 0
        zones = {AGENCY: "Europe/Madrid"}
        client: Any = self.tables
        store: Store = world.store
        plans = PlanActivities(store, client, zones, now=lambda zone: clock().astimezone(zone))
        letters = InstalmentLetters(store, {AGENCY: mail}, {AGENCY: "Viajes Ejemplo"})
        platform = PlatformActivities(store, {AGENCY: world.account}, zones=zones, now=clock)
        cells: dict[str, Callable[[Any], Any]] = {
            "office.arrange_plan": plans.arrange,
            "office.order_plan": plans.order,
            "office.due_instalments": plans.due_instalments,
            "office.tell_payer": letters.tell_payer,
            "platform.collect_instalment": platform.collect_instalment,
        }
        office.answers.update(cells)

    async def post(self) -> None:
        """The platform's news reach the store, the plan's mailbox, and (by way of the booking's) its ears."""
        reader = self.world.account.client
        assert reader is not None
        for document in list(reader.events(self._told)):
            self._told = int(document["sequence"])
            event = event_of(self.world.account, AGENCY, document, self.clock())
            self.world.store.inbox.accept(event)
            waiting = {row.event_id: row.notice_json for row in self.world.store.inbox.undispatched(10_000)}
            if event.event_id not in waiting:
                continue
            # As the dispatcher hands it on: by what the store wrote into the outbox.
            notice = EventNotice.model_validate_json(waiting[event.event_id])
            if notice.mailbox == "plan":
                await self.environment.client.start_workflow(
                    "PaymentPlan",
                    PlanState(agency=AGENCY, booking_id="bkg_500"),
                    id=notice.workflow_id,
                    task_queue=Queue.WORKFLOWS,
                    start_signal="deliver",
                    start_signal_args=[notice],
                )
            elif notice.kind == "payment.captured" and notice.plan_id:
                await self.plan.signal("collected")

    @property
    def plan(self) -> Any:
        return self.environment.client.get_workflow_handle(f"plan/{AGENCY}/bkg_500")

    async def until(self, day: date, hour: int = 12) -> None:
        """On to a local moment, through every due time between."""
        end = datetime(day.year, day.month, day.day, hour, tzinfo=MADRID).astimezone(UTC)
        await self._settle()
        while self.clock.moment < end:
            now = self.clock.moment
            held, self._held = ([], self._held) if self.down else (self._held, [])
            coming = self.tables.fires(now, end)
            target = min([*coming[:1], end, now + timedelta(days=10)])
            if not held and target > now:
                await self.environment.sleep(target - now)
                self.clock.moment = max(self.clock.moment, await self.environment.get_current_time())
            for _ in [*held, *(each for each in coming if each <= target)]:
                if self.down:
                    self._held.append(target)
                else:
                    await self._fire()
            await self._settle()

    async def _fire(self) -> None:
        assert self.tables.schedule is not None
        self._fired += 1
        action: Any = self.tables.schedule.action
        await self.environment.client.start_workflow(
            "CollectInstalment", *action.args, id=f"{action.id}-{self._fired}", task_queue=Queue.WORKFLOWS
        )

    async def _settle(self) -> None:
        """Everything that can happen at this moment happens: until the cells were asked nothing new for a while."""
        quiet = 0
        while quiet < 5:
            before = len(self.office.asked), self._told, self._fired
            await self.environment.sleep(timedelta(seconds=5))
            self.clock.moment = max(self.clock.moment, await self.environment.get_current_time())
            await self.post()
            while self.tables.triggers and not self.down:
                self.tables.triggers -= 1
                await self._fire()
            is_seen = self.office.count("office.due_instalments") >= self._fired
            quiet = quiet + 1 if is_seen and before == (len(self.office.asked), self._told, self._fired) else 0

    async def order(self, order: str, instalment: str | None = None, **more: Any) -> str:
        command = {"order": order, "by": "ana", "why": "agreed by phone with the payer", "instalment_id": instalment}
        answer: str = await self.plan.execute_update("order", {**command, **more}, result_type=str)
        await self._settle()
        return answer

    def charged(self) -> list[tuple[str, int, datetime]]:
        """What the processor captured: instalment, minor units, when."""
        return [
            (each["installment_id"], each["amount"]["amount"], datetime.fromisoformat(each["created_at"]))
            for each in self.world.charges()
            if each["status"] == "captured"
        ]
