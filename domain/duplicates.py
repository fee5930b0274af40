"""A payment for what was paid already: what its money still pays, and what the customer is told of it (payment-sync 4, 18-27)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money, total
from domain.payment_sync import State
from domain.steps import PaymentStep

HELD = frozenset(
    {State.DUPLICATE, State.AWAITING_CUSTOMER, State.REFUND_REQUESTED, State.REFUND_FAILED, State.REFUNDED}
)
"""States in which the money of a duplicate pays for nothing."""
CREDITED = frozenset({State.CREDITING, State.CREDITED})
"""States in which it pays what is open next."""
REMINDERS: tuple[Literal[1, 3, 7, 10], ...] = (1, 3, 7, 10)
"""Days after the question on which it is asked again; on the last of them a person is asked instead (row 22)."""

DuplicateOccasion = Literal["asked", "reminded", "credited", "refunding", "refunded"]
"""Why a customer hears of a duplicate: which way they want it; once more; and what became of it."""


class Duplicates(BaseModel):
    """The duplicates among the payments of one booking, by id."""

    model_config = ConfigDict(frozen=True)

    held: frozenset[str] = frozenset()
    credited: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        return self.held | self.credited


NONE = Duplicates()


class CreditPart(BaseModel):
    """What a credited payment pays of one instalment."""

    model_config = ConfigDict(frozen=True)

    instalment_id: str
    due_on: date
    amount: Money


class CreditPlan(BaseModel):
    """Where the money of a duplicate would go, oldest instalment first, and what would be left of it."""

    model_config = ConfigDict(frozen=True)

    parts: tuple[CreditPart, ...] = ()
    remainder: Money

    @property
    def pays(self) -> Money:
        return total((part.amount for part in self.parts), self.remainder.currency)


class DuplicateStep(PaymentStep):
    """Entries of a duplicate. `number` counts how often this payment was one; `credited` says that it pays after all.

    Where the journal is itself the ERP a duplicate was never `posted`.
    """

    number: int = 1
    credited: bool = False
    posted: bool = True


class RefundOrderStep(PaymentStep):
    """Money of a duplicate that is to go back: `amount` is what is left of it. `number` counts what is asked for anew, after the
    gateway refused; under one number there is one refund. `case_id` is what the gateway called it."""

    number: int = 1
    case_id: str = ""


class DuplicateLetter(PaymentStep):
    """A letter to the payer of a duplicate; `number` tells letters of one occasion apart."""

    occasion: DuplicateOccasion
    number: int = 1
    credit: CreditPlan | None = None


class GivenBack(BaseModel):
    """A refund of a payment was recorded."""

    model_config = ConfigDict(frozen=True)

    refund_id: str
    amount: Money
