"""Inputs and results of the workflows: one frozen model each, so that fields can be added later."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.moves import LifecycleKind
from domain.notices import EventNotice
from domain.payment_sync import PaymentSync

Outcome = Literal["done", "partial", "undone", "partly_undone", "abandoned"]


class Known(BaseModel):
    """What the mailbox knows by now; a child that waits for it goes on. `owed` is held and not sold, in minor units."""

    model_config = ConfigDict(frozen=True)

    registered: bool
    payments: tuple[str, ...] = ()
    owed: int = 0
    currency: str = "EUR"
    cancelled: bool = False
    disputed: tuple[str, ...] = ()
    stages: dict[str, str] = {}
    declared: dict[str, EventNotice] = {}


class LifecycleInput(BaseModel):
    """What a child lifecycle starts with; `mailbox` is the booking workflow to report to while parked."""

    model_config = ConfigDict(frozen=True)

    notice: EventNotice
    mailbox: str
    experience_id: str
    booking_id: str
    known_booking: bool = True
    known_payment: bool = True
    known: Known = Known(registered=True)
    resumed: PaymentSync | None = None
    """A payment that was settled once, and of which something happened since."""


class LifecycleResult(BaseModel):
    """How a lifecycle ended; `notes` says what was left out and why."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    notes: tuple[str, ...] = ()


class ParkedReport(BaseModel):
    """A child tells its mailbox that it stopped for a person, or went on to its end.

    `registered`: the ERP has the booking by now, so that money can be recorded while something else waits.
    """

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    kind: LifecycleKind
    result: LifecycleResult | None = None
    registered: bool = False
