"""The breaker of a connector: what opens it, what it lets through, what closes it (contracts: payment-sync 3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.payment_sync import Failing
from domain.payment_sync.breaker import CONTRACT_LOOK, LOOKS, MANY, Breaker, Failure, Phase, is_mass, names, why_held

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ALL = 1000
"""So many payments are at work that a share says nothing."""


def closed() -> Breaker:
    return Breaker(agency="sol", connector="giav")


def failure(number: int, failing: Failing = Failing.TRANSIENT, after: timedelta = timedelta()) -> Failure:
    return Failure(payment_id=f"pay_{number}", at=NOW + after, failing=failing, words="not connected")


def after(*failures: Failure, at_work: int = ALL) -> Breaker:
    breaker = closed()
    for each in failures:
        breaker = breaker.heard(each, at_work)
    return breaker


def test_many_payments_that_fail_alike_open_it_and_fewer_do_not() -> None:
    few = after(*(failure(each) for each in range(MANY - 1)))
    assert (few.phase, few.look_at) == (Phase.CLOSED, NOW + LOOKS[0])
    many = few.heard(failure(MANY), ALL)
    assert (many.phase, many.failing, many.by) == (Phase.OPEN, Failing.TRANSIENT, "system")
    assert len(names(many.failures, many.failing)) == MANY


def test_one_payment_that_fails_often_is_one_payment() -> None:
    assert after(*(failure(1, after=timedelta(seconds=each)) for each in range(9))).is_closed


def test_what_failed_before_the_window_is_forgotten() -> None:
    early = [failure(each) for each in range(MANY - 1)]
    assert after(*early, failure(MANY, after=timedelta(minutes=11))).is_closed


def test_failures_of_different_kinds_are_not_counted_together() -> None:
    kinds = [Failing.TRANSIENT, Failing.UNKNOWN, Failing.AUTH, Failing.TRANSIENT, Failing.UNKNOWN]
    assert after(*(failure(number, kind) for number, kind in enumerate(kinds))).is_closed


def test_a_broken_contract_opens_it_at_once_and_is_looked_at_at_once() -> None:
    broken = after(failure(1, Failing.CONTRACT))
    assert (broken.phase, broken.look_at) == (Phase.OPEN, NOW)
    again = broken.looked_in_vain("unknown element", NOW, away=False)
    assert again.look_at == NOW + CONTRACT_LOOK


@pytest.mark.parametrize("failing", [Failing.BUSINESS, Failing.ALREADY_PAID])
def test_what_is_refused_for_a_payment_s_own_sake_never_opens_it(failing: Failing) -> None:
    assert after(*(failure(each, failing) for each in range(20))).is_closed


@pytest.mark.parametrize(("failed", "at_work", "mass"), [(1, 1, False), (2, 9, True), (2, 10, False), (5, 999, True)])
def test_a_share_counts_when_few_payments_are_at_work(failed: int, at_work: int, mass: bool) -> None:
    assert is_mass(failed, at_work) is mass


def test_while_it_is_open_only_the_payment_that_is_let_through_passes() -> None:
    breaker = closed().opened(Failing.TRANSIENT, "not connected", NOW)
    assert "not connected" in why_held(breaker, "pay_1")
    trying = breaker.letting("pay_1")
    assert (why_held(trying, "pay_1"), bool(why_held(trying, "pay_2"))) == ("", True)
    failed = trying.looked_in_vain("", NOW, away=True)
    assert (failed.phase, bool(why_held(failed, "pay_1"))) == (Phase.OPEN, True)
    assert not why_held(trying.closed("system", "it answers", NOW), "pay_2")


def test_looks_come_ever_less_often_and_a_person_s_breaker_is_not_looked_at() -> None:
    breaker = closed().opened(Failing.TRANSIENT, "not connected", NOW)
    waits = []
    for _ in range(8):
        breaker = breaker.looked_in_vain("", NOW, away=True)
        assert breaker.look_at is not None
        waits.append(breaker.look_at - NOW)
    assert waits == sorted(waits)
    assert waits[-1] == LOOKS[-1]
    assert closed().opened_by("ana", "GIAV is being moved tonight", NOW).look_at is None


def test_a_changed_contract_is_mended_by_no_look() -> None:
    assert closed().opened(Failing.CONTRACT, "the contract changed", NOW, drift=True).look_at is None
