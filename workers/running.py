"""The worker process: one Temporal worker for workflows, one for every outside system's queue (DESIGN section 4)."""

from __future__ import annotations

import asyncio
import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import Runtime
from temporalio.service import RPCError
from temporalio.worker import Interceptor, Worker, WorkerDeploymentConfig

from domain.naming import DEPLOYMENT, Queue
from store.installation import Installation
from store.opening import open_store
from workers.connection import connect
from workers.connectors import start_connectors
from workers.crm_watch import watch_crm, watched
from workers.deal_sweeps import sweep_deals
from workers.feeds import start_feeds
from workers.latency import Latency
from workers.probes import Probes, measured_runtime
from workers.pulse import BEAT, Pulse
from workers.sandboxing import workflow_runner
from workers.schedules import reconcile_schedules
from workers.secrecy import without_core_dumps
from workers.sharing import FairShare
from workers.tracing import Tracing
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

OURS = frozenset({Queue.ACCOUNTING})
"""Queues whose cells touch nothing but our own store, and so never wait for an agency's own system."""

GRACE = timedelta(seconds=20)
"""How long running activities may finish after SIGTERM; what is cut off resumes elsewhere by its effects."""


async def run_workers(
    installation: Installation, *, queues: frozenset[Queue] = frozenset(Queue), build: str = "", probes: str = ""
) -> None:
    """Work on `queues` until SIGTERM or SIGINT, as version `build`. Waits for Temporal if it is not up yet.

    `probes`: see `workers.probes`.
    """
    without_core_dumps()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        readiness = Readiness()
        runtime = None
        if probes:
            runtime, shown_at = measured_runtime()
            stack.enter_context(Probes(probes, {"worker": readiness.trouble}, sdk_metrics=shown_at))
        starting, stopping = asyncio.create_task(_prepared(installation, runtime)), asyncio.create_task(stop.wait())
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            return
        client = await starting
        for worker in build_workers(installation, client, stack, queues, build):
            await stack.enter_async_context(worker)
        log.info("working on %s", installation.temporal.target)
        watching = asyncio.create_task(readiness.watch(client))
        await stopping
        watching.cancel()
        readiness.trouble_is("stopping")
        log.info("stopping; what runs may finish within %.0f s", GRACE.total_seconds())


class Readiness:
    """Whether Temporal answers this process; asked every few seconds, told to whoever probes."""

    def __init__(self) -> None:
        self._trouble: str | None = "not connected to Temporal yet"

    def trouble(self) -> str | None:
        return self._trouble

    def trouble_is(self, why: str | None) -> None:
        self._trouble = why

    async def watch(self, client: Client, every: float = 5.0) -> None:
        while True:
            try:
                healthy = await client.service_client.check_health(timeout=timedelta(seconds=every))
                self._trouble = None if healthy else "Temporal says that it does not serve"
            except RPCError as error:
                self._trouble = f"Temporal does not answer: {error.status.name}"
            await asyncio.sleep(every)


async def _prepared(installation: Installation, runtime: Runtime | None) -> Client:
    client = await _connected(installation, runtime)
    await reconcile_schedules(client, installation)
    await start_feeds(client, installation)
    with closing(open_store(installation)) as store:
        await start_connectors(client, installation, store)
        await watch_crm(client, watched(installation, store))
        await sweep_deals(client, watched(installation, store))
    return client


def build_workers(
    installation: Installation,
    client: Client,
    stack: AsyncExitStack,
    queues: frozenset[Queue] = frozenset(Queue),
    build: str = "",
) -> list[Worker]:
    """The workers of `queues` in this process; their thread pools and the store close with `stack`."""
    store = open_store(installation)
    stack.callback(store.database.close)
    by_queue = cells(installation, store, open_accounts(installation, store), client)
    version = versioned(build)
    measured: tuple[Interceptor, ...] = (Tracing(), Latency(store.inbox.received_at))
    workers = []
    if Queue.WORKFLOWS in queues:
        workers.append(
            Worker(
                client,
                task_queue=Queue.WORKFLOWS,
                workflows=WORKFLOWS,
                workflow_runner=workflow_runner(),
                deployment_config=version,
                graceful_shutdown_timeout=GRACE,
            )
        )
    for queue, activities in by_queue.items():
        if queue not in queues:
            continue
        threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE[queue], thread_name_prefix=queue))
        limits = ((name, agency.limits.items()) for name, agency in installation.agencies.items())
        most = {name: at_once for name, of_queues in limits for limited, at_once in of_queues if limited == queue.value}
        alone = not most and (len(installation.agencies) == 1 or queue in OURS)
        workers.append(
            Worker(
                client,
                task_queue=queue,
                activities=activities,
                deployment_config=version,
                activity_executor=threads,
                max_concurrent_activities=AT_ONCE[queue],
                interceptors=[*measured, Pulse()]
                if alone
                else [FairShare(queue, AT_ONCE[queue], most), *measured, Pulse()],
                max_heartbeat_throttle_interval=BEAT,
                graceful_shutdown_timeout=GRACE,
            )
        )
    return workers


def versioned(build: str) -> WorkerDeploymentConfig | None:
    """Every run stays with the version that began it. Without a build there are no versions: every worker takes every task."""
    if not build:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=build),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def _connected(installation: Installation, runtime: Runtime | None) -> Client:
    """A client, however long Temporal takes to come up."""
    said = False
    while True:
        try:
            return await connect(installation, runtime=runtime)
        except RuntimeError:
            if not said:
                log.warning("Temporal does not answer at %s; waiting for it", installation.temporal.target)
            said = True
            await asyncio.sleep(0.5)
