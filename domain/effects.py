"""Effects: one write in an outside system, exactly once where the system itself cannot promise it (contracts: giav 3).

The protocol as a pure table; `activities.effects` runs it, `store.effects` remembers it.

    intend   a row under a unique key                      a second attempt finds it
    look up  only if the row was there already or the outcome was unknown
    act      one request that carries the reference
    settle   done with the outside id, refused, or unknown
    verify   after an unknown outcome: wait, look again; not found three times → act once more, at most three acts
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

REFERENCE_PREFIX = "ORQ-"
VERIFY_WAITS: tuple[float, ...] = (2.0, 5.0, 15.0)
"""Seconds to wait before each look-up after an unknown outcome."""
MAX_ACTS = 3
"""How often a write may be sent at all, each time only after looking."""
MAX_BREAKDOWNS = 3
"""How often a write that sets a state may be answered with a breakdown before a person is asked (giav 1.4)."""

RESTORED = "the store was restored from a backup: "
"""Begins the reason of an effect that may have been sent before the loss and cannot be looked for."""


@dataclass(frozen=True, slots=True)
class EffectKey:
    """Names one write for ever. `business_id` is the fact's own id (`pay_…`, `bkg_…/lin_…`), never an event id."""

    agency: str
    system: str
    entity: str
    business_id: str
    operation: str
    sequence: int = 0

    def __str__(self) -> str:
        tail = f"#{self.sequence}" if self.sequence else ""
        return f"{self.agency}/{self.system}/{self.entity}/{self.business_id}/{self.operation}{tail}"

    @property
    def reference(self) -> str:
        """`ORQ-` and 26 characters of base32: searchable in the outside system, short enough for fields of unknown length."""
        digest = hashlib.sha256("\x1f".join((*self._parts(), str(self.sequence))).encode()).digest()
        return REFERENCE_PREFIX + base64.b32encode(digest).decode()[:26]

    def _parts(self) -> tuple[str, ...]:
        return (self.agency, self.system, self.entity, self.business_id, self.operation)


class EffectState(StrEnum):
    """Where one effect stands."""

    INTENDED = "intended"
    UNKNOWN = "unknown"
    QUEUED = "queued"
    """It lies with them, and their answer comes later; the outside id is the place where it lies."""
    DONE = "done"
    REFUSED = "refused"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class EffectRecord:
    """What the store remembers of one effect.

    `acts` counts sends that may have left the house: it is raised before sending and lowered again only when the
    request certainly never arrived or its effect was undone. `looks` counts look-ups that found nothing since the last act,
    `breakdowns` the times that the other side answered with a breakdown. `begun_at` is when it was intended first.
    """

    key: EffectKey
    state: EffectState
    outside_id: str | None = None
    acts: int = 0
    looks: int = 0
    reason: str = ""
    breakdowns: int = 0
    begun_at: datetime | None = None


class Move(StrEnum):
    """What the protocol does next with an effect."""

    RETURN = "return"
    ACT = "act"
    LOOK_UP = "look up"
    REPORT_REFUSAL = "report refusal"


def next_move(record: EffectRecord, *, fresh: bool) -> Move:
    """The next move on entering the protocol; `fresh` when this very attempt inserted the row (and so counts one act)."""
    match record.state:
        case EffectState.DONE | EffectState.QUEUED:
            return Move.RETURN
        case EffectState.REFUSED:
            return Move.REPORT_REFUSAL
        case EffectState.INTENDED if fresh:
            return Move.ACT
        case _:
            return Move.LOOK_UP


class AfterLook(StrEnum):
    """What follows a look-up that found nothing."""

    WAIT = "wait and look again"
    ACT = "act once more"
    PERSON = "ask a person"


def after_empty_look(record: EffectRecord) -> AfterLook:
    """Decide after an empty look-up; `record.looks` already counts it.

    A write of which nothing is out there (`acts == 0`: it never arrived, or was undone) may be sent at once. After a send, patience first
    (a late landing must be found, not doubled), then another act, and after `MAX_ACTS` a person.
    """
    if record.acts == 0:
        return AfterLook.ACT
    if record.looks < len(VERIFY_WAITS):
        return AfterLook.WAIT
    return AfterLook.ACT if record.acts < MAX_ACTS else AfterLook.PERSON


def may_set_again(record: EffectRecord) -> bool:
    """Whether a write that sets a state is sent once more after breakdowns; a broken line alone never ends it."""
    return record.breakdowns < MAX_BREAKDOWNS


def wait_after_breakdown(record: EffectRecord) -> float:
    """Seconds until the next round of a write that sets a state; `record.breakdowns` already counts the last one."""
    return VERIFY_WAITS[min(record.breakdowns, len(VERIFY_WAITS)) - 1]


def wait_before_look(record: EffectRecord) -> float:
    """Seconds until the next look-up of an unknown outcome."""
    return VERIFY_WAITS[min(record.looks, len(VERIFY_WAITS) - 1)]
