"""Hundreds of bookings of one agency leave room for those of another (DESIGN section 4; contracts: giav 1.5)."""

from __future__ import annotations

import asyncio
import heapq
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from domain.money import Money
from domain.naming import Queue
from domain.steps import PaymentStep
from workers.sharing import (
    BACK_A_SECOND,
    HURRIED_SECONDS,
    LONGEST_SECONDS,
    RECENT_SECONDS,
    SHORTEST_SECONDS,
    FairShare,
    Shares,
)

THREADS = 16


class Blocked(ActivityInboundInterceptor):
    """Cells that hold their thread until they are let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.running: list[str] = []

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self.running.append(input.args[0].agency)
        await self.go.wait()
        return "done"


def step(agency: str) -> ExecuteActivityInput:
    own = PaymentStep(
        agency=agency,
        booking_id="bkg_1",
        experience_id="exp_1",
        payment_id="pay_1",
        amount=Money(amount=1, currency="EUR"),
        method="card",
    )
    return ExecuteActivityInput(fn=lambda: None, args=[own], executor=None, headers={})


async def started(queue: ActivityInboundInterceptor, *agencies: str) -> list[asyncio.Task[Any]]:
    """One cell for each, all of them as far as they get."""
    tasks = [asyncio.ensure_future(ActivityEnvironment().run(queue.execute_activity, step(name))) for name in agencies]
    await asyncio.wait(tasks, timeout=0)
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_an_agency_with_hundreds_of_bookings_leaves_threads_for_another() -> None:
    cells = Blocked()
    queue = FairShare(Queue.GIAV, THREADS).intercept_activity(cells)
    many = await started(queue, *["sold-out"] * 200)
    few = await started(queue, "other", "other")
    assert (cells.running.count("sold-out"), cells.running.count("other")) == (12, 2)
    cells.go.set()
    ended = await asyncio.gather(*many, *few, return_exceptions=True)
    assert ended.count("done") == 14
    put_off = [each for each in ended if isinstance(each, ApplicationError)]
    assert len(put_off) == 188
    assert {(each.type, each.non_retryable) for each in put_off} == {("PutOff", False)}
    pauses = {each.next_retry_delay.total_seconds() for each in put_off if each.next_retry_delay}
    assert all(0 < pause <= LONGEST_SECONDS for pause in pauses)


async def test_a_cell_that_gives_up_after_some_attempts_is_put_off_for_seconds_only() -> None:
    cells = Blocked()
    queue = FairShare(Queue.GIAV, THREADS).intercept_activity(cells)
    many = await started(queue, *["sold-out"] * 2000)
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, retry_policy=RetryPolicy(maximum_attempts=6))
    with pytest.raises(ApplicationError) as put_off:
        await environment.run(queue.execute_activity, step("sold-out"))
    assert put_off.value.next_retry_delay is not None
    assert put_off.value.next_retry_delay.total_seconds() <= HURRIED_SECONDS
    cells.go.set()
    await asyncio.gather(*many, return_exceptions=True)


async def test_what_was_put_off_runs_once_there_is_room() -> None:
    cells = Blocked()
    cells.go.set()
    queue = FairShare(Queue.GIAV, THREADS).intercept_activity(cells)
    for _ in range(THREADS):
        assert await ActivityEnvironment().run(queue.execute_activity, step("sold-out")) == "done"


@pytest.mark.parametrize(("agencies", "share"), [(1, 12), (2, 5), (3, 4), (7, 2)])
def test_under_load_every_agency_gets_an_equal_share_and_more_only_of_what_is_to_spare(
    agencies: int, share: int
) -> None:
    shares = Shares(THREADS)
    held: dict[str, int] = {}
    with ExitStack() as stack:
        for _ in range(THREADS):
            for name in (f"agency {number}" for number in range(agencies)):
                if sum(held.values()) < THREADS and shares.may_enter(name):
                    stack.enter_context(shares.thread(name, ""))
                    held[name] = held.get(name, 0) + 1
    assert min(held.values()) >= share


def test_an_agency_that_comes_late_takes_what_is_kept_free_and_then_what_others_give_back() -> None:
    shares = Shares(THREADS)
    with ExitStack() as first, ExitStack() as second:
        while shares.may_enter("first"):
            first.enter_context(shares.thread("first", ""))
        taken = 0
        while taken < 4 and shares.may_enter("second"):
            second.enter_context(shares.thread("second", ""))
            taken += 1
        assert taken == 4
        assert not shares.may_enter("first")
        assert shares.may_enter("second"), "an equal share is five"


def test_who_has_gone_shares_no_more() -> None:
    now = 0.0
    shares = Shares(THREADS, lambda: now)
    assert all(shares.may_enter(f"agency {number}") for number in range(7))
    with ExitStack() as stack:
        for _ in range(12):
            stack.enter_context(shares.thread("agency 0", ""))
        stack.enter_context(shares.thread("agency 1", ""))
        stack.enter_context(shares.thread("agency 1", ""))
        assert not shares.may_enter("agency 1"), "two of sixteen are an eighth"
        now = RECENT_SECONDS + 1
        assert shares.may_enter("agency 1")


def test_the_more_wait_the_longer_each_stays_away_and_the_last_ones_come_back_soon() -> None:
    now = 0.0
    shares = Shares(THREADS, lambda: now)
    alone = shares.pause("sold-out", "booking 0")
    assert SHORTEST_SECONDS / 2 <= alone <= SHORTEST_SECONDS
    pauses = [shares.pause("sold-out", f"booking {number}") for number in range(500)]
    assert 501 / BACK_A_SECOND / 2 <= pauses[-1] <= 501 / BACK_A_SECOND, "so many a second come back, not more"
    assert len(set(pauses[-50:])) > 25, "not all at the same moment"
    for number in range(460):
        with shares.thread("sold-out", f"booking {number}"):
            pass
    assert shares.pause("sold-out", "booking 499") <= 41 / BACK_A_SECOND
    now = 3 * LONGEST_SECONDS
    assert shares.pause("sold-out", "booking 499") <= SHORTEST_SECONDS, "the others went elsewhere"


def test_the_thousands_of_an_import_come_back_no_oftener_than_hundreds() -> None:
    now = 0.0
    shares = Shares(THREADS, lambda: now)
    back = [(0.0, f"booking {number}") for number in range(1000)]
    attempts = 0
    while (next_one := heapq.heappop(back))[0] < 400.0:
        now, attempts = next_one[0], attempts + (next_one[0] >= 200.0)
        heapq.heappush(back, (now + shares.pause("sold-out", next_one[1]), next_one[1]))
    assert 1 <= attempts / 200 <= 2 * BACK_A_SECOND


def test_an_agency_has_no_more_at_work_than_its_settings_allow() -> None:
    shares = Shares(THREADS, most={"small": 2})
    with ExitStack() as stack:
        for _ in range(2):
            assert shares.may_enter("small")
            stack.enter_context(shares.thread("small", ""))
        assert not shares.may_enter("small")
        assert shares.may_enter("other")
    assert shares.may_enter("small")
