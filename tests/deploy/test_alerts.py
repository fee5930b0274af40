"""Alerts ring for what they are for and for nothing less, each with the names in its words (in the manner of promtool's unit tests)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

from tests.deploy.files import alerts
from tests.deploy.promql import Query, Series, firing

RULES: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in alerts()}


class Case(NamedTuple):
    """`series` a minute each, as promtool spells them; the alert rings at `rings` for `about`, and not yet at `quiet`."""

    alert: str
    series: dict[str, str]
    quiet: int
    rings: int
    about: dict[str, str]


def of(metric: str, **labels: str) -> str:
    told = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{metric}{{{told}}}"


GIAV = {"agency": "one", "connector": "giav"}
WAITING = "temporal_workflow_task_schedule_to_start_latency_seconds_bucket"
SLOW = {"1": "0+5x60", "10": "0+10x60", "+Inf": "0+10x60"}
REFUSED = "temporal_request_failure_total"
CASES = [
    Case("StoreDown", {of("bookings_store_up", service="gateway"): "1x3 0x9"}, 4, 5, {"service": "gateway"}),
    Case(
        "EventsNotDispatched",
        {
            of("bookings_events_waiting_oldest_seconds", agency="one"): "0+60x20",
            of("bookings_events_waiting_oldest_seconds", agency="import"): "0+60x20",
            of("bookings_catching_up", agency="import", instance="a"): "1x20",
        },
        4,
        5,
        {"agency": "one"},
    ),
    Case(
        "RequestsRefused",
        {
            of("bookings_requests_refused_total", code="signature_invalid"): "0x10 0+30x30",
            of("bookings_requests_refused_total", code="too_large"): "0+300x40",
        },
        15,
        26,
        {"code": "signature_invalid"},
    ),
    Case(
        "ItemsOverdue",
        {of("bookings_overdue_items", agency="one", owner="books"): "0x5 2x30"},
        20,
        21,
        {"agency": "one", "owner": "books"},
    ),
    Case(
        "PaymentsUnsynchronised",
        {of("bookings_unsynchronised_payments_oldest_seconds", **GIAV): "86340+60x9"},
        1,
        2,
        GIAV,
    ),
    Case("ManyPaymentsUnsynchronised", {of("bookings_unsynchronised_payments", **GIAV): "20x5 21x20"}, 15, 16, GIAV),
    Case(
        "TamaraFileUnanswered",
        {of("bookings_tamara_files_without_answer_oldest_seconds", agency="one", kind="MA"): "259140+60x9"},
        1,
        2,
        {"agency": "one", "kind": "MA"},
    ),
    Case(
        "SystemFailing",
        {
            of("bookings_effects_total", agency="one", system="giav", outcome="Done"): "0+10x10 100x40",
            of("bookings_effects_total", agency="one", system="giav", outcome="Transient"): "0x10 0+10x40",
            of("bookings_effects_total", agency="two", system="giav", outcome="Done"): "0+10x60",
            of("bookings_effects_total", agency="two", system="giav", outcome="Refused"): "0+90x60",
        },
        18,
        28,
        {"agency": "one", "system": "giav"},
    ),
    Case(
        "KeyRefused",
        {
            of("bookings_effects_total", agency="one", system="giav", outcome="Unauthorised"): "0x5 1x9",
            of("bookings_effects_total", agency="two", system="giav", outcome="Refused"): "0+1x20",
        },
        5,
        6,
        {"agency": "one", "system": "giav"},
    ),
    Case("BreakerOpen", {of("bookings_open_breakers_oldest_seconds", **GIAV): "0+60x30"}, 10, 11, GIAV),
    Case(
        "OutcomeUnknown",
        {of("bookings_unknown_outcomes_oldest_seconds", agency="one", system="giav"): "3480+60x9"},
        2,
        3,
        {"agency": "one", "system": "giav"},
    ),
    Case(
        "SlowToWrite",
        {
            of("bookings_webhook_to_written_seconds_bucket", le="60", cell="a"): "0+9x60",
            of("bookings_webhook_to_written_seconds_bucket", le="600", cell="a"): "0+10x60",
            of("bookings_webhook_to_written_seconds_bucket", le="+Inf", cell="a"): "0+10x60",
        },
        15,
        17,
        {},
    ),
    Case(
        "NoPollers",
        {
            of("temporal_num_pollers", task_queue="giav", poller_type="activity_task"): "5x4 0x9",
            of("temporal_num_pollers", task_queue="giav", poller_type="sticky_workflow_task"): "5x20",
            of("temporal_num_pollers", task_queue="crm", poller_type="activity_task"): "5x20",
        },
        6,
        7,
        {"task_queue": "giav"},
    ),
    Case(
        "WorkflowTaskFails",
        {
            of(
                "temporal_workflow_task_execution_failed_total",
                workflow_type="Booking",
                failure_reason="NonDeterminismError",
            ): "0x5 0+1x20"
        },
        9,
        10,
        {"workflow_type": "Booking", "failure_reason": "NonDeterminismError"},
    ),
    Case(
        "WorkersTooSlow",
        {of(WAITING, le=le, task_queue="workflows"): times for le, times in SLOW.items()},
        9,
        12,
        {"task_queue": "workflows"},
    ),
    Case(
        "QueueBacklog",
        {of("approximate_backlog_count", taskqueue="giav", partition="1"): "300x30"}
        | {of("approximate_backlog_count", taskqueue="giav", partition="2"): "0x5 300x30"},
        15,
        16,
        {"taskqueue": "giav"},
    ),
    Case(
        "TemporalRefuses",
        {
            of(REFUSED, operation="StartWorkflowExecution", status_code="RESOURCE_EXHAUSTED"): "0x5 0+1x30",
            of(REFUSED, operation="PollActivityTaskQueue", status_code="RESOURCE_EXHAUSTED"): "0+1x30",
            of(REFUSED, operation="SignalWorkflowExecution", status_code="NOT_FOUND"): "0+1x30",
        },
        9,
        12,
        {"operation": "StartWorkflowExecution"},
    ),
    Case(
        "TargetDown",
        {of("up", job="bookings", instance="10.0.0.7:9464"): "1x3 0x9"},
        5,
        6,
        {"job": "bookings", "instance": "10.0.0.7:9464"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.alert for case in CASES])
def test_an_alert_rings_for_what_it_is_about_once_that_has_lasted(case: Case) -> None:
    rule, series = RULES[case.alert], Series.of(case.series)
    lasting = rule.get("for", "")
    assert firing(rule["expr"], lasting, series, case.quiet) == []
    assert firing(rule["expr"], lasting, series, case.rings) == [frozenset(case.about.items())]
    named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert named <= set(case.about), "its words would have holes"


def test_every_alert_has_its_case() -> None:
    assert sorted(case.alert for case in CASES) == sorted(RULES)


def test_that_no_worker_says_anything_at_all_is_an_alert_too() -> None:
    rule = RULES["NoPollers"]
    assert firing(rule["expr"], rule["for"], Series.of({of("up", job="temporal"): "1x9"}), 5) == [frozenset()]


def test_quiet_series_ring_nothing() -> None:
    healthy = Series.of(
        {
            of("bookings_store_up", service="gateway"): "1x60",
            of("temporal_num_pollers", task_queue="giav", poller_type="activity_task"): "5x60",
            of("bookings_effects_total", agency="one", system="giav", outcome="Done"): "0+10x60",
            of("up", job="bookings", instance="a"): "1x60",
        }
    )
    assert [name for name, rule in RULES.items() if firing(rule["expr"], rule.get("for", ""), healthy, 60)] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3 > 0 or x", None),
        ("sum by (a) (x) / 2", 3.0),
        ("max by (a) (x{b=~\"1|2\"})", 4.0),
        ("max by (a) (x{b!=\"2\"})", 2.0),
        ("increase(x{b=\"2\"}[2m])", 0.0),
    ],
)  # fmt: skip
def test_the_language_is_understood(text: str, value: float | None) -> None:
    series = Series.of({'x{a="1",b="1"}': "0+1x2", 'x{a="1",b="2"}': "4x2"})
    if value is None:
        with pytest.raises(AssertionError):
            Query(text, series, 120.0).result()
    else:
        assert list(Query(text, series, 120.0).result().values()) == [value]
