"""`up`, `worker`, `gateway`: the processes of an installation."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
import uvicorn
from prometheus_client import REGISTRY

from domain.naming import Queue
from starter import temporal
from starter.answers import say
from starter.gateway.app import build_app
from starter.opening import SettingsFile, opened_store, read_settings
from starter.supervisor import GRACE, Supervisor, asked_to_stop
from store.installation import Installation
from workers.logs import set_up_logging
from workers.probes import Probes, split
from workers.standing import StandingCollector
from workers.tracing import start_tracing, stop_tracing


def _address(given: str) -> str:
    if given:
        try:
            split(given)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return given


ProbesAt = Annotated[
    str,
    typer.Option(
        "--probes",
        envvar="BOOKINGS_PROBES",
        callback=_address,
        metavar="HOST:PORT",
        help="Serve /health/live, /health/ready and /metrics there; not for the public.",
    ),
]


def up(settings: SettingsFile) -> None:
    """Start everything on this machine: Temporal, store, gateway, console and worker; Ctrl-C stops it."""
    installation = read_settings(settings)
    supervisor = Supervisor(installation, settings, say)

    async def stay_up() -> None:
        asked = asked_to_stop()
        async with supervisor.running(asked):
            for name, address in supervisor.addresses.items():
                say(f"  {name:<12} {address}")
            say(f"Ctrl-C stops everything, within {sum(GRACE.values()):.0f} seconds at most.")
            await asked.wait()
            say("stopping")

    asyncio.run(stay_up())


def gateway(settings: SettingsFile, probes: ProbesAt = "") -> None:
    """Receive webhooks and hand them on to Temporal."""
    installation = read_settings(settings)
    set_up_logging(installation.telemetry, "gateway")
    start_tracing(installation, "gateway")
    with opened_store(installation) as store:
        REGISTRY.register(StandingCollector(store))
        application = build_app(installation, store, connect=lambda: temporal.connect(installation))
        with Probes(probes, {"store": store.database.trouble}):
            uvicorn.run(
                application,
                host=installation.gateway.host,
                port=installation.gateway.port,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=3,
                server_header=False,
            )
    stop_tracing()


def worker(
    settings: SettingsFile,
    queue: Annotated[
        list[Queue] | None,
        typer.Option(help="Work on this task queue only; may be given several times. Without it: on all."),
    ] = None,
    probes: ProbesAt = "",
) -> None:
    """Execute workflows and activities."""
    installation = read_settings(settings)
    set_up_logging(installation.telemetry, "worker")
    start_tracing(installation, "worker")
    _run_worker(installation, frozenset(queue or Queue), probes)
    stop_tracing()


def _run_worker(installation: Installation, queues: frozenset[Queue], probes: str) -> None:
    from workers.running import run_workers

    asyncio.run(run_workers(installation, queues=queues, probes=probes))
