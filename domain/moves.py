"""What a booking's mailbox may do next (contracts: platform-events 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from domain.notices import EventNotice

LifecycleKind = Literal["create", "modify", "cancel", "refund", "payment", "dispute", "chase", "supplier"]


class Run(NamedTuple):
    """Start a lifecycle. `keep` leaves the notice in the queue: it is answered again afterwards (create, then cancel)."""

    kind: LifecycleKind
    notice: EventNotice
    keep: bool = False


class Ask(NamedTuple):
    """Ask the platform for the booking that this money belongs to."""

    notice: EventNotice


class Drop(NamedTuple):
    """Answer a notice without a lifecycle."""

    notice: EventNotice
    why: str


class Wait(NamedTuple):
    """Nothing to do before a new delivery, or before `until`."""

    until: datetime | None = None


class Chase(NamedTuple):
    """Money is held that is not sold, or a declared refund was never shown: somebody must be asked. `notice` told of it."""

    notice: EventNotice
    confirm: bool = False


Next = Run | Ask | Drop | Wait | Chase
