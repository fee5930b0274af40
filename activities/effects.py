"""The effect protocol: every write of every adapter goes through `Effects.perform` (contracts: giav 3.3).

It never sleeps: between looks it raises `UnknownOutcome` with the time to wait, and the durable retry of the activity
comes back to it. So a crash at any line resumes here, with a look before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from temporalio import activity

from activities.measuring import observed
from domain.effects import (
    RESTORED,
    AfterLook,
    EffectKey,
    EffectRecord,
    EffectState,
    Move,
    after_empty_look,
    may_set_again,
    next_move,
    wait_after_breakdown,
    wait_before_look,
)
from domain.errors import BackOfficeError, Breakdown, NeedsPerson, Refused, Transient, UnknownOutcome


class Ledger(Protocol):
    """What the protocol asks of the store (`store.effects.EffectLedger`); each method is one transaction."""

    def intend(
        self,
        key: EffectKey,
        *,
        booking_id: str | None,
        request: Mapping[str, Any] | None,
        unseen: str | None = None,
    ) -> tuple[EffectRecord, bool]:
        """Insert the row with one act counted; the flag says whether this call inserted it and may send at once.

        Under a restored backup nothing may be sent at once: no act is counted, and what is `unseen` is refused.
        """

    def sending(self, key: EffectKey, request: Mapping[str, Any] | None = None) -> None:
        """Count one more act and forget the looks, before sending again; `request` is what is sent this time."""

    def not_sent(self, key: EffectKey, reason: str) -> None:
        """The request certainly never arrived: take the act back."""

    def unknown(self, key: EffectKey, reason: str) -> EffectRecord: ...

    def looked(self, key: EffectKey) -> EffectRecord:
        """Count one look-up that found nothing."""

    def broke_down(self, key: EffectKey, reason: str) -> EffectRecord:
        """Count an answer that was a breakdown of the other side."""

    def done(self, key: EffectKey, outside_id: str, *, adopted: bool = False) -> None: ...

    def queued(self, key: EffectKey, place: str) -> None:
        """It lies with them at `place`; their answer is outstanding."""

    def refused(self, key: EffectKey, reason: str) -> None: ...

    def undone(self, key: EffectKey, by: EffectKey) -> None:
        """Mark an effect and the effect that took it back as undone, in one transaction: both may be performed again."""

    def get(self, key: EffectKey) -> EffectRecord | None: ...

    def twins(self, key: EffectKey, outside_ids: Sequence[str]) -> None:
        """Open a parked item: more than one record carries the reference; the first was kept."""


class Queued(str):
    """Not yet an outside id: the place where a write lies until they answer. Whoever reads the answer settles the effect."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """One write. `act` sends it once with the reference and returns the outside id; `look_up` returns the outside ids
    that carry the reference, oldest first, each verified on our side.

    `look_up=None` marks a write that sets a state and may be repeated (PUT, un-nest); it is then simply sent again, but not
    for ever when the other side answers with breakdowns. `reached` tells after a breakdown whether that state is there: it
    answers the outside id, or None. `request` is what we send, kept because some systems cannot give it back (giav 2.1).
    """

    key: EffectKey
    act: Callable[[str], str]
    look_up: Callable[[str], Sequence[str]] | None = None
    reached: Callable[[], str | None] | None = None
    booking_id: str | None = None
    request: Mapping[str, Any] | None = None
    unseen: str | None = None


def beat(what: object) -> None:
    """Name what is running to Temporal, when there is a Temporal around."""
    if activity.in_activity():
        activity.heartbeat(what)


class Effects:
    """Runs effects against a ledger, and names the running one in the activity's heartbeat."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def perform(self, effect: Effect) -> str:
        """Make the effect happen exactly once and return its outside id, or the place where it is `Queued`.

        Raises `Refused` (also when it was refused before and nobody armed it again), `Transient`, `UnknownOutcome`
        (come back after `retry_after`), `NeedsPerson` when it could not be found after all acts.
        """
        beat(f"{effect.key.operation} {effect.key.entity}")
        record, fresh = self._ledger.intend(
            effect.key, booking_id=effect.booking_id, request=effect.request, unseen=effect.unseen
        )
        match next_move(record, fresh=fresh):
            case Move.RETURN:
                outside_id = record.outside_id or ""
                return Queued(outside_id) if record.state is EffectState.QUEUED else outside_id
            case Move.REPORT_REFUSAL if record.reason.startswith(RESTORED):
                raise NeedsPerson(
                    record.reason,
                    system=effect.key.system,
                    operation=effect.key.operation,
                    code="restored_unseen",
                    effect=str(effect.key),
                )
            case Move.REPORT_REFUSAL:
                raise Refused(
                    record.reason or f"already {record.state.value}",
                    system=effect.key.system,
                    operation=effect.key.operation,
                    effect=str(effect.key),
                )
            case Move.LOOK_UP:
                with observed(effect.key, record):
                    return self._look_then_act(effect, record)
            case Move.ACT:
                with observed(effect.key, record):
                    return self._act(effect, first=True)

    def take_back(self, key: EffectKey, undo: Effect) -> None:
        """Undo an effect, if it stands, by another effect with its own key."""
        record = self._ledger.get(key)
        if record is None or record.state is not EffectState.DONE:
            return
        self.perform(undo)
        self._ledger.undone(key, undo.key)

    def _look_then_act(self, effect: Effect, record: EffectRecord) -> str:
        if effect.look_up is not None:
            found = self._look(effect)
            if found is not None:
                return found
            record = self._ledger.looked(effect.key)
            match after_empty_look(record):
                case AfterLook.WAIT:
                    raise self._come_back(effect, record, "not found yet after an unknown outcome")
                case AfterLook.PERSON:
                    raise NeedsPerson(
                        f"sent {record.acts} times without a clear answer and not found by reference "
                        f"{effect.key.reference}; look for it there, then adopt its id or retry",
                        system=effect.key.system,
                        operation=effect.key.operation,
                        effect=str(effect.key),
                    )
                case AfterLook.ACT:
                    pass
        elif record.breakdowns:
            found = effect.reached() if effect.reached is not None else None
            if found is not None:
                self._ledger.done(effect.key, found)
                return found
            if not may_set_again(record):
                raise NeedsPerson(
                    f"answered {record.breakdowns} times with a breakdown: {record.reason}",
                    system=effect.key.system,
                    operation=effect.key.operation,
                    effect=str(effect.key),
                )
        self._ledger.sending(effect.key, effect.request)
        return self._act(effect, first=False)

    def _look(self, effect: Effect) -> str | None:
        assert effect.look_up is not None
        found = list(effect.look_up(effect.key.reference))
        if not found:
            return None
        if len(found) > 1:
            self._ledger.twins(effect.key, found)
        self._ledger.done(effect.key, found[0], adopted=True)
        return found[0]

    def _act(self, effect: Effect, *, first: bool) -> str:
        # An earlier send may have landed late, next to this one or instead of it.
        may_have_landed = not first and effect.look_up is not None
        try:
            outside_id = effect.act(effect.key.reference)
        except BackOfficeError as error:
            error.effect = str(effect.key)
            if may_have_landed and isinstance(error, Refused):
                found = self._look(effect)
                if found is not None:
                    return found
            self._settle_failure(effect, error)
            raise
        if may_have_landed:
            found = self._look(effect)
            if found is not None:
                return found
        if isinstance(outside_id, Queued):
            self._ledger.queued(effect.key, outside_id)
        else:
            self._ledger.done(effect.key, outside_id)
        return outside_id

    def _settle_failure(self, effect: Effect, error: BackOfficeError) -> None:
        match error:
            case Breakdown() if effect.look_up is None:
                record = self._ledger.broke_down(effect.key, str(error))
                error.retry_after = error.retry_after or wait_after_breakdown(record)
            case UnknownOutcome():
                record = self._ledger.unknown(effect.key, str(error))
                error.retry_after = error.retry_after or wait_before_look(record)
            case Transient():
                self._ledger.not_sent(effect.key, str(error))
            case _:
                self._ledger.refused(effect.key, str(error))

    @staticmethod
    def _come_back(effect: Effect, record: EffectRecord, why: str) -> UnknownOutcome:
        return UnknownOutcome(
            why,
            system=effect.key.system,
            operation=effect.key.operation,
            retry_after=wait_before_look(record),
            effect=str(effect.key),
        )
