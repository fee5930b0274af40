"""Nightly files reach AirPlus in the order of their numbers, and what breaks is looked at first (contracts: tamara 4.2, 4.4)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.errors import NeedsPerson, Refused, Transient, UnknownOutcome
from tests.activities.tamara.night import (
    AGENCY,
    DAY,
    NEXT,
    DropBoxSite,
    Night,
    failure,
)


def test_files_leave_in_the_order_of_their_numbers(night: Night, airplus: DropBoxSite) -> None:
    first, second = night.seal(DAY), night.seal(NEXT)
    error = failure(lambda: night.deliver(second))
    assert (error.type, "file 1 goes first" in error.message) == (Transient.__name__, True)
    night.deliver(first)
    night.deliver(second)
    assert [file["problems"] for file in airplus.stand_in.state()["files"]] == [[], []]


def test_a_delivered_file_is_not_even_connected_for_again(night: Night, airplus: DropBoxSite) -> None:
    sealed = night.seal()
    night.deliver(sealed)
    airplus.stand_in.calls.clear()
    night.deliver(sealed)
    assert airplus.operations() == []


@pytest.mark.covers("F-C17")
def test_a_drop_after_the_rename_delivers_once(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sealed = night.seal()
    airplus.stand_in.faults.set({"operation": "rename", "kind": "drop-after"})
    assert failure(lambda: night.deliver(sealed)).type == UnknownOutcome.__name__
    night.deliver(sealed)
    assert [file["status"] for file in airplus.stand_in.state()["files"]] == ["A"]
    assert airplus.operations().count("put") == 1
    assert night.states() == {"sale": "SENT"}


@pytest.mark.covers("F-C17")
def test_a_drop_before_the_rename_is_looked_for_with_patience_then_sent(night: Night, airplus: DropBoxSite) -> None:
    sealed = night.seal()
    airplus.stand_in.faults.set({"operation": "rename", "kind": "drop-before"})
    waits = []
    for _ in range(3):
        error = failure(lambda: night.deliver(sealed))
        waits.append((error.type, error.next_retry_delay))
    assert waits == [(UnknownOutcome.__name__, dt.timedelta(seconds=s)) for s in (2, 5, 15)]
    night.deliver(sealed)
    assert list(airplus.lying()) == [sealed.name]


def test_a_torn_upload_goes_on_at_once(night: Night, airplus: DropBoxSite) -> None:
    sealed = night.seal()
    airplus.stand_in.faults.set({"operation": "put", "kind": "malformed"})
    assert failure(lambda: night.deliver(sealed)).type == Transient.__name__
    night.deliver(sealed)
    assert list(airplus.lying()) == [sealed.name]


def _fetched_while_in_doubt(night: Night, airplus: DropBoxSite) -> tuple[Any, ApplicationError]:
    sealed = night.seal()
    airplus.stand_in.faults.set({"operation": "rename", "kind": "drop-after"})
    failure(lambda: night.deliver(sealed))
    (airplus.stand_in.home() / "in" / sealed.name).unlink()
    return sealed, failure(lambda: night.deliver(sealed))


def test_a_file_in_doubt_waits_for_a_person(night: Night, airplus: DropBoxSite) -> None:
    sealed, error = _fetched_while_in_doubt(night, airplus)
    assert (error.type, error.non_retryable) == (NeedsPerson.__name__, True)
    [details] = error.details
    assert details["code"] == "DELIVERY_UNKNOWN"
    [file] = night.store.tamara.files_of(AGENCY)
    assert file.state == "DELIVERY_UNKNOWN"
    assert failure(lambda: night.deliver(sealed)).type == NeedsPerson.__name__
    night.store.effects.adopt(details["effect"], sealed.name)
    night.deliver(sealed)
    assert [file.state for file in night.store.tamara.files_of(AGENCY)] == ["DELIVERED"]
    assert airplus.lying() == {}


def test_a_person_may_have_a_file_in_doubt_sent_again(night: Night, airplus: DropBoxSite) -> None:
    sealed, error = _fetched_while_in_doubt(night, airplus)
    night.store.effects.rearm(error.details[0]["effect"])
    night.deliver(sealed)
    assert list(airplus.lying()) == [sealed.name]


def test_a_foreign_file_under_our_name_is_refused(night: Night, airplus: DropBoxSite) -> None:
    sealed = night.seal()
    (airplus.stand_in.home() / "in" / sealed.name).write_bytes(b"other")
    assert failure(lambda: night.deliver(sealed)).type == Refused.__name__
    assert "are stopped" in str(failure(lambda: night.deliver(sealed)))
    assert airplus.lying() == {sealed.name: b"other"}
