"""`deploy`: which version of the program carries bookings on (docs/operations.md, "Updating the program")."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from temporalio.api.batch.v1 import BatchOperationSignal
from temporalio.api.deployment.v1 import WorkerDeploymentInfo
from temporalio.api.enums.v1 import VersionDrainageStatus
from temporalio.api.enums.v1.task_queue_pb2 import RoutingConfigUpdateState
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
    StartBatchOperationRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.naming import DEPLOYMENT
from starter.answers import CommandError, as_table, say
from starter.opening import SettingsFile, connected, read_settings

app = typer.Typer(no_args_is_help=True, help="Which version of the program carries bookings on.")

Build = Annotated[str, typer.Argument(metavar="BUILD", help="What the workers of that version were started with.")]
T = TypeVar("T")

PATIENCE = timedelta(seconds=30)
UNDER_WAY = RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS
MAILBOXES = ("Booking", "Experience", "PaymentPlan", "Connector", "RequestPayment", "SupplierFeed")
"""Entities that live for months and change their version when they go on as a new run."""


@app.command()
def show(settings: SettingsFile) -> None:
    """The versions, which one is current, and how many open workflows still belong to each."""
    rows = _with(settings, _versions)
    as_table("Versions of the program", ("build", "state", "open workflows", "may be stopped"), rows)


@app.command()
def current(
    settings: SettingsFile,
    build: Build,
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait for the workers of that version.")] = 60,
) -> None:
    """New workflows, and entities that go on as a new run, take this version from now on. Also the way back.

    Afterwards `bookings deploy nudge` lets idle entities notice.
    """

    async def set_current(client: Client) -> None:
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=client.namespace, deployment_name=DEPLOYMENT, build_id=build, identity="bookings deploy"
        )
        await _once_there(
            lambda: client.workflow_service.set_worker_deployment_current_version(request, timeout=PATIENCE),
            build,
            wait,
        )
        await _known_everywhere(client, wait)

    _with(settings, set_current)
    say(f"{build} is the current version")


@app.command()
def ramp(
    settings: SettingsFile,
    build: Build,
    percent: Annotated[float, typer.Option(min=0, max=100, help="Share of new workflows.")],
) -> None:
    """Only a share of what begins takes this version, to see how it does; 0 takes it back."""

    async def set_ramp(client: Client) -> None:
        request = SetWorkerDeploymentRampingVersionRequest(
            namespace=client.namespace,
            deployment_name=DEPLOYMENT,
            build_id=build if percent else "",
            percentage=percent,
            identity="bookings deploy",
        )
        await client.workflow_service.set_worker_deployment_ramping_version(request, timeout=PATIENCE)

    _with(settings, set_ramp)
    say(f"{build} takes {percent:g} % of what begins" if percent else "nothing is being tried any more")


@app.command()
def nudge(settings: SettingsFile) -> None:
    """Let entities to which nothing happens look at their version, so that they go on with the current one."""

    async def signal_all(client: Client) -> int:
        query = _open_on_other_versions(await _current(client))
        count = (await client.count_workflows(query)).count
        if count:
            request = StartBatchOperationRequest(
                namespace=client.namespace,
                visibility_query=query,
                job_id=str(uuid.uuid4()),
                reason="another version is current",
                signal_operation=BatchOperationSignal(signal="look_at_version", identity="bookings deploy"),
            )
            await client.workflow_service.start_batch_operation(request, timeout=PATIENCE)
        return count

    say(f"{_with(settings, signal_all)} entities of other versions are told")


def _with(settings: Path, work: Callable[[Client], Awaitable[T]]) -> T:
    installation = read_settings(settings)

    async def run() -> T:
        client = await connected(installation)
        try:
            return await work(client)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise CommandError(
                    "no worker of that version has asked for work yet; start workers with: bookings worker --build BUILD"
                ) from None
            raise CommandError(f"Temporal refuses: {error.message}") from None

    return asyncio.run(run())


async def _once_there(ask: Callable[[], Awaitable[object]], build: str, seconds: int) -> None:
    """Repeat until the workers of the version have shown themselves."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            await ask()
            return
        except RPCError as error:
            absent = error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)
            if not absent or asyncio.get_running_loop().time() > end:
                raise
        await asyncio.sleep(1)


async def _known_everywhere(client: Client, seconds: int) -> None:
    """Until every queue has heard of the version: an entity that is nudged before sees no other one yet, and stays as it is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await _described(client)).routing_config_update_state == UNDER_WAY:  # noqa: ASYNC110 it tells no news
                await asyncio.sleep(0.2)


async def _described(client: Client) -> WorkerDeploymentInfo:
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    answer = await client.workflow_service.describe_worker_deployment(request, timeout=PATIENCE)
    return answer.worker_deployment_info


async def _current(client: Client) -> str:
    return (await _described(client)).routing_config.current_deployment_version.build_id


def _open_on_other_versions(build: str) -> str:
    types = ", ".join(f"'{name}'" for name in MAILBOXES)
    version = f"{DEPLOYMENT}:{build}"
    return (
        f"ExecutionStatus = 'Running' AND WorkflowType IN ({types}) "
        f"AND TemporalWorkerDeploymentVersion != '{version}' AND TemporalWorkerDeploymentVersion IS NOT NULL"
    )


async def _versions(client: Client) -> list[tuple[str, str, str, str]]:
    info = await _described(client)
    routing = info.routing_config
    rows = []
    for each in info.version_summaries:
        build = each.deployment_version.build_id
        query = f"ExecutionStatus = 'Running' AND TemporalWorkerDeploymentVersion = '{DEPLOYMENT}:{build}'"
        count = (await client.count_workflows(query)).count
        if build == routing.current_deployment_version.build_id:
            state = "current"
        elif build == routing.ramping_deployment_version.build_id:
            state = f"tried with {routing.ramping_version_percentage:g} %"
        else:
            state = (
                "drained"
                if each.drainage_status == VersionDrainageStatus.VERSION_DRAINAGE_STATUS_DRAINED
                else "draining"
            )
        rows.append((build, state, str(count), "no" if count or state == "current" else "yes"))
    return rows
