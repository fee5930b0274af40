"""How the whole suite is spread over processes: what mostly waits begins first and does not keep a core from the rest. Each
process clears its databases away in the end."""

from __future__ import annotations

import os

import pytest

from tests import databases

WAITING = ("tests/season/", "tests/faults/", "tests/workflows/")
"""Folders whose tests wait for real processes and durable timers; the slowest first."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than cores, because there is always one that waits."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stable: files and their tests keep their order within each rank."""
    items.sort(key=_rank)


def pytest_sessionfinish() -> None:
    databases.clear_away()


def _rank(item: pytest.Item) -> int:
    return next((rank for rank, folder in enumerate(WAITING) if item.nodeid.startswith(folder)), len(WAITING))
