"""Settles messages that a mid-office answers later (contracts: midoffice 3.2 QUEUED, 8.1)."""

from __future__ import annotations

from activities.midoffice.adapter import PushResult
from activities.midoffice.booking import BookingRef
from activities.midoffice.door import Door
from activities.midoffice.faults import StaleRevision, UnknownBooking
from activities.midoffice.told import ENTITY
from domain.effects import EffectRecord, EffectState
from domain.errors import BackOfficeError, Refused
from store import Store


class Answers:
    """Of one agency's mid-office."""

    def __init__(self, store: Store, adapter: Door) -> None:
        self._store = store
        self._adapter = adapter

    def settle(self, record: EffectRecord) -> bool:
        """Read the answer to a queued message and settle its effect; False while they are silent.

        A message that is to be sent again is armed, and whoever asked for it sends it. Raises what a negative answer means,
        after the effect was marked as refused; any other error is about the way there and leaves the message as it is.
        """
        answer = self._adapter.read_answer(record.outside_id or "")
        if answer is None:
            return False
        if isinstance(answer, PushResult):
            if answer.outcome == "AGAIN":
                self._store.effects.rearm(str(record.key))
            else:
                self._store.effects.done(record.key, answer.external_ref)
            return True
        if isinstance(answer, UnknownBooking) and self._was_a_change(record):
            # They do not hold what was to be changed: the adapter sends it as a new booking.
            self._store.effects.rearm(str(record.key))
            return True
        self._store.effects.refused(record.key, str(answer))
        answer.effect = str(record.key)
        raise plain(answer)

    def ask(self, record: EffectRecord) -> bool:
        """Ask what they hold of a booking whose message they never acknowledged: True if it arrived nevertheless."""
        content = (self._store.effects.last_request(record.key) or {}).get("content", {})
        if record.key.entity != ENTITY or not content:
            return False
        names = ("agency_id", "booking_key", "supplier_code", "supplier_booking_id")
        for state in self._adapter.read_status(BookingRef(**{name: str(content.get(name, "")) for name in names})):
            if state.held.revision is not None and state.held.revision >= record.key.sequence:
                self._store.effects.done(record.key, state.external_ref, adopted=True)
                return True
        return False

    def _was_a_change(self, record: EffectRecord) -> bool:
        request = self._store.effects.last_request(record.key) or {}
        return bool(request.get("content", {}).get("action") == "CHANGE")


def outstanding(store: Store, agency: str, booking_id: str, system: str) -> list[EffectRecord]:
    """The messages about a booking that they have not answered yet, in the order they were sent."""
    return [one for one in store.effects.of_booking(agency, booking_id, system) if one.state is EffectState.QUEUED]


def plain(error: BackOfficeError) -> BackOfficeError:
    """A refusal that only the door tells apart is to everybody else a plain one."""
    if not isinstance(error, StaleRevision | UnknownBooking):
        return error
    said = Refused(error.message, system=error.system, operation=error.operation, code=error.code)
    said.effect = error.effect
    return said
