"""Webhook deliveries: in order per booking at first, again and again until accepted (contracts: platform-events 2.1, 3)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Coroutine
from urllib.parse import urlsplit

from sandbox.platform.amounts import Wrong
from sandbox.platform.posting import Answer, Poster
from sandbox.platform.signature import Signing, signed_headers
from sandbox.platform.storage import Delivery, Storage

SCHEDULE = (0.5, 1.0, 2.0, 5.0)
"""Seconds before each retry, the last for ever: the ten steps of the specification, scaled down to a sandbox's patience."""
TIMEOUT = 15.0
"""Seconds that the gateway may take to answer."""
AT_ONCE = 8
"""Requests under way at most."""


def events_address(url: str) -> str:
    """A gateway given by its base address takes events under `/events`; raises Wrong if it is no address at all."""
    parts = urlsplit(url)
    try:
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Wrong(f"not an address for events: {url}")
    return url if parts.path not in ("", "/") else url.rstrip("/") + "/events"


class Sender:
    """Delivers what the storage owes to `target`, from its own thread, until `stop`.

    First attempts keep the order of each booking; different bookings go in parallel. What was not accepted (2xx) is
    tried again by the schedule and overtaken meanwhile; 410 ends it. Without a target everything waits.
    """

    def __init__(
        self, storage: Storage, signing: Signing, target: str | None = None, schedule: tuple[float, ...] = SCHEDULE
    ) -> None:
        self._storage = storage
        self._signing = signing
        self._schedule = schedule
        self._target = target and events_address(target)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lanes: dict[str, deque[Delivery]] = {}
        self._under_way: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to deliver; returns when the sender listens for new deliveries. A second call does nothing."""
        if self._thread is not None:
            return
        listening = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._deliver(listening)), name="sandbox-platform-sender", daemon=True
        )
        self._thread.start()
        listening.wait(TIMEOUT)

    def stop(self) -> None:
        """Stop at once; what is owed stays owed."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(TIMEOUT)
        self._thread = None

    def point_at(self, target: str | None) -> None:
        """Deliver to another address from now on; None lets everything wait."""
        self._target = target and events_address(target)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._let_pass)

    def _let_pass(self) -> None:
        if self._target:
            self._pointed.set()
        else:
            self._pointed.clear()

    async def _deliver(self, listening: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._pointed = asyncio.Event()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._let_pass()
        self._poster = Poster(TIMEOUT, AT_ONCE)
        self._storage.on_deliveries = self._announce
        self._take(self._storage.owed())
        listening.set()
        await self._stopping.wait()
        self._storage.on_deliveries = lambda _: None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._poster.close()

    def _announce(self, fresh: list[Delivery]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._take, fresh)

    def _take(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.id in self._under_way:
                continue
            self._under_way.add(delivery.id)
            wait = delivery.not_before - time.time()
            if delivery.attempts:
                self._later(self._pause(delivery.attempts), delivery)
            elif wait > 0:
                asyncio.get_running_loop().call_later(wait, self._queue, delivery)
            else:
                self._queue(delivery)

    def _queue(self, delivery: Delivery) -> None:
        lane = self._lanes.get(delivery.partition)
        if lane is None:
            self._lanes[delivery.partition] = deque([delivery])
            self._start(self._run_lane(delivery.partition))
        else:
            lane.append(delivery)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_lane(self, partition: str) -> None:
        lane = self._lanes[partition]
        while lane:
            await self._attempt(lane.popleft(), 1)
        del self._lanes[partition]

    def _pause(self, attempts: int) -> float:
        return self._schedule[min(attempts, len(self._schedule)) - 1]

    def _later(self, seconds: float, delivery: Delivery, attempts: int | None = None) -> None:
        number = (attempts or delivery.attempts) + 1
        asyncio.get_running_loop().call_later(seconds, lambda: self._start(self._attempt(delivery, number)))

    async def _attempt(self, delivery: Delivery, number: int) -> None:
        await self._pointed.wait()
        async with self._free:  # signed when it is sent, not when it queues
            answer = await self._post(delivery)
        state = "delivered" if answer.accepted else "gone" if answer.status == 410 else "pending"
        with self._storage.transaction():
            self._storage.attempted(delivery.id, number, state, answer.status, answer.error)
            if answer.accepted:
                self._storage.release(overtaken_by=delivery.event_id)
        if state == "pending":
            self._later(max(self._pause(number), min(answer.retry_after, self._schedule[-1])), delivery, number)
        else:
            self._under_way.discard(delivery.id)

    async def _post(self, delivery: Delivery) -> Answer:
        timestamp = int(time.time() + self._signing.skew)
        headers = signed_headers(self._signing.secrets, delivery.event_id, timestamp, delivery.body)
        return await asyncio.wrap_future(self._poster.post(str(self._target), delivery.body, headers))
