"""Alerts and dashboards ask for metrics that the processes really expose, and each alert has an entry for who is woken by it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

import activities.measuring
import starter.gateway.metrics
import workers.latency
from store.standing import LABELS
from tests.deploy.files import DEPLOY, PROJECT, alerts, dashboards

DECLARED_BY = (activities.measuring, starter.gateway.metrics, workers.latency)
"""Importing them registers our metrics."""

OF_SDK = {
    "temporal_num_pollers",
    "temporal_workflow_task_execution_failed_total",
    "temporal_workflow_task_schedule_to_start_latency_seconds_bucket",
    "temporal_activity_schedule_to_start_latency_seconds_bucket",
    "temporal_worker_task_slots_available",
    "temporal_sticky_cache_size",
    "temporal_request_total",
    "temporal_request_failure_total",
}
OF_SERVER = {"approximate_backlog_count", "persistence_latency_bucket"}
OF_PROMETHEUS = {"up"}


def ours() -> Iterator[str]:
    for metric in REGISTRY.collect():
        if metric.name.startswith("bookings_"):
            yield metric.name
            yield from (f"{metric.name}_{end}" for end in ("total", "bucket", "count", "sum"))
    for kind in LABELS:
        yield f"bookings_{kind}"
        yield f"bookings_{kind}_oldest_seconds"
    yield "bookings_store_up"


KNOWN = set(ours()) | OF_SDK | OF_SERVER | OF_PROMETHEUS


def asked(expression: str) -> set[str]:
    """The metrics that an expression reads."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\b(by|without)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\{[^}]*\}", "", bare)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    words = set(re.findall(r"[a-zA-Z_][a-zA-Z0-9_]*", bare))
    functions = {word for word in words if re.search(rf"\b{word}\s*\(", bare)}
    return words - functions - {"or", "and", "unless"}


def expressions() -> list[tuple[str, str]]:
    of_boards = [
        (f"{name}: {panel['title']}", target["expr"])
        for name, board in dashboards().items()
        for panel in board["panels"]
        for target in panel["targets"]
    ]
    return of_boards + [(rule["alert"], rule["expr"]) for rule in alerts()]


@pytest.mark.parametrize(("where", "expression"), expressions())
def test_every_query_asks_for_metrics_that_exist(where: str, expression: str) -> None:
    assert asked(expression), where
    assert asked(expression) <= KNOWN, where


def test_every_alert_has_an_entry_in_the_runbook() -> None:
    page = (PROJECT / "docs" / "operations.md").read_text("utf-8")
    headings = {heading.strip().lower() for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    missing = [rule["alert"] for rule in alerts() if rule["alert"].lower() not in headings]
    assert missing == []
    for rule in alerts():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]


def test_three_dashboards_are_provisioned_from_files_with_one_source_of_data() -> None:
    assert {board["title"] for board in dashboards().values()} == {"Back office today", "Systems", "Temporal"}
    provisioning = (DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yml").read_text("utf-8")
    assert "uid: prometheus" in provisioning
    for board in dashboards().values():
        assert {panel["datasource"]["uid"] for panel in board["panels"]} == {"prometheus"}
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
