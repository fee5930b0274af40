"""What is counted at the gateway; read at the process's probes."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

EVENTS = Counter("bookings_events_received", "Events stored or known already", ["agency", "result"])
REFUSED = Counter("bookings_requests_refused", "Requests answered with a problem", ["code"])
STORED = Histogram(
    "bookings_event_stored_seconds",
    "From a verified event until it was durable",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
