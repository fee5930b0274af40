"""Where payments stand: filters of the list, and a log that only grows (contracts: payment-sync 7, 8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.money import Money
from domain.payment_steps import TransitionLog
from domain.payment_sync import Event, Failing, Kind, PaymentSync, Role, State, Transition, decide
from store import Store

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def report(name: str, *events: Event, amount: int = 30000, age: timedelta = timedelta()) -> TransitionLog:
    """What a workflow reports of a payment after these events."""
    sync = PaymentSync(payment_id=name, amount=Money(amount=amount, currency="EUR"), since=NOW - age)
    lines = []
    for told in (Event(kind=Kind.CAPTURED, role=Role.GATEWAY, at=NOW - age), Event(kind=Kind.START, at=NOW), *events):
        step = decide(sync, told)
        sync = step.after
        lines.append(Transition.of(step, told))
    return TransitionLog(
        agency="sol",
        lifecycle=f"payment/sol/{name}",
        booking_id="bkg_1",
        connector="giav",
        sync=sync,
        lines=tuple(lines),
    )


def refused(text: str) -> Event:
    return Event(kind=Kind.FAILED, failing=Failing.BUSINESS, text=text, at=NOW)


def test_a_report_that_comes_twice_or_late_changes_nothing(store: Store) -> None:
    early, late = report("pay_1"), report("pay_1", refused("closed"))
    for log in (late, late, early):
        store.payment_sync.moved(log)
    found = store.payment_sync.get("sol", "pay_1")
    assert found is not None
    assert (found.sync.state, found.sync) == (State.UNSYNCED, late.sync)
    assert store.payment_sync.transitions("sol", "pay_1") == list(late.lines)
