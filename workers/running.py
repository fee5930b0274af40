"""The worker process: one Temporal worker for workflows, one for every outside system's queue (DESIGN section 4)."""

from __future__ import annotations

import asyncio
import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from domain.naming import Queue
from store.installation import Installation
from store.opening import open_store
from workers.connection import connect
from workers.crm_watch import watch_crm, watched
from workers.deal_sweeps import sweep_deals
from workers.feeds import start_feeds
from workers.pulse import BEAT, Pulse
from workers.sandboxing import workflow_runner
from workers.schedules import reconcile_schedules
from workers.secrecy import without_core_dumps
from workers.sharing import FairShare
from workers.wiring import cells, open_accounts
from workflows.registry import WORKFLOWS

log = logging.getLogger(__name__)

AT_ONCE = {
    Queue.GIAV: 16,
    Queue.MIDOFFICE: 16,
    Queue.TAMARA: 8,
    Queue.ACCOUNTING: 16,
    Queue.PLATFORM: 16,
    Queue.OFFICE: 16,
    Queue.SUPPLIER: 8,
    Queue.CRM: 8,
}
"""How many activities of a queue run at once in one process; each account throttles its own calls below that."""

OURS = frozenset({Queue.ACCOUNTING, Queue.OFFICE})
"""Queues whose cells touch nothing but our own store, and so never wait for each other."""

GRACE = timedelta(seconds=20)
"""How long running activities may finish after SIGTERM; what is cut off resumes elsewhere by its effects."""


async def run_workers(installation: Installation) -> None:
    """Work until SIGTERM or SIGINT. Waits for Temporal if it is not up yet."""
    without_core_dumps()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    starting, stopping = asyncio.create_task(_prepared(installation)), asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        return
    async with AsyncExitStack() as stack:
        for worker in build_workers(installation, await starting, stack):
            await stack.enter_async_context(worker)
        log.info("working on %s", installation.temporal.target)
        await stopping


async def _prepared(installation: Installation) -> Client:
    client = await _connected(installation)
    await reconcile_schedules(client, installation)
    await start_feeds(client, installation)
    with closing(open_store(installation)) as store:
        await watch_crm(client, watched(installation, store))
        await sweep_deals(client, watched(installation, store))
    return client


def build_workers(installation: Installation, client: Client, stack: AsyncExitStack) -> list[Worker]:
    """All workers of the process; their thread pools and the store close with `stack`."""
    store = open_store(installation)
    stack.callback(store.database.close)
    by_queue = cells(installation, store, open_accounts(installation, store), client)
    workers = [
        Worker(
            client,
            task_queue=Queue.WORKFLOWS,
            workflows=WORKFLOWS,
            workflow_runner=workflow_runner(),
            graceful_shutdown_timeout=GRACE,
        )
    ]
    for queue, activities in by_queue.items():
        threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE[queue], thread_name_prefix=queue))
        alone = len(installation.agencies) == 1 or queue in OURS
        workers.append(
            Worker(
                client,
                task_queue=queue,
                activities=activities,
                activity_executor=threads,
                max_concurrent_activities=AT_ONCE[queue],
                interceptors=[Pulse()] if alone else [FairShare(queue, AT_ONCE[queue]), Pulse()],
                max_heartbeat_throttle_interval=BEAT,
                graceful_shutdown_timeout=GRACE,
            )
        )
    return workers


async def _connected(installation: Installation) -> Client:
    """A client, however long Temporal takes to come up."""
    said = False
    while True:
        try:
            return await connect(installation)
        except RuntimeError:
            if not said:
                log.warning("Temporal does not answer at %s; waiting for it", installation.temporal.target)
            said = True
            await asyncio.sleep(0.5)
