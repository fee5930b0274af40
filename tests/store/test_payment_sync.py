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


def test_the_list_begins_with_what_is_not_synchronised_and_oldest_and_can_be_narrowed(store: Store) -> None:
    done = report("pay_done", age=timedelta(days=9))
    done = done.model_copy(update={"sync": done.sync.model_copy(update={"state": State.SYNCED_AUTO})})
    young = report("pay_young", refused("period closed"), amount=500)
    old = report("pay_old", refused("period closed"), age=timedelta(days=2))
    for log in (done, young, old):
        store.payment_sync.moved(log)

    def names(**filters: object) -> list[str]:
        return [each.sync.payment_id for each in store.payment_sync.list("sol", **filters)]  # type: ignore[arg-type]

    assert names() == ["pay_old", "pay_young", "pay_done"]
    assert names(states=[State.UNSYNCED]) == ["pay_old", "pay_young"]
    assert names(captured_before=NOW - timedelta(days=1)) == ["pay_old", "pay_done"]
    assert names(reason="BUSINESS") == ["pay_old", "pay_young"]
    assert (names(most=500), names(least=501)) == (["pay_young"], ["pay_old", "pay_done"])
    assert (names(connector="journal"), store.payment_sync.list("luna")) == ([], [])
