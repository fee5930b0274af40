"""`up`, `worker`, `gateway`: the processes of an installation."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from domain.naming import Queue
from starter import temporal
from starter.answers import CommandError, say
from starter.gateway.app import build_app
from starter.observing import ProbesAt, observing, probed
from starter.opening import SettingsFile, opened_store, read_settings
from starter.serving import serve
from starter.supervisor import GRACE, Supervisor, asked_to_stop
from store.installation import Installation
from workers.probes import split
from workers.probing import readiness


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
    with observing(installation, "gateway"), opened_store(installation) as store, probed(store, probes):
        application = build_app(installation, store, connect=lambda: temporal.connect(installation))
        serve(
            application,
            host=installation.gateway.host,
            port=installation.gateway.port,
            trusted_proxies=installation.gateway.trusted_proxies,
        )


def worker(
    settings: SettingsFile,
    queue: Annotated[
        list[Queue] | None,
        typer.Option(help="Work on this task queue only; may be given several times. Without it: on all."),
    ] = None,
    build: Annotated[
        str,
        typer.Option(
            envvar="BOOKINGS_BUILD",
            help="The version of this worker, for updates without stopping ('bookings deploy'). Without it: none.",
        ),
    ] = "",
    probes: ProbesAt = "",
) -> None:
    """Execute workflows and activities."""
    installation = read_settings(settings)
    with observing(installation, "worker"):
        _run_worker(installation, frozenset(queue or Queue), build, probes)


def probe(probes: ProbesAt = "") -> None:
    """Ask a process of this machine whether it is ready; ends with 1 and the reason when it is not."""
    if not probes:
        raise CommandError("name the address with --probes or BOOKINGS_PROBES")
    ready, said = readiness(*split(probes))
    say(said)
    raise typer.Exit(0 if ready else 1)


def _run_worker(installation: Installation, queues: frozenset[Queue], build: str, probes: str) -> None:
    from workers.running import run_workers

    asyncio.run(run_workers(installation, queues=queues, build=build, probes=probes))
