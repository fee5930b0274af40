"""What people ordered about a payment plan, and how it stands after that (contracts: money-rules 1.7, P10).

Orders are kept in sequence and never changed; the standing is what they add up to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money

OrderKind = Literal["pause", "resume", "skip", "stop", "charge_now"]
BY_ITSELF = "system"


class PlanOrder(BaseModel):
    """One order with who gave it and why; without an instalment it is about the whole plan.

    `stop` is the program's own: an instalment that may not be tried again before a person acts or a new mandate is signed.
    """

    model_config = ConfigDict(frozen=True)

    order: OrderKind
    by: str
    why: str
    instalment_id: str | None = None
    amount: Money | None = None
    at: datetime


class Standing(BaseModel):
    """`paused` holds the whole plan, `held` single instalments."""

    model_config = ConfigDict(frozen=True)

    paused: PlanOrder | None = None
    held: dict[str, PlanOrder] = {}

    def holds(self, instalment_id: str) -> PlanOrder | None:
        """The order that forbids to collect an instalment."""
        return self.paused or self.held.get(instalment_id)


def standing(orders: Iterable[PlanOrder], signed_at: datetime | None) -> Standing:
    """How a plan stands after its orders, oldest first. A mandate signed later lifts what the program itself stopped."""
    paused: PlanOrder | None = None
    held: dict[str, PlanOrder] = {}
    for order in orders:
        own = order.instalment_id
        lifted = order.by == BY_ITSELF and signed_at is not None and signed_at > order.at
        match order.order:
            case "pause" | "stop" | "skip" if lifted:
                continue
            case "pause":
                paused = order
            case "resume" if own is None:
                paused = None
            case "resume" | "charge_now":
                held.pop(own or "", None)
            case _:
                held[own or ""] = order
    return Standing(paused=paused, held=held)
