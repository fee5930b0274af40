"""What is counted at the gateway; read at the process's probes."""

from __future__ import annotations

from collections.abc import Set

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("bookings_events_received", "Events stored or known already", ["agency", "result"])
REFUSED = Counter("bookings_requests_refused", "Requests answered with a problem", ["code"])
STORED = Histogram(
    "bookings_event_stored_seconds",
    "From a verified event until it was durable",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
PACED = Gauge(
    "bookings_catching_up",
    "1 while the events of an agency are handed on at a pace, because others are at work",
    ["agency"],
)


def show_paced(agencies: Set[str]) -> None:
    """Whose events wait because they are to wait."""
    PACED.clear()
    for agency in agencies:
        PACED.labels(agency).set(1)
