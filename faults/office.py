"""The whole product in one process: store, gateway, dispatchers, every worker, on one Temporal server in memory."""

from __future__ import annotations

import asyncio
import base64
import gc
import logging
import sys
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import event
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain import naming
from domain.naming import Queue
from faults.dying import Cemetery, Mortal
from faults.street import Street, served
from sandbox.running import Listener, loopback_socket
from starter.embedded import DYNAMIC_CONFIG, temporal_binary
from starter.gateway.app import build_app
from store import Store
from store.installation import Installation
from store.opening import open_store
from workers.pulse import Pulse
from workers.wiring import cells, open_accounts
from workflows.registry import WORKFLOWS

THREADS = 24
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()


@dataclass(frozen=True)
class Office:
    """What runs."""

    street: Street
    cemetery: Cemetery
    installation: Installation
    store: Store
    client: Client
    gateway: str


@asynccontextmanager
async def temporal_server(folder: Path) -> AsyncIterator[Client]:
    """The dev server in memory, as quick as the embedded one."""
    config = [f"{key}={value}" for key, value in DYNAMIC_CONFIG.items()]
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=temporal_binary(),
        dev_server_log_level="never",
        dev_server_extra_args=[
            *(word for pair in config for word in ("--dynamic-config-value", pair)),
            *(
                word
                for name, kind in naming.SEARCH_ATTRIBUTES.items()
                for word in ("--search-attribute", f"{name}={kind}")
            ),
        ],
    )
    async with environment:
        yield environment.client


def gateway_socket() -> Any:
    return loopback_socket(0)


@asynccontextmanager
async def open_office(
    client: Client,
    street: Street,
    folder: Path,
    agencies: Mapping[str, Any],
    bound: Any,
    *,
    remembering: int = 200,
    store_url: str | None = None,
) -> AsyncIterator[Office]:
    """Everything of ours for these agencies. `remembering=0`: workflows are replayed from their history at every task.

    `store_url` is an SQLite file of its own unless it is given.
    """
    installation = Installation.model_validate(
        {"data": folder, "store": {"master_key": MASTER_KEY, "url": store_url}, "agencies": dict(agencies)}
    )
    cemetery = Cemetery()
    async with AsyncExitStack() as stack:
        store = open_store(installation)
        stack.callback(store.close)
        store.database.migrate()
        if store_url is None:
            event.listen(store.database.engine, "checkout", _forget_disks)
        by_queue = cells(installation, store, open_accounts(installation, store), client)
        stack.enter_context(cemetery.dug())
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=Queue.WORKFLOWS,
                workflows=WORKFLOWS,
                workflow_runner=UnsandboxedWorkflowRunner(),
                max_cached_workflows=remembering,
            )
        )
        for queue, activities in by_queue.items():
            threads = stack.enter_context(ThreadPoolExecutor(THREADS, thread_name_prefix=queue))
            worker = Worker(
                client,
                task_queue=queue,
                activities=activities,
                activity_executor=threads,
                max_concurrent_activities=THREADS,
                interceptors=[Mortal(cemetery), Pulse()],
            )
            await stack.enter_async_context(worker)

        async def connected() -> Client:
            return client

        app = build_app(installation, store, connect=connected)
        await stack.enter_async_context(app.router.lifespan_context(app))
        config = uvicorn.Config(
            app, lifespan="off", access_log=False, log_level="warning", ws="none", timeout_keep_alive=300
        )
        listener = Listener(config, [bound])
        serving = asyncio.create_task(listener.serve(sockets=listener.bound))
        await asyncio.to_thread(listener.listening.wait)
        try:
            yield Office(street, cemetery, installation, store, client, address_of(bound))
        finally:
            listener.should_exit = True
            await serving


def address_of(bound: Any) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


def _forget_disks(connection: Any, *_: Any) -> None:
    """What is tested is what the store remembers, not what survives a blackout."""
    connection.execute("PRAGMA synchronous=OFF")


def quiet() -> None:
    """Defects are on lists and in verdicts; their tracebacks would drown what is to be read."""
    for name in ("temporalio", "activities", "starter", "workers", "httpx", "asyncio", "asyncssh"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # The core speaks to the terminal by itself: of every cell that was taken over, which here is most of them.
    silent = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    Runtime.set_default(
        Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=silent))), error_if_already_set=False
    )


def light() -> None:
    """What costs this process more than it is worth: httpx looks for a missing module at every call, and the collector of
    garbage goes through everything that was imported again and again."""
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def on_the_street(stack: ExitStack) -> Street:
    return stack.enter_context(served(Street()))
