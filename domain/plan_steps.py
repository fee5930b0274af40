"""What workflows and cells tell each other about plans beyond the plain instalment (contracts: money-rules 1.7, F-P*)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.plan_orders import OrderKind
from domain.steps import InstalmentStep, Step

Occasion = Literal["due", "announced", "declined", "stopped", "authenticate", "returned", "retried"]
"""Why a payer hears from the agency: an instalment on notice; a debit to come; a decline that is tried again, one that is not;
the payer has to agree; a debit came back, and is tried once more."""


class PlanCommand(BaseModel):
    """What a person orders, by command or in Temporal UI; `why` in at least ten characters."""

    model_config = ConfigDict(frozen=True)

    order: OrderKind
    by: str
    why: str
    instalment_id: str | None = None
    amount: Money | None = None


class PlanOrderStep(Step):
    """An order to be written down under `order_id`, and carried out at the Schedule."""

    plan_id: str
    booking_id: str
    order_id: str
    order: OrderKind
    by: str
    why: str
    instalment_id: str | None = None
    amount: Money | None = None


class PursuitStep(InstalmentStep):
    """One instalment to be collected, from attempt `attempt` on. `ask_first`: it is late and near the next one (F-P7).

    `amount` is what a person wants charged now, at most what is open.
    """

    due_on: date | None = None
    ask_first: bool = False
    grace_days: int = 10
    not_before: datetime | None = None


class TellStep(Step):
    """A letter to the payer of an instalment. `number` tells letters of one occasion apart, `on` is a day that it names."""

    plan_id: str
    booking_id: str
    instalment_id: str
    occasion: Occasion
    number: int = 1
    amount: Money | None = None
    on: date | None = None
    code: str | None = None


class ReturnVerdict(BaseModel):
    """What the code of a returned debit means for its plan; `instalment_id` is what it paid."""

    model_config = ConfigDict(frozen=True)

    answer: Literal["retry", "stop", "ask"]
    code: str
    words: str
    plan_id: str = ""
    instalment_id: str = ""
    attempt: int = 1
    retry_on: datetime | None = None
