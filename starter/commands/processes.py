"""`up`, `worker`, `gateway`: the processes of an installation."""

from __future__ import annotations

import asyncio
import logging

import uvicorn

from starter import temporal
from starter.answers import say
from starter.gateway.app import build_app
from starter.opening import SettingsFile, opened_store, read_settings
from starter.supervisor import GRACE, Supervisor, asked_to_stop
from store.installation import Installation

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


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


def gateway(settings: SettingsFile) -> None:
    """Receive webhooks and hand them on to Temporal."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    installation = read_settings(settings)
    with opened_store(installation) as store:
        application = build_app(installation, store, connect=lambda: temporal.connect(installation))
        uvicorn.run(
            application,
            host=installation.gateway.host,
            port=installation.gateway.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=3,
            server_header=False,
        )


def worker(settings: SettingsFile) -> None:
    """Execute workflows and activities."""
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    _run_worker(read_settings(settings))


def _run_worker(installation: Installation) -> None:
    from workers.running import run_workers

    asyncio.run(run_workers(installation))
