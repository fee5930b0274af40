"""How a long process shows itself: logs as the settings want them, traces, and probes where it was told to serve them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from prometheus_client import REGISTRY

from store import Store
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


@contextmanager
def observing(installation: Installation, service: str) -> Iterator[None]:
    """Logs and traces of one process, from here to its end."""
    set_up_logging(installation.telemetry, service)
    start_tracing(installation, service)
    try:
        yield
    finally:
        stop_tracing()


@contextmanager
def probed(store: Store, probes: str) -> Iterator[None]:
    """Probes of a way in: ready while the store answers; with the gauges of what waits there."""
    if not probes:
        yield
        return
    waiting = StandingCollector(store)
    REGISTRY.register(waiting)
    try:
        with Probes(probes, {"store": store.database.trouble}):
            yield
    finally:
        REGISTRY.unregister(waiting)
