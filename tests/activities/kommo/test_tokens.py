"""Rotating tokens: one renewal at a time, none lost, and nothing is called after a final refusal (contracts: kommo 2.1)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from activities.kommo.client import KommoClient
from activities.kommo.settings import KommoSettings
from activities.kommo.tokens import OAuth, RotatingTokens
from activities.kommo.wire import SYSTEM
from domain.errors import BackOfficeError, Transient, Unauthorised
from sandbox.kommo.stand_in import KommoStandIn
from store import Store
from tests.activities.kommo.conftest import Told, with_oauth
from tests.databases import MASTER_KEY

DAY = timedelta(days=1)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wanted(stand_in: KommoStandIn, url: str) -> KommoSettings:
    return with_oauth(url)


@pytest.fixture
def open_worker(store_url: str, wanted: KommoSettings, clock: Clock, told: Told) -> Iterator[Callable[[], Any]]:
    """Workers with a store of their own, as other processes have."""
    opened: list[Any] = []

    def one() -> tuple[RotatingTokens, Store]:
        store = Store.open(store_url, master_key=MASTER_KEY, clock=clock)
        oauth = OAuth(wanted)
        opened.extend((store, oauth))
        tokens = RotatingTokens(
            "sol", oauth, store.crm_tokens, alarm=lambda reason, words: told.append((reason, words)), now=clock
        )
        return tokens, store

    yield one
    for each in opened:
        each.close()


def consent(store: Store, wanted: KommoSettings, control: Callable[..., Any]) -> None:
    oauth = OAuth(wanted)
    access, refresh, lasts = oauth.by_code(control("consent")["code"])
    store.crm_tokens.consented("sol", SYSTEM, access=access, refresh=refresh, lasts=lasts)
    oauth.close()


def test_a_renewal_raced_by_two_workers_a_hundred_times_happens_once_each_time_and_loses_nothing(
    open_worker: Callable[[], Any],
    wanted: KommoSettings,
    stand_in: KommoStandIn,
    control: Callable[..., Any],
    clock: Clock,
    told: Told,
) -> None:
    rounds = 100
    workers = [open_worker(), open_worker()]
    consent(workers[0][1], wanted, control)
    start = threading.Barrier(2)
    used: list[list[str]] = [[], []]

    def race(number: int) -> None:
        try:
            for _ in range(rounds):
                if start.wait() == 0:
                    clock.at += timedelta(hours=20)
                start.wait()
                used[number].append(workers[number][0].current())
        except BackOfficeError:
            start.abort()

    threads = [threading.Thread(target=race, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(each) for each in used] == [rounds, rounds]
    assert stand_in.state()["renewals"] == rounds
    standing = workers[0][1].crm_tokens.standing("sol", SYSTEM)
    assert standing is not None
    assert (standing.state, standing.generation) == ("live", rounds + 1)
    assert told == []
    newest = workers[0][1].crm_tokens.pair("sol", SYSTEM).access
    assert {tokens.current() for tokens, _ in workers} == {newest}
    client = KommoClient(wanted, workers[1][0])
    assert client.account().id
    client.close()


def test_a_token_is_renewed_after_four_fifths_of_its_life_and_not_before(
    open_worker: Callable[[], Any], wanted: KommoSettings, stand_in: KommoStandIn, control: Any, clock: Clock
) -> None:
    tokens, store = open_worker()
    consent(store, wanted, control)
    first = tokens.current()
    clock.at += DAY * 0.79
    assert tokens.current() == first
    clock.at += DAY * 0.02
    assert tokens.current() != first
    assert stand_in.state()["renewals"] == 1


def test_a_pair_that_lives_long_is_renewed_every_week_all_the_same(
    open_worker: Callable[[], Any], wanted: KommoSettings, control: Any, clock: Clock
) -> None:
    control("tokens", life=60 * 86_400)
    tokens, store = open_worker()
    consent(store, wanted, control)
    clock.at += timedelta(days=6)
    assert not tokens.keep_alive()
    clock.at += timedelta(days=1)
    assert tokens.keep_alive()


def test_the_new_pair_is_sealed_before_anybody_uses_it(
    store: Store, wanted: KommoSettings, control: Any, clock: Clock
) -> None:
    consent(store, wanted, control)

    class Crash(Exception):
        """The process dies here."""

    class Dying:
        """A store whose commit never happens."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store.crm_tokens, name)

        def renewed(self, *_: Any, **__: Any) -> Any:
            raise Crash

    clock.at = datetime.now(UTC) + timedelta(hours=20)
    tokens = RotatingTokens("sol", OAuth(wanted), Dying(), now=clock)  # type: ignore[arg-type]
    with pytest.raises(Crash):
        tokens.current()
    assert tokens._known is None
    assert store.crm_tokens.pair("sol", SYSTEM).generation == 1


@pytest.mark.parametrize("life_left", [timedelta(hours=20), timedelta(days=2)])
def test_a_refused_renewal_is_final_and_nothing_more_is_called(
    open_worker: Callable[[], Any],
    wanted: KommoSettings,
    stand_in: KommoStandIn,
    control: Any,
    clock: Clock,
    told: Told,
    life_left: timedelta,
) -> None:
    tokens, store = open_worker()
    consent(store, wanted, control)
    control("tokens", revoke="refresh")
    clock.at += life_left
    stand_in.calls.clear()
    for _ in range(3):
        with pytest.raises(Unauthorised, match="bookings integration consent sol"):
            tokens.current()
    assert len(stand_in.calls) == 1
    assert [reason for reason, _ in told] == ["kommo_needs_reauth"]
    standing = store.crm_tokens.standing("sol", SYSTEM)
    assert standing is not None
    assert standing.state == "needs_reauth"
    consent(store, wanted, control)
    assert tokens.current() == store.crm_tokens.pair("sol", SYSTEM).access


@pytest.mark.parametrize("kind", ["page-503", "error-before", "drop-before", "throttle"])
def test_an_outage_of_the_token_address_is_no_refusal(
    open_worker: Callable[[], Any],
    wanted: KommoSettings,
    stand_in: KommoStandIn,
    control: Any,
    clock: Clock,
    kind: str,
) -> None:
    tokens, store = open_worker()
    consent(store, wanted, control)
    first = tokens.current()
    stand_in.faults.set({"operation": "access_token", "kind": kind, "times": 2})
    clock.at += timedelta(hours=20)
    assert tokens.current() == first
    clock.at += timedelta(hours=4)
    with pytest.raises(Transient):
        tokens.current()
    assert tokens.current() != first


def test_a_worker_that_came_with_a_used_up_token_does_not_lose_the_account(
    open_worker: Callable[[], Any], wanted: KommoSettings, control: Any, clock: Clock, told: Told
) -> None:
    slow, store = open_worker()
    consent(store, wanted, control)
    before = store.crm_tokens.pair("sol", SYSTEM)
    quick, _ = open_worker()
    clock.at += timedelta(hours=20)
    renewed = quick.current()
    assert slow._exchange(before).access == renewed
    assert told == []


def test_an_answer_that_arrives_after_the_lease_still_counts(
    open_worker: Callable[[], Any], wanted: KommoSettings, control: Any, clock: Clock
) -> None:
    tokens, store = open_worker()
    consent(store, wanted, control)
    before = store.crm_tokens.pair("sol", SYSTEM)
    oauth = OAuth(wanted)
    access, refresh, lasts = oauth.by_refresh(before.refresh)
    oauth.close()
    clock.at += timedelta(hours=20)
    with pytest.raises(Unauthorised):
        tokens.current()
    store.crm_tokens.renewed("sol", SYSTEM, before, access=access, refresh=refresh, lasts=lasts)
    assert tokens.current() == access


def test_a_code_works_once(wanted: KommoSettings, control: Any) -> None:
    oauth = OAuth(wanted)
    code = control("consent")["code"]
    oauth.by_code(code)
    with pytest.raises(Unauthorised, match="revoked"):
        oauth.by_code(code)
    oauth.close()


def test_a_revoked_access_token_is_exchanged_once_during_a_call(
    open_worker: Callable[[], Any], wanted: KommoSettings, stand_in: KommoStandIn, control: Any, clock: Clock
) -> None:
    tokens, store = open_worker()
    consent(store, wanted, control)
    client = KommoClient(wanted, tokens)
    assert client.account().id
    control("tokens", revoke="access")
    clock.at += timedelta(minutes=5)
    assert client.account().id
    assert stand_in.state()["renewals"] == 1
    client.close()


def test_the_pair_is_nowhere_in_clear(store: Store, wanted: KommoSettings, control: Any) -> None:
    consent(store, wanted, control)
    pair = store.crm_tokens.pair("sol", SYSTEM)
    with store.database.read() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM crm_tokens").all())
        rows += str(connection.exec_driver_sql("SELECT * FROM sealed_secrets").all())
    assert pair.access not in rows + repr(pair)
    assert pair.refresh not in rows + repr(pair)


def test_what_the_address_answers_must_be_a_pair(wanted: KommoSettings) -> None:
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"access_token": "a"}))
    with pytest.raises(Transient, match="without a pair"):
        OAuth(wanted, transport=answer).by_refresh("r")
