"""What a booking's money stands at, and since when more of it is held than is sold (contracts: money-rules 1.4.4, 1.7.9, C5, F-R5).

Pure, carried by the mailbox. Amounts are minor units; times are UTC instants.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel

from domain.notices import EventNotice

ALARM_AFTER = timedelta(days=7)
PARK_AFTER = timedelta(days=10)
BREACH_AFTER = timedelta(days=14)
"""The clock of a refund, from the day on which the contract ended (money-rules 1.4.4)."""
GRACE = timedelta(hours=1)
"""Money may be ahead of the change that explains it: so long nobody is asked."""
WORKING_DAYS_TO_SHOW = 5
"""Within so many working days the processor shows a refund that a planner declared (money-rules F-R5)."""
CLOSED_STAGES = frozenset({"won", "lost", "accepted"})
"""Stages after which no evidence is asked for any more."""


class Dispute(BaseModel):
    """The newest stage of a chargeback; `revision` grows with the stages."""

    payment_id: str
    stage: str
    revision: int


class Owing(BaseModel):
    """Fields are only ever added: it goes through continue-as-new with the mailbox.

    `ended` is the cancellation whose clock runs, `cause` what made money owed last, `since` when that was. `chaser` is the
    workflow that asks for the refund, `let_go` a person's word that none is due.
    """

    sale: int | None = None
    cancelled: bool = False
    disputes: dict[str, Dispute] = {}
    failed: list[str] = []
    vouchers: dict[str, EventNotice] = {}
    unconfirmed: dict[str, EventNotice] = {}
    ended: EventNotice | None = None
    cause: EventNotice | None = None
    since: datetime | None = None
    chaser: str | None = None
    let_go: bool = False

    def sold(self, notice: EventNotice) -> None:
        """A snapshot was answered: this much is sold now."""
        if notice.amount is not None:
            self.sale = notice.amount.amount
        if notice.kind == "booking.cancelled" and notice.effective_at is not None:
            self.ended = notice
            self.cancelled = self.cancelled or notice.scope == "full"

    def disputed(self, notice: EventNotice) -> None:
        """A stage of a chargeback was told; an older one that comes late changes nothing."""
        own = notice.fact_id.partition(":")[0]
        known = self.disputes.get(own)
        if known is None or notice.revision >= known.revision:
            stage = Dispute(payment_id=notice.payment_id or "", stage=notice.stage or "", revision=notice.revision)
            self.disputes = {**self.disputes, own: stage}

    @property
    def disputed_payments(self) -> tuple[str, ...]:
        """Payments that nobody may refund alone: in dispute, or lost by one (money-rules 1.7.9)."""
        return tuple(sorted({each.payment_id for each in self.disputes.values() if each.stage != "won"}))

    @property
    def stages(self) -> dict[str, str]:
        return {own: each.stage for own, each in self.disputes.items()}

    def look(self, owed: int, notice: EventNotice, now: datetime) -> None:
        """After every answer: does more stand with us than is sold, and since when."""
        if owed <= 0:
            self.since, self.cause, self.let_go = None, None, False
        elif self.since is None:
            self.since, self.cause = now, notice
            if not self.cancelled and notice.kind not in ("booking.cancelled", "payment.refund_failed"):
                # An earlier cancellation of a part was settled: this is other money.
                self.ended = None

    def chase_at(self, owed: int) -> datetime | None:
        """When somebody must be reminded of the refund; None while nothing is owed, or somebody is already asked."""
        if owed <= 0 or self.since is None or self.chaser is not None or self.let_go:
            return None
        if self.ended is None or self.ended.effective_at is None:
            return self.since + GRACE
        return max(self.ended.effective_at + ALARM_AFTER, self.since + GRACE)

    def confirm_at(self) -> tuple[datetime, EventNotice] | None:
        """The next declared refund of which the processor should have shown something by then."""
        due = [(working_days_after(each.occurred_at, WORKING_DAYS_TO_SHOW), each) for each in self.unconfirmed.values()]
        return min(due, key=lambda pair: (pair[0], pair[1].fact_id), default=None)


def working_days_after(moment: datetime, days: int) -> datetime:
    """`days` working days later, Monday to Friday; holidays are a bank's own."""
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < 5
    return moment
