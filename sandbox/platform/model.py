"""The platform without its wire: the table of verbs, each run as one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sandbox.platform import (
    bookings,
    cancellations,
    charges,
    experiences,
    payments,
    refund_orders,
    replays,
    reversals,
    schedules,
)
from sandbox.platform.amounts import Doc, Unknown, Wrong
from sandbox.platform.change import Change, Verb
from sandbox.platform.events import Account
from sandbox.platform.storage import Storage

VERBS: dict[str, Verb] = {
    "create-experience": experiences.create_experience,
    "update-experience": experiences.update_experience,
    "cancel-experience": experiences.cancel_experience,
    "create-booking": bookings.create_booking,
    "change-service": bookings.change_service,
    "apply-discount": bookings.apply_discount,
    "revoke-discount": bookings.revoke_discount,
    "modify-booking": bookings.modify_booking,
    "cancel-booking": cancellations.cancel_booking,
    "capture-payment": payments.capture_payment,
    "fail-payment": payments.fail_payment,
    "refund": reversals.refund,
    "confirm-refund": reversals.confirm_refund,
    "fail-refund": reversals.fail_refund,
    "chargeback": reversals.chargeback,
    "create-plan": schedules.create_plan,
    "change-plan": schedules.change_plan,
    "charge": charges.create_charge,
    "script-charges": charges.script_charges,
    "order-refund": refund_orders.create_refund_order,
    "settle-refund-order": refund_orders.settle_refund_order,
    "script-refund-orders": refund_orders.script_refund_orders,
    "redeliver": replays.redeliver,
    "retell": replays.retell,
    "forge": replays.forge,
    "emit": replays.emit,
    "skip-sequence": replays.skip_sequence,
    "release": replays.release,
    "mark": replays.mark,
}
"""What can be done on the platform, by the name that `POST /sim/{verb}` uses."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Platform:
    """The model: verbs in, records and events out. `path=None` keeps it in memory; `now` is its clock."""

    def __init__(
        self, path: Path | None = None, account: Account | None = None, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.account = account or Account()
        self.storage = Storage(path)
        self._now = now

    def do(self, verb: str, wish: Doc, key: str | None = None) -> Doc:
        """Carry out a verb, all or nothing. A `key` seen before answers what it answered then and changes nothing.

        Raises Wrong, Unknown or Conflict with nothing changed. A "delivery" member of the wish says by event kind how
        the events travel: {"booking.created": {"twice" | "hold" | "behind": true, "delay": seconds}}.
        """
        act = VERBS.get(verb)
        if act is None:
            raise Unknown(f"no such verb: {verb}")
        with self.storage.transaction():
            if key is not None and (answer := self.storage.answer(key)) is not None:
                return answer
            change = Change(self.storage, self.account, self._now(), wish.get("delivery", {}))
            try:
                result = act(change, {name: value for name, value in wish.items() if name != "delivery"})
            except KeyError as missing:
                raise Wrong(f"{missing.args[0]} is missing") from missing
            except Wrong:
                raise
            except (TypeError, ValueError, ArithmeticError) as error:
                raise Wrong(f"not understood: {error}") from error
            if key is not None:
                self.storage.keep_answer(key, result)
            return result

    def booking(self, booking_id: str) -> Doc:
        """The snapshot with its revision, as section 7 gives it; raises Unknown."""
        return self._snapshot("booking", booking_id)

    def experience(self, experience_id: str) -> Doc:
        return self._snapshot("experience", experience_id)

    def plan(self, plan_id: str) -> Doc:
        return self._snapshot("payment_plan", plan_id)

    def _snapshot(self, kind: str, record_id: str) -> Doc:
        record = self.storage.find(kind, record_id)
        if record is None:
            raise Unknown(f"no {kind} {record_id}")
        return {**record["snapshot"], "revision": record["revision"]}
