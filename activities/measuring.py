"""What is counted and traced of every effect: how it ended, how long it took, how long an unknown outcome stayed unknown.

Counters are the process's own and are read at its probes (`workers.probes`); spans go where `workers.tracing` sends them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from opentelemetry import trace
from opentelemetry.trace import StatusCode
from prometheus_client import Counter, Histogram

from domain.effects import EffectKey, EffectRecord, EffectState
from domain.errors import BackOfficeError

ATTEMPTS = Counter(
    "bookings_effects",
    "Attempts at writes in outside systems, by how they ended",
    ["agency", "system", "operation", "outcome"],
)
SECONDS = Histogram(
    "bookings_effect_seconds",
    "Duration of an attempt at a write, looks included",
    ["system"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
RESOLVED = Histogram(
    "bookings_unknown_outcome_resolved_seconds",
    "From the beginning of a write whose outcome was unknown until it was known to have happened",
    ["system"],
    buckets=(1, 5, 15, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600),
)

DONE = "Done"

_tracer = trace.get_tracer("bookings.effects")


@contextmanager
def observed(key: EffectKey, record: EffectRecord) -> Iterator[None]:
    """Around one attempt at an effect. The outcome is `Done` or the class of the error: `UnknownOutcome`, `Refused`, …"""
    started = time.monotonic()
    outcome = DONE
    name = f"{key.system} {key.operation}"
    # The words of an error may quote what the outside system said of a person; its class is enough.
    with _tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
        span.set_attribute("bookings.effect", str(key))
        span.set_attribute("bookings.reference", key.reference)
        try:
            yield
        except BackOfficeError as error:
            outcome = type(error).__name__
            raise
        except BaseException:
            outcome = "Defect"
            raise
        finally:
            span.set_attribute("bookings.outcome", outcome)
            span.set_status(StatusCode.OK if outcome == DONE else StatusCode.ERROR)
            ATTEMPTS.labels(key.agency, key.system, key.operation, outcome).inc()
            SECONDS.labels(key.system).observe(time.monotonic() - started)
            if outcome == DONE and record.state is EffectState.UNKNOWN and record.begun_at is not None:
                RESOLVED.labels(key.system).observe((datetime.now(UTC) - record.begun_at).total_seconds())
