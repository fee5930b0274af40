"""Mailboxes in which the newest revision wins: of an experience, of a booking's payment plan (contracts: platform-events 4, 6).

Each notice names a complete snapshot, so that older ones waiting beside it need no answer.
"""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from domain.money import Money
from domain.notices import EventNotice
from domain.plan_orders import OrderKind
from domain.steps import PlanArrangement


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
    collection: str = "automatic"
    open: dict[str, Money] = {}
    paused: str | None = None
    held: dict[str, str] = {}
    days: tuple[date, ...] | None = None
    """What the Schedule was last given; None when it has to be given anew, whatever it holds."""

    def arranged(self, now: PlanArrangement) -> list[str]:
        """What the Schedule holds now; answers the instalments that want no money any more."""
        wanted = {item.instalment_id: item.amount for item in now.due}
        gone = [own for own in self.open if own not in wanted]
        self.collection, self.open, self.paused, self.held = now.collection, wanted, now.paused, dict(now.held)
        self.days = now.days
        return gone

    def ordered(self, order: OrderKind, instalment_id: str | None, why: str) -> None:
        """A person's order, until the next arrangement shows it."""
        self.days = None
        match order:
            case "pause":
                self.paused = why
            case "resume" if instalment_id is None:
                self.paused = None
            case "resume" | "charge_now":
                self.held.pop(instalment_id or "", None)
            case _:
                self.held[instalment_id or ""] = why

    def refusal(
        self, order: OrderKind, instalment_id: str | None, amount: Money | None, by: str, why: str
    ) -> str | None:
        """Why an order is not taken, in words for whoever gave it; None when it is."""
        if by.strip() in ("", "system"):
            return "say who orders it"
        if len(why.strip()) < 10:
            return "explain the order in at least 10 characters"
        if order == "stop":
            return "stop is the program's own; skip an instalment, or pause the plan"
        if self.over:
            return "the plan is over: nothing is due any more"
        if instalment_id is None and order in ("skip", "charge_now"):
            return "name the instalment"
        if instalment_id is not None and instalment_id not in self.open:
            known = ", ".join(self.open) or "none"
            return f"{instalment_id} is no instalment that wants money; open are: {known}"
        if amount is not None and order != "charge_now":
            return "an amount belongs to charge_now"
        wanted = self.open.get(instalment_id or "")
        if amount is not None and wanted is not None and not _is_within(amount, wanted):
            return f"{amount} is not within what is open of {instalment_id}: {wanted}"
        return self._contradiction(order, instalment_id)

    def _contradiction(self, order: OrderKind, instalment_id: str | None) -> str | None:
        match order:
            case "pause" if instalment_id is not None:
                return "a pause is of the whole plan; skip an instalment"
            case "pause" if self.paused is not None:
                return f"the plan is paused already: {self.paused}"
            case "resume" if instalment_id is None and self.paused is None:
                return "the plan is not paused"
            case "resume" if instalment_id is not None and instalment_id not in self.held:
                return f"{instalment_id} is not held"
            case "skip" if instalment_id in self.held:
                return f"{instalment_id} is held already: {self.held[instalment_id or '']}"
            case "charge_now" if self.paused is not None:
                return f"the plan is paused ({self.paused}); resume it first"
            case "charge_now" if self.collection == "on_notice":
                return "the plan is collected on notice: the platform asks the payer, nothing can be charged"
        return None

    def take(self) -> EventNotice:
        newest = super().take()
        self.plan_id, self.event_id, self.days = newest.plan_id, newest.event_id, None
        return newest


def _is_within(amount: Money, wanted: Money) -> bool:
    return amount.currency == wanted.currency and 0 < amount.amount <= wanted.amount
