"""Mailboxes in which the newest revision wins: of an experience, of a booking's payment plan (contracts: platform-events 4, 6).

Each notice names a complete snapshot, so that older ones waiting beside it need no answer.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from domain.notices import EventNotice


class _NewestWins(BaseModel):
    schema_version: int = 1
    agency: str
    revision: int = 0
    queue: list[EventNotice] = []

    def deliver(self, notice: EventNotice) -> bool:
        """Take a notice in; False when its revision is already applied or waiting."""
        known = notice.revision <= self.revision or any(n.revision == notice.revision for n in self.queue)
        if not known:
            self.queue.append(notice)
        return not known

    def take(self) -> EventNotice:
        """The newest notice; those waiting beside it are superseded."""
        newest = max(self.queue, key=lambda n: n.revision)
        self.queue.clear()
        self.revision = newest.revision
        return newest


class ExperienceState(_NewestWins):
    """The mailbox of one experience: one expediente for ever."""

    experience_id: str
    opened: bool = False
    cancelled: bool = False
    closed: bool = False
    last: EventNotice | None = None
    ends_at: datetime | None = None

    def take(self) -> EventNotice:
        newest = super().take()
        self.cancelled = newest.stage == "cancelled" or newest.kind == "experience.cancelled"
        return newest


class PlanState(_NewestWins):
    """The mailbox of one booking's payment plan."""

    booking_id: str
    plan_id: str | None = None
    event_id: str | None = None
    over: bool = False

    def take(self) -> EventNotice:
        newest = super().take()
        self.plan_id, self.event_id = newest.plan_id, newest.event_id
        return newest
