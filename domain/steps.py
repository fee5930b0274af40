"""What the cells of the verbs × systems table take and give: one frozen model in, one out, keys and money only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money


class Step(BaseModel):
    """Base of every activity input. `lifecycle` is the workflow id on whose behalf the step runs."""

    model_config = ConfigDict(frozen=True)

    agency: str
    lifecycle: str = ""


class ExperienceStep(Step):
    """An experience as the event `event_id` told it."""

    experience_id: str
    event_id: str
    revision: int


class BookingStep(Step):
    """A booking as the event `event_id` told it."""

    booking_id: str
    experience_id: str
    event_id: str
    revision: int


class CancellationStep(BookingStep):
    """A cancellation of (a part of) a booking; the event carries snapshot and cancellation."""

    cancellation_id: str


class PaymentStep(Step):
    """One captured payment, as the event `event_id` told it.

    `known_booking` is false while the booking is not registered in the ERP (suspense account).
    """

    booking_id: str
    experience_id: str
    payment_id: str
    amount: Money
    method: str
    known_booking: bool = True
    event_id: str = ""


class RefundStep(Step):
    """One refund of one payment. Without `rectify` only its money is booked, and the documents wait for a person."""

    booking_id: str
    payment_id: str
    refund_id: str
    amount: Money
    cancellation_id: str | None = None
    event_id: str
    rectify: bool = True


class ChargebackStep(Step):
    """One stage of one chargeback; money moves at `funds_withdrawn` and `won` only."""

    booking_id: str
    payment_id: str
    chargeback_id: str
    stage: str
    amount: Money
    event_id: str


class ClaimStep(Step):
    """A person's answer to money that is gone: the payer owes it (`claim`), or it is lost (`write_off`).

    `about` says what took it: a dispute that was lost, or a refund beyond its decision; `fact_id` names that fact.
    """

    booking_id: str
    payment_id: str
    fact_id: str
    about: Literal["dispute", "refund"]
    decision: Literal["claim", "write_off"]
    amount: Money
    decided_at: datetime


class PlanStep(Step):
    """A payment plan as the event `event_id` told it; `start_due` collects at once what is already due.

    `shown` are the days that the Schedule holds where nothing but these can have changed since; None where anything can.
    """

    plan_id: str
    booking_id: str
    event_id: str
    revision: int
    start_due: bool = False
    shown: tuple[date, ...] | None = None


class InstalmentStep(Step):
    """One attempt to collect one instalment; `attempt` counts from 1. An `amount` is what a person wants charged, at most."""

    plan_id: str
    booking_id: str
    instalment_id: str
    attempt: int = 1
    amount: Money | None = None


class TamaraOrder(Step):
    """An order to export one kind; without a day, that of the moment at which the Schedule fires (UTC)."""

    kind: Literal["BSP", "MA"]
    day: date | None = None


class RevenueOrder(Step):
    """An order to recognise revenue; without a day, that of the moment at which the Schedule fires (UTC)."""

    day: date | None = None


class RevenueStep(Step):
    """Advances of trips that have started by this agency-local day become revenue."""

    day: date


class TamaraStep(Step):
    """One nightly file of one kind (`BSP` or `MA`) for one agency-local day."""

    kind: Literal["BSP", "MA"]
    day: date


class TamaraRetention(Step):
    """An order about what an agency may keep of account numbers: to destroy what is old, to look for what should not be."""


class TamaraFileStep(Step):
    """A sealed file, by its identity in the ledger."""

    partner_id: str
    kind: Literal["BSP", "MA"]
    seq: int


class Done(BaseModel):
    """How a cell ended. `ids` are outside ids by name (`container`, `invoice`), `note` says what was left out and why.

    `partial` means that something is on the not-transferred list; `skipped` that the system has no part in this fact.
    `awaiting` names the effects that a system has taken into its queue and not answered yet: the cell has to be asked again
    once it has.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Literal["done", "partial", "skipped"] = "done"
    ids: dict[str, str] = {}
    note: str = ""
    awaiting: tuple[str, ...] = ()


class SealedFile(BaseModel):
    """A TAMARA file that has its number; `lines` counts its transactions."""

    model_config = ConfigDict(frozen=True)

    partner_id: str
    kind: Literal["BSP", "MA"]
    seq: int
    name: str
    lines: int


class ChargeResult(BaseModel):
    """What the processor said to a charge of an instalment.

    `waiting`: not before `not_before`; without one the payer has to be told of the debit first. `short` is what the instalment
    wants beyond what is due on the booking.
    """

    model_config = ConfigDict(frozen=True)

    status: Literal["captured", "declined", "link_sent", "already_paid", "frozen", "waiting"]
    payment_id: str | None = None
    category: Literal["hard", "soft", "authentication_required"] | None = None
    message: str = ""
    amount: Money | None = None
    not_before: datetime | None = None
    short: Money | None = None


class DueInstalment(BaseModel):
    """An instalment that wants money. `ask_first`: it comes so late that it would meet the next one (money-rules F-P7)."""

    model_config = ConfigDict(frozen=True)

    instalment_id: str
    due_on: date
    amount: Money
    next_attempt: int = 1
    ask_first: bool = False
    grace_days: int = 10


class PlanArrangement(BaseModel):
    """What the plan's schedule now holds, on the agency's `days`; `paused` and `held` are people's orders, with their reasons."""

    model_config = ConfigDict(frozen=True)

    collection: Literal["automatic", "on_notice"]
    due: tuple[DueInstalment, ...]
    paused: str | None = None
    held: dict[str, str] = {}
    days: tuple[date, ...] | None = None


Decision = Literal[
    "retry", "skip", "adopt", "abandon", "approve", "decline", "take_ours", "keep_theirs", "claim", "write_off"
]
"""A person's answers: do it again, go on without it, take over a record that exists, give up and compensate; to a
question of a cell: do it, leave it, write what we have over what stands there, leave what stands there; of money that is
gone: the payer owes it, it is lost."""


class MoneyAtStake(BaseModel):
    """What was captured for a booking so far; None before the first payment."""

    model_config = ConfigDict(frozen=True)

    captured: Money | None = None


class BookingQuestion(Step):
    """A question about one booking to our own store."""

    booking_id: str


class AnswersStep(BookingQuestion):
    """A look for the answers to queued effects of a booking; `chase` asks the system what it holds, too."""

    effects: tuple[str, ...]
    chase: bool = False


class Parking(Step):
    """A request to park: what stopped, why, who is asked, until when, and what may be answered.

    A `deadline` that somebody else sets (a bank, the law) counts before the desk's own hours.
    """

    item_id: str
    workflow_id: str
    booking_id: str | None = None
    experience_id: str | None = None
    payment_id: str | None = None
    verb: str
    reason: str
    detail: str
    fault: str
    effect: str = ""
    amount: Money | None = None
    decisions: tuple[Decision, ...]
    since: datetime
    deadline: datetime | None = None


class Parked(BaseModel):
    """The parked item as stored: owner and deadline come from the agency's settings for the reason."""

    model_config = ConfigDict(frozen=True)

    item_id: str
    owner: str
    deadline: datetime
    page: str = ""
    """Where the console shows it; empty where there is none."""


class DecisionTaken(BaseModel):
    """A person's answer to a parked item, delivered as an Update; `outside_id` only with `adopt`."""

    model_config = ConfigDict(frozen=True)

    item_id: str
    decision: Decision
    by: str
    explanation: str = ""
    outside_id: str | None = None


class Unparking(Step):
    """Close a parked item with its answer; the effect that failed is armed again on `retry` and settled on `adopt`."""

    workflow_id: str
    verb: str
    effect: str = ""
    taken: DecisionTaken


class LifecycleOutcome(Step):
    """The end of a lifecycle for the read model."""

    workflow_id: str
    kind: str
    booking_id: str | None = None
    experience_id: str | None = None
    payment_id: str | None = None
    outcome: Literal["done", "partial", "undone", "partly_undone", "abandoned"]
    notes: tuple[str, ...] = ()


class IntegrationStep(Step):
    """One outside system of an agency that is being activated; `by` is the person who asked for it."""

    system: str
    by: str


class BackfillProgress(BaseModel):
    """How far the backfill of an agency's platform came: the place in its lists, and what was met there.

    Trips that ended before `ended_since` are left out as `past`, snapshots that a newer one replaced as `superseded`;
    `unusable` is what the gateway would not have kept either. `seen` is the sum of the other five.
    """

    model_config = ConfigDict(frozen=True)

    ended_since: date
    phase: Literal["events", "bookings", "payments", "plans", "done"] = "events"
    cursor: str = ""
    seen: int = 0
    taken: int = 0
    known: int = 0
    past: int = 0
    superseded: int = 0
    unusable: int = 0


class IntegrationActivation(IntegrationStep):
    """The order to use a system from now on; without a day, trips that end today or later are taken in."""

    ended_since: date | None = None


class IntegrationBackfill(IntegrationStep):
    """The next page of the backfill."""

    progress: BackfillProgress


class UntoldBookings(BaseModel):
    """Bookings that a system was not told of, and the place in the list behind them."""

    model_config = ConfigDict(frozen=True)

    progress: BackfillProgress
    bookings: tuple[str, ...] = ()


class IntegrationOrder(IntegrationStep):
    """An order to activate a system. `progress` is set by the workflow itself when it starts a new run."""

    backfill: bool = True
    ended_since: date | None = None
    progress: BackfillProgress | None = None
