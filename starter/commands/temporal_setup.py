"""`temporal`: bring a Temporal cluster to what the program needs of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

import typer
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from starter import temporal
from starter.answers import CommandError, say
from starter.opening import SettingsFile, read_settings
from store.installation import Installation

app = typer.Typer(no_args_is_help=True, help="Bring a Temporal cluster to what the program needs of it.")

PATIENCE = 120.0
"""Seconds for a cluster that is just starting, and for its cache of namespaces and search attributes."""


@app.callback()
def temporal_commands() -> None:
    """Bring a Temporal cluster to what the program needs of it."""


@app.command()
def prepare(
    settings: SettingsFile,
    retention: Annotated[int, typer.Option(min=1, help="Days that ended workflows stay to be looked at.")] = 30,
) -> None:
    """Create the namespace and the search attributes; what is there already stays. Waits for a cluster that starts."""
    installation = read_settings(settings)
    if installation.temporal.address is None:
        raise CommandError("the embedded server needs no preparation; name a cluster in temporal.address")
    asyncio.run(_prepare(installation, timedelta(days=retention)))


async def _prepare(installation: Installation, retention: timedelta) -> None:
    namespace = installation.temporal.namespace
    try:
        async with asyncio.timeout(PATIENCE):
            client = await _connected(installation)
            say(f"namespace {namespace}: {'created' if await _registered(client, retention) else 'there already'}")
            added = await _searchable(client)
    except TimeoutError:
        raise CommandError(
            f"Temporal at {installation.temporal.target} was not ready within {PATIENCE:.0f} s"
        ) from None
    say(f"search attributes: {', '.join(added) + ' added' if added else 'there already'}")


async def _connected(installation: Installation) -> Client:
    while True:
        try:
            return await temporal.connect(installation)
        except RuntimeError:
            await asyncio.sleep(1)


async def _registered(client: Client, retention: timedelta) -> bool:
    period = Duration()
    period.FromTimedelta(retention)
    request = RegisterNamespaceRequest(namespace=client.namespace, workflow_execution_retention_period=period)
    while True:
        try:
            await client.workflow_service.register_namespace(request, timeout=timedelta(seconds=10))
            return True
        except RPCError as error:
            if error.status is RPCStatusCode.ALREADY_EXISTS:
                return False
            if error.status not in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED):
                raise CommandError(f"the namespace cannot be created: {error.message}") from None
            await asyncio.sleep(1)


async def _searchable(client: Client) -> tuple[str, ...]:
    """Add what is missing and wait until every host knows it: their caches are refreshed about once a minute."""
    added: tuple[str, ...] = ()
    while True:
        try:
            added = added or await temporal.ensure_search_attributes(client)
            if not await temporal.missing_search_attributes(client):
                return added
        except RPCError as error:
            if error.status not in (
                RPCStatusCode.NOT_FOUND,
                RPCStatusCode.UNAVAILABLE,
                RPCStatusCode.DEADLINE_EXCEEDED,
            ):
                raise CommandError(f"search attributes cannot be added: {error.message}") from None
        await asyncio.sleep(1)
